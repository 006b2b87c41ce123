-- SPDX-License-Identifier: MIT
-- The builder: types are checked when a value is made, constants fold, equal values are one value,
-- loops that are known to run once or never leave no loop, and carried values evaluate right.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local eval = require "upweave.ir.eval"
local index = require "upweave.ir.index"
local listing = require "upweave.ir.print"
local prune = require "upweave.ir.prune"
local types = require "upweave.ir.types"
local verify = require "upweave.ir.verify"

-- types ------------------------------------------------------------------------------------------

tap.is(types.of("f32", 8), types.of("f32", 8), "equal types are one table")
tap.is(types.of("f32", 8).name, "f32x8", "the name of a vector type")
tap.is(types.of("i32", 1).name, "i32", "the name of a scalar type")
tap.is(types.of("f32", 16).bytes, 64, "bytes of a vector")
tap.is(types.element_bytes.i32, 4, "bytes of an element")
ir.fails(function() types.of("f32", 3) end, "power of two", "three lanes")
ir.fails(function() types.of("f32", 0) end, "power of two", "no lanes")
ir.fails(function() types.of("f8", 2) end, "unknown element type f8", "an unknown element")
tap.is(types.round("f32", 0.1), 0.10000000149011612, "f32 constants are rounded")
tap.is(types.round("i32", 7), 7, "i32 constants are not")
ir.fails(function() types.round("i32", 7.5) end, "integer", "an i32 constant that is no integer")
tap.is(math.type(types.round("u8", 255.0)), "integer", "integers come as integers")
ir.fails(function() types.round("u8", 256) end, "integer", "a byte beyond its range")

-- buffers ----------------------------------------------------------------------------------------

local b = ir.new(true)
local x, y = b:input("x", "f32", 64), b:output("y", "f32", 64)
local s = b:scratch("s", "f32", 32)
local t = b:table("t", "i32", { 3, 1, 2 })
local w = b:table("w", "f32", { 0.1, 2 })
tap.is(w.values[1], types.round("f32", 0.1), "a table of floats is rounded")
tap.is(t.size, 3, "the size of a table")
tap.is(#b.buffers, 5, "buffers are listed")
ir.fails(function() b:scratch("x", "f32", 1) end, "two buffers named x", "a name twice")
ir.fails(function() b:fetch(w, 0) end, "fetch reads a table of i32", "a fetch of floats")
ir.fails(function() b:fetch(x, 0) end, "fetch reads a table of i32", "a fetch of a tensor")
tap.is(index.static(b:fetch(t, 0)), 3, "a fetch of a constant place: first")
tap.is(index.static(b:fetch(t, 2)), 2, "a fetch of a constant place: last")
tap.is(index.static(b:fetch(t, index.of(1))), 1, "a fetch of a constant form")


-- a table of equal elements is no table
local same_ints, same_floats = b:table("same", "i32", { 4, 4, 4 }), b:table("one", "f32", { 1, 1 })
local place = index.atom { op = "var", hint = "p" }
tap.is(index.static(b:fetch(same_ints, place)), 4, "a fetch of what is the same everywhere")
tap.is(b:load(same_floats, place, 2), b:const("f32", 2, 1), "a load of what is the same everywhere")
tap.is(b:load(same_floats, place), b:const("f32", 1, 1), "or of one element")
tap.is(index.static(b:fetch(b:table("last", "i32", { 4, 4, 5 }), place)), nil, "the last differs")
local even = b:fetch(b:table("even", "i32", { 7, 4, 1, -2 }), place)
tap.is((even - place * -3):key(), index.of(7):key(), "a fetch of what is evenly spaced")
tap.is((b:fetch(b:table("two", "i32", { 2, 9 }), place) - place * 7):key(), index.of(2):key(),
  "as two elements are")
tap.is(b:fetch(b:table("uneven", "i32", { 7, 4, 1, 0 }), place).terms[1][2].op, "fetch",
  "not where the last is another")
tap.is(b:load(b:table("signs", "f32", { 0.0, -0.0 }), place).op, "load", "0 and -0 differ")
tap.is(b:load(b:view("shifted", same_floats, 1), 0).op, "load", "a view of it is read")
tap.is(t.columns, 1, "a table has one column")
tap.is(b:table("wide", "i32", { 1, 2, 3, 4 }, 2, "why").columns, 2, "unless said")

-- ranges: one table where each starts at the end of the one before
local function ranges(lo, hi)
  local m = ir.new(true)
  local fetch, text = m:ranges("r", lo, hi, "note"), {}
  for _, buf in ipairs(m.buffers) do
    text[#text + 1] = ("%s{%s}%s"):format(buf.name, table.concat(buf.values, ","), buf.note or "")
    tap.is(buf.columns, 1, buf.name .. ": a row of one bound")
  end
  for i = 0, #lo - 1 do
    local from, to = fetch(i)
    text[#text + 1] = ("%d..%d"):format(index.static(from), index.static(to))
  end
  return table.concat(text, " ")
end
tap.is(ranges({ 0, 2, 2 }, { 2, 2, 7 }), "r{0,2,2,7}note 0..2 2..2 2..7", "ranges that join")
tap.is(ranges({ 0, 3 }, { 2, 7 }), "r_from{0,3}note r_to{2,7} 0..2 3..7", "ranges with a gap")
tap.is(ranges({ 0, 2, 4 }, { 2, 3, 7 }), "r_from{0,2,4}note r_to{2,3,7} 0..2 2..3 4..7",
  "a gap at the end")
tap.is(ranges({ 3 }, { 5 }), "r{3,5}note 3..5", "one range")

-- constants --------------------------------------------------------------------------------------

local function c(value, lanes) return b:const("f32", lanes or 4, value) end
tap.is(c(2), c(2.0), "equal constants are one value")
tap.is(c { 1, 2, 3, 4 }, c { 1, 2, 3, 4 }, "so are lists")
tap.is(c { 2, 2, 2, 2 }, c(2), "and a list of equal numbers")
tap.ok(c { 1, 2, 3, 4 } ~= c { 1, 2, 4, 3 }, "other lists are others")
tap.ok(c(0.0) ~= c(-0.0), "0 is not -0")
tap.ok(c { 0.0, -0.0, 0.0, 0.0 } ~= c(0.0), "nor is a list with one -0")
tap.ok(not c { 0.0, -0.0, 0.0, 0.0 }.splat, "which is not the same in all lanes")
tap.ok(c { -0.0, -0.0, -0.0, -0.0 } == c(-0.0), "four times -0 is -0")
tap.ok(c(2).splat and not c { 1, 2, 3, 4 }.splat, "splat says: the same in all lanes")
tap.ok(c(2, 4) ~= c(2, 8), "types tell constants apart")
local fresh = ir.new(true)
local five, six = fresh:const("f32", 4, 5), fresh:const("f32", 8, 6)
fresh:const("f32", 4, 5)
tap.is(#fresh.consts, 2, "constants are listed once")
tap.is(fresh.consts[1], five, "in order")
tap.is(fresh.consts[2], six, "of their first use")
tap.is(c(0.1).values[4], types.round("f32", 0.1), "constants are rounded")
tap.is(c(0.1), c(0.1 + 1e-12), "and compared as rounded")

-- values -----------------------------------------------------------------------------------------

local p, q = b:load(x, 0, 4, "p"), b:load(x, 4, 4)
local scalar = b:load(x, 9)
tap.is(scalar.ty, types.of("f32", 1), "a load is a scalar unless said")
tap.is(b:load(x, 0, 4), p, "equal loads of an input are one value")
tap.ok(b:load(x, 0, 8) ~= p, "of another type they are not")
tap.ok(b:load(s, 0, 4) ~= b:load(s, 0, 4), "loads of scratch are not: a store may come between")
tap.is(b:load(w, 0), b:load(w, 0), "loads of a table are one value")
tap.is(b:add(p, q), b:add(p, q), "equal sums are one value")
tap.ok(b:add(p, q) ~= b:add(q, p), "operands have an order")
tap.ok(b:add(p, q) ~= b:mul(p, q), "operations are told apart")
tap.is(b:mul(p, c(1)), p, "a factor 1 on the right disappears")
tap.is(b:mul(c(1), p), p, "and on the left")
tap.is(b:mul(p, c(3)), b:mul(c(3), p), "a constant factor stands first")
tap.is(b:mul(p, c(3))[1], c(3), "as first operand")
tap.is(b:mul(p, c(0)).op, "mul", "a factor 0 stays: 0 times infinity is no 0")
tap.is(b:mul(p, c { 1, 1, 1, 2 }).op, "mul", "a factor 1 in some lanes stays")
tap.is(b:add(p, c(0)).op, "add", "an addend 0 stays: -0 plus 0 is 0")
tap.is(b:fma(p, c(1), q), b:add(p, q), "a product with 1 and a sum is a sum")
tap.is(b:fma(c(1), p, q), b:add(p, q), "on either side")
tap.is(b:fma(p, c(2), q).op, "fma", "one operation where the target has it")
tap.is(b:fma(p, c(2), q)[1], c(2), "with the constant first")
tap.is(b:fma(p, q, scalar and q), b:fma(p, q, q), "equal fmas are one value")
tap.is(b:splat(scalar, 4).op, "splat", "a scalar in every lane")
tap.is(b:splat(scalar, 1), scalar, "in one lane it is itself")
tap.is(b:splat(b:const("f32", 1, 3), 4), c(3), "a constant splat is a constant")
tap.is(b:splat(scalar, 4), b:splat(scalar, 4), "equal splats are one value")
tap.ok(b:splat(scalar, 4) ~= b:splat(scalar, 8), "splats of other widths are others")
local halved = b:convert(scalar, "f16")
tap.is(halved.ty.name, "f16", "a converted scalar is one")
tap.is(b:splat(halved, 8), b:convert(b:splat(scalar, 8), "f16"),
  "its splat converts a splat: no lane is taken out and put back")
tap.is(b:mul(scalar, c(1, 1)), scalar, "a scalar factor 1 disappears")
local single = b:table("single", "f32", { 3 })
tap.is(b:load(single, 0), c(3, 1), "a table of one element is a constant")
local third, pairs_of = b:load(x, 8, 4), { 0, 4, 1, 5 }
tap.is(b:shuffle(p, q, pairs_of), b:shuffle(p, q, pairs_of), "equal shuffles are one value")
tap.ok(b:shuffle(p, q, pairs_of) ~= b:shuffle(p, third, pairs_of), "of another second operand: not")
tap.ok(b:shuffle(p, q, pairs_of) ~= b:shuffle(third, q, pairs_of), "of another first operand: not")
tap.ok(b:shuffle(p, q, pairs_of) ~= b:shuffle(p, q, { 0, 4, 1, 6 }), "other lanes: not")
local vectors_scalar = "types differ: f32x4, f32"
ir.fails(function() b:mul(p, scalar) end, vectors_scalar, "a product of two types")
ir.fails(function() b:add(p, scalar) end, vectors_scalar, "a sum of two types")
ir.fails(function() b:fma(p, scalar, p) end, vectors_scalar, "an fma: second operand")
ir.fails(function() b:fma(p, q, scalar) end, vectors_scalar, "an fma: third operand")
ir.fails(function() b:shuffle(p, scalar, { 0, 1, 2, 3 }) end, vectors_scalar, "a shuffle")
tap.is(b:dot({ c(2) }, { p }), b:mul(p, c(2)), "a sum of one product")
local sum = b:dot({ c(2), c(3), c(4) }, { p, q, p })
tap.is(sum.op, "fma", "a sum of three products")
tap.is(sum[1], c(4), "ends with the third")
tap.is(sum[3][1], c(3), "after the second")
tap.is(sum[3][3], b:mul(c(2), p), "after the first")
tap.is(b:named("role", sum).hint, "role", "a value gets a name")
tap.is(b:named("other", sum).hint, "role", "once")
tap.is(b:named("role", c(7)).hint, nil, "constants get none")

-- shuffles
tap.is(b:shuffle(p, q, { 0, 1, 2, 3 }), p, "the identity is the value itself")
tap.is(b:shuffle(p, q, { -1, 1, -1, 3 }), p, "also with lanes that may be anything")
tap.is(b:shuffle(p, q, { 4, 5, 6, 7 }).op, "shuffle", "all of the second is none")
tap.is(b:shuffle(p, q, { 0, 1 }).ty.lanes, 2, "fewer lanes")
tap.is(b:shuffle(p, q, { 0, 1, 2, 3, 4, 5, 6, 7 }).ty.lanes, 8, "more lanes")
tap.is(b:shuffle(p, q, { 3, 4 }), b:shuffle(p, q, { 3, 4 }), "equal shuffles are one value")
tap.ok(b:shuffle(p, q, { 3, 4 }) ~= b:shuffle(p, q, { 4, 3 }), "lanes tell them apart")
ir.fails(function() b:shuffle(p, q, { 8, 0 }) end, "lane out of range", "a lane too far")
ir.passes(function() b:shuffle(p, q, { 7, 0 }) end, "the last lane")
ir.fails(function() b:shuffle(p, q, { -2, 0 }) end, "lane out of range", "a lane before all")

-- type errors where they are made
local wide = b:load(x, 0, 8)
ir.fails(function() b:add(p, wide) end, "types differ: f32x4, f32x8", "a sum of two types")
ir.fails(function() b:mul(p, scalar) end, "types differ", "a product of two types")
ir.fails(function() b:fma(p, wide, p) end, "types differ", "fma: factors of two types")
ir.fails(function() b:fma(p, p, wide) end, "types differ", "fma: an addend of another type")
ir.fails(function() b:shuffle(p, wide, { 0, 1 }) end, "types differ", "a shuffle of two types")
ir.fails(function() b:splat(p, 8) end, "splat takes a scalar", "a splat of a vector")
ir.fails(function() b:store(x, 0, p) end, "x cannot be written", "a store to an input")
ir.fails(function() b:store(w, 0, p) end, "w cannot be written", "a store to a table")
ir.fails(function() b:store(b:view("v", x, 4), 0, p) end, "x cannot be written",
  "a store through a view of an input")
ir.passes(function() b:store(s, 0, p) end, "a store to scratch")
ir.passes(function() b:store(b:view("v", y, 4), 0, p) end, "a store through a view of the output")
ir.fails(function() b:store(y, 0, b:load(t, 0)) end, "another element type",
  "a store of i32 to f32")
ir.fails(function() b:gather(x, 0, w, 0, 4) end, "driven by a table of i32", "a gather by floats")
ir.fails(function() b:gather(x, 0, s, 0, 4) end, "driven by a table of i32", "a gather by scratch")
ir.fails(function() b:load(x, 1.5, 4) end, "index expression", "a load at a fraction")

-- without FMA a sum of products is two operations
local plain = ir.new(false)
local px = plain:input("x", "f32", 8)
local r = plain:fma(plain:load(px, 0, 4), plain:load(px, 4, 4), plain:load(px, 0, 4))
tap.is(r.op .. " " .. r[1].op, "add mul", "no fma on a machine without")

-- sharing across scopes: an outer value serves inner blocks, an inner one not its siblings
local outer = b:add(p, p)
local inner, twin
b:group(function()
  tap.is(b:add(p, p), outer, "a block shares the values around it")
  inner = b:add(q, q)
  tap.is(b:add(q, q), inner, "and its own")
end)
b:group(function() twin = b:add(q, q) end)
tap.ok(twin ~= inner, "siblings share nothing")
tap.ok(b:add(q, q) ~= inner, "nor does the code after them")
b:each("i", 0, 3, function(i)
  tap.is(b:load(x, i, 4), b:load(x, i + 0, 4), "equal loads at a variable place")
  tap.ok(b:load(x, i + 1, 4) ~= b:load(x, i, 4), "and others")
end)

-- loops that are none ----------------------------------------------------------------------------

local function loops(fn)
  local m = ir.new(true)
  local input, out = m:input("x", "f32", 64), m:output("y", "f32", 64)
  fn(m, input, out)
  local n = 0
  local function search(block)
    for _, item in ipairs(block) do
      if item.op == "for" then n = n + 1 end
      if item.body then search(item.body) end
    end
  end
  search(m.body)
  return n
end
local calls = 0
local function body(m, input, out)
  return function(i)
    calls = calls + 1
    m:store(out, i, m:load(input, i))
  end
end
local function each(lo, hi)
  calls = 0
  return loops(function(m, input, out) m:each("i", lo, hi, body(m, input, out)) end)
end
tap.is(each(0, 2), 1, "two iterations are a loop")
tap.is(calls, 1, "whose body is built once")
tap.is(each(3, 4), 0, "one iteration is none")
tap.is(calls, 1, "but its body")
tap.is(each(3, 3), 0, "no iteration is none")
tap.is(calls, 0, "and nothing else")
tap.is(each(4, 3), 0, "less than none is none")
tap.is(loops(function(m, input, out)
  m:each("o", 0, 3, function(o)
    m:each("i", o, o + 1, body(m, input, out))
    m:each("i", o, o, body(m, input, out))
  end)
end), 1, "symbolic bounds with a known distance of 1 and 0")
tap.is(loops(function(m, input, out)
  m:each("o", 0, 3, function(o) m:each("i", o, o * 2, body(m, input, out)) end)
end), 2, "an unknown distance is a loop")

-- carried values ---------------------------------------------------------------------------------

-- run fn(m, x, y) on x = 1, 2, 3, …; gives y's first n elements
local function run(n, fn, fma)
  local m = ir.new(fma)
  local input, out = m:input("x", "f32", 16), m:output("y", "f32", n)
  fn(m, input, out)
  verify.verify(prune.prune(m), 64)
  local memory = { x = {}, y = {} }
  for i = 0, 15 do memory.x[i] = i + 1.0 end
  eval.eval(m, memory)
  return table.concat(memory.y, " ", 0, n - 1), listing.print(m)
end
tap.is((run(1, function(m, input, out)
  local sums = m:fold("i", 0, 5, { m:const("f32", 1, 0) }, function(i, v)
    return { m:add(v[1], m:load(input, i)) }
  end)
  m:store(out, 0, sums[1])
end)), "15.0", "a sum in a loop")
tap.is((run(1, function(m, input, out)
  local sums = m:fold("i", 4, 4, { m:load(input, 2) }, function() error("never called") end)
  m:store(out, 0, sums[1])
end)), "3.0", "a loop that never runs gives the initial values")
tap.is((run(1, function(m, input, out)
  local sums = m:fold("i", 4, 5, { m:load(input, 2) }, function(i, v)
    return { m:add(v[1], m:load(input, i)) }
  end)
  m:store(out, 0, sums[1])
end)), "8.0", "a loop that runs once gives what its body gives")
local swapped, swapped_text = run(2, function(m, input, out)
  local pair = m:fold("i", 0, 3, { m:load(input, 0), m:load(input, 1) }, function(_, v)
    return { v[2], v[1] }
  end)
  m:store(out, 0, pair[1])
  m:store(out, 1, pair[2])
end)
tap.is(swapped, "2.0 1.0", "two carried values that change places, three times")
tap.is(swapped_text, [[
input f32 x[16]
output f32 y[2]
%1 = load f32 x[0]
%2 = load f32 x[1]
for %5:i = 0 .. 3 carry %3, %4 from %1, %2 {
  next %4, %3
} -> %6, %7
store y[0], %6
store y[1], %7
]], "and how that reads")
tap.is((run(2, function(m, input, out)
  local pair = m:fold("i", 0, 5, { m:load(input, 0), m:load(input, 0) }, function(_, v)
    return { v[2], m:add(v[1], v[2]) }
  end)
  m:store(out, 0, pair[1])
  m:store(out, 1, pair[2])
end)), "8.0 13.0", "Fibonacci numbers: a sum of both old values")
tap.is((run(3, function(m, input, out)
  local three = m:fold("i", 0, 4, { m:load(input, 0), m:load(input, 1), m:load(input, 2) },
    function(_, v) return { v[3], v[1], v[2] } end)
  for k = 1, 3 do m:store(out, k - 1, three[k]) end
end)), "3.0 1.0 2.0", "a rotation of three, four times")
tap.is((run(1, function(m, input, out)
  local sums = m:fold("i", 0, 3, { m:const("f32", 1, 0) }, function(i, v)
    return m:fold("j", 0, 2, v, function(j, u) return { m:add(u[1], m:load(input, i * 2 + j)) } end)
  end)
  m:store(out, 0, sums[1])
end)), "21.0", "a fold in a fold")
tap.is((run(1, function(m, input, out)
  local first = m:fold("i", 0, 2, { m:load(input, 0) }, function(_, v)
    return { m:add(v[1], v[1]) }
  end)
  m:store(out, 0, m:add(first[1], m:load(input, 0)))
end)), "5.0", "the initial value outlives its loop")

ir.fails(function()
  b:fold("i", 0, 3, { p }, function() return {} end)
end, "as many values as it carries", "a fold that loses a value")
ir.fails(function()
  b:fold("i", 0, 3, { p }, function() return { p, p } end)
end, "as many values as it carries", "a fold that gains one")
ir.fails(function()
  b:fold("i", 0, 3, { p }, function() return { wide } end)
end, "types differ", "a fold that changes a type")

-- tasks ------------------------------------------------------------------------------------------

local m = ir.new(true)
m:tasks(6, 2, function() end)
tap.is(m.task_count, 6, "the number of tasks is kept")
tap.is(m.body[1].var.period, 2, "and their period")
tap.ok(m.body[1].var.parameter, "their bounds are the caller's")
ir.fails(function() m:tasks(2, 1, function() end) end, "outermost", "a second loop over tasks")
local nested = ir.new(true)
ir.fails(function()
  nested:each("i", 0, 2, function() nested:tasks(2, 1, function() end) end)
end, "outermost", "tasks within a loop")
tap.is(loops(function(k) k:tasks(1, 1, function() end) end), 1, "one task is a loop all the same")
tap.is(loops(function(k) k:tasks(0, 1, function() end) end), 1, "and so are none")

tap.done()
