-- SPDX-License-Identifier: MIT
-- Coordinates: half pixel as Paddle's C++ computes it: a literal 0.5 makes the expression double.
--
--   source = ratio * (o + 1/2) - 1/2, not rounded to float; ratio is 0 for a single output

local half_pixel = require "upweave.resample.coordinates.half_pixel"

local M = { name = "half_pixel", text = half_pixel.text, of = "r" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return any ratio   input pixels per output pixel
function M.ratio(A, axis)
  if axis.output == 1 then return A.int(0) end
  return half_pixel.ratio(A, axis)
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position, of A.wide
function M.source(A, axis)
  local W, ratio = A.wide, M.ratio(A, axis)
  local half = W.constant(0.5)
  return function(o) return W.sub(W.mul(ratio, W.add(W.int(o), half)), half) end
end

return M
