-- SPDX-License-Identifier: MIT
-- Filter: nearest exact. The input pixel whose centre is nearest; ties go right.

local M = { name = "nearest_exact", taps = 1 }

---@param A table           arithmetic
---@param source any        source coordinate
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source)
  local clamped = A.max(source, A.int(0))
  return A.floor(A.add(clamped, A.constant(0.5))), { A.int(1) }
end

return M
