-- SPDX-License-Identifier: MIT
-- The parameters of the C reference for an interpolate problem.
--
-- Purpose: struct upw_ref_interpolate of runtime/reference/reference.h, field by field, in its
-- order. Invariants: what a profile does not know is 0; antialias says that the filter is
-- stretched, asked for or by its nature.

local axis_of = require "upweave.ops.interpolate.axis"
local json = require "upweave.util.json"
local tensor = require "upweave.ops.tensor"

-- A mode of ONNX is one of PyTorch by another name.
local MODES <const> = { cubic = "bicubic" }

local function enumerator(name)
  return name and "UPW_REF_" .. name:upper():gsub("%-", "_") or "0"
end

-- An initialiser of the three spatial places; unused ones are 0.
local function three(values, skip)
  local texts = {}
  for i = 1, 3 do
    local value = values and values[i + (skip or 0)]
    texts[i] = value and json.number(value) or "0"
  end
  return "{" .. table.concat(texts, ", ") .. "}"
end

local function flag(condition) return condition and "1" or "0" end

local function number(value) return value and json.number(value) or "0" end

---@param problem table
---@return {func: string, type: string, fields: string[][]}
return function(problem)
  local x = problem.x
  local rank = tensor.rank(x)
  return {
    func = "upw_ref_interpolate",
    type = "struct upw_ref_interpolate",
    fields = {
      { "profile", enumerator(problem.profile) },
      { "dtype", enumerator(x.dtype) },
      { "mode", enumerator(MODES[problem.mode] or problem.mode) },
      { "rank", tostring(rank) },
      { "planar", flag(tensor.planar(x)) },
      { "align_corners", flag(problem.align_corners) },
      { "antialias", flag(axis_of(problem).filter.kernel) },
      { "exact", flag(problem.coord_math == "exact") },
      { "half_pixel_centers", flag(problem.half_pixel_centers) },
      { "align_mode", number(problem.align_mode) },
      { "coordinates", enumerator(problem.coordinate_transformation_mode) },
      { "nearest_mode", enumerator(problem.nearest_mode) },
      { "exclude_outside", flag(problem.exclude_outside) },
      { "cubic_coeff_a", number(problem.cubic_coeff_a) },
      { "extrapolation_value", number(problem.extrapolation_value) },
      { "batch", tostring(x.shape[1]) },
      { "channels", tostring(tensor.channels(x)) },
      { "in", three(tensor.spatial(x)) },
      { "out", three(problem.size) },
      { "scale", three(problem.scale_factor) },
      { "roi_start", three(table.move(problem.roi or {}, 1, rank, 1, {})) },
      { "roi_end", three(problem.roi, rank) },
    },
  }
end
