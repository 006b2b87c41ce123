-- SPDX-License-Identifier: MIT
-- Filter: Keys' cubic convolution kernel of parameter a, the two polynomials shared by its users.
--
--   |x| < 1: (a + 2)|x|^3 - (a + 3)|x|^2 + 1        1 <= |x| < 2: a|x|^3 - 5a|x|^2 + 8a|x| - 4a
-- Horner's order is PyTorch's; `last` is the step that adds the constant:
-- `fused` where the polynomials stand alone, `apart` where the compiler of PyTorch's binaries pairs
-- two of them into vectors and so leaves the last product rounded (measured: docs/numerics.md).

local M = {}

---a * b + c rounded once.
function M.fused(A, a, b, c)
  return A.mul_add(a, b, c)
end

---a * b + c with the product rounded, too.
function M.apart(A, a, b, c)
  return A.add(A.mul(a, b), c)
end

---@param A table     arithmetic
---@param x any       0 <= x <= 1
---@param a number
---@param last fun(A: table, a: any, b: any, c: any): any
function M.near(A, x, a, last)
  local g = A.given(a)
  local y = A.mul_add(A.add(g, A.int(2)), x, A.sub(A.int(-3), g))
  return last(A, A.mul(y, x), x, A.int(1))
end

---@param A table     arithmetic
---@param x any       1 <= x <= 2
---@param a number
---@param last fun(A: table, a: any, b: any, c: any): any
function M.far(A, x, a, last)
  local g = A.given(a)
  local y = A.mul_add(g, x, A.mul(A.int(-5), g))
  y = A.mul_add(y, x, A.mul(A.int(8), g))
  return last(A, y, x, A.mul(A.int(-4), g))
end

return M
