-- SPDX-License-Identifier: MIT
-- Filter: nearest. The input pixel in which the source coordinate lies.

local M = { name = "nearest", taps = 1 }

---@param A table           arithmetic
---@param source any        source coordinate
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source)
  return A.floor(source), { A.int(1) }
end

return M
