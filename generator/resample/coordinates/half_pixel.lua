-- SPDX-License-Identifier: MIT
-- Coordinates: half pixel. Pixels are areas, centres at o + 1/2; image borders coincide.
--
--   source = ratio * (o + 1/2) - 1/2,   ratio = 1/scale_factor if that was given, else input/output

local M = { name = "half_pixel" }

---@param A table           arithmetic
---@param input integer
---@param output integer
---@param scale number|nil  scale factor, where it enters the rule
---@return any ratio
function M.ratio(A, input, output, scale)
  if scale then return A.reciprocal(scale) end
  return A.div(A.int(input), A.int(output))
end

---@param A table
---@param ratio any
---@param o integer   output position
---@return any source
function M.source(A, ratio, o)
  local half = A.constant(0.5)
  return A.mul_add(ratio, A.add(A.int(o), half), A.constant(-0.5))
end

return M
