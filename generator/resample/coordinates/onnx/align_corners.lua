-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's align_corners. The corner of the output is that of its width before it was
-- cut to whole pixels: with a scale the last pixels need not coincide.
--
--   source = o * (input - 1)/(width - 1), 0 for a width of one

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "align_corners", text = "o*(in - 1)/(scale*in - 1)", of = "scale" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return any ratio   input pixels per output pixel
function M.ratio(A, axis)
  local width, single = scale.width(A, axis)
  if single then return A.int(0) end
  return A.div(A.int(axis.input - 1), A.sub(width, A.int(1)))
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local width, single = scale.width(A, axis)
  if single then return function() return A.int(0) end end
  local span, steps = A.int(axis.input - 1), A.sub(width, A.int(1))
  return function(o) return A.div(A.mul(A.int(o), span), steps) end
end

return M
