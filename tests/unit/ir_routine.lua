-- SPDX-License-Identifier: MIT
-- Routines of the IR: built from their parameters and tables only, called with pointers that leave
-- room for all of each parameter; what every analysis makes of them.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local count = require "upweave.ir.count"
local eval = require "upweave.ir.eval"
local listing = require "upweave.ir.print"
local pressure = require "upweave.ir.pressure"
local prune = require "upweave.ir.prune"
local verify = require "upweave.ir.verify"
local walk = require "upweave.ir.walk"

-- A module with a routine double(in[8], out[8]) and what fn makes of it.
local function build(fn, streaming)
  local b = ir.new(true)
  local m = { x = b:input("x", "f32", 32), y = b:output("y", "f32", 32),
    s = b:scratch("s", "f32", 16), t = b:table("w", "f32", { 2, 2, 2, 2, 2, 2, 2, 2, 3 }) }
  m.double = b:routine("double", {
    { name = "in", like = m.x, size = 8 }, { name = "out", like = m.y, size = 8, written = true },
  }, function(from, to)
    b:each("i", 0, 2, function(i)
      b:store(to, i * 4, b:mul(b:load(m.t, i * 4, 4), b:load(from, i * 4, 4)), streaming)
    end)
  end)
  if fn then fn(b, m) end
  return b, m
end

local function accepts(name, fn, streaming)
  ir.passes(function() verify.verify(build(fn, streaming), 64) end, name)
end
local function rejects(part, name, fn, streaming)
  ir.fails(function() verify.verify(build(fn, streaming), 64) end, part, name)
end
local function call(from, at, to, into)
  return function(b, m) b:call(m.double, { { m[from], at }, { m[to], into } }) end
end

-- verify
accepts("a call", call("x", 0, "y", 0))
accepts("at the end of both buffers", call("x", 24, "y", 24))
rejects("call of x[25..32], size 32", "an input that is too short by one", call("x", 25, "y", 0))
rejects("call of y[25..32], size 32", "an output that is too short by one", call("x", 0, "y", 25))
rejects("call of x[-1..6]", "an input that starts one early", call("x", -1, "y", 0))
accepts("scratch as output", call("x", 0, "s", 8))
rejects("call of s[9..16], size 16", "scratch that is too short", call("x", 0, "s", 9))
accepts("scratch as input", call("s", 0, "y", 0))
rejects("double writes to x", "an input as output", call("s", 0, "x", 0))
rejects("double writes to w", "a table as output", function(b, m)
  b:call(m.double, { { m.x, 0 }, { m.t, 0 } })
end)
accepts("calls in a loop", function(b, m)
  b:each("i", 0, 4, function(i) b:call(m.double, { { m.x, i * 8 }, { m.y, i * 8 } }) end)
end)
rejects("call of x[0..39]", "one too many", function(b, m)
  b:each("i", 0, 5, function(i) b:call(m.double, { { m.x, i * 8 }, { m.y, 0 } }) end)
end)
accepts("through views", function(b, m)
  b:call(m.double, { { b:view("v", m.x, 20), 4 }, { b:view("u", m.y, 28), -4 } })
end)
rejects("call uses view v out of scope", "a view of another block", function(b, m)
  local v
  b:group(function() v = b:view("v", m.x, 0) end)
  b:call(m.double, { { v, 0 }, { m.y, 0 } })
end)
accepts("streaming to an aligned place", call("x", 1, "y", 4), true)
rejects("streaming store to y is not aligned", "streaming to another", call("x", 0, "y", 2), true)
ir.fails(function()
  build(function(b, m) b:call(m.double, { { m.x, 0 } }) end)
end, "called with all its parameters", "a call with too few arguments")

-- a body's own accesses, values and scope
local function routine(fn)
  return function(b, m)
    b:routine("other", {
      { name = "in", like = m.x, size = 8 }, { name = "out", like = m.y, size = 8, written = true },
    }, function(from, to) fn(b, m, from, to) end)
  end
end
accepts("a load at the end of a parameter", routine(function(b, _, from) b:load(from, 4, 4) end))
rejects("load of in[5..8], size 8", "one past it", routine(function(b, _, from)
  b:load(from, 5, 4)
end))
rejects("store of out[5..8], size 8", "a store past a parameter", routine(function(b, _, _, to)
  b:store(to, 5, b:const("f32", 4, 1))
end))
ir.fails(function()
  build(routine(function(b, _, from) b:store(from, 0, b:const("f32", 4, 1)) end))
end, "in cannot be written", "a store to a parameter that is read only")
rejects("store uses add out of scope", "a value of the module in a routine", function(b, m)
  local v = b:add(b:load(m.s, 0, 4), b:load(m.s, 4, 4))
  routine(function(_, _, _, to) b:store(to, 0, v) end)(b, m)
end)
rejects("store uses load out of scope", "a value of a routine in the module", function(b, m)
  local v
  routine(function(_, _, from) v = b:load(from, 0, 4) end)(b, m)
  b:store(m.y, 0, v)
end)
local function shares(b, m)
  local outer = b:load(m.x, 0, 4)
  routine(function()
    tap.ok(b:load(m.x, 0, 4) ~= outer, "a routine shares no value with the module")
  end)(b, m)
  tap.is(b:load(m.x, 0, 4), outer, "after it the module's values are back")
end
build(shares)

-- eval
local function run(fn, n)
  local b, m = build(fn)
  verify.verify(prune.prune(b), 64)
  local memory = { x = {}, y = {} }
  for i = 0, 31 do memory.x[i] = i + 1.0 end
  for i = 0, 31 do memory.y[i] = 0.0 end
  eval.eval(b, memory)
  return table.concat(memory.y, " ", 0, n - 1), b, m
end
tap.is((run(call("x", 8, "y", 0), 8)), "18.0 20.0 22.0 24.0 26.0 28.0 30.0 32.0", "a call")
tap.is((run(function(b, m)
  b:each("i", 0, 2, function(i)
    b:call(m.double, { { b:view("v", m.x, i * 4), 2 }, { m.s, i * 8 } })
  end)
  b:call(m.double, { { m.s, 4 }, { b:view("u", m.y, 1), -1 } })
end, 8)), "28.0 32.0 36.0 40.0 28.0 32.0 36.0 40.0", "calls through views and scratch")
ir.fails(function() run(call("s", 0, "y", 0), 8) end, "undefined element 0", "undefined scratch")

-- count, pressure, walk
local b, m = build(function(b, m)
  b:each("i", 0, 3, function() b:call(m.double, { { m.x, 0 }, { m.y, 0 } }) end)
end)
tap.is(count.count(b).stores, 6, "a routine's body counts at every call")
tap.is(#walk.units(b), 2, "the units of a module")
tap.is(walk.units(b)[1], m.double, "are its routines")
tap.is(walk.units(b)[2], b, "and itself")
tap.is(pressure.pressure(b, 16), 2, "pressure of a routine")
local heavy = build(function(b2, m2)
  local v = {}
  for k = 0, 3 do v[k] = b2:load(m2.x, k * 4, 4) end
  b2:call(m2.double, { { m2.x, 0 }, { m2.y, 0 } })
  for k = 0, 3 do b2:store(m2.y, k * 4, v[k]) end
end)
tap.is(pressure.pressure(heavy, 16), 4, "functions do not add up: the greatest counts")

-- prune and listing
local _, pruned = run(function(b2, m2)
  b2:table("never", "i32", { 1 })
  b2:view("unused", m2.x, 3)
  local out = b2:view("out", m2.y, 8)
  b2:call(m2.double, { { b2:view("v", m2.x, 4), 1 }, { out, 0 } })
end, 1)
tap.is(listing.print(pruned), [[
input f32 x[32]
output f32 y[32]
table f32 w[9]
  2 2 2 2 2 2 2 2 3
routine double(input in[8], output out[8]) {
  for %1:i = 0 .. 2 {
    %2 = load f32x4 w[%1:i * 4]
    %3 = load f32x4 in[%1:i * 4]
    %4 = mul f32x4 %2, %3
    store out[%1:i * 4], %4
  }
}
%5:out = view y[8]
%6:v = view x[4]
call double(%6:v[1], %5:out[0])
]], "what is used stays")

tap.done()
