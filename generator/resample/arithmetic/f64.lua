-- SPDX-License-Identifier: MIT
-- Arithmetic: float64, the machine's own.
--
-- The same interface as f32. `mul_add` rounds once, as the fused instruction does (method of Boldo
-- and Melquiond: the two low parts are added to odd, so that the last sum meets no false tie).

local rounding = require "upweave.resample.arithmetic.rounding"

local M = { name = "f64" }
M.wide = M

local same = function(x) return x end

M.int = function(n) return n + 0.0 end
M.narrow = same
M.constant = same
M.given = same
M.reciprocal = function(s) return 1.0 / s end

M.add = function(a, b) return a + b end
M.sub = function(a, b) return a - b end
M.mul = function(a, b) return a * b end
M.div = function(a, b) return a / b end
M.mul_add = function(a, b, c)
  local uh, ul = rounding.two_product(a, b)
  local th, tl = rounding.two_sum(c, ul)
  local vh, vl = rounding.two_sum(uh, th)
  local low, err = rounding.two_sum(tl, vl)
  return vh + rounding.to_odd(low, err)
end

M.floor = math.floor
M.less = function(a, b) return a < b end
M.min = function(a, b) return b < a and b or a end
M.max = function(a, b) return a < b and b or a end
M.abs = math.abs
M.tonumber = same
M.stored = same
M.single = rounding.single
M.double = same

return M
