-- SPDX-License-Identifier: MIT
-- Candidates of the tuner.
--
-- Purpose: all legal schedules of a problem on a target, best first: the heuristic's choice; what
-- differs from it in one knob, by turns with the other strategies at their defaults; then the rest
-- of the products of all knobs, every strategy by turns, in a shuffle that spreads evenly over each
-- product and is put in order by the model window by window. Invariants: the list is a function of
-- problem, target and generator alone, whatever is measured; no two candidates are the same C; what
-- needs more registers than there are is left out, unless it is the heuristic's own.

local driver = require "upweave.driver"
local lower = require "upweave.lower"
local model = require "upweave.tune.model"
local ordered = require "upweave.util.ordered"
local schedules = require "upweave.schedule"

local M = {}

-- Schedules that the model puts in order at a time, and most that are looked at in a product.
local WINDOW <const>, MOST <const> = 32, 4096
local GOLDEN <const> = 0.6180339887498949

---@class tune.Candidate
---@field rank integer
---@field problem table
---@field schedule string
---@field c_sha256 string
---@field files table[]
---@field tile integer[]?  outputs along the axes that are rounded together
---@field factor number?   of the bound, where it is not that of the class

local function copy(problem)
  local out = {}
  for key, value in ordered.pairs(problem) do out[key] = value end
  return out
end

-- A schedule as the driver knows it.
local function record(strategy, declared, knobs)
  local schedule = { strategy = strategy.name, knobs = knobs, order = {} }
  for i, knob in ipairs(declared) do schedule.order[i] = knob.name end
  return schedule
end

local function defaults(declared)
  local knobs = {}
  for _, knob in ipairs(declared) do knobs[knob.name] = knob.default end
  return knobs
end

-- Legal, and not one that only a schedule of the user may ask for.
local function legal(space, strategy, knobs)
  return strategy.legal(space.plan, knobs, space.target)
    and not (strategy.by_name_only and strategy.by_name_only(space.plan, knobs))
end

-- Whether two numbers have no common factor.
local function coprime(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a == 1
end

-- The step that walks through 0 … count-1 so that every part of the walk is spread evenly.
local function golden_step(count)
  local step = math.max(1, math.floor(count * GOLDEN + 0.5))
  while not coprime(step, count) do step = step + 1 end
  return step
end

-- The knobs of the number-th element of a product.
local function element(declared, number)
  local knobs = {}
  for _, knob in ipairs(declared) do
    local place = number % #knob.values
    knobs[knob.name] = knob.values[place + 1]
    number = number // #knob.values
  end
  return knobs
end

-- Iterates over the legal schedules of a strategy, evenly spread over the product of its knobs.
local function walk(space, strategy)
  local declared, count = strategy.knobs(space.plan, space.target), 1
  for _, knob in ipairs(declared) do count = count * #knob.values end
  local step, number, looked = golden_step(count), 0, 0
  return function()
    while looked < math.min(count, MOST) do
      local knobs = element(declared, number)
      number, looked = (number + step) % count, looked + 1
      if legal(space, strategy, knobs) then return record(strategy, declared, knobs) end
    end
  end
end

-- What differs from a schedule in one knob.
local function neighbours(space, schedule)
  local strategy, list = lower.find(schedule.strategy), {}
  local declared = strategy.knobs(space.plan, space.target)
  for _, knob in ipairs(declared) do
    for _, value in ipairs(knob.values) do
      local knobs = {}
      for _, name in ipairs(schedule.order) do knobs[name] = schedule.knobs[name] end
      knobs[knob.name] = value
      if value ~= schedule.knobs[knob.name] and legal(space, strategy, knobs) then
        list[#list + 1] = record(strategy, declared, knobs)
      end
    end
  end
  return list
end

-- The other strategies at their defaults.
local function others(space, schedule)
  local list = {}
  for _, strategy in ipairs(lower.list(space.plan)) do
    local declared = strategy.knobs(space.plan, space.target)
    local knobs = defaults(declared)
    if strategy.name ~= schedule.strategy and legal(space, strategy, knobs) then
      list[#list + 1] = record(strategy, declared, knobs)
    end
  end
  return list
end

-- Lists by turns: the first of each, the second of each, ….
local function by_turns(...)
  local lists, out, longest = { ... }, {}, 0
  for _, list in ipairs(lists) do longest = math.max(longest, #list) end
  for i = 1, longest do
    for _, list in ipairs(lists) do out[#out + 1] = list[i] end
  end
  return out
end

-- A schedule that was not seen before, as a candidate with its C; nil if it is none.
local function candidate(space, schedule)
  local text = schedules.text(schedule)
  if space.seen[text] then return nil end
  space.seen[text] = true
  local made = driver.fingerprint(space.problem, space.target, text)
  if not made or space.seen[made.c_sha256] then return nil end
  local crowded = made.result.pressure > space.target.registers
  if crowded and space.rank > 0 then return nil end
  space.seen[made.c_sha256] = true
  return { problem = space.problem, schedule = text, c_sha256 = made.c_sha256,
    files = made.result.files, tile = made.result.tile, factor = made.result.factor,
    cost = model.cost(made.result.ir) }
end

local function give(space, one)
  if not one then return end
  space.rank = space.rank + 1
  one.rank = space.rank
  coroutine.yield(one)
end

local function sorted(list)
  table.sort(list, function(a, b)
    if a.cost ~= b.cost then return a.cost < b.cost end
    return a.schedule < b.schedule
  end)
  return list
end

local function candidates_of(space, list)
  local out = {}
  for _, schedule in ipairs(list) do out[#out + 1] = candidate(space, schedule) end
  return out
end

-- The next window of what is left, each strategy by turns.
local function window(space, walks)
  local list, dry = {}, 0
  while #list < WINDOW and dry < #walks do
    dry = 0
    for _, following in ipairs(walks) do
      local schedule = following()
      if schedule then list[#list + 1] = candidate(space, schedule) else dry = dry + 1 end
    end
  end
  return sorted(list), dry < #walks
end

local function produce(space)
  local chosen = driver.compile(space.problem,
    { target = space.target, stop_after = "schedule" }).schedule
  give(space, candidate(space, chosen))
  local near = sorted(candidates_of(space, neighbours(space, chosen)))
  local far = candidates_of(space, others(space, chosen))
  for _, one in ipairs(by_turns(far, near)) do give(space, one) end
  local walks, more = {}, true
  for i, strategy in ipairs(lower.list(space.plan)) do walks[i] = walk(space, strategy) end
  while more do
    local list
    list, more = window(space, walks)
    for _, one in ipairs(list) do give(space, one) end
  end
end

--- Iterates over the candidates of a problem, whose own schedule is set aside.
---@param problem table
---@param target Target
---@return fun(): tune.Candidate?
function M.each(problem, target)
  local free = copy(problem)
  free.schedule = nil
  local result = driver.compile(free, { target = target, stop_after = "plan" })
  local space = { problem = free, target = target, plan = result.plan, seen = {}, rank = 0 }
  return coroutine.wrap(function() produce(space) end)
end

--- Several problems that stand for one, as the layouts of one kernel: a candidate of each by turns.
---@param problems table[]
---@param target Target
---@return fun(): tune.Candidate?
function M.each_of(problems, target)
  local streams, at, rank = {}, 0, 0
  for i, problem in ipairs(problems) do streams[i] = M.each(problem, target) end
  return function()
    while #streams > 0 do
      at = at % #streams + 1
      local one = streams[at]()
      if one then
        rank = rank + 1
        one.rank = rank
        return one
      end
      table.remove(streams, at)
      at = at - 1
    end
  end
end

return M
