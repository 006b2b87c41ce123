-- SPDX-License-Identifier: MIT
-- Many configurations of kernels.
--
-- Purpose: the product of a sweep's lists over all kernels, as problems, targets and schedules, and
-- their measurement. Invariants: which configurations there are and their order depend on the spec
-- and the generator alone; one that cannot be is kept with its reason; what is known is not
-- measured again; every result is kept at once.

local driver = require "upweave.driver"
local ordered = require "upweave.util.ordered"
local parameters = require "upweave.spec.parameters"
local schedules = require "upweave.schedule"
local spec = require "upweave.spec"
local sweeps = require "upweave.spec.sweep"

local M = {}

local BATCH <const>, ROUNDS <const> = 8, 15

---@class tune.Configuration
---@field kernel string
---@field target Target|string
---@field problem table?
---@field identity string?
---@field candidate tune.Candidate?
---@field schedule string?
---@field status string   "ok", what went wrong, or "illegal"
---@field reason string?

local function copy(t)
  local out = {}
  for key, value in ordered.pairs(t) do out[key] = value end
  return out
end

local function with_shape(raw, shape)
  local fields = copy(raw.fields)
  local x = type(fields.x) == "table" and fields.x or {}
  fields.x = { shape = shape, layout = x.layout, dtype = x.dtype }
  return { name = raw.name, fields = fields, where = raw.where }
end

-- The problem of a kernel in one shape and layout, or why there is none.
local function problem_of(raw, shape, layout, overrides)
  local options = copy(overrides)
  options.layout, options.schedule = layout or overrides.layout, nil
  local document, faults = spec.validate({ shape and with_shape(raw, shape) or raw }, options)
  if not document then return nil, faults[1].message end
  return parameters.unbaked(document.kernels[1])
end

-- The text of what a sweep says of the schedule: a text, knobs, or nothing.
local function text_of(problem, target, wanted)
  if type(wanted) == "string" then return wanted end
  local strategy = wanted and sweeps.strategy(wanted)
  local base = strategy
  if not strategy then
    local free = copy(problem)
    free.schedule = nil
    local chosen = driver.compile(free, { target = target, stop_after = "schedule" }).schedule
    base = schedules.text(chosen)
  end
  return schedules.changed(base, wanted and sweeps.settings(wanted) or {})
end

local function configuration(raw, target, point, overrides)
  local one = { kernel = tostring(raw.name), target = target, shape = point.shape,
    layout = point.layout, schedule = sweeps.text(point.schedule), status = "illegal" }
  local problem, reason = problem_of(raw, point.shape, point.layout, overrides)
  if not problem then
    one.reason = reason
    return one
  end
  one.problem = problem
  one.schedule = text_of(problem, target, point.schedule or problem.schedule)
  local made, faults = driver.fingerprint(problem, target, one.schedule)
  if not made then
    one.reason = faults[1].because or faults[1].message
    return one
  end
  one.schedule = schedules.text(made.result.schedule)
  one.candidate = { problem = problem, schedule = one.schedule,
    c_sha256 = made.c_sha256, files = made.result.files, tile = made.result.tile,
    factor = made.result.factor, flops = made.result.plan.flops }
  one.identity = spec.identity(problem)
  one.status = "open"
  return one
end

--- All configurations of a sweep.
---@param kernels upweave.RawKernel[]
---@param axes table from spec.sweep
---@param overrides upweave.SpecOptions
---@param target_of fun(name: string|false): Target?, string?  or why it cannot be measured
---@return tune.Configuration[]
function M.configurations(kernels, axes, overrides, target_of)
  local out = {}
  for _, raw in ipairs(kernels) do
    for _, name in ipairs(axes.target) do
      local target, reason = target_of(name)
      for _, shape in ipairs(axes.shape) do
        for _, layout in ipairs(axes.layout) do
          for _, schedule in ipairs(axes.schedule) do
            out[#out + 1] = target and configuration(raw, target,
              { shape = shape, layout = layout, schedule = schedule }, overrides)
              or { kernel = tostring(raw.name), target = name, shape = shape, layout = layout,
                schedule = sweeps.text(schedule), status = "cannot run", reason = reason }
          end
        end
      end
    end
  end
  return out
end

-- The next configurations that one program can measure: of one problem and target.
local function batch_of(open)
  local batch, first = {}, open[1]
  for _, one in ipairs(open) do
    local same = one.target == first.target and one.identity == first.identity
    if same and #batch < BATCH then batch[#batch + 1] = one end
  end
  return batch
end

local function open_ones(configurations)
  local open = {}
  for _, one in ipairs(configurations) do
    if one.status == "open" then open[#open + 1] = one end
  end
  return open
end

local function take(one, result)
  one.result, one.status, one.reason = result, result.status, result.reason
end

--- Measure what is open. `known`, `measure` and `keep` are as in tune.Task; measure gets the
--- configurations of one problem.
---@param configurations tune.Configuration[]
---@param task {known: fun(one: tune.Configuration): tune.Result?,
---  measure: fun(batch: tune.Configuration[], rounds: integer): tune.Result[]?, table[]?,
---  keep: fun(one: tune.Configuration, result: tune.Result): true?, table[]?,
---  watch: fun(done: integer, total: integer)}
---@return true?
---@return table[]? faults
function M.run(configurations, task)
  for _, one in ipairs(open_ones(configurations)) do
    local known = task.known(one)
    if known then take(one, known) end
  end
  local open = open_ones(configurations)
  while #open > 0 do
    local batch = batch_of(open)
    local results, faults = task.measure(batch, ROUNDS)
    if not results then return nil, faults end
    for index, one in ipairs(batch) do
      take(one, results[index])
      local kept
      kept, faults = task.keep(one, results[index])
      if not kept then return nil, faults end
    end
    open = open_ones(configurations)
    task.watch(#configurations - #open, #configurations)
  end
  return true
end

return M
