-- SPDX-License-Identifier: MIT
-- Contractions as the drawings see them: axis maps whose weights are known by their place only.
--
-- Purpose: from an axis of a plan of the form contract to an axis map with a ruler: an output
-- stands where the middle of its kernel lies. Invariants: a weight is its position in the kernel
-- plus one, so that phases with the same weights, and only those, are drawn alike; `symbolic` says
-- that these are no numbers; what lies beyond the input is left out of the taps and counted.

local axes = require "upweave.plan.axis"
local contract = require "upweave.plan.contract"

local M = {}

local Symbolic = setmetatable({}, { __index = axes })
Symbolic.__index = Symbolic

--- The plan's own repetition: an axis map finds none where a phase has no taps.
function Symbolic:period()
  local plan = self.plan
  local inside, period = plan:interior(), plan:period()
  if inside.last - inside.first + 1 < 2 * period.outputs then return nil end
  return { outputs = period.outputs, inputs = period.inputs, first = inside.first,
    last = inside.last }
end

--- Whether taps of different phases move values only: their weights are not known.
function Symbolic.is_copy() return false end

local function taps_of(axis, o)
  local all = axis.taps[o % axis.phases + 1]
  local first, last = contract.inside(axis, o)
  local taps = { index = {}, weight = {}, lost = #all - math.max(0, last - first + 1) }
  for t = first, last do
    taps.index[#taps.index + 1] = o // axis.phases * axis.step + all[t].at
    taps.weight[#taps.weight + 1] = all[t].k + 1
  end
  return taps
end

-- Where output 0 and its kernel lie; the kernel spans `reach` inputs to each side of its middle.
local function source_of(axis, transposed, fields)
  local half = axis.dilation * (axis.kernel - 1) / 2
  local scale = transposed and fields.stride or 1
  local rule = transposed and "spread by " or "stride "
  return {
    rule = rule .. fields.stride, outside = "renormalised", point = { input = 0.5, output = 0.5 },
    first = (transposed and fields.pad - half or half - fields.pad) / scale,
    step = (transposed and 1 or fields.stride) / scale, reach = (half + 0.5) / scale,
  }
end

---@param axis upweave.contract.axis
---@param transposed boolean
---@param fields { stride: integer, pad: integer }
---@return upweave.axis
function M.axis(axis, transposed, fields)
  local taps = {}
  for o = 0, axis.output - 1 do taps[o + 1] = taps_of(axis, o) end
  local made = axes.new { name = axis.name, input = axis.input, output = axis.output, taps = taps,
    sparse = true }
  made.symbolic, made.plan, made.source = true, axis, source_of(axis, transposed, fields)
  return setmetatable(made, Symbolic)
end

--- A plan for the drawings; others stay as they are.
---@param plan table
---@param problem table
---@return table
function M.drawable(plan, problem)
  if plan.form ~= "contract" then return plan end
  local list = {}
  for k, axis in ipairs(plan.axes) do
    list[k] = M.axis(axis, plan.transposed, { stride = problem.stride[k],
      pad = problem.padding[k] })
  end
  return { form = plan.form, rank = plan.rank, axes = list, symbolic = true }
end

return M
