-- SPDX-License-Identifier: MIT
-- Coordinates: asymmetric. Pixels are points at their left border; the first ones coincide.
--
--   source = ratio * o,   ratio = 1/scale_factor if that was given, else input/output

local half_pixel = require "upweave.resample.coordinates.half_pixel"

local M = { name = "asymmetric", ratio = half_pixel.ratio, point = { input = 0, output = 0 } }

---@param A table     arithmetic
---@param ratio any
---@param o integer   output position
---@return any source
function M.source(A, ratio, o)
  return A.mul(ratio, A.int(o))
end

return M
