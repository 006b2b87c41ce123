-- SPDX-License-Identifier: MIT
-- Arithmetic: one of the others without fused operations.
--
-- What an expression gives where every product is rounded before it is added: numpy, and C++ that
-- is taken by its text.

local M = {}

---@param base table   an arithmetic
---@return table arithmetic
function M.of(base)
  local A = setmetatable({ name = base.name .. ", plain" }, { __index = base })
  A.mul_add = function(a, b, c) return base.add(base.mul(a, b), c) end
  return A
end

return M
