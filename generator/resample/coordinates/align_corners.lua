-- SPDX-License-Identifier: MIT
-- Coordinates: align corners. The centres of the first and of the last pixels coincide.
--
--   source = ratio * o,   ratio = (input - 1)/(output - 1), 0 for a single output
-- A scale factor never enters.

local asymmetric = require "upweave.resample.coordinates.asymmetric"

local M = { name = "align_corners", source = asymmetric.source }

---@param A table         arithmetic
---@param input integer
---@param output integer
---@return any ratio
function M.ratio(A, input, output)
  if output == 1 then return A.int(0) end
  return A.div(A.int(input - 1), A.int(output - 1))
end

return M
