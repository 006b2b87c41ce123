-- SPDX-License-Identifier: MIT
-- Rounding: exact helpers under the arithmetics.
--
-- Rounding a double a second time, to float, is wrong at ties unless the first rounding was "to
-- odd": inexact results take the neighbour whose last bit is set, so no later rounding meets a
-- false tie.
-- Invariant: arguments are finite, and no product or sum overflows or is subnormal in double.

local M = {}

local pack, unpack = string.pack, string.unpack

---The float nearest to a double, ties to even, returned as a double.
---Veltkamp's splitting rounds to nearest without a string (75 ns instead of 500), but breaks ties
---either way: those, and what may be a subnormal float, go through string.pack.
---@param x number
---@return number
function M.single(x)
  if x < 1e-37 and x > -1e-37 then return (unpack("<f", pack("<f", x))) end
  local c = 536870913.0 * x
  local y = c - (c - x)
  local low = x - y
  if low == 0 then return x end
  -- A tie has floats on both sides: y, and the same distance beyond x.
  low = x + low
  c = 536870913.0 * low
  if c - (c - low) == low then return (unpack("<f", pack("<f", x))) end
  return y
end

---a + b as rounded sum and exact error.
---@param a number
---@param b number
---@return number sum
---@return number err
function M.two_sum(a, b)
  local s = a + b
  local t = s - a
  return s, (a - (s - t)) + (b - t)
end

---a * b as rounded product and exact error (Dekker; no fused operation needed).
---@param a number
---@param b number
---@return number product
---@return number err
function M.two_product(a, b)
  local p = a * b
  local c = 134217729.0 * a
  local ah = c - (c - a)
  local al = a - ah
  c = 134217729.0 * b
  local bh = c - (c - b)
  local bl = b - bh
  return p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)
end

---The double of odd last bit next to `x` on the side of `err`; `x` itself when it is exact or odd.
---@param x number   a rounded result
---@param err number exact result minus x; only its sign matters
---@return number
function M.to_odd(x, err)
  if err == 0 then return x end
  local bits = unpack("<i8", pack("<d", x))
  if bits & 1 == 1 then return x end
  local outward = (err > 0) == (x > 0)
  return (unpack("<d", pack("<i8", outward and bits + 1 or bits - 1)))
end

return M
