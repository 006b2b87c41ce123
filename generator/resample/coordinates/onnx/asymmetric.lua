-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's asymmetric. Pixels are points at their left border; source = o/scale.

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "asymmetric", text = "o/scale", of = "scale", ratio = scale.ratio,
  point = { input = 0, output = 0 } }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local s = scale.of(A, axis)
  return function(o) return A.div(A.int(o), s) end
end

return M
