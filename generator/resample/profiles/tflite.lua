-- SPDX-License-Identifier: MIT
-- Profile: tflite. What ResizeBilinear and ResizeNearestNeighbor of TFLite's reference kernels do
-- with one axis: float32 by the text, no operation fused.

local align_corners = require "upweave.resample.coordinates.align_corners"
local asymmetric = require "upweave.resample.coordinates.asymmetric"
local centres = require "upweave.resample.coordinates.centres"
local half_pixel = require "upweave.resample.coordinates.half_pixel"
local linear = require "upweave.resample.filters.linear_tflite"
local list = require "upweave.util.list"
local nearest = require "upweave.resample.filters.nearest"
local plain = require "upweave.resample.arithmetic.plain"
local rounded = require "upweave.resample.filters.nearest_rounded"

local M = { name = "tflite" }

local f32 = plain.of(require "upweave.resample.arithmetic.f32")

---`centred` are the coordinates with half_pixel_centers, `aligned` those with align_corners, and
---`both`; `rounded` is the filter with align_corners, where that is another.
M.modes = {
  { name = "nearest", ranks = { 2 }, sharp = nearest, rounded = rounded,
    centred = centres.of(asymmetric), both = centres.of(align_corners) },
  { name = "bilinear", ranks = { 2 }, sharp = linear, centred = half_pixel },
}

-- A single output has the ratio of the sizes, corners aligned or not.
local function coordinates_of(problem, i, mode)
  local aligned = problem.align_corners and problem.size[i] > 1
  if problem.half_pixel_centers then return aligned and mode.both or mode.centred end
  return aligned and align_corners or asymmetric
end

---@param problem table
---@param i integer   spatial axis, from 1
---@return table   fields of an axis spec: filter, coordinates, arithmetic, …
function M.axis(problem, i)
  local mode = list.named(M.modes, problem.mode)
  return {
    filter = problem.align_corners and mode.rounded or mode.sharp,
    coordinates = coordinates_of(problem, i, mode),
    arithmetic = f32,
  }
end

return M
