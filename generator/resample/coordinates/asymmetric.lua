-- SPDX-License-Identifier: MIT
-- Coordinates: asymmetric. Pixels are points at their left border; the first ones coincide.
--
--   source = ratio * o,   ratio = 1/scale_factor if that was given, else input/output

local half_pixel = require "upweave.resample.coordinates.half_pixel"

local M = { name = "asymmetric", text = "r*o", of = "r", ratio = half_pixel.ratio,
  point = { input = 0, output = 0 } }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local ratio = M.ratio(A, axis)
  return function(o) return A.mul(ratio, A.int(o)) end
end

return M
