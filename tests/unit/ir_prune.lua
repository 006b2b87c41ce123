-- SPDX-License-Identifier: MIT
-- Prune: what nothing uses is dropped, with all that only it used; what has an effect stays.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local listing = require "upweave.ir.print"
local prune = require "upweave.ir.prune"

local function pruned(want, name, fn)
  local b = ir.new(true)
  fn(b, b:input("x", "f32", 16), b:output("y", "f32", 16))
  local text = listing.print(prune.prune(b))
  tap.is(text, want, name)
  tap.is(listing.print(prune.prune(b)), text, name .. " (again)")
end

pruned([[
input f32 x[16]
output f32 y[16]
]], "arguments stay, whatever is used; values do not", function(b, x)
  b:add(b:load(x, 0, 4), b:load(x, 4, 4))
  b:view("v", x, 2)
  b:table("t", "i32", { 1 })
  b:scratch("s", "f32", 4)
end)

pruned([[
input f32 x[16]
output f32 y[16]
%1 = load f32x4 x[0]
store y[0], %1
]], "a chain of dead values", function(b, x, y)
  local p = b:load(x, 0, 4)
  b:mul(b:add(p, p), b:splat(b:load(x, 9), 4))
  b:store(y, 0, p)
end)

pruned([[
input f32 x[16]
output f32 y[16]
; a note
{
}
for %1:i = 0 .. 3 {
}
]], "notes, blocks and loops stay", function(b, x)
  b:note("a %s", "note")
  b:group(function() b:load(x, 0, 4) end)
  b:each("i", 0, 3, function(i) b:load(x, i, 4) end)
end)

pruned([[
input f32 x[16]
output f32 y[16]
%1:v = view y[4]
%2 = load f32 x[1]
store %1:v[0], %2
]], "a view that is stored through stays, an unused one goes", function(b, x, y)
  local v = b:view("v", y, 4)
  b:view("u", x, 2)
  b:store(v, 0, b:load(x, 1))
end)

pruned([[
input f32 x[16]
output f32 y[16]
%1:w = view y[4]
%2:v = view %1:w[2]
%3 = load f32 x[1]
store %2:v[0], %3
]], "so does the view it points into", function(b, x, y)
  local v = b:view("v", b:view("w", y, 4), 2)
  b:store(v, 0, b:load(x, 1))
end)

-- which buffers stay: fetched in offsets, places, bounds and entries, loaded, gathered, stored to
local function kept(name, fn, want)
  local b = ir.new(true)
  local x, y = b:input("x", "f32", 16), b:output("y", "f32", 16)
  local t = b:table("t", "i32", { 0, 2, 1, 3 })
  b:table("never", "i32", { 0 })
  b:scratch("idle", "f32", 4)
  fn(b, x, y, t)
  local names = {}
  for i, buf in ipairs(prune.prune(b).buffers) do names[i] = buf.name end
  tap.is(table.concat(names, " "), want or "x y t", name)
end
local function looped(fn)
  return function(b, x, y, t) b:each("i", 0, 4, function(i) fn(b, x, y, t, i) end) end
end
kept("the offset of a view", looped(function(b, x, y, t, i)
  b:store(b:view("v", y, b:fetch(t, i)), 0, b:load(x, 0))
end))
kept("the place of a load", looped(function(b, x, y, t, i)
  b:store(y, i, b:load(x, b:fetch(t, i) % 3))
end))
kept("the place of a store", looped(function(b, x, y, t, i)
  b:store(y, b:fetch(t, i), b:load(x, 0))
end))
kept("the lower bound of a loop", looped(function(b, x, y, t, i)
  b:each("j", b:fetch(t, i), i + 2, function(j) b:store(y, j, b:load(x, 0)) end)
end))
kept("the upper bound of a loop", looped(function(b, x, y, t, i)
  b:each("j", i, b:fetch(t, i) * 2, function(j) b:store(y, j, b:load(x, 0)) end)
end))
kept("the entries of a gather", looped(function(b, x, y, t)
  b:store(y, 0, b:gather(x, 0, t, 0, 4))
end))
kept("the first entry of a gather", function(b, x, y, t)
  local u = b:table("t2", "i32", { 0, 1, 2, 3, 4, 5, 6 })
  b:each("i", 0, 4, function(i) b:store(y, 0, b:gather(x, 0, u, b:fetch(t, i), 4)) end)
end, "x y t t2")

-- uses and users, by which the printer decides what deserves a name
local b = ir.new(true)
local x, y = b:input("x", "f32", 16), b:output("y", "f32", 16)
local once, twice, outside = b:load(x, 0, 4), b:load(x, 4, 4), b:load(x, 8, 4)
b:store(y, 0, b:add(once, twice))
b:store(y, 4, twice)
local start = b:load(x, 12, 4)
local out = b:fold("i", 0, 2, { start }, function(_, v) return { b:add(v[1], outside) } end)
b:store(y, 8, out[1])
prune.prune(b)
local loop
for _, item in ipairs(b.body) do
  if item.op == "for" then loop = item end
end
tap.is(once.uses, 1, "one use")
tap.is(once.user, b.body, "and its block")
tap.is(twice.uses, 2, "two uses")
tap.is(twice.user, b.body, "in the same block")
tap.is(outside.user, loop.body, "a use in a loop")
tap.is(start.uses, 1, "the start of a fold is a use")
tap.is(start.user, b.body, "outside of the loop")
tap.is(loop.phis[1].uses, 1, "a carried value's use")
tap.is(loop.nexts[1].uses, 1, "the next value is a use")
tap.is(loop.nexts[1].user, loop.body, "inside the loop")
tap.is(out[1].uses, 1, "what the loop gives is used")
prune.prune(b)
tap.is(twice.uses, 2, "uses are counted anew")
tap.is(out[1].uses, 1, "also those of a loop's values")
tap.is(loop.phis[1].uses, 1, "and of those it carries")
local early = ir.new(true)
local number = early:const("f32", 4, 2)
early:store(early:output("y", "f32", 4), 0, number)
prune.prune(early)
tap.is(number.uses, 1, "uses of the first item count")

-- tables that are loaded as vectors, views that are stored through
b = ir.new(true)
x, y = b:input("x", "f32", 16), b:output("y", "f32", 16)
local numbers = { 1, 2, 3, 4, 5, 6, 7, 8 }
local vectors, scalars = b:table("vectors", "f32", numbers), b:table("scalars", "f32", numbers)
local pairs_of = b:table("pairs", "f32", numbers)
local inner = b:view("inner", b:view("outer", y, 4), 2)
local source = b:view("source", x, 4)
b:each("i", 0, 4, function(i)
  local weight = b:splat(b:load(scalars, i, 1), 4)
  b:store(y, 0, b:load(pairs_of, i, 2))
  b:store(inner, i, b:fma(weight, b:load(vectors, i, 4), b:load(source, i, 4)))
end)
local routine = b:routine("r", { { name = "src", like = x, size = 4 },
  { name = "dst", like = y, size = 4, written = true } }, function(src, dst)
  b:store(dst, 0, b:load(src, 0, 4))
end)
local from, to = b:view("from", x, 8), b:view("to", y, 8)
b:call(routine, { { from, 0 }, { to, 0 } })
prune.prune(b)
tap.is(vectors.wide, true, "a table that is loaded as vectors")
tap.is(pairs_of.wide, true, "also of two")
tap.is(scalars.wide, nil, "one that is loaded by elements")
tap.is(inner.written, true, "a view that is stored through")
tap.is(inner.base.written, true, "and the one it points into")
tap.is(source.written, nil, "one that is read")
tap.is(from.written, nil, "one that a routine reads")
tap.is(to.written, true, "one that a routine writes")

local m = ir.new(false)
local read, unread = m:input("read", "f32", 4), m:input("unread", "f32", 4)
local written, unwritten = m:output("written", "f32", 4), m:output("unwritten", "f32", 4)
m:store(written, 0, m:load(m:view("v", read, 0), 0, 4))
prune.prune(m)
tap.is(#m.buffers, 4, "arguments stay")
tap.ok(not read.unused and not written.unused, "those that are used")
tap.ok(unread.unused and unwritten.unused, "and those that are not, marked")

-- routines: what nothing calls goes, what a routine calls stays
m = ir.new(false)
local to_all = m:output("out", "f32", 4)
local function routine_of(name, fn)
  return m:routine(name, { { name = "to", like = to_all, size = 4, written = true } }, fn)
end
local function zero(into) m:store(into, 0, m:const("f32", 4, 0)) end
local inside = routine_of("inside", zero)
local idle = routine_of("idle", zero)
routine_of("caller of idle", function(into) m:call(idle, { { into, 0 } }) end)
local caller = routine_of("caller", function(into) m:call(inside, { { into, 0 } }) end)
m:each("i", 0, 2, function() m:call(caller, { { to_all, 0 } }) end)
prune.prune(m)
tap.is(#m.routines, 2, "two of four routines are called")
tap.ok(m.routines[1] == inside and m.routines[2] == caller, "and stay in their order")

tap.done()
