-- SPDX-License-Identifier: MIT
-- Filter: Keys' kernel with a = -1/2. The antialiased form of cubic (as Pillow; not -3/4).

local keys = require "upweave.resample.filters.keys"

local M = { name = "keys_half", radius = 2, copies_equal_sizes = true }

---@param A table   arithmetic
---@param x any     distance from the centre, in units of the stretched filter
---@return any
function M.kernel(A, x)
  x = A.abs(x)
  if A.less(x, A.int(1)) then return keys.near(A, x, -0.5, keys.fused) end
  if A.less(x, A.int(2)) then return keys.far(A, x, -0.5, keys.fused) end
  return A.int(0)
end

return M
