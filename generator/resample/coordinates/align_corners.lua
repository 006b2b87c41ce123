-- SPDX-License-Identifier: MIT
-- Coordinates: align corners. The centres of the first and of the last pixels coincide.
--
--   source = ratio * o,   ratio = (input - 1)/(output - 1), 0 for a single output
-- A scale factor never enters.

local M = { name = "align_corners", text = "o*(in - 1)/(out - 1)" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return any ratio   input pixels per output pixel
function M.ratio(A, axis)
  if axis.output == 1 then return A.int(0) end
  return A.div(A.int(axis.input - 1), A.int(axis.output - 1))
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local ratio = M.ratio(A, axis)
  return function(o) return A.mul(ratio, A.int(o)) end
end

return M
