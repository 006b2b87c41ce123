-- SPDX-License-Identifier: MIT
-- The arithmetics under the weights: one interface with one meaning, integers at the border of
-- native ones, exact sums and products of doubles against those integers.

local tap = dofile "tests/lib/tap.lua"
local f32 = require "upweave.resample.arithmetic.f32"
local f64 = require "upweave.resample.arithmetic.f64"
local integer = require "upweave.resample.arithmetic.integer"
local rational = require "upweave.resample.arithmetic.rational"
local rounding = require "upweave.resample.arithmetic.rounding"

-- ---- one interface

local function packed(x) return (string.unpack("<f", string.pack("<f", x))) end
for _, A in ipairs { f32, f64, rational } do
  local function number(x) return A.tonumber(x) end
  local one, three, half = A.int(1), A.int(3), A.constant(0.5)
  tap.is(number(A.add(three, half)), 3.5, A.name .. ": sum")
  tap.is(number(A.sub(half, three)), -2.5, A.name .. ": difference")
  tap.is(number(A.mul(three, half)), 1.5, A.name .. ": product")
  tap.is(number(A.div(three, A.int(4))), 0.75, A.name .. ": quotient")
  tap.is(number(A.mul_add(three, half, one)), 2.5, A.name .. ": product and sum")
  tap.is(number(A.reciprocal(0.25)), 4.0, A.name .. ": reciprocal")
  tap.is(number(A.narrow(half)), 0.5, A.name .. ": narrow")
  tap.is(A.floor(A.constant(-0.5)), -1, A.name .. ": floor")
  tap.is(A.less(half, one), true, A.name .. ": less")
  tap.is(A.less(one, half), false, A.name .. ": not less")
  tap.is(A.less(one, one), false, A.name .. ": equal is not less")
  tap.is(number(A.min(half, one)) .. number(A.min(one, half)), "0.50.5", A.name .. ": minimum")
  tap.is(number(A.max(half, one)) .. number(A.max(one, half)), "1.01.0", A.name .. ": maximum")
  tap.is(number(A.abs(A.constant(-0.5))), 0.5, A.name .. ": magnitude")
  tap.is(A.single(A.div(one, three)), packed(1 / 3), A.name .. ": a weight as a float")
  tap.is(number(A.stored(A.div(one, three))), number(A.div(one, three)), A.name .. ": is kept")
  tap.is(A.double(A.div(one, three)), A.name == "f32" and packed(1 / 3) or 1 / 3,
    A.name .. ": a weight as a double")
end

-- ---- integers: native below 2^62

local function quotient(a) return integer.quotient(a, 1) end
local edge, big = (1 << 62) - 1, integer.mul(1 << 40, 1 << 40)
local function power(a, b, want)
  tap.is(quotient(integer.mul(a, b)), want, ("%d times %d"):format(a, b))
  tap.is(quotient(integer.mul(b, a)), want, ("%d times %d"):format(b, a))
end
power(1 << 40, 1 << 30, 2.0 ^ 70)
power(-(1 << 40), 1 << 30, -2.0 ^ 70)
power(1 << 40, -(1 << 30), -2.0 ^ 70)
power(-(1 << 40), -(1 << 30), 2.0 ^ 70)
for name, n in pairs { sum = integer.add(edge, edge), negative = integer.add(-edge, -edge),
  lowest = integer.add(-edge, -1), product = integer.mul(1 << 31, 1 << 31),
  mixed = integer.mul(1 << 31, -(1 << 31)) } do
  tap.is(math.type(n), nil, "a number of 63 bits is big: " .. name)
end
tap.is(integer.compare(3, 5), -1, "compare: less")
tap.is(integer.compare(5, 3), 1, "compare: greater")
tap.is(integer.compare(4, 4), 0, "compare: equal")
tap.is(integer.compare(5, integer.add(edge, 1)), -1, "compare: native and big")
tap.is(integer.compare(integer.add(edge, 1), 5), 1, "compare: big and native")
tap.is(integer.compare(-5, integer.add(edge, 1)), -1, "compare: signs differ")
tap.is(integer.compare(big, integer.mul(1 << 40, 1 << 40)), 0, "compare: equal big ones")
tap.is(quotient(integer.neg(big)), -2.0 ^ 80, "as a double: negative")
tap.is(quotient(-3), -3.0, "as a double: native")
local vast = 1
for _ = 1, 40 do vast = integer.mul(vast, 1 << 40) end -- 2^1600: beyond a double
tap.is(integer.quotient(integer.mul(vast, -3), vast), -3.0, "quotient of what no double holds")
tap.is(integer.quotient(vast, integer.mul(vast, 8)), 0.125, "quotient below one")
tap.is(integer.quotient(7, 2), 3.5, "quotient of native numbers")
tap.is(math.type(quotient(3)), "float", "as a double: a float")
tap.is(integer.neg(5), -5, "neg: native")

-- ---- exact sums and products of doubles

local state = 4711
local function draw(n)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % n
end
local function draw53()
  return ((1 << 52) + (draw(1 << 23) << 29) + (draw(1 << 23) << 6) + draw(64)) + 0.0
end
-- An integral double as an integer without a limit, and the place of its last bit.
local function exact(x)
  local n = 1
  while math.abs(x) >= 2.0 ^ 53 do x, n = x / 2, integer.mul(n, 2) end
  return integer.mul(math.tointeger(x), n), n
end
local function same(a, b) return integer.compare(a, b) == 0 end
local function nearest(r, want)
  local value, unit = exact(r)
  local twice = integer.mul(2, integer.add(want, integer.neg(value)))
  return integer.compare(twice, unit) <= 0 and integer.compare(integer.neg(twice), unit) <= 0
end

local function exact_product(a, b)
  local p, err = rounding.two_product(a, b)
  return same(integer.add((exact(p)), (exact(err))), integer.mul((exact(a)), (exact(b))))
end
local function exact_sum(a, _, c)
  local s, err = rounding.two_sum(a, c)
  return same(integer.add((exact(s)), (exact(err))), integer.add((exact(a)), (exact(c))))
    and math.abs(err) <= s * 2.0 ^ -53
end
local function rounded_once(a, b, c)
  local want = integer.add(integer.mul((exact(a)), (exact(b))), (exact(c)))
  return nearest(f64.mul_add(a, b, c), want)
end
local function always(holds, name)
  local wrong = 0
  for _ = 1, 500 do
    local a, b, c = draw53() * 2.0 ^ draw(60), -draw53(), draw53() * 2.0 ^ draw(60)
    if not holds(a, b, c) then wrong = wrong + 1 end
  end
  tap.is(wrong, 0, name)
end
always(exact_product, "two_product: product and error are exact")
always(exact_sum, "two_sum: sum and error are exact")
always(rounded_once, "f64.mul_add: the nearest double")

-- ---- a b + c next to the middle of two floats: A B near 2^46 units of 2^-70 decides

local function quotient_faults()
  local wrong = 0
  for _ = 1, 500 do
    local b = integer.mul(math.tointeger(draw53()), math.tointeger(draw53()))
    local q = 1 + draw(1 << 23)
    local a = integer.mul(q, b)
    if integer.floor_div(a, b) ~= q or integer.floor_div(integer.add(a, -1), b) ~= q - 1
      or integer.floor_div(integer.add(a, 1), b) ~= q then
      wrong = wrong + 1
    end
  end
  return wrong
end
tap.is(quotient_faults(), 0, "quotients next to whole numbers")
local function fraction(a, b) return rational.div(rational.int(a), rational.int(b)) end
tap.same(fraction(3, -1), { -3, 1 }, "a denominator of -1")
tap.same(rational.div(fraction(3, 5), fraction(2, 3)), { 9, 10 }, "3/5 by 2/3")
tap.same(rational.div(fraction(1, 2), fraction(2, 3)), { 3, 4 }, "1/2 by 2/3")
tap.same(rational.div(fraction(1, 3), fraction(1, 2)), { 2, 3 }, "1/3 by 1/2")
tap.same(rational.constant(1e-10), { 115292150, 1 << 60 }, "constants go to the nearest place")

-- ties of floats, one after the other: to even
local function tie_faults()
  local wrong = 0
  for m = (1 << 23) + 12345, (1 << 23) + 12345 + 999 do
    for _, scale in ipairs { 1.0, -2.0 ^ 40, 2.0 ^ -40, 1.5 } do
      local x = (m + 0.5) * scale
      if rounding.single(x) ~= packed(x) then wrong = wrong + 1 end
    end
  end
  return wrong
end
tap.is(tie_faults(), 0, "ties go to even")

local fmas = { f32 = f32.mul_add, eval = require("upweave.ir.eval").fma }
local function near_middle()
  local a = (1 << 23) + draw(1 << 23)
  local b = math.tointeger((2.0 ^ 46 // a)) + draw(3) - 1
  return a, b, a * b - (1 << 46)
end
local function middle_faults(fma, sign)
  local wrong, ties = 0, 0
  for _ = 1, 20000 do
    local a, b, above = near_middle()
    for odd = 0, 1 do
      local c = 1 + odd * 2.0 ^ -23
      local up = above > 0 or above == 0 and odd == 1
      local want = up and c + 2.0 ^ -23 or c
      if math.abs(above) < 1 << 20 then ties = ties + 1 end
      if fma(sign * a * 2.0 ^ -35, b * 2.0 ^ -35, sign * c) ~= sign * want then
        wrong = wrong + 1
      end
    end
  end
  return wrong, ties
end
for _, name in ipairs { "f32", "eval" } do
  for _, sign in ipairs { 1, -1 } do
    local wrong, ties = middle_faults(fmas[name], sign)
    tap.is(wrong, 0, ("%s: %d times a sum near a middle"):format(name, sign))
    tap.ok(ties > 500, "four doubles away at most: " .. ties)
  end
end

tap.done()
