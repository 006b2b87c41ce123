-- SPDX-License-Identifier: MIT
-- Totals of loads, stores, arithmetic and shuffles: by hand, and against stepping through every
-- iteration of real kernels.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local count = require "upweave.ir.count"
local driver = require "upweave.driver"
local index = require "upweave.ir.index"

local function text(t)
  assert(math.type(t.loads + t.stores + t.arithmetic + t.shuffles) == "integer", "whole numbers")
  return ("%d %d %d %d"):format(t.loads, t.stores, t.arithmetic, t.shuffles)
end
local function counts(want, name, fn)
  local b = ir.new(true)
  fn(b, b:input("x", "f32", 256), b:output("y", "f32", 256))
  tap.is(text(count.count(b)), want, name)
end

counts("0 0 0 0", "nothing", function() end)
counts("4 2 3 1", "every kind, each vector once; scalars do not count", function(b, x, y)
  local p, q = b:load(x, 0, 4), b:load(x, 4, 8)
  local g = b:gather(x, 0, b:table("t", "i32", { 1, 2, 3, 4 }), 0, 4)
  local s = b:shuffle(q, q, { 0, 2, 4, 6 })
  local sum = b:fma(b:load(x, 32, 4), b:add(p, g), b:mul(s, b:splat(b:load(x, 40), 4)))
  b:store(y, 0, sum)
  b:store(y, 4, b:load(x, 0, 4))
  b:note("notes, views and splats are free")
  b:view("v", y, 2)
end)
counts("6 6 0 0", "a loop", function(b, x, y)
  b:each("i", 2, 8, function(i) b:store(y, i, b:load(x, i, 4)) end)
end)
counts("15 30 0 0", "two loops", function(b, x, y)
  b:each("i", 0, 3, function(i)
    b:each("j", 0, 5, function(j)
      local v = b:load(x, i + j, 4)
      b:store(y, i, v)
      b:group(function() b:store(y, j, v) end)
    end)
  end)
end)
counts("7 7 0 0", "a loop over all beside another", function(b, x, y)
  b:each("i", 0, 3, function(i) b:store(y, i, b:load(x, i, 4)) end)
  b:each("i", 0, 4, function(i) b:store(y, i, b:load(x, i, 4)) end)
end)
counts("8 8 0 0", "bounds from tables are stepped through", function(b, x, y)
  local t = b:table("t", "i32", { 0, 2, 2, 7 })
  b:each("g", 0, 3, function(g)
    b:each("i", b:fetch(t, g), b:fetch(t, g + 1), function(i) b:store(y, i, b:load(x, i, 4)) end)
  end)
  b:store(y, 0, b:load(x, 0, 4))
end)
counts("9 9 0 0", "bounds from the loop around", function(b, x, y)
  b:each("g", 2, 5, function(g)
    b:each("i", 0, g, function(i) b:store(y, i, b:load(x, i, 4)) end)
  end)
end)
counts("18 18 0 0", "constant bounds within stepped ones", function(b, x, y)
  b:each("g", 2, 5, function(g)
    b:each("i", 0, g, function(i)
      b:each("j", 0, 2, function(j) b:store(y, i + j, b:load(x, i, 4)) end)
    end)
  end)
end)
counts("0 0 0 0", "a loop whose bounds cross", function(b, x, y)
  local t = b:table("t", "i32", { 5, 3 })
  b:each("g", 0, 1, function(g)
    b:each("h", 0, 2, function(h)
      b:each("i", b:fetch(t, h) + 3, b:fetch(t, h), function(i)
        b:store(y, i + g, b:load(x, i, 4))
      end)
    end)
  end)
end)
counts("12 12 0 0", "tasks", function(b, x, y)
  b:tasks(12, 4, function(i) b:store(y, i, b:load(x, i, 4)) end)
end)
counts("15 15 0 0", "tasks repeat with their period", function(b, x, y)
  local t = b:table("t", "i32", { 1, 4 })
  b:tasks(6, 2, function(task)
    b:each("i", 0, b:fetch(t, task % 2), function(i) b:store(y, i, b:load(x, i, 4)) end)
  end)
end)
counts("0 0 0 0", "no task", function(b, x, y)
  local t = b:table("t", "i32", { 1, 4 })
  b:tasks(0, 2, function(task)
    b:each("i", 0, b:fetch(t, task % 2), function(i) b:store(y, i, b:load(x, i, 4)) end)
  end)
end)

-- against stepping through everything ------------------------------------------------------------

local kinds = {
  load = "loads", gather = "loads", store = "stores", add = "arithmetic", mul = "arithmetic",
  fma = "arithmetic", shuffle = "shuffles",
}
local function step(block, values, totals)
  local function at(e) return index.evaluate(e, function(a) return values[a] end) end
  for _, n in ipairs(block) do
    if n.op == "for" then
      for i = at(n.lo), at(n.hi) - 1 do
        values[n.var] = i
        step(n.body, values, totals)
      end
    elseif n.op == "block" then
      step(n.body, values, totals)
    elseif n.op == "call" then
      step(n.routine.body, values, totals)
    elseif kinds[n.op] and (n.ty or n[1].ty).lanes > 1 then
      totals[kinds[n.op]] = totals[kinds[n.op]] + 1
    end
  end
  return totals
end

for number, case in ipairs(problems.small()) do
  if number % 3 == 0 then
    local problem = problems.make(case.fields)
    for _, schedule in ipairs { "", "rolling:rows=4,strips=2", "blended:strips=4", "plane" } do
      problem.schedule = schedule ~= "" and schedule or nil
      local r = driver.compile(problem, { target = "x86-64-v3", stop_after = "ir" })
      if r then
        local want = step(r.ir.body, {}, { loads = 0, stores = 0, arithmetic = 0, shuffles = 0 })
        tap.is(text(count.count(r.ir)), text(want), case.name .. " " .. schedule)
      end
    end
  end
end

tap.done()
