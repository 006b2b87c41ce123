-- SPDX-License-Identifier: MIT
-- Filter: nearest, rounded. The pixel whose place is nearest to the source coordinate; ties go
-- right. The half is added in double: the sum is exact.

local M = { name = "nearest_rounded", taps = 1 }

---@param A table           arithmetic
---@param source any        source coordinate
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source)
  local W = A.wide
  return W.floor(W.add(source, W.constant(0.5))), { A.int(1) }
end

return M
