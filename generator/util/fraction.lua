-- SPDX-License-Identifier: MIT
-- Fractions of small integers, with operators.
--
-- Purpose: exact matrices of constants. Invariants: a fraction is reduced and its denominator
-- positive, so that equal ones have equal parts; parts stay below 2^31, checked, so that no product
-- of two overflows. Numbers without a limit are `upweave.resample.arithmetic.rational`.

---@class upweave.fraction
---@field num integer
---@field den integer
---@operator add(upweave.fraction): upweave.fraction
---@operator sub(upweave.fraction): upweave.fraction
---@operator mul(upweave.fraction): upweave.fraction
---@operator div(upweave.fraction): upweave.fraction
---@operator unm: upweave.fraction
local F = {}
F.__index = F

local M = {}

local LIMIT <const> = 1 << 31

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

---@param num integer
---@param den integer?   1
---@return upweave.fraction
function M.new(num, den)
  den = den or 1
  assert(den ~= 0, "a fraction over zero")
  if den < 0 then num, den = -num, -den end
  local g = gcd(math.abs(num), den)
  num, den = num // g, den // g
  assert(math.abs(num) < LIMIT and den < LIMIT, "a fraction of large numbers")
  return setmetatable({ num = num, den = den }, F)
end

function F.__add(a, b) return M.new(a.num * b.den + b.num * a.den, a.den * b.den) end
function F.__sub(a, b) return M.new(a.num * b.den - b.num * a.den, a.den * b.den) end
function F.__mul(a, b) return M.new(a.num * b.num, a.den * b.den) end
function F.__div(a, b) return M.new(a.num * b.den, a.den * b.num) end
function F.__unm(a) return M.new(-a.num, a.den) end
function F.__eq(a, b) return a.num == b.num and a.den == b.den end

--- The nearest double.
---@return number
function F:number() return self.num / self.den end

---@return boolean
function F:is_zero() return self.num == 0 end

--- Whether it is 1 or -1.
---@return boolean
function F:is_unit() return self.den == 1 and (self.num == 1 or self.num == -1) end

--- Whether a float of few digits holds it exactly: then every element type of arithmetic does.
---@return boolean
function F:is_dyadic() return self.den & (self.den - 1) == 0 and math.abs(self.num) < 1 << 24 end

return M
