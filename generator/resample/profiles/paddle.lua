-- SPDX-License-Identifier: MIT
-- Profile: paddle. What PaddlePaddle's interpolate on a CPU does with one axis.
--
-- Its C++ by its text: ratios and weights in float whatever the tensor's type, except cubic, whose
-- weights have that type; no operation is fused.

local align_corners = require "upweave.resample.coordinates.align_corners"
local asymmetric = require "upweave.resample.coordinates.asymmetric"
local box = require "upweave.resample.filters.box"
local cubic = require("upweave.resample.filters.cubic").of(-0.75)
local half_pixel = require "upweave.resample.coordinates.half_pixel_promoted"
local linear = require "upweave.resample.filters.linear_promoted"
local list = require "upweave.util.list"
local nearest = require "upweave.resample.filters.nearest"
local plain = require "upweave.resample.arithmetic.plain"
local rounded = require "upweave.resample.filters.nearest_rounded"
local rounding = require "upweave.resample.arithmetic.rounding"

local M = { name = "paddle" }

local f32 = plain.of(require "upweave.resample.arithmetic.f32")
local f64 = plain.of(require "upweave.resample.arithmetic.torch_f64")

---`aligned` is the filter with align_corners, where that is another; `modes` of align_mode.
M.modes = {
  { name = "nearest", ranks = { 2, 3 }, sharp = nearest, aligned = rounded,
    coordinates = asymmetric },
  { name = "linear", ranks = { 1 }, sharp = linear, coordinates = half_pixel, points = asymmetric },
  { name = "bilinear", ranks = { 2 }, sharp = linear, coordinates = half_pixel,
    points = asymmetric },
  { name = "bicubic", ranks = { 2 }, sharp = cubic, coordinates = half_pixel },
  { name = "trilinear", ranks = { 3 }, sharp = linear, coordinates = half_pixel,
    points = asymmetric },
  { name = "area", ranks = { 1, 2, 3 }, sharp = box },
}

local function coordinates_of(problem, mode)
  if mode.coordinates and problem.align_corners then return align_corners end
  return problem.align_mode == 1 and mode.points or mode.coordinates
end

-- A scale factor is a float there.
local function scale_of(problem, i)
  local scale = problem.scale_factor and problem.scale_factor[i]
  return scale and problem.coord_math ~= "exact" and rounding.single(scale) or scale
end

-- Only a picture of which no axis changes is copied.
local function keeps_size(problem, x)
  for i, n in ipairs(x.space) do
    if n ~= problem.size[i] then return false end
  end
  return true
end

---@param problem table
---@param i integer   spatial axis, from 1
---@param x upweave.resample.dimensions
---@return table   fields of an axis spec: filter, coordinates, arithmetic, …
function M.axis(problem, i, x)
  local mode = list.named(M.modes, problem.mode)
  local filter = problem.align_corners and mode.aligned or mode.sharp
  local double = problem.x.dtype == "f64" and (filter == cubic or filter == box)
  return {
    scale = scale_of(problem, i),
    filter = filter,
    coordinates = coordinates_of(problem, mode),
    arithmetic = double and f64 or f32,
    grid = f32,
    copies_equal_sizes = keeps_size(problem, x),
  }
end

return M
