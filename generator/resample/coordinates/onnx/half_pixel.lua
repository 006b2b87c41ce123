-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's half_pixel. Pixels are areas; source = (o + 1/2)/scale - 1/2.

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "half_pixel", text = "(o + 1/2)/scale - 1/2", of = "scale",
  ratio = scale.ratio }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local s, half = scale.of(A, axis), A.constant(0.5)
  return function(o) return A.sub(A.div(A.add(A.int(o), half), s), half) end
end

return M
