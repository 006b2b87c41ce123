-- SCHEDULE
-- ========
-- Which strategy lowers a plan, with which knobs, and who decided: given in the spec or by flag,
-- the tuning database, or the heuristic.  A schedule that comes out of here is legal.

local diagnostics = require "upweave.util.diagnostics"
local heuristic = require "upweave.schedule.heuristic"
local list = require "upweave.util.list"
local lower = require "upweave.lower"
local suggest = require "upweave.util.suggest"
local text = require "upweave.schedule.text"

local M = {}

---@class upweave.Schedule
---@field strategy string
---@field knobs table<string, any>
---@field order string[]        names of the knobs in the strategy's order
---@field chosen_by string      "given", "database" or "heuristic"
---@field why string

local function names(entries, field)
  local out = {}
  for i, entry in ipairs(entries) do out[i] = field and entry[field] or tostring(entry) end
  return out
end

local function member(values, wanted)
  for _, v in ipairs(values) do
    if tostring(v) == wanted then return v end
  end
end

-- The knobs of a strategy at their defaults.
local function defaults(strategy, plan, target)
  local schedule = { strategy = strategy.name, knobs = {}, order = {} }
  local declared = strategy.knobs(plan, target)
  for i, knob in ipairs(declared) do
    schedule.order[i] = knob.name
    schedule.knobs[knob.name] = knob.default
  end
  return schedule, declared
end

local function apply(schedule, declared, settings, fail)
  for _, setting in ipairs(settings) do
    local knob = list.named(declared, setting.name)
    if not knob then
      local known = names(declared, "name")
      return fail("E202", {
        strategy = schedule.strategy, knob = setting.name, knobs = table.concat(known, ", "),
        hint = suggest.hint(setting.name, known) or false,
      })
    end
    local value = member(knob.values, setting.value)
    if value == nil then
      local legal = names(knob.values)
      return fail("E203", {
        knob = knob.name, value = setting.value, values = table.concat(legal, ", "),
        hint = ("%s=%s"):format(knob.name, tostring(knob.default)),
      })
    end
    schedule.knobs[knob.name] = value
  end
  return true
end

local function given(problem, plan, target, wanted)
  local failure
  local function fail(code, fields)
    fields.place = "schedule"
    fields.where = ('kernel "%s": schedule = "%s"'):format(problem.name, wanted)
    failure = diagnostics.new(code, fields)
  end
  local name, settings = text.parse(wanted)
  if not name then
    fail("E200", { reason = settings })
    return nil, failure
  end
  local known = lower.list(plan)
  local strategy = list.named(known, name)
  if not strategy then
    local all = names(known, "name")
    fail("E201", {
      strategy = name, strategies = table.concat(all, ", "),
      hint = suggest.hint(name, all) or false,
    })
    return nil, failure
  end
  local schedule, declared = defaults(strategy, plan, target)
  if not apply(schedule, declared, settings, fail) then return nil, failure end
  local legal, reason = strategy.legal(plan, schedule.knobs, target)
  if not legal then
    fail("E204", { schedule = wanted, reason = reason, hint = false })
    return nil, failure
  end
  schedule.chosen_by, schedule.why = "given", "the spec or a flag says so"
  return schedule
end

local function chosen(plan, target)
  local name, knobs, why = heuristic.choose(plan, target)
  local strategy = lower.find(name)
  local schedule, declared = defaults(strategy, plan, target)
  for _, knob in ipairs(declared) do
    local wish = knobs[knob.name]
    if wish ~= nil and member(knob.values, tostring(wish)) ~= nil then
      schedule.knobs[knob.name] = wish
    end
  end
  assert(strategy.legal(plan, schedule.knobs, target))
  schedule.chosen_by, schedule.why = "heuristic", why
  return schedule
end

--- The schedule of a problem's plan on a target; `wanted` is the text of a given one, `winner` what
--- the database recommends, which was legal when it was measured and is the same C today.
---@param problem table
---@param plan table
---@param target Target
---@param wanted string?
---@param winner {schedule: string, why: string}?
---@return upweave.Schedule?
---@return upweave.Diagnostic?
function M.resolve(problem, plan, target, wanted, winner)
  if wanted then return given(problem, plan, target, wanted) end
  if not winner then return chosen(plan, target) end
  local schedule = assert(given(problem, plan, target, winner.schedule))
  schedule.chosen_by, schedule.why = "database", winner.why
  return schedule
end

M.text = text.print
M.changed = text.changed

return M
