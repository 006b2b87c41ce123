-- SPDX-License-Identifier: MIT
-- Resample: the plan of an interpolate problem.
--
-- filters x coordinates x arithmetic: an axis map is built from one of each; the profile says
-- which. Axes are independent: every mode of interpolate is separable.

local build = require "upweave.resample.build"
local plan_resample = require "upweave.plan.resample"
local profiles = require "upweave.resample.profiles"
local rational = require "upweave.resample.arithmetic.rational"

local M = {}

local NAMES <const> = { { "w" }, { "h", "w" }, { "d", "h", "w" } }

---The type of the arithmetic; 8-bit pixels that are not just moved have fixed point.
local WORK <const> = { f32 = "f32", f16 = "f32", bf16 = "f32", f64 = "f64", u8 = "fixed" }

---@class upweave.resample.dimensions
---@field batch integer
---@field channels integer
---@field planar boolean   channels before the spatial axes
---@field rank integer
---@field space integer[]  spatial sizes, outermost first

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
  local profile = profiles.find(problem.profile)
  local x, work = dimensions(problem.x), WORK[problem.x.dtype]
  local axes, specs, terms = {}, {}, 1
  for i = 1, x.rank do
    local spec = profile.axis(problem, i, x)
    spec.name, spec.input, spec.output = NAMES[x.rank][i], x.space[i], problem.size[i]
    spec.work = work
    if problem.coord_math == "exact" then spec.arithmetic, spec.grid = rational, rational end
    local axis, axis_terms = build.axis(spec)
    axes[i], specs[i], terms = axis, spec, terms * axis_terms
  end
  local fixed = work == "fixed"
  return plan_resample.new { dtype = problem.x.dtype, work = fixed and "u8" or work, fixed = fixed,
    fill = profile.fill and profile.fill(problem, specs), batch = x.batch, channels = x.channels,
    planar = x.planar, axes = axes, terms = terms }
end

return M
