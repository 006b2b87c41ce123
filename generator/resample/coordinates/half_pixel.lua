-- SPDX-License-Identifier: MIT
-- Coordinates: half pixel. Pixels are areas, centres at o + 1/2; image borders coincide.
--
--   source = ratio * (o + 1/2) - 1/2,   ratio = 1/scale_factor if that was given, else input/output

local M = { name = "half_pixel", text = "r*(o + 1/2) - 1/2", of = "r" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return any ratio   input pixels per output pixel
function M.ratio(A, axis)
  if axis.scale then return A.reciprocal(axis.scale) end
  return A.div(A.int(axis.input), A.int(axis.output))
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local ratio, half, back = M.ratio(A, axis), A.constant(0.5), A.constant(-0.5)
  return function(o) return A.mul_add(ratio, A.add(A.int(o), half), back) end
end

return M
