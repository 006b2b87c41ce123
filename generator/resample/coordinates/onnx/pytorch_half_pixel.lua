-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's pytorch_half_pixel. Half pixel, but an output of one pixel lies at -1/2, as
-- older versions of PyTorch had it.

local half_pixel = require "upweave.resample.coordinates.onnx.half_pixel"
local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "pytorch_half_pixel", of = "scale", ratio = scale.ratio,
  text = "(o + 1/2)/scale - 1/2 (-1/2 for one output)" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local _, single = scale.width(A, axis)
  if not single then return half_pixel.source(A, axis) end
  return function() return A.constant(-0.5) end
end

return M
