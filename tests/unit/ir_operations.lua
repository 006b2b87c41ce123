-- SPDX-License-Identifier: MIT
-- Operations on floats: what NaN and zeros give, what the constructors fold and refuse.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local eval = require "upweave.ir.eval"
local types = require "upweave.ir.types"

local huge <const>, nan <const> = math.huge, 0 / 0

local b = ir.new(true)
local x = b:input("x", "f32", 64)
local p, q = b:load(x, 0, 4), b:load(x, 4, 4)
local one, scalar = b:const("f32", 4, 1), b:load(x, 0)

tap.is(b:max(p, p), p, "the greater of equals is either")
tap.is(b:min(p, p), p, "so is the lesser")
tap.ok(b:max(p, q) ~= b:max(q, p), "the second operand is what NaN gives: they have an order")
tap.is(b:lt(p, q, one, one), one, "a choice between equals")
tap.is(b:div(p, one), p, "a divisor 1 disappears")
tap.is(b:div(one, p).op, "div", "a dividend 1 does not")
tap.is(b:bxor(p, q), b:bxor(q, p), "bits have no order")
tap.is(b:abs(p), b:abs(p), "equal magnitudes are one value")
tap.is(b:convert(scalar, "f64").op, "convert", "a scalar is converted as a scalar")
tap.is(b:convert(p, "f32"), p, "no conversion")
tap.is(b:shift(p, 0), p, "no shift")
ir.fails(function() b:max(p, scalar) end, "types differ", "max of two types")
ir.fails(function() b:lt(p, q, one, scalar) end, "types differ", "a choice of two types")
ir.fails(function() b:lt(p, q, scalar, b:load(x, 1)) end, "lanes of one length",
  "a choice by another number of lanes")
ir.fails(function() b:cast(scalar, "i32") end, "scalars have no bits", "bits of a scalar")
ir.fails(function() b:convert(p, "i32") end, "to_integer", "a float to an integer by convert")
ir.fails(function() b:to_integer(b:convert(p, "f64")) end, "takes f32", "f64 to integers")

tap.is(types.wrap("u8", 0x1ff), 255, "lower bits")
tap.is(types.wrap("i8", 0x1ff), -1, "lower bits with a sign")
tap.is(types.wrap("i32", -0x80000001), 0x7fffffff, "a sign that is lost")
tap.is(types.wrap("i32", 5), 5, "bits that are all there")

-- values: fn on the eight lanes of two lists
local function gives(want, name, fn, first, second)
  local m = ir.new(true)
  local u, v = m:input("u", "f32", #want), m:input("v", "f32", #want)
  local y = m:output("y", "f32", #want)
  m:store(y, 0, fn(m, m:load(u, 0, #want), m:load(v, 0, #want)))
  local memory = { u = ir.array(first), v = ir.array(second or first), y = {} }
  eval.eval(m, memory)
  local same = true
  for i, value in ipairs(want) do same = same and ir.bits(value) == ir.bits(memory.y[i - 1]) end
  if not tap.ok(same, name) then tap.diag(table.concat(memory.y, " ", 0, #want - 1)) end
end
local function of_two(op) return function(m, u, v) return m[op](m, u, v) end end
local function of_one(op) return function(m, u) return m[op](m, u) end end
local left <const> = { nan, 0.0, 0.0, -0.0, 2.0, -huge, 1.0, -3.0 }
local right <const> = { 0.0, nan, -0.0, 0.0, 1.0, huge, 1.0, 0.5 }

gives({ 0.0, nan, -0.0, 0.0, 2.0, huge, 1.0, 0.5 }, "max gives the second unless the first is more",
  of_two "max", left, right)
gives({ 0.0, nan, -0.0, 0.0, 1.0, -huge, 1.0, -3.0 },
  "min gives the second unless the first is less", of_two "min", left, right)
gives({ 0.0, nan, -0.0, 0.0, 1.0, -huge, 1.0, -3.0 }, "lt is false for NaN and equals",
  function(m, u, v) return m:lt(u, v, u, v) end, left, right)
gives({ nan, nan, nan, nan, 2.0, nan, 1.0, -6.0 }, "div", of_two "div", left, right)
gives({ 0.0, -0.0, nan, nan, huge, types.round("f32", math.sqrt(2)), 1.5, nan }, "sqrt",
  of_one "sqrt", { 0.0, -0.0, -1.0, nan, huge, 2.0, 2.25, -huge })
gives({ 0.0, 0.0, 1.0, huge }, "abs", of_one "abs", { 0.0, -0.0, -1.0, -huge })
gives({ -0.0, 0.0, 1.0, huge }, "neg", of_one "neg", { 0.0, -0.0, -1.0, -huge })
gives({ 2.0, -2.0, -2.0, 2.0 }, "with_sign", function(m, u)
  return m:with_sign(m:const("f32", 4, 2), u)
end, { 0.0, -0.0, -1.0, huge })
gives({ 2.0, -2.0, 0.0, 4194303.0 }, "to_integer: ties to even", function(m, u)
  return m:convert(m:to_integer(u), "f32")
end, { 2.5, -1.5, -0.5, 4194303.0 })
gives({ 0.125, 1.0, 8.0, 2.0 ^ 127 }, "powers of two made of bits", function(m, u)
  local n = m:add(m:to_integer(u), m:const("i32", 4, 127))
  return m:cast(m:shift(n, -23), "f32")
end, { -3.0, 0.0, 3.0, 127.0 })
gives({ -0.0, 1.0, nan, types.round("f32", 0.1) }, "through f64 and back, the sign of zero kept",
  function(m, u) return m:convert(m:convert(u, "f64"), "f32") end,
  { -0.0, 1.0, nan, types.round("f32", 0.1) })

tap.done()
