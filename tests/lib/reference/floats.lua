-- SPDX-License-Identifier: MIT
-- Floats for the references: roundings written anew, without the generator's.
--
-- Invariant: arguments are finite; products and sums neither overflow nor are subnormal in double.

local M = {}

function M.f32(x)
  return (string.unpack("<f", string.pack("<f", x)))
end

-- a*b + c, one rounding to float: the product of two floats is exact in double, and a nudge of one
-- unit towards the error of the sum keeps a false tie from being rounded to even.
local function fma_f32(a, b, c)
  local p = a * b
  local s = p + c
  local bb = s - p
  local err = (p - (s - bb)) + (c - bb)
  if err > 0 then s = s + math.abs(s) * 2.0 ^ -53 * 1.5 end
  if err < 0 then s = s - math.abs(s) * 2.0 ^ -53 * 1.5 end
  return M.f32(s)
end

-- The same in double: the product's rounding error by Dekker, the sum's by Knuth.
local function fma_f64(a, b, c)
  local function high(x) return 134217729.0 * x - (134217729.0 * x - x) end
  local p, ah, bh = a * b, high(a), high(b)
  local e = (a - ah) * (b - bh) - (((p - ah * bh) - (a - ah) * bh) - ah * (b - bh))
  local s = p + c
  local bb = s - p
  return s + ((p - (s - bb)) + (c - bb) + e)
end

-- A finished weight in a shorter type: `digits` binary digits, ties to even, exponents of at least
-- `lowest`.
local function shorten(x, digits, lowest)
  if x == 0 then return x end
  local unit = 1.0
  while math.abs(x) >= unit * 2 do unit = unit * 2 end
  while math.abs(x) < unit and unit > 2.0 ^ lowest do unit = unit / 2 end
  unit = unit * 2.0 ^ (1 - digits)
  local n = math.floor(x / unit)
  local rest = x / unit - n
  if rest > 0.5 or rest == 0.5 and n % 2 == 1 then n = n + 1 end
  return n * unit
end

-- What PyTorch calculates with: rounding, fused product and sum, how a weight is kept.
local function same(x) return x end
M.types = {
  f32 = { round = M.f32, fma = fma_f32, keep = same },
  f64 = { round = same, fma = fma_f64, keep = same },
  f16 = { round = M.f32, fma = fma_f32, keep = function(x) return shorten(x, 11, -14) end },
  bf16 = { round = M.f32, fma = fma_f32, keep = function(x) return shorten(x, 8, -126) end },
}

return M
