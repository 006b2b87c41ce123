-- SPDX-License-Identifier: MIT
-- PyTorch's rules of interpolate for one output of one axis, from its definition and from what was
-- measured (docs/numerics.md).

local floats = dofile "tests/lib/reference/floats.lua"
local f32 = floats.f32

local function same(x) return x end

local function clamp(x, low, high)
  return math.max(low, math.min(high, x))
end

-- A case is what one axis depends on: I, O, s (scale factor or nil), mode, align, antialias, exact,
-- and F, one of floats.types.

local function ratio_of(c)
  local round = c.F.round
  if c.align then return c.O > 1 and round((c.I - 1) / (c.O - 1)) or 0.0 end
  if c.s then return round(1.0 / c.s) end
  return round(c.I / c.O)
end

-- The exact ratio p/q. Small integers only: what this oracle is asked for.
local function ratio_exact(c)
  local p, q = c.I, c.O
  if c.align then
    p, q = c.I - 1, math.max(c.O - 1, 1)
    if c.O == 1 then p = 0 end
  elseif c.s then
    local m = c.s
    p = 1
    while m ~= math.floor(m) do m, p = m * 2, p * 2 end
    q = math.tointeger(m)
    assert(p < 1 << 20 and q < 1 << 20, "a scale factor of few bits")
  end
  return p, q
end

-- PyTorch's floorf, of doubles too.
local function floor(x) return math.floor(f32(x)) end

-- Source position as whole part and rest in [0, 1].
local function position(c, o, clip)
  if c.exact then
    local p, q = ratio_exact(c)
    local num, den = p * (2 * o + 1) - q, 2 * q
    if c.align then num, den = 2 * p * o, 2 * q end
    if clip and num < 0 then num = 0 end
    local whole = math.min(num // den, c.I - 1)
    return whole, clamp((num - whole * den) / den, 0.0, 1.0)
  end
  local r = ratio_of(c)
  local src = c.align and c.F.round(r * o) or c.F.fma(r, o + 0.5, -0.5)
  if clip and src < 0 then src = 0.0 end
  local whole = math.min(floor(src), c.I - 1)
  return whole, clamp(c.F.round(src - whole), 0.0, 1.0)
end

local rules = {}

rules["nearest"] = function(c, o)
  if c.exact then
    local p, q = ratio_exact(c)
    return { { math.min(p * o // q, c.I - 1), 1.0 } }
  end
  return { { math.min(floor(c.F.round(ratio_of(c) * o)), c.I - 1), 1.0 } }
end

rules["nearest-exact"] = function(c, o)
  if c.exact then
    local p, q = ratio_exact(c)
    return { { math.min(p * (2 * o + 1) // (2 * q), c.I - 1), 1.0 } }
  end
  local src = math.max(c.F.fma(ratio_of(c), o + 0.5, -0.5), 0.0)
  return { { math.min(floor(c.F.round(src + 0.5)), c.I - 1), 1.0 } }
end

rules["linear"] = function(c, o)
  if c.I == c.O then return { { o, 1.0 } } end
  local i, t = position(c, o, true)
  if not c.exact then t = c.F.keep(t) end
  local left = c.exact and 1.0 - t or c.F.keep(c.F.round(1.0 - t))
  return { { i, left }, { math.min(i + 1, c.I - 1), t } }
end
rules["bilinear"] = rules["linear"]
rules["trilinear"] = rules["linear"]

local function cubic_far(x, a, F)
  if not F then return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a end
  return F.round(F.round(F.fma(F.fma(a, x, -5 * a), x, 8 * a) * x) - 4 * a)
end
local function cubic_near(x, a, F)
  if not F then return ((a + 2) * x - (a + 3)) * x * x + 1 end
  return F.round(F.round(F.round(F.fma(a + 2, x, -(a + 3)) * x) * x) + 1)
end

rules["bicubic"] = function(c, o)
  local i, t = position(c, o, false)
  local F = not c.exact and c.F or nil
  local round = F and F.round or same
  local u = round(1 - t)
  local w = { cubic_far(round(t + 1), -0.75, F), cubic_near(t, -0.75, F),
    cubic_near(u, -0.75, F), cubic_far(round(u + 1), -0.75, F) }
  local out = {}
  for k = 1, 4 do out[k] = { clamp(i + k - 2, 0, c.I - 1), F and F.keep(w[k]) or w[k] } end
  return out
end

rules["area"] = function(c, o)
  local first, last = o * c.I // c.O, ((o + 1) * c.I - 1) // c.O
  local out = {}
  for i = first, last do out[#out + 1] = { i, 1 / (last - first + 1) } end
  return out
end

-- Antialiased: the filter stretched to the ratio, cut at the border, normalised.

local function smooth_float(F, cubic, x)
  local fma = F.fma
  x = math.abs(x)
  if not cubic then return x < 1 and F.round(1 - x) or 0.0 end
  if x < 1 then return fma(F.round(fma(1.5, x, -2.5) * x), x, 1) end
  return x < 2 and fma(fma(fma(-0.5, x, 2.5), x, -4.0), x, 2) or 0.0
end

local function smooth_exact(cubic, x)
  x = math.abs(x)
  if not cubic then return math.max(1 - x, 0.0) end
  return x < 1 and cubic_near(x, -0.5) or x < 2 and cubic_far(x, -0.5) or 0.0
end

local function window_float(c, o, cubic)
  local r, reach, round = ratio_of(c), cubic and 2 or 1, c.F.round
  local support = r >= 1 and round(reach * r) or reach
  local inverse = r >= 1 and round(1 / r) or 1.0
  local centre = round(r * (o + 0.5))
  local low = math.max(math.floor(round(centre - support) + 0.5), 0)
  local high = math.min(math.floor(round(centre + support) + 0.5), c.I)
  high = math.min(high, low + 2 * math.ceil(support) + 1)
  local out, total = {}, 0.0
  for i = low, high - 1 do
    local w = smooth_float(c.F, cubic, round((round(i - centre) + 0.5) * inverse))
    total = round(total + w)
    out[#out + 1] = { i, w }
  end
  for _, tap in ipairs(out) do tap[2] = round(tap[2] / total) end
  return out
end

local function window_exact(c, o, cubic)
  local p, q = ratio_exact(c)
  local stretch, centre = math.max(p, q), p * (2 * o + 1) -- times q, times 2q
  local reach = 2 * (cubic and 2 or 1) * stretch
  local low = math.max((centre - reach + q) // (2 * q), 0)
  local high = math.min((centre + reach + q) // (2 * q), c.I)
  local out, total = {}, 0.0
  for i = low, high - 1 do
    local w = smooth_exact(cubic, ((2 * i + 1) * q - centre) / (2 * stretch))
    total = total + w
    out[#out + 1] = { i, w }
  end
  for _, tap in ipairs(out) do tap[2] = tap[2] / total end
  return out
end

local function smooth(c, o)
  if c.I == c.O then return { { o, 1.0 } } end
  return (c.exact and window_exact or window_float)(c, o, c.mode == "bicubic")
end

-- Whether PyTorch keeps the weights of f16 and bf16 tensors in float32: its vectorised kernels.
local function keeps_floats(problem)
  local shape, size = problem.x.shape, problem.size
  if problem.mode ~= "bilinear" and problem.mode ~= "trilinear" then return false end
  if #size == 2 and size[1] + size[2] <= 128 then return true end
  if problem.x.layout:sub(1, 2) ~= "NC" then return shape[#shape] > 3 end
  return shape[2] > 3 and math.max(table.unpack(shape, 3)) == 1
end

local M = {}

---What an axis of a problem depends on beside sizes and scale.
function M.case(problem)
  local dtype = problem.x.dtype
  local nearest = problem.mode:sub(1, 7) == "nearest"
  local F = floats.types[dtype]
  if dtype == "u8" then F = nearest and floats.types.f32 or floats.types.f64 end
  if F.keep ~= floats.types.f32.keep and keeps_floats(problem) then F = floats.types.f32 end
  return { mode = problem.mode, align = problem.align_corners, antialias = problem.antialias, F = F,
    fixed = dtype == "u8" and not nearest }
end

---The taps {index, weight} of one output, in the framework's order; also of weight 0.
function M.taps(c, o)
  c.F = c.F or floats.types.f32
  if c.fixed and c.I == c.O then return { { o, 1.0 } } end
  return (c.antialias and smooth or rules[c.mode])(c, o)
end

return M
