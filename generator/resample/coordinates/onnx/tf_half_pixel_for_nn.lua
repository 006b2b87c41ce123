-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's tf_half_pixel_for_nn. The centre of an output pixel, measured from the left
-- border of the input's pixels; source = (o + 1/2)/scale.

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "tf_half_pixel_for_nn", text = "(o + 1/2)/scale", of = "scale",
  ratio = scale.ratio,
  point = { input = 0, output = 0.5 } }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local s, half = scale.of(A, axis), A.constant(0.5)
  return function(o) return A.div(A.add(A.int(o), half), s) end
end

return M
