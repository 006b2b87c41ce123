-- STRATEGIES
-- ==========
-- The ways to lay a plan on a machine, an explicit list.  A strategy exports
--   name, form, fixed              for plans of that form, in fixed point or not
--   sums                           of a convolution: the order of direct sums, in words
--   knobs(plan, target)            ordered list of { name, values, default, doc }
--   legal(plan, knobs, target)     true, or nil and the reason
--   by_name_only(plan, knobs)      whether only a schedule of the user may ask for it (optional)
--   lower(plan, knobs, target)     the kernel IR
-- Which one is used is the schedule's choice; none looks at what another would do.

local list = require "upweave.util.list"

local M = {}

local order = {
  require "upweave.lower.rolling",
  require "upweave.lower.blended",
  require "upweave.lower.channels",
  require "upweave.lower.registers",
  require "upweave.lower.plane",
  require "upweave.lower.averages",
  require "upweave.lower.products",
  require "upweave.lower.contract.channels",
  require "upweave.lower.contract.planar",
  require "upweave.lower.contract.depthwise",
  (require "upweave.lower.winograd"), -- one value: require gives the path, too
}

--- Strategies for a plan, in order.
---@param plan table
---@return table[]
function M.list(plan)
  local out = {}
  for _, s in ipairs(order) do
    if s.form == plan.form and s.fixed == plan.fixed then out[#out + 1] = s end
  end
  return out
end

--- The strategy of that name, or nil.
function M.find(name) return list.named(order, name) end

return M
