-- SPDX-License-Identifier: MIT
-- Modules as functions in Lua, against the interpreter: every operation on unusual numbers, loops,
-- views, memory, and what convolutions pack.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local builder = require "upweave.ir.builder"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local problems = dofile "tests/lib/problems.lua"
local translate = require "upweave.ir.translate"
local types = require "upweave.ir.types"

local function same(a, b)
  return string.pack("<d", a) == string.pack("<d", b) or a ~= a and b ~= b
end

-- Both ways on the same inputs: equal outputs.
local function check(module, inputs, size, name)
  local one = setmetatable({ y = {}, packed = {} }, { __index = inputs })
  local other = setmetatable({ y = {}, packed = {} }, { __index = inputs })
  eval.eval(module, one)
  local run = translate.translate(module)
  if not tap.ok(run ~= nil, name .. ": is translated") then return end
  run(other)
  local equal = true
  for i = 0, size - 1 do
    local a, b = one.y[i] or one.packed[i], other.y[i] or other.packed[i]
    equal = equal and b ~= nil and same(a, b)
  end
  tap.ok(equal, name)
end

local numbers <const> = { 0 / 0, 1 / 0, -1 / 0, 0.0, -0.0, 1.5, -2.0 ^ -149, 0x1.fffffep127,
  0.1, -3.0, 2.0 ^ -126, 7.0 }
local SIZE <const> = #numbers * #numbers
local x = {}
for i, v in ipairs(numbers) do x[i - 1] = types.round("f32", v) end

-- fn of all pairs of numbers, as elements of a type
local function of_pairs(name, fn)
  for _, elem in ipairs { "f32", "f64" } do
    for _, fma in ipairs { false, true } do
      local b = builder.new("test", { name = "test", fma = fma }, "f32")
      local from, y = b:input("x", "f32", #numbers), b:output("y", "f32", SIZE)
      b:each("i", 0, #numbers, function(i)
        local p = b:convert(b:splat(b:load(from, i), 4), elem)
        b:each("j", 0, #numbers // 4, function(j)
          local q = b:convert(b:load(from, j * 4, 4), elem)
          b:store(y, i * #numbers + j * 4, b:convert(fn(b, p, q), "f32"))
        end)
      end)
      check(b, { x = x }, SIZE, ("%s of %s%s"):format(name, elem, fma and " with fma" or ""))
    end
  end
end
for _, op in ipairs { "add", "sub", "mul", "div", "max", "min" } do
  of_pairs(op, function(b, p, q) return b[op](b, p, q) end)
end
of_pairs("sqrt", function(b, p, q) return b:sqrt(b:mul(p, q)) end)
of_pairs("lt", function(b, p, q) return b:lt(p, q, b:mul(p, p), q) end)
of_pairs("fma", function(b, p, q) return b:fma(p, q, b:sub(q, p)) end)
of_pairs("shuffle", function(b, p, q) return b:shuffle(p, q, { 5, 0, -1, 6 }) end)
of_pairs("constants", function(b, p, q)
  return b:add(q, b:mul(p, b:const(p.ty.elem, 4, { 0.1, -0.0, 3, -2.0 ^ -100 })))
end)

local function module_of(fn)
  local b = ir.new(true)
  fn(b, b:input("x", "f32", #numbers), b:output("y", "f32", 4))
  return b
end
check(module_of(function(b, from, y)
  local out = b:fold("i", 5, 8, { b:load(from, 5, 2), b:load(from, 8, 2) }, function(i, v)
    return { v[2], b:add(v[1], b:load(from, i + 1, 2)) }
  end)
  b:store(y, 0, out[1])
  b:store(y, 2, b:shuffle(out[2], out[1], { 1, 2 }))
end), { x = x }, 4, "carried values that change places")
check(module_of(function(b, from, y)
  local s, t = b:scratch("s", "f32", 16), b:table("t", "i32", { 3, 0, 2, 1 })
  local w = b:table("w", "f32", { 0.5, 2, 4, 8 })
  b:each("i", 0, 4, function(i)
    local v = b:view("v", b:view("u", s, i // 2 * 4), i % 2)
    b:note("a note")
    b:group(function() b:store(v, 1, b:mul(b:load(from, b:fetch(t, i) + 5), b:load(w, i))) end)
  end)
  b:each("i", 0, 2, function(i) b:store(y, i * 2, b:load(s, i * 4 + 1, 2)) end)
end), { x = x }, 4, "views, scratch, tables, quotients")
tap.is(translate.translate(module_of(function(b, from, y)
  b:store(y, 0, b:abs(b:load(from, 0, 4)))
end)), nil, "bits are left to the interpreter")

-- what is packed
local function tensor(layout, dtype, ...)
  return { shape = { ... }, layout = layout, dtype = dtype }
end
local function conv(fields)
  fields.op = fields.op or "conv"
  local problem = problems.make(fields)
  for _, target in ipairs { "generic", "icelake" } do
    local module = assert(driver.compile(problem, { target = target, stop_after = "ir" })).ir.pack
    local inputs, size = {}, 0
    for i, buf in ipairs(module.buffers) do
      if buf.mode == "input" then
        inputs[buf.name] = ir.array(ir.noise(buf.size, i))
        for k = 0, buf.size - 1 do
          local v = inputs[buf.name][k]
          inputs[buf.name][k] = types.round(buf.elem, buf.name == "var" and v * v or v)
        end
      elseif buf.mode == "output" then
        size = buf.size
      end
    end
    check(module, inputs, size, ("what %s %s packs for %s"):format(fields.op, fields.x.dtype,
      target))
  end
end
conv { x = tensor("NHWC", "f32", 1, 4, 5, 6), out_channels = 9, kernel_size = 3 }
conv { x = tensor("NCHW", "f16", 1, 4, 6, 9), out_channels = 6, kernel_size = 3, groups = 2,
  post = { "batch_norm", "prelu" } }
conv { op = "conv_transpose", x = tensor("NHWC", "f64", 1, 4, 5, 6), out_channels = 3,
  kernel_size = 4, stride = 2, post = { "batch_norm" } }
conv { x = tensor("NHWC", "bf16", 1, 12, 12, 16), out_channels = 16, kernel_size = 3, padding = 1,
  numerics = "fast" }

tap.done()
