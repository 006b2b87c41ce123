-- SPDX-License-Identifier: MIT
-- Filter: Keys' cubic convolution kernel of parameter a, the two polynomials shared by its users.
--
--   |x| < 1: (a + 2)|x|^3 - (a + 3)|x|^2 + 1        1 <= |x| < 2: a|x|^3 - 5a|x|^2 + 8a|x| - 4a
-- Horner's order and the places of the fused operations are PyTorch's; a is a binary fraction.

local M = {}

---@param A table   arithmetic
---@param x any     0 <= x <= 1
---@param a number
function M.near(A, x, a)
  local y = A.mul_add(A.constant(a + 2), x, A.constant(-(a + 3)))
  return A.mul_add(A.mul(y, x), x, A.int(1))
end

---@param A table   arithmetic
---@param x any     1 <= x <= 2
---@param a number
function M.far(A, x, a)
  local y = A.mul_add(A.constant(a), x, A.constant(-5 * a))
  y = A.mul_add(y, x, A.constant(8 * a))
  return A.mul_add(y, x, A.constant(-4 * a))
end

return M
