-- FUNCTIONS
-- =========
-- sigmoid, tanh and gelu of vectors of f32 or f64: polynomials, quotients of polynomials and bits,
-- without branches and without libm.
--   e^-w      2^n · e^-r with n = -round(w / ln 2), r = w + n·ln 2, |r| <= ln(2)/2
--   sigmoid   1 / (1 + e^-v)
--   tanh      v · P(v²) / Q(v²) up to where tanh rounds to 1
--   gelu      v · Φ(v), Φ(v) = 1/2 + v · P(v²) / Q(v²); the form with tanh is v / (1 + e^-2u)
-- Invariants: NaN stays NaN; infinities give the limits, and what is not finite inside (e^-w) never
-- meets a zero or another infinity; |tanh| <= 1, 0 <= Φ <= 1; with or without fma the errors are
-- those that docs/numerics.md states.  The numbers are in lower/coefficients.lua.
-- max and min give their second operand where one is NaN: it is the value, never the bound.

local coefficients = require "upweave.lower.coefficients"

local M = {}

local function constant(b, v, number) return b:const(v.ty.elem, v.ty.lanes, number) end

-- lo <= v <= hi, or NaN.
local function clamp(b, v, lo, hi)
  return b:min(constant(b, v, hi), b:max(constant(b, v, lo), v))
end

-- Σ c[k]·x^(k-1), the highest power first.
local function polynomial(b, c, x)
  local sum = constant(b, x, c[#c])
  for k = #c - 1, 1, -1 do sum = b:fma(sum, x, constant(b, x, c[k])) end
  return sum
end

-- exponents ------------------------------------------------------------------------------------

-- `magic` has a last digit of 1 and holds the exponent's bias there: the low bits of magic + n are
-- the exponent field of 2^n.  At lo and hi, the field is all ones (infinity) and 0 (zero).
local formats = {
  f32 = { magic = 0x1.8p23 + 127, field = 23, words = 1, lo = -89, hi = 88, register = 4 },
  f64 = { magic = 0x1.8p52 + 1023, field = 52, words = 2, lo = -710, hi = 709, register = 2 },
}

-- 2^n from magic + n.
local function power_of_two(b, t)
  local elem, lanes = t.ty.elem, t.ty.lanes
  local format = formats[elem]
  if lanes == 1 then                     -- bits are those of vectors
    return b:shuffle(power_of_two(b, b:splat(t, format.register)), nil, { 0 })
  end
  local bits = b:cast(t, "i32")
  if format.words == 2 then              -- the low word goes to the high one, zeros to the low
    local picks = {}
    for i = 0, 2 * lanes - 1, 2 do picks[i + 1], picks[i + 2] = 2 * lanes, i end
    bits = b:shuffle(bits, b:const("i32", 2 * lanes, 0), picks)
  end
  return b:cast(b:shift(bits, -(format.field % 32)), elem)
end

-- e^-w for lo <= w <= hi: 0 where it is below the least normal number over √2, infinite where it is
-- above the largest over √2.
local function decay(b, w)
  local c, magic = coefficients[w.ty.elem], constant(b, w, formats[w.ty.elem].magic)
  local t = b:fma(w, constant(b, w, -c.log2e), magic)
  local n = b:sub(t, magic)
  local r = b:fma(n, constant(b, w, c.ln2[1]), w)
  r = b:fma(n, constant(b, w, c.ln2[2]), r)
  return b:mul(polynomial(b, c.decay, r), power_of_two(b, t))
end

-- quotients ------------------------------------------------------------------------------------

-- v · P(v²) / Q(v²) within ±limit.
local function quotient(b, v, p, q, limit)
  local square = b:mul(v, v)
  local numerator = b:mul(v, polynomial(b, p, square))
  return clamp(b, b:div(numerator, polynomial(b, q, square)), -limit, limit)
end

-- Beyond these |v| a function is at its limit.  With fma and without, the rounded quotients are at
-- theirs there, not a digit less; for gelu_tanh it is the one below, where e^-w is infinite.
local reach = {
  f32 = { tanh = 9.024, gelu = 5.491, gelu_tanh = 10.06 },
  f64 = { tanh = 19.082, gelu = 8.366, gelu_tanh = 21.16 },
}

-- the functions --------------------------------------------------------------------------------

--- 1 / (1 + e^-v).
function M.sigmoid(b, v)
  local format, one = formats[v.ty.elem], constant(b, v, 1)
  return b:div(one, b:add(one, decay(b, clamp(b, v, format.lo, format.hi))))
end

function M.tanh(b, v)
  local c, bound = coefficients[v.ty.elem], reach[v.ty.elem].tanh
  return quotient(b, clamp(b, v, -bound, bound), c.tanh_p, c.tanh_q, 1)
end

-- v as a factor, no less than where gelu is 0, so that -infinity gives the limit -0; and v in
-- [lo, hi].
local function bounded(b, v, lo, hi)
  local factor = b:max(constant(b, v, lo), v)
  return factor, b:min(constant(b, v, hi), factor)
end

--- v · Φ(v), Φ the normal distribution: (1 + erf(v/√2)) / 2.
function M.gelu(b, v)
  local c, bound = coefficients[v.ty.elem], reach[v.ty.elem].gelu
  local factor, z = bounded(b, v, -bound, bound)
  local half = quotient(b, z, c.normal_p, c.normal_q, 0.5)
  return b:mul(factor, b:add(half, constant(b, v, 0.5)))
end

-- 2·√(2/π), and that times 0.044715
local LINEAR = 2 * math.sqrt(2 / math.pi)
local CUBIC = LINEAR * 0.044715
-- e^-2u is nothing beside 1 from there
local HIGHEST = 10

--- v/2 · (1 + tanh u), u = √(2/π) · (v + 0.044715·v³), which is v / (1 + e^-2u).
function M.gelu_tanh(b, v)
  local factor, z = bounded(b, v, -reach[v.ty.elem].gelu_tanh, HIGHEST)
  local slope = b:fma(constant(b, v, CUBIC), b:mul(z, z), constant(b, v, LINEAR))
  return b:div(factor, b:add(constant(b, v, 1), decay(b, b:mul(z, slope))))
end

return M
