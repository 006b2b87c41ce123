-- SPDX-License-Identifier: MIT
-- Verify: every access one element outside a buffer is refused, its twin at the border accepted;
-- so are uses out of scope, values wider than a register, unaligned streaming stores.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local index = require "upweave.ir.index"
local verify = require "upweave.ir.verify"

-- A module with x[32], y[32], s[16] and the tables t = {0, 5, 2, 7}, big = {0, 31}, built by fn.
local function build(fn)
  local b = ir.new(true)
  local m = {
    x = b:input("x", "f32", 32), y = b:output("y", "f32", 32), s = b:scratch("s", "f32", 16),
    t = b:table("t", "i32", { 0, 5, 2, 7 }), big = b:table("big", "i32", { 0, 31 }),
    neg = b:table("neg", "i32", { 1, -1, 0 }),
  }
  fn(b, m)
  return b
end

local function accepts(name, fn, width)
  ir.passes(function() verify.verify(build(fn), width or 64) end, name)
end
local function rejects(part, name, fn, width)
  ir.fails(function() verify.verify(build(fn), width or 64) end, part, name)
end
-- fn is legal at `inside`, illegal at `outside`
local function border(name, inside, outside, part, fn)
  accepts(name .. " at " .. inside, function(b, m) fn(b, m, inside) end)
  rejects(part, name .. " at " .. outside, function(b, m) fn(b, m, outside) end)
end

-- constant places
local function load4(b, m, at) b:load(m.x, at, 4) end
border("a load at the end", 28, 29, "load of x[29..32], size 32", load4)
border("a load at the beginning", 0, -1, "load of x[-1..2], size 32", load4)
local function store4(b, m, at) b:store(m.y, at, b:const("f32", 4, 1)) end
border("a store at the end", 28, 29, "store of y[29..32], size 32", store4)
border("a store at the beginning", 0, -1, "store of y[-1..2], size 32", store4)
border("a scalar load at the end", 31, 32, "load of x[32..32]", function(b, m, at)
  b:load(m.x, at)
end)
border("a scalar store at the end", 15, 16, "store of s[16..16], size 16", function(b, m, at)
  b:store(m.s, at, b:const("f32", 1, 1))
end)
border("a load of a table", 3, 4, "load of t[4..4], size 4", function(b, m, at) b:load(m.t, at) end)

-- places that loops compute
local function looped(lo, hi, scale)
  return function(b, m, at)
    b:each("i", lo, hi, function(i) b:load(m.x, i * scale + at, 4) end)
  end
end
border("a load in a loop, at its last iteration", 0, 1, "load of x[1..32]", looped(0, 8, 4))
border("a load in a loop, at its first iteration", -8, -9, "load of x[-1..30]", looped(2, 10, 4))
border("a load that runs backwards", 28, 29, "load of x[1..32]", looped(0, 8, -4))
border("the number of iterations", 8, 9, "load of x[0..35]", function(b, m, n)
  b:each("i", 0, n, function(i) b:load(m.x, i * 4, 4) end)
end)
border("the first iteration", 0, -1, "load of x[-4..31]", function(b, m, first)
  b:each("i", first, 8, function(i) b:load(m.x, i * 4, 4) end)
end)
border("two loops", 4, 5, "load of x[0..39]", function(b, m, n)
  b:each("i", 0, n, function(i)
    b:each("j", 0, 2, function(j) b:load(m.x, i * 8 + j * 4, 4) end)
  end)
end)
border("a loop that ends where another stands", 28, 29, "load of x[28..32]", function(b, m, at)
  b:each("i", 1, 3, function(i) b:each("j", 0, i, function(j) b:load(m.x, at - j, 4) end) end)
end)
border("tasks", 8, 9, "load of x[0..35]", function(b, m, n)
  b:tasks(n, 1, function(i) b:load(m.x, i * 4, 4) end)
end)
border("a remainder", 28, 29, "load of x[29..", function(b, m, at)
  b:each("i", 0, 100, function(i) b:load(m.x, i % 1 + at, 4) end)
end)
border("a remainder of a loop variable", 25, 26, "load of x[26..32]", function(b, m, at)
  b:each("i", 0, 100, function(i) b:load(m.x, i % 4 + at, 4) end)
end)
border("a quotient of a loop variable", 19, 20, "load of x[20..32]", function(b, m, at)
  b:each("i", 0, 40, function(i) b:load(m.x, i // 4 + at, 4) end)
end)
border("a fetch", 21, 22, "load of x[22..32]", function(b, m, at)
  b:each("i", 0, 4, function(i) b:load(m.x, b:fetch(m.t, i) + at, 4) end)
end)
border("a fetch's own place", 4, 5, "table t is fetched at [0..4], size 4", function(b, m, n)
  b:each("i", 0, n, function(i) b:load(m.x, b:fetch(m.t, i), 4) end)
end)
border("bounds of a loop by tables", 28, 29, "load of x[26..32]", function(b, m, at)
  b:each("g", 0, 2, function(g)
    b:each("i", b:fetch(m.t, g * 2), b:fetch(m.t, g * 2 + 1), function(i)
      b:load(m.x, at - 3 + i, 1)
    end)
  end)
end)
rejects("remainder of a possibly negative", "a remainder of a negative number", function(b, m)
  b:each("i", 0, 2, function(i) b:load(m.x, b:fetch(m.neg, i) % 4, 4) end)
end)
rejects("quotient of a possibly negative", "a quotient of a negative number", function(b, m)
  b:each("i", 0, 2, function(i) b:load(m.x, (i - 1) // 4, 4) end)
end)
accepts("a loop that never runs has no bounds", function(b, m)
  b:each("g", 0, 2, function(g)
    b:each("i", g + 3, b:fetch(m.neg, g), function(i) b:load(m.x, i + 1000, 4) end)
  end)
end)
rejects("load of x[1003", "one that may run has", function(b, m)
  b:each("g", 0, 2, function(g)
    b:each("i", g + 3, b:fetch(m.t, g) + 1, function(i) b:load(m.x, i + 1000, 4) end)
  end)
end)

-- views
border("a view's end", 32, 33, "view v points to x[33..33], size 32", function(b, m, at)
  b:view("v", m.x, at)
end)
border("a view's beginning", 0, -1, "view v points to x[-1..-1]", function(b, m, at)
  b:view("v", m.x, at)
end)
border("a load through a view", 8, 9, "load of x[29..32]", function(b, m, at)
  b:load(b:view("v", m.x, 20), at, 4)
end)
border("a load before a view but inside the buffer", -20, -21, "load of x[-1..2]",
  function(b, m, at) b:load(b:view("v", m.x, 20), at, 4) end)
border("a view of a view", 12, 13, "view w points to x[33..33]", function(b, m, at)
  b:view("w", b:view("v", m.x, 20), at)
end)
border("a load through two views", 4, 5, "load of x[29..32]", function(b, m, at)
  b:load(b:view("w", b:view("v", m.x, 20), 4), at, 4)
end)
accepts("terms of view and access cancel", function(b, m)
  b:each("i", 0, 8, function(i) b:load(b:view("v", m.x, i * 4), 28 - i * 4, 4) end)
end)
border("a view in a loop", 8, 9, "view v points to y[0..36]", function(b, m, n)
  b:each("i", 0, n + 1, function(i) b:view("v", m.y, i * 4) end)
end)

-- gathers: the entries and what they point to
local function gather(first, lanes, at, entries)
  return function(b, m) b:gather(m.x, at, m[entries], first, lanes) end
end
accepts("a gather by all of a table", gather(0, 4, 0, "t"))
rejects("gather of t[1..4], size 4", "a gather past its table", gather(1, 4, 0, "t"))
rejects("gather of t[-1..0]", "a gather before its table", gather(-1, 2, 0, "t"))
accepts("a gather up to the last element", gather(0, 4, 24, "t"))
rejects("gather of x[25..32], size 32", "a gather past its row", gather(0, 4, 25, "t"))
accepts("a gather of first and last", gather(0, 2, 0, "big"))
rejects("gather of x[1..32]", "shifted by one", gather(0, 2, 1, "big"))
rejects("gather of x[-1..1]", "a gather before its row", gather(0, 2, 0, "neg"))
accepts("a negative entry inside the row", gather(0, 2, 1, "neg"))
accepts("a gather in a loop", function(b, m)
  b:each("i", 0, 2, function(i) b:gather(m.x, i * 24, m.t, i * 2, 2) end)
end)
rejects("gather of t[0..5]", "whose entries run out", function(b, m)
  b:each("i", 0, 3, function(i) b:gather(m.x, i * 8, m.t, i * 2, 2) end)
end)
border("a gather through a view", 4, 5, "gather of x[25..32]", function(b, m, at)
  b:gather(b:view("v", m.x, 20), at, m.t, 0, 4)
end)

-- streaming stores are aligned to whole vectors
local function stream(offset, step, view)
  return function(b, m)
    b:each("i", 0, 2, function(i)
      local base = view and b:view("v", m.y, view) or m.y
      b:store(base, i * step + offset, b:const("f32", 4, 1), true)
    end)
  end
end
accepts("streaming to whole vectors", stream(4, 8))
rejects("streaming store to y is not aligned to 4 lanes", "from element 2 on", stream(2, 8))
rejects("streaming store to y is not aligned", "every 6 elements", stream(0, 6))
accepts("streaming through an aligned view", stream(0, 4, 8))
rejects("streaming store to y is not aligned", "through a view at 6", stream(0, 4, 6))
accepts("view and offset that together are aligned", stream(2, 4, 6))
accepts("an ordinary store anywhere", function(b, m) b:store(m.y, 3, b:const("f32", 4, 1)) end)

-- widths
local function load_of(lanes) return function(b, m) b:load(m.x, 0, lanes) end end
accepts("16 bytes in a register of 16", load_of(4), 16)
rejects("load f32x8 is wider than a register", "32 bytes in a register of 16", load_of(8), 16)
accepts("32 bytes in a register of 32", load_of(8), 32)
accepts("a scalar in a register of any size", load_of(1), 1)
rejects("shuffle f32x8 is wider", "a shuffle that widens", function(b, m)
  local v = b:load(m.x, 0, 4)
  b:shuffle(v, v, { 0, 1, 2, 3, 0, 1, 2, 3 })
end, 16)

-- scope
local function leak(make)
  return function(b, m)
    local value, view
    make(b, m, function(k)
      value = b:add(b:load(m.s, k, 4), b:load(m.s, k, 4))
      view = b:view("v", m.y, k)
    end)
    return value, view
  end
end
local in_loop = leak(function(b, _, fn) b:each("i", 0, 3, fn) end)
local in_block = leak(function(b, _, fn) b:group(function() fn(index.of(2)) end) end)
local in_none = leak(function(_, _, fn) fn(index.of(2)) end)
for name, make in pairs { ["a loop"] = in_loop, ["a block"] = in_block } do
  rejects("store uses add out of scope", "a value of " .. name .. " after it", function(b, m)
    b:store(m.y, 0, (make(b, m)))
  end)
  rejects("load uses view v out of scope", "a view of " .. name .. " after it", function(b, m)
    b:load(select(2, make(b, m)), 0, 4)
  end)
  rejects("for uses add out of scope", "a fold that starts from it", function(b, m)
    b:fold("k", 0, 2, { (make(b, m)) }, function(_, v) return v end)
  end)
end
accepts("the same without a loop", function(b, m)
  local value, view = in_none(b, m)
  b:store(m.y, 0, value)
  b:store(view, 0, value)
  b:fold("k", 0, 2, { value }, function(_, v) return v end)
end)
accepts("what is outside is seen inside", function(b, m)
  local value, view = in_none(b, m)
  b:each("i", 0, 2, function(i)
    b:group(function() b:store(view, i * 4, value) end)
  end)
end)
rejects("uses phi out of scope", "a carried value after its loop", function(b, m)
  local kept
  b:fold("i", 0, 2, { b:load(m.x, 0) }, function(_, v)
    kept = v[1]
    return v
  end)
  b:store(m.y, 0, kept)
end)
accepts("what a loop gives", function(b, m)
  local out = b:fold("i", 0, 2, { b:load(m.x, 0) }, function(_, v) return { b:add(v[1], v[1]) } end)
  b:store(m.y, 0, out[1])
end)
rejects("for uses add out of scope", "a next value of an inner block", function(b, m)
  b:fold("i", 0, 2, { b:load(m.x, 0) }, function(_, v)
    local inner
    b:group(function() inner = b:add(v[1], v[1]) end)
    return { inner }
  end)
end)
rejects("loop variable i is out of scope", "a loop variable after its loop", function(b, m)
  local kept
  b:each("i", 0, 2, function(i) kept = i end)
  b:load(m.x, kept, 4)
end)
rejects("uses load out of scope", "a value before it is made", function(b, m)
  local v = b:load(m.s, 0, 4)
  b:add(v, v)
  b.body[1], b.body[2] = b.body[2], b.body[1]
end)

-- a module may be verified again
local again = build(function(b, m) b:each("i", 0, 8, function(i) b:load(m.x, i * 4, 4) end) end)
tap.is(verify.verify(again, 64), again, "verify gives the module")
ir.passes(function() verify.verify(again, 64) end, "twice")

-- a loop between bounds from tables that runs at most once: its body is checked
local function once(b, at)
  local five = b:table("five", "i32", { 5, 5, 6 })
  b:each("g", 0, 2, function(g)
    b:each("i", b:fetch(five, g), b:fetch(five, g + 1), function(i)
      b:store(b.buffers[2], i + at, b:const("f32", 1, 1))
    end)
  end)
end
border("a store in a loop of one iteration", 26, 27, "store of y[32..32], size 32",
  function(b, _, at) once(b, at) end)

tap.done()
