-- SPDX-License-Identifier: MIT
-- The arithmetics: every rounding that the weights depend on.

local tap = dofile "tests/lib/tap.lua"
local f32 = require "upweave.resample.arithmetic.f32"
local f64 = require "upweave.resample.arithmetic.f64"
local integer = require "upweave.resample.arithmetic.integer"
local rational = require "upweave.resample.arithmetic.rational"
local rounding = require "upweave.resample.arithmetic.rounding"

local function packed(x) return (string.unpack("<f", string.pack("<f", x))) end

-- A fixed sequence instead of a random one.
local state = 12345
local function draw(n)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % n
end

-- ---- rounding to float

local wrong = 0
for _ = 1, 20000 do
  local mantissa = (1 << 23) + draw(1 << 23)
  -- On, just below and just above the middle of two floats, and anywhere.
  local tail = ({ 1 << 28, (1 << 28) - 1, (1 << 28) + 1, draw(1 << 23) << 5, 0 })[draw(5) + 1]
  local x = (mantissa * 2 ^ 29 + tail) * 2.0 ^ (draw(200) - 160) * (draw(2) * 2 - 1)
  if rounding.single(x) ~= packed(x) then wrong = wrong + 1 end
end
tap.is(wrong, 0, "single rounds as the machine does, ties and subnormals included")
tap.is(rounding.single(0.0), 0.0, "zero stays zero")
tap.is(rounding.single(2.0 ^ -149 * 1.4), 2.0 ^ -149, "subnormal floats")

-- ---- fused multiply-add

local tiny = 2.0 ^ -23
tap.is(f32.mul_add(1 + tiny, 1 - tiny, -1.0), -tiny * tiny, "f32: the product is not rounded")
tap.is(f32.mul_add(1 + tiny, 1.0, 2.0 ^ -24), 1 + 2 * tiny, "f32: a tie goes to even")
-- 1 + tiny/2 exactly between two floats, and a third term below double precision decides.
tap.is(f32.mul_add(2.0 ^ -40, 2.0 ^ -40, packed(1 + tiny)), 1 + tiny, "f32: far smaller product")
tap.is(f32.mul_add(1 + 2.0 ^ -12, 2.0 ^ -24 * (1 - 2.0 ^ -12), 1.0), 1.0,
  "f32: just below a tie goes down")
tap.is(f32.mul_add(1 + 2.0 ^ -23, 2.0 ^ -24, 1.0), 1 + tiny, "f32: just above a tie goes up")
tap.is(f32.mul_add(2.0 ^ -20, 2.0 ^ -50, packed(1 + tiny) * 2.0 ^ 10 ), (1 + tiny) * 2.0 ^ 10,
  "f32: nothing is lost")
-- the double sum is a tie of floats; what it lost says which way, whatever the magnitude
local half_unit, almost_one = 2.0 ^ -24 * (1 + 2.0 ^ -20), 1 - 2.0 ^ -20
for _, unit in ipairs { 1.0, 2.0 ^ 64, -2.0 ^ 64, -1.0 } do
  tap.is(f32.mul_add(half_unit * unit, almost_one, (1 + tiny) * unit), (1 + tiny) * unit,
    "f32: a sum just below a tie, times " .. unit)
end
local e = 2.0 ^ -52
tap.is(f64.mul_add(1 + e, 1 - e, -1.0), -e * e, "f64: the product is not rounded")
tap.is(f64.mul_add(1 + e, 0.5, 2.0 ^ -54), 0.5 + e / 2 + 2.0 ^ -54, "f64: rounded once")
-- a product just above a tie of the sum, and just below
tap.is(f64.mul_add(1 + 2.0 ^ -30, 1 + 2.0 ^ -30, 2.0 ^ -53), 1 + 2.0 ^ -29 + e,
  "f64: just above a tie goes up")
tap.is(f64.mul_add(1 - 2.0 ^ -30, 1 + 2.0 ^ -30, 2.0 ^ -53), 1.0, "f64: just below goes down")
tap.is(f32.reciprocal(3.0), packed(1 / 3), "1/s is divided in double, then rounded")
tap.is(f32.int(16777217), 16777216.0, "integers beyond 2^24 are rounded")

tap.is(rounding.to_odd(1.0, 2.0 ^ -60), 1 + e, "to odd: outwards")
tap.is(rounding.to_odd(1.0, -2.0 ^ -60), 1 - e / 2, "to odd: inwards")
tap.is(rounding.to_odd(-1.0, 2.0 ^ -60), -1 + e / 2, "to odd: inwards, negative")
tap.is(rounding.to_odd(-1.0, -2.0 ^ -60), -1 - e, "to odd: outwards, negative")
tap.is(rounding.to_odd(-0.5, 2.0 ^ -60), -0.5 + e / 4, "to odd: below 1, negative")
tap.is(rounding.to_odd(1 + e, 2.0 ^ -60), 1 + e, "to odd: what is odd stays")
tap.is(rounding.to_odd(1.0, 0.0), 1.0, "to odd: what is exact stays")

-- ---- integers

local big = integer.mul(1 << 40, 1 << 40)
tap.is(integer.quotient(big, 1), 2.0 ^ 80, "a product beyond 64 bits")
tap.is(integer.compare(integer.add(big, 1), big), 1, "its last unit counts")
tap.is(integer.add(integer.add(big, 5), integer.neg(big)), 5, "differences are native again")
tap.is(integer.compare(integer.neg(big), 0), -1, "signs")
tap.is(integer.compare(integer.neg(big), integer.neg(integer.add(big, 1))), 1, "negative order")
tap.is(integer.floor_div(integer.add(big, -1), big), 0, "floor below one")
tap.is(integer.floor_div(integer.neg(integer.add(big, 1)), big), -2, "floor of a negative quotient")
tap.is(integer.floor_div(integer.mul(big, 12345), big), 12345, "an exact quotient")
local edge = (1 << 62) - 1
tap.is(integer.quotient(integer.add(edge, edge), 1), 2.0 ^ 63, "sums leave 63 bits")
tap.is(math.type(integer.add(edge, 0)), "integer", "the largest native number")
tap.is(math.type(integer.add(edge, 1)), nil, "the smallest big one")
tap.is(integer.add(integer.add(edge, 1), -1), edge, "and back")

local broken = 0
for _ = 1, 2000 do
  local a, b, c = draw(1 << 23) << draw(30), draw(1 << 23) << draw(30), draw(1 << 23) + 1
  -- (a b) / c twice: (q c + r = a b) with 0 <= r < c, when the quotient is small enough.
  local product = integer.mul(a, b)
  if integer.quotient(product, 1) / c < 2.0 ^ 49 then
    local q = integer.floor_div(product, c)
    local r = integer.add(product, integer.neg(integer.mul(q, c)))
    if integer.compare(r, 0) < 0 or integer.compare(r, c) >= 0 then broken = broken + 1 end
  end
  -- (a + b)^2 = a^2 + 2 a b + b^2
  local s = integer.add(a, b)
  local left = integer.mul(s, s)
  local right = integer.add(integer.add(integer.mul(a, a), integer.mul(2, product)),
    integer.mul(b, b))
  if integer.compare(left, right) ~= 0 then broken = broken + 1 end
end
tap.is(broken, 0, "division and multiplication agree")

-- ---- rationals

local third = rational.div(rational.int(1), rational.int(3))
tap.is(rational.single(third), packed(1 / 3), "1/3")
tap.is(rational.floor(rational.sub(third, rational.int(1))), -1, "floor goes down")
tap.is(rational.single(rational.add(third, rational.add(third, third))), 1.0, "thrice a third")
tap.is(rational.less(third, rational.constant(0.333333333)), false, "1/3 > 0.333333333")
tap.is(rational.floor(rational.mul(rational.int(11), rational.reciprocal(2.2))), 4,
  "a scale factor is the double's exact value: 2.2 is a little more than 11/5")
tap.same(rational.constant(-0.75), { -3, 4 }, "a short constant is exact")
tap.same(rational.constant(0.1), { math.floor(0.1 * 2 ^ 60 + 0.5), 1 << 60 },
  "others are on a grid")
tap.is(f32.constant(0.1), packed(0.1), "float constants are rounded")
local tie = rational.div(rational.int((1 << 24) + 1), rational.int(1 << 24))
local odd = rational.div(rational.int((1 << 24) + 3), rational.int(1 << 24))
tap.is(rational.single(tie), 1.0, "a tie goes to even")
tap.is(rational.single(odd), 1 + 2.0 ^ -22, "upwards, too")
local above = rational.add(tie,
  rational.div(rational.int(1), rational.mul(rational.int(1 << 61), rational.int(1 << 61))))
tap.is(rational.single(above), 1 + tiny, "2^-122 above a tie goes up")
tap.is(rational.single(rational.mul(rational.int(-1), above)), -1 - tiny, "mirrored")
local below = rational.sub(odd,
  rational.div(rational.int(1), rational.mul(rational.int(1 << 61), rational.int(1 << 61))))
tap.is(rational.single(below), 1 + tiny, "2^-122 below a tie goes down")
tap.is(rational.single(rational.mul(rational.int(-1), below)), -1 - tiny, "mirrored, too")
tap.same(rational.div(rational.int(2), rational.int(-4)), { -1, 2 }, "a denominator is positive")
tap.same(rational.div(third, rational.div(rational.int(2), rational.int(5))), { 5, 6 },
  "a quotient of fractions is reduced")
tap.same(rational.add(third, third), { 2, 3 }, "one denominator is kept")
tap.same(rational.add(third, rational.constant(0.5)), { 5, 6 }, "two are multiplied")
tap.same(rational.reciprocal(0.375), { 8, 3 }, "a reciprocal is exact")
tap.is(rational.tonumber(rational.mul_add(third, rational.int(6), rational.int(5))), 7.0,
  "a product and a sum")
tap.is(rational.less(third, third), false, "equal is not less")
tap.is(rational.tonumber(rational.abs(rational.int(0))), 0.0, "magnitude of 0")
tap.is(rational.tonumber(rational.abs(rational.int(2))), 2.0, "magnitude of 2")
tap.is(rational.tonumber(rational.min(rational.int(0), third)), 0.0, "minimum, first")
tap.is(rational.tonumber(rational.max(rational.int(0), third)), 1 / 3, "maximum, second")
tap.is(rational.tonumber(rational.abs(rational.int(-3))), 3.0, "magnitude")
tap.is(rational.tonumber(rational.min(third, rational.int(0))), 0.0, "minimum")
tap.is(rational.tonumber(rational.max(third, rational.int(0))), 1 / 3, "maximum")
tap.is(rational.tonumber(rational.reciprocal(0.25)), 4.0, "reciprocal")

-- ---- one interface

tap.is(f32.int(-16777217), -16777216.0, "negative integers are rounded, too")
tap.is(f32.int(16777219), 16777220.0, "to even")
tap.is(math.type(f32.int(5)), "float", "an integer becomes a float")
tap.is(f32.narrow(0.1), packed(0.1), "f32: narrow rounds")
tap.is(f64.narrow(0.1), 0.1, "f64: narrow does not")
tap.is(f32.add(1.0, 2.0 ^ -24), 1.0, "f32: a sum is rounded")
tap.is(f32.sub(1.0, 2.0 ^ -26), 1.0, "f32: a difference is rounded")
tap.is(f32.mul(packed(0.1), packed(0.1)), packed(packed(0.1) * packed(0.1)), "f32: a product is")
tap.is(f32.div(1.0, 3.0), packed(1 / 3), "f32: a quotient is")

for _, name in ipairs { "int", "constant", "narrow", "reciprocal", "add", "sub", "mul", "div",
  "mul_add", "floor", "less", "min", "max", "abs", "tonumber", "stored",
  "single", "double", "wide" } do
  tap.ok(f32[name] and f64[name] and rational[name], "every arithmetic has " .. name)
end

tap.done()
