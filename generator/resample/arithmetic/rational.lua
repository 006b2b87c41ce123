-- SPDX-License-Identifier: MIT
-- Arithmetic: rational, exact. The only rounding is of a finished weight, once.
--
-- A value is `{ num, den }` with den > 0. Fractions are not reduced but where they are made: values
-- live for one polynomial, and unreduced ones keep common denominators, so that sums stay small. A
-- scale factor is the exact value of the double it was given as.

local integer = require "upweave.resample.arithmetic.integer"
local rounding = require "upweave.resample.arithmetic.rounding"

local M = { name = "rational" }
M.wide = M

local add, mul, neg, compare = integer.add, integer.mul, integer.neg, integer.compare

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

---num / den, reduced if both are native.
local function fraction(num, den)
  if compare(den, 0) < 0 then num, den = neg(num), neg(den) end
  if math.type(num) and math.type(den) then
    local g = gcd(num < 0 and -num or num, den)
    num, den = num // g, den // g
  end
  return { num, den }
end

---A finite double as it is: doubling makes it an integer.
local function exact(x)
  local den = 1
  while x ~= math.floor(x) do x, den = x * 2, mul(den, 2) end
  return fraction(math.tointeger(x), den)
end

local GRID <const> = 1 << 60

function M.int(n) return { n, 1 } end
---A double: exact if it has few bits after the point. Others are results of a function that is not
---rational itself (a sine), of magnitude about 1: the nearest multiple of 2^-60, so that they all
---have one denominator.
function M.constant(x)
  local steps = x * 1024
  if steps == math.floor(steps) then return fraction(math.tointeger(steps), 1024) end
  return { math.floor(x * GRID + 0.5), GRID }
end
---A number that the user gave: its exact value.
function M.given(x) return exact(x) end
function M.narrow(a) return a end
function M.stored(a) return a end
function M.reciprocal(s)
  local r = exact(s)
  return { r[2], r[1] }
end

-- b as a fraction of a's denominator, if that is a small multiple of its own.
local function over(a, b)
  local times = integer.quotient(a[2], b[2])
  if times < 1 or times > 0x1p50 or times % 1 ~= 0 then return nil end
  times = math.tointeger(times)
  return compare(mul(b[2], times), a[2]) == 0 and { mul(b[1], times), a[2] } or nil
end

function M.add(a, b)
  local p, q = a[2], b[2]
  if compare(p, q) == 0 then return { add(a[1], b[1]), p } end
  -- long sums of few denominators must not collect them all
  local same = over(a, b)
  if same then return { add(a[1], same[1]), p } end
  same = over(b, a)
  if same then return { add(same[1], b[1]), q } end
  if math.type(p) and math.type(q) then
    local g = gcd(p, q)
    local left, right = q // g, p // g
    return { add(mul(a[1], left), mul(b[1], right)), mul(p, left) }
  end
  return { add(mul(a[1], q), mul(b[1], p)), mul(p, q) }
end
function M.sub(a, b) return M.add(a, { neg(b[1]), b[2] }) end
function M.mul(a, b) return { mul(a[1], b[1]), mul(a[2], b[2]) } end
function M.div(a, b)
  if compare(a[2], b[2]) == 0 then return fraction(a[1], b[1]) end
  return fraction(mul(a[1], b[2]), mul(a[2], b[1]))
end
function M.mul_add(a, b, c) return M.add(M.mul(a, b), c) end

local function order(a, b)
  return compare(mul(a[1], b[2]), mul(b[1], a[2]))
end

function M.floor(a) return integer.floor_div(a[1], a[2]) end
function M.less(a, b) return order(a, b) < 0 end
function M.min(a, b) return order(b, a) < 0 and b or a end
function M.max(a, b) return order(a, b) < 0 and b or a end
function M.abs(a)
  if compare(a[1], 0) >= 0 then return a end
  return { neg(a[1]), a[2] }
end

---The nearest double but for a few units in the last place.
function M.tonumber(a) return integer.quotient(a[1], a[2]) end

---The float nearest to the exact value, ties to even. The approximation decides unless it is so
---near to the middle of two floats that its error could: then the exact value is compared with it.
function M.single(a)
  local q = M.tonumber(a)
  local slack = math.abs(q) * 2.0 ^ -47
  local low, high = rounding.single(q - slack), rounding.single(q + slack)
  if low == high then return low end
  local middle = (low + high) / 2
  local side = order(a, exact(middle))
  if side == 0 then return rounding.single(middle) end
  return side < 0 and low or high
end

---The double nearest to the exact value: the approximation, corrected by what it leaves.
function M.double(a)
  local q = M.tonumber(a)
  return q + M.tonumber(M.sub(a, exact(q)))
end

return M
