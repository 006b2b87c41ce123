-- SPDX-License-Identifier: MIT
-- Filter: triangle, 1 - |x|. The antialiased form of linear.

local M = { name = "triangle", radius = 1, copies_equal_sizes = true }

---@param A table   arithmetic
---@param x any     distance from the centre, in units of the stretched filter
---@return any
function M.kernel(A, x)
  x = A.abs(x)
  if not A.less(x, A.int(1)) then return A.int(0) end
  return A.sub(A.int(1), x)
end

return M
