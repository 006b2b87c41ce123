-- SPDX-License-Identifier: MIT
-- Modes: which filter and coordinates a mode of PyTorch's interpolate names.
--
-- The one list of its filters: a mode added here appears in the operator's schema and in its
-- documents.
-- `sharp` is the filter on the pixel grid, `smooth` the one that `antialias` stretches.

local half_pixel = require "upweave.resample.coordinates.half_pixel"
local align_corners = require "upweave.resample.coordinates.align_corners"
local asymmetric = require "upweave.resample.coordinates.asymmetric"
local linear = require "upweave.resample.filters.linear"
local triangle = require "upweave.resample.filters.triangle"

local M = {}

---@class upweave.resample.mode
---@field name string
---@field ranks integer[]      spatial ranks that the framework accepts
---@field sharp table|nil      filter of taps at fixed distances, or of integer windows
---@field smooth table|nil     filter for antialias = true
---@field coordinates table|nil
---@field aligned table|nil    coordinates for align_corners = true; absent: an error
---@field pixels boolean|nil   8-bit pixels, too

---@type upweave.resample.mode[]
M.list = {
  { name = "nearest", ranks = { 1, 2, 3 }, pixels = true, coordinates = asymmetric,
    sharp = require "upweave.resample.filters.nearest" },
  { name = "nearest-exact", ranks = { 1, 2, 3 }, pixels = true, coordinates = half_pixel,
    sharp = require "upweave.resample.filters.nearest_exact" },
  { name = "linear", ranks = { 1 }, coordinates = half_pixel, aligned = align_corners,
    sharp = linear },
  { name = "bilinear", ranks = { 2 }, pixels = true, coordinates = half_pixel,
    aligned = align_corners, sharp = linear, smooth = triangle },
  { name = "bicubic", ranks = { 2 }, pixels = true, coordinates = half_pixel,
    aligned = align_corners, sharp = require "upweave.resample.filters.cubic_guarded",
    smooth = require "upweave.resample.filters.keys_half" },
  { name = "trilinear", ranks = { 3 }, coordinates = half_pixel, aligned = align_corners,
    sharp = linear },
  { name = "area", ranks = { 1, 2, 3 }, sharp = require "upweave.resample.filters.box" },
}

---The element types that PyTorch has a mode for.
---@param mode upweave.resample.mode
---@param antialias boolean
---@return string[]
function M.dtypes(mode, antialias)
  local dtypes = antialias and { "f32", "f64" } or { "f32", "f64", "f16", "bf16" }
  if mode.pixels then dtypes[#dtypes + 1] = "u8" end
  return dtypes
end

return M
