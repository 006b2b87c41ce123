-- SPDX-License-Identifier: MIT
-- Resample: the plan of an interpolate problem.
--
-- filters x coordinates x arithmetic: an axis map is built from one of each. Axes are independent:
-- every mode of interpolate is separable.

local build = require "upweave.resample.build"
local modes = require "upweave.resample.modes"
local plan_resample = require "upweave.plan.resample"

local M = {}

local ARITHMETIC = {
  framework = require "upweave.resample.arithmetic.f32",
  exact = require "upweave.resample.arithmetic.rational",
}

local NAMES = { { "w" }, { "h", "w" }, { "d", "h", "w" } }

---Batch, channels and spatial sizes of a tensor, whatever its layout.
local function dimensions(tensor)
  local planar = tensor.layout:sub(1, 2) == "NC"
  local shape, rank = tensor.shape, #tensor.shape - 2
  local first = planar and 2 or 1
  local space = {}
  for i = 1, rank do space[i] = shape[first + i] end
  return { batch = shape[1], channels = planar and shape[2] or shape[rank + 2], planar = planar,
    rank = rank, space = space }
end

---@param problem table   validated problem of op interpolate
---@return upweave.plan.resample
function M.plan(problem)
  local mode = assert(modes.find(problem.mode), "mode of a validated problem")
  local x = dimensions(problem.x)
  local axes, terms = {}, 1
  for i = 1, x.rank do
    local axis, axis_terms = build.axis {
      name = NAMES[x.rank][i],
      input = x.space[i],
      output = problem.size[i],
      scale = problem.scale_factor and problem.scale_factor[i],
      filter = problem.antialias and mode.smooth or mode.sharp,
      coordinates = problem.align_corners and mode.aligned or mode.coordinates,
      arithmetic = ARITHMETIC[problem.coord_math],
    }
    axes[i], terms = axis, terms * axis_terms
  end
  return plan_resample.new { dtype = problem.x.dtype, batch = x.batch, channels = x.channels,
    planar = x.planar, axes = axes, terms = terms }
end

return M
