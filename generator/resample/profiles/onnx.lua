-- SPDX-License-Identifier: MIT
-- Profile: onnx. What Resize of the reference evaluator of onnx 1.22.0 does with one axis; Upsample
-- and Resize-10 as ONNX Runtime does, where the text is silent.

local cubic = require "upweave.resample.filters.cubic"
local f64 = require "upweave.resample.arithmetic.f64"
local keys_powers = require "upweave.resample.filters.keys_powers"
local linear = require "upweave.resample.filters.linear_onnx"
local list = require "upweave.util.list"
local nearest = require "upweave.resample.filters.nearest_onnx"
local plain = require "upweave.resample.arithmetic.plain"
local stretch = require "upweave.resample.stretch.clamped"
local triangle = require "upweave.resample.filters.triangle"
local types = require "upweave.ir.types"

local M = { name = "onnx" }

--- The values of coordinate_transformation_mode.
M.coordinates = {
  require "upweave.resample.coordinates.onnx.half_pixel",
  require "upweave.resample.coordinates.onnx.half_pixel_symmetric",
  require "upweave.resample.coordinates.onnx.pytorch_half_pixel",
  require "upweave.resample.coordinates.onnx.align_corners",
  require "upweave.resample.coordinates.onnx.asymmetric",
  require "upweave.resample.coordinates.onnx.tf_half_pixel_for_nn",
  require "upweave.resample.coordinates.onnx.tf_crop_and_resize",
}

local numpy = plain.of(f64)

-- The rounding of the versions before nearest_mode: up where the picture shrinks.
local function simple(scale) return scale < 1 and nearest.ceil or nearest.floor end

local FILTER <const> = {
  nearest = function(problem, scale)
    return nearest[problem.nearest_mode] or simple(scale)
  end,
  linear = function(problem) return problem.antialias and triangle or linear end,
  cubic = function(problem)
    return (problem.antialias and keys_powers or cubic).of(problem.cubic_coeff_a)
  end,
}

-- The evaluator leaves out an axis whose scale is 1 but for rounding, unless a window is cut out.
local function is_kept(scale, roi)
  return math.abs(scale - 1) <= 1e-9 * math.max(scale, 1) and
    (not roi or roi[1] == 0 and roi[2] == 1)
end

---@param problem table
---@param i integer   spatial axis, from 1
---@param x upweave.resample.dimensions
---@return table   fields of an axis spec: filter, coordinates, arithmetic, …
function M.axis(problem, i, x)
  local given = problem.scale_factor and problem.scale_factor[i]
  local scale = given or problem.size[i] / x.space[i]
  local roi = problem.roi and { problem.roi[i], problem.roi[x.rank + i] }
  return {
    scale = given,
    roi = roi,
    filter = FILTER[problem.mode](problem, scale),
    coordinates = list.named(M.coordinates, problem.coordinate_transformation_mode),
    stretch = stretch,
    arithmetic = numpy,
    copies_equal_sizes = is_kept(scale, roi),
    exclude = problem.exclude_outside,
  }
end

---What tf_crop_and_resize fills, or nil where nothing is outside.
---@param problem table
---@param specs upweave.resample.axis_spec[]
---@return table|nil
function M.fill(problem, specs)
  local fill, needed = { lo = {}, hi = {} }, false
  for i, spec in ipairs(specs) do
    local inside = spec.coordinates.inside
    if not inside then return nil end
    fill.lo[i], fill.hi[i] = inside(spec.arithmetic, spec)
    needed = needed or fill.lo[i] > 0 or fill.hi[i] < spec.output
  end
  local value = problem.extrapolation_value
  fill.value = types.round(problem.x.dtype,
    problem.x.dtype == "u8" and math.tointeger(value) or value)
  return needed and fill or nil
end

return M
