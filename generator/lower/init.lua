-- STRATEGIES
-- ==========
-- The ways to lay a plan on a machine, an explicit list.  A strategy exports
--   name, form
--   knobs(plan, target)            ordered list of { name, values, default, doc }
--   legal(plan, knobs, target)     true, or nil and the reason
--   lower(plan, knobs, target)     the kernel IR
-- Which one is used is the schedule's choice; none looks at what another would do.

local M = {}

local order = {
  require "upweave.lower.rolling",
  require "upweave.lower.blended",
  require "upweave.lower.channels",
  require "upweave.lower.registers",
  require "upweave.lower.plane",
}

--- Strategies for a form of plan, in order.
---@param form string
---@return table[]
function M.list(form)
  local out = {}
  for _, s in ipairs(order) do
    if s.form == form then out[#out + 1] = s end
  end
  return out
end

--- The strategy of that name, or nil.
function M.find(name)
  for _, s in ipairs(order) do
    if s.name == name then return s end
  end
end

return M
