-- SPDX-License-Identifier: MIT
-- What a spec sweeps.
--
-- Purpose: checks `sweep { layout = …, schedule = …, shape = …, target = … }`, expands its lists.
-- A schedule is a text or a table of knobs, whose values may be lists: { rows = { 1, 2 } } changes
-- what the heuristic chose, { strategy = "rolling", rows = { 1, 2 } } that strategy's defaults.
-- Invariants: pure; every mistake of the sweep at once; the order is that of the lists, the first
-- axis of `AXES` outermost.

local diagnostics = require "upweave.util.diagnostics"
local list = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local suggest = require "upweave.util.suggest"
local text = require "upweave.util.text"

local M = {}

local AXES <const> = { "target", "shape", "layout", "schedule" }
local STRATEGY <const> = "strategy"

local function is_text(value) return type(value) == "string" end

local function is_shape(value)
  if type(value) ~= "table" or #value == 0 or not ordered.is_list(value) then return false end
  for _, n in ipairs(value) do
    if not math.tointeger(n) then return false end
  end
  return true
end

local function is_scalar(value) return type(value) == "string" or math.tointeger(value) ~= nil end

local function is_knobs(value)
  if type(value) ~= "table" or #value > 0 then return false end
  for key, choice in ordered.pairs(value) do
    local choices = type(choice) == "table" and choice or { choice }
    if type(key) ~= "string" or #choices == 0 then return false end
    for _, one in ipairs(choices) do
      if not is_scalar(one) then return false end
    end
  end
  return true
end

local CHECKS <const> = {
  target = { "names of targets", is_text, 'target = { "x86-64-v3", "x86-64-v4" }' },
  shape = { "shapes of x", is_shape, "shape = { { 1, 64, 56, 56 }, { 1, 64, 112, 112 } }" },
  layout = { "names of layouts", is_text, 'layout = { "NCHW", "NHWC" }' },
  schedule = { "schedules, as texts or tables of knobs",
    function(value) return is_text(value) or is_knobs(value) end,
    'schedule = { "rolling:rows=2", { rows = { 1, 2, 4 } } }' },
}

local function check_axis(name, values, where, faults)
  local expected, fits, hint = table.unpack(CHECKS[name])
  local sound = type(values) == "table" and #values > 0 and ordered.is_list(values)
  for _, value in ipairs(sound and values or {}) do sound = sound and fits(value) end
  if not sound then
    faults[#faults + 1] = diagnostics.new("E031", { place = "sweep." .. name, where = where,
      expected = "a list of " .. expected, got = text.value(values), hint = hint })
  end
end

-- The tables of single knobs that a table with lists stands for.
local function expanded(knobs)
  local out = { {} }
  for key, choice in ordered.pairs(knobs) do
    local longer = {}
    for _, known in ipairs(out) do
      for _, value in ipairs(type(choice) == "table" and choice or { choice }) do
        local copy = { [key] = value }
        for name, other in ordered.pairs(known) do copy[name] = other end
        longer[#longer + 1] = copy
      end
    end
    out = longer
  end
  return out
end

local function schedules_of(values)
  local out = {}
  for _, value in ipairs(values) do
    local more = is_text(value) and { value } or expanded(value)
    table.move(more, 1, #more, #out + 1, out)
  end
  return out
end

local NOTHING <const> = { false } -- an axis that is not swept: as the kernel says

local function check_keys(raw, faults)
  for _, key in ipairs(ordered.keys(raw.fields)) do
    if not list.contains(AXES, key) then
      faults[#faults + 1] = diagnostics.new("E029", { place = "sweep." .. tostring(key),
        where = raw.where, owner = "a sweep", keys = table.concat(AXES, ", "),
        hint = suggest.nearest(tostring(key), AXES) or false })
    end
  end
end

--- The axes of a sweep, each a list of at least one value; false where the kernel decides.
---@param raw {fields: any, where: string}
---@return {target: any[], shape: any[], layout: any[], schedule: any[]}?
---@return upweave.Diagnostic[]? faults
function M.read(raw)
  local fields, faults = raw.fields, {}
  if type(fields) ~= "table" then
    return nil, { diagnostics.new("E031", { place = "sweep", where = raw.where,
      expected = "a table", got = text.value(fields), hint = 'sweep { layout = { "NCHW" } }' }) }
  end
  check_keys(raw, faults)
  for _, name in ipairs(AXES) do
    if fields[name] ~= nil then check_axis(name, fields[name], raw.where, faults) end
  end
  if #faults > 0 then return nil, faults end
  local axes = {}
  for _, name in ipairs(AXES) do axes[name] = fields[name] or NOTHING end
  if fields.schedule then axes.schedule = schedules_of(fields.schedule) end
  return axes
end

--- The strategy that a table of knobs names; nil: the heuristic's.
---@param knobs table
---@return string?
function M.strategy(knobs) return knobs[STRATEGY] end

--- The settings of a table of knobs, in order.
---@param knobs table
---@return {name: string, value: string}[]
function M.settings(knobs)
  local out = {}
  for key, value in ordered.pairs(knobs) do
    if key ~= STRATEGY then out[#out + 1] = { name = key, value = tostring(value) } end
  end
  return out
end

--- A schedule of a sweep as it was written, for those that never come to be.
---@param schedule string|table|false
---@return string?
function M.text(schedule)
  if type(schedule) ~= "table" then return schedule or nil end
  local parts = {}
  for i, setting in ipairs(M.settings(schedule)) do
    parts[i] = setting.name .. "=" .. setting.value
  end
  return (M.strategy(schedule) or "…") .. ":" .. table.concat(parts, ",")
end

return M
