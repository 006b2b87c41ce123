-- SPDX-License-Identifier: MIT
-- Arithmetic: float32, rounded after every operation.
--
-- Reproduces what a C compiler makes of `float` expressions on a CPU with fused multiply-add,
-- because that is what PyTorch's AVX2 and AVX-512 (and every aarch64) builds execute: a product
-- that feeds a sum is not rounded (`mul_add`). A value is a double that float can represent. Where
-- the C source mixes in a double literal the expression is promoted: such steps use `wide`, then
-- `narrow`.

local f64 = require "upweave.resample.arithmetic.f64"
local rounding = require "upweave.resample.arithmetic.rounding"

local M = { name = "f32", wide = f64 }

local single, two_sum, to_odd = rounding.single, rounding.two_sum, rounding.to_odd

M.int = function(n)
  if n <= 16777216 and n >= -16777216 then return n + 0.0 end
  return single(n + 0.0)
end
---The value nearest to a double.
M.constant = single
---A number that the user gave.
M.given = single
---A value of `wide`, rounded.
M.narrow = single
---The ratio 1/s of a scale factor: PyTorch divides in double, then rounds.
M.reciprocal = function(s) return single(1.0 / s) end

M.add = function(a, b) return single(a + b) end
M.sub = function(a, b) return single(a - b) end
M.mul = function(a, b) return single(a * b) end
-- The double quotient of two floats is never so near a tie that rounding it again goes wrong
-- (53 >= 2 * 24 + 2); the same holds for the sum, the difference and the product above.
M.div = function(a, b) return single(a / b) end

---a * b + c with one rounding. The product is exact in double.
M.mul_add = function(a, b, c)
  local s, err = two_sum(a * b, c)
  if err ~= 0 then s = to_odd(s, err) end
  return single(s)
end

M.floor = math.floor
M.less = function(a, b) return a < b end
M.min = function(a, b) return b < a and b or a end
M.max = function(a, b) return a < b and b or a end
M.abs = math.abs
M.tonumber = function(a) return a end
---A weight of a filter as the framework keeps it.
M.stored = function(w) return w end
---What the kernel gets for a finished weight, also one summed in `wide`: a float, a double.
M.single = single
M.double = function(a) return a end

return M
