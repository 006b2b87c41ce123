-- SPDX-License-Identifier: MIT
-- What ONNX's coordinates are made of: the scale, and the width of the output before it is cut to
-- whole pixels.
--
-- ONNX divides by a scale where the others multiply by a ratio. Invariant: operations stand in the
-- order of the reference evaluator, so that float64 gives its bits.

local M = {}

---Output pixels per input pixel: as given, else from the sizes.
---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return any
function M.of(A, axis)
  if axis.scale then return A.given(axis.scale) end
  return A.div(A.int(axis.output), A.int(axis.input))
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return any width   scale * input
---@return boolean single   whether it is exactly one pixel
function M.width(A, axis)
  local width, one = A.mul(M.of(A, axis), A.int(axis.input)), A.int(1)
  return width, not A.less(width, one) and not A.less(one, width)
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return any ratio   input pixels per output pixel
function M.ratio(A, axis) return A.div(A.int(1), M.of(A, axis)) end

return M
