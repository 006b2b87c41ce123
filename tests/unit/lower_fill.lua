-- SPDX-License-Identifier: MIT
-- Outputs from outside the input (tf_crop_and_resize): every strategy puts the plan's value there,
-- whatever the taps say, and leaves all others alone.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local eval = require "upweave.ir.eval"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local targets = require "upweave.target"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

local function count(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

-- Spatial coordinates of element i of y, outermost first.
local function coordinates(problem, i)
  local shape, at = problem.y.shape, {}
  for k = #shape, 1, -1 do
    at[k] = i % shape[k]
    i = i // shape[k]
  end
  table.remove(at, 1)
  table.remove(at, problem.y.layout:sub(2, 2) == "C" and 1 or #at)
  return at
end

local function is_inside(fill, at)
  for axis, o in ipairs(at) do
    if o < fill.lo[axis] or o >= fill.hi[axis] then return false end
  end
  return true
end

local function run(strategy, plan, knobs, target, x)
  local memory = { x = ir.array(x), y = {} }
  eval.eval(strategy.lower(plan, knobs, target), memory)
  return memory.y
end

local function defaults(strategy, plan, target)
  local knobs = {}
  for _, knob in ipairs(strategy.knobs(plan, target)) do knobs[knob.name] = knob.default end
  return knobs
end

-- The first element that is not what it should be.
local function fault(problem, fill, plain, filled)
  for i = 0, count(problem.y.shape) - 1 do
    local want = is_inside(fill, coordinates(problem, i)) and plain[i] or fill.value
    if filled[i] ~= want then return ("y[%d] is %s, not %s"):format(i, filled[i], want) end
  end
end

local function check(name, fields, lo, hi)
  local problem = problems.make(fields)
  local plan = ops.find(problem.op).plan(problem)
  local x = ir.noise(count(problem.x.shape), 3)
  local fill = { value = 7.5, lo = lo, hi = hi }
  for _, target in ipairs { targets.find "generic", targets.find "x86-64-v3" } do
    for _, strategy in ipairs(lower.list(plan)) do
      plan.fill = nil
      local knobs = defaults(strategy, plan, target)
      if strategy.legal(plan, knobs, target) then
        local plain = run(strategy, plan, knobs, target, x)
        plan.fill = fill
        local wrong = fault(problem, fill, plain, run(strategy, plan, knobs, target, x))
        tap.ok(not wrong, ("%s, %s on %s"):format(name, strategy.name, target.name))
        if wrong then tap.diag(wrong) end
      end
    end
  end
  plan.fill = fill
  for _, strategy in ipairs(lower.list(plan)) do
    for _, knob in ipairs(strategy.knobs(plan, targets.find "generic")) do
      local parts = knob.name == "strips" or knob.name == "tiles"
      if parts then tap.is(#knob.values, 1, ("%s has no %s"):format(strategy.name, knob.name)) end
    end
  end
end

check("a frame", { x = tensor("NCHW", 2, 2, 5, 6), mode = "bilinear", size = { 7, 9 } },
  { 1, 2 }, { 6, 8 })
check("columns alone", { x = tensor("NCHW", 1, 2, 4, 4), mode = "nearest", size = { 8, 8 } },
  { 0, 3 }, { 8, 5 })
check("nothing inside", { x = tensor("NCHW", 1, 1, 4, 4), mode = "bicubic", size = { 6, 5 } },
  { 3, 0 }, { 3, 5 })
check("channels", { x = tensor("NHWC", 2, 3, 4, 9), mode = "bilinear", size = { 5, 7 } },
  { 1, 1 }, { 4, 7 })
check("a signal", { x = tensor("NCW", 2, 3, 9), mode = "linear", size = { 20 } }, { 4 }, { 19 })
check("a volume", { x = tensor("NCDHW", 1, 2, 3, 3, 3), mode = "trilinear", size = { 4, 5, 6 } },
  { 1, 0, 2 }, { 3, 4, 6 })
check("channels of a volume",
  { x = tensor("NDHWC", 1, 3, 3, 3, 4), mode = "trilinear", size = { 4, 5, 6 } },
  { 1, 1, 0 }, { 4, 5, 5 })

tap.done()
