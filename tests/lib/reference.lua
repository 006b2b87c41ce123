-- SPDX-License-Identifier: MIT
-- Reference of `interpolate` in plain Lua, for small shapes: the oracle of IR and plan tests.
--
-- Purpose: for a problem and x as an array in memory order it gives, per element of y, the value in
-- double over the framework's own weights, the magnitude sum |w x| and the number of terms n (0: a
-- copy, to be equal bit for bit). Written from PyTorch's definition; it shares nothing with
-- generator/plan and generator/resample, not even the rounding.
-- Invariants: taps are neither merged nor reordered; a tap of weight 0 does not exist.

local M = {}

local function f32(x)
  return (string.unpack("<f", string.pack("<f", x)))
end

-- a*b + c, one rounding to float: the product of two floats is exact in double, and a nudge of one
-- unit towards the error of the sum keeps a false tie from being rounded to even.
local function fma(a, b, c)
  local p = a * b
  local s = p + c
  local bb = s - p
  local err = (p - (s - bb)) + (c - bb)
  if err > 0 then s = s + math.abs(s) * 2.0 ^ -53 * 1.5 end
  if err < 0 then s = s - math.abs(s) * 2.0 ^ -53 * 1.5 end
  return f32(s)
end

local function clamp(x, low, high)
  return math.max(low, math.min(high, x))
end

-- A case is what one axis depends on: I, O, s (scale factor or nil), mode, align, antialias, exact.

local function ratio_f32(c)
  if c.align then return c.O > 1 and f32((c.I - 1) / (c.O - 1)) or 0.0 end
  if c.s then return f32(1.0 / c.s) end
  return f32(c.I / c.O)
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
  local r = ratio_f32(c)
  local src = c.align and f32(r * o) or fma(r, o + 0.5, -0.5)
  if clip and src < 0 then src = 0.0 end
  local whole = math.min(math.floor(src), c.I - 1)
  return whole, clamp(f32(src - whole), 0.0, 1.0)
end

local rules = {}

rules["nearest"] = function(c, o)
  if c.exact then
    local p, q = ratio_exact(c)
    return { { math.min(p * o // q, c.I - 1), 1.0 } }
  end
  return { { math.min(math.floor(f32(ratio_f32(c) * o)), c.I - 1), 1.0 } }
end

rules["nearest-exact"] = function(c, o)
  if c.exact then
    local p, q = ratio_exact(c)
    return { { math.min(p * (2 * o + 1) // (2 * q), c.I - 1), 1.0 } }
  end
  local src = math.max(fma(ratio_f32(c), o + 0.5, -0.5), 0.0)
  return { { math.min(math.floor(f32(src + 0.5)), c.I - 1), 1.0 } }
end

rules["linear"] = function(c, o)
  if c.I == c.O then return { { o, 1.0 } } end
  local i, t = position(c, o, true)
  local left = c.exact and 1.0 - t or f32(1.0 - t)
  return { { i, left }, { math.min(i + 1, c.I - 1), t } }
end
rules["bilinear"] = rules["linear"]
rules["trilinear"] = rules["linear"]

local function cubic_far(x, a, once)
  if once then return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a end
  return f32(f32(fma(fma(a, x, -5 * a), x, 8 * a) * x) - 4 * a)
end
local function cubic_near(x, a, once)
  if once then return ((a + 2) * x - (a + 3)) * x * x + 1 end
  return f32(f32(f32(fma(a + 2, x, -(a + 3)) * x) * x) + 1)
end

rules["bicubic"] = function(c, o)
  local i, t = position(c, o, false)
  local u = c.exact and 1 - t or f32(1 - t)
  local t1, u1 = c.exact and t + 1 or f32(t + 1), c.exact and u + 1 or f32(u + 1)
  local w = { cubic_far(t1, -0.75, c.exact), cubic_near(t, -0.75, c.exact),
    cubic_near(u, -0.75, c.exact), cubic_far(u1, -0.75, c.exact) }
  local out = {}
  for k = 1, 4 do out[k] = { clamp(i + k - 2, 0, c.I - 1), w[k] } end
  return out
end

rules["area"] = function(c, o)
  local first, last = o * c.I // c.O, ((o + 1) * c.I - 1) // c.O
  local out = {}
  for i = first, last do out[#out + 1] = { i, 1 / (last - first + 1) } end
  return out
end

-- Antialiased: the filter stretched to the ratio, cut at the border, normalised.

local function smooth_f32(cubic, x)
  x = math.abs(x)
  if not cubic then return x < 1 and f32(1 - x) or 0.0 end
  if x < 1 then return fma(f32(fma(1.5, x, -2.5) * x), x, 1) end
  return x < 2 and fma(fma(fma(-0.5, x, 2.5), x, -4.0), x, 2) or 0.0
end

local function smooth_exact(cubic, x)
  x = math.abs(x)
  if not cubic then return math.max(1 - x, 0.0) end
  return x < 1 and cubic_near(x, -0.5, true) or x < 2 and cubic_far(x, -0.5, true) or 0.0
end

local function window_f32(c, o, cubic)
  local r, reach = ratio_f32(c), cubic and 2 or 1
  local support = r >= 1 and f32(reach * r) or reach
  local inverse = r >= 1 and f32(1 / r) or 1.0
  local centre = f32(r * (o + 0.5))
  local low = math.max(math.floor(f32(centre - support) + 0.5), 0)
  local high = math.min(math.floor(f32(centre + support) + 0.5), c.I)
  high = math.min(high, low + 2 * math.ceil(support) + 1)
  local out, total = {}, 0.0
  for i = low, high - 1 do
    local w = smooth_f32(cubic, f32((f32(i - centre) + 0.5) * inverse))
    total = f32(total + w)
    out[#out + 1] = { i, w }
  end
  for _, tap in ipairs(out) do tap[2] = f32(tap[2] / total) end
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
  return (c.exact and window_exact or window_f32)(c, o, c.mode == "bicubic")
end

---The taps {index, weight} of one output of one axis, in the framework's order.
function M.taps(c, o)
  local kept = {}
  for _, tap in ipairs((c.antialias and smooth or rules[c.mode])(c, o)) do
    if tap[2] ~= 0 then kept[#kept + 1] = tap end
  end
  return kept
end

-- All axes as depth, height, width; absent ones have size 1 and a tap of weight 1.
local function tables(problem)
  local x = problem.x
  local planar = x.layout:sub(1, 2) == "NC"
  local rank = #x.shape - 2
  local axes = {}
  for a = 1, 3 do
    local at = a - 3 + rank
    local axis = { I = 1, O = 1, taps = { { { 0, 1.0 } } } }
    if at >= 1 then
      axis = { I = x.shape[(planar and 2 or 1) + at], O = problem.size[at], mode = problem.mode,
        s = problem.scale_factor and problem.scale_factor[at], align = problem.align_corners,
        antialias = problem.antialias, exact = problem.coord_math == "exact", taps = {} }
      for o = 0, axis.O - 1 do axis.taps[o + 1] = M.taps(axis, o) end
    end
    axes[a] = axis
  end
  return axes, x.shape[1], planar and x.shape[2] or x.shape[#x.shape], planar
end

local function is_copy(axes)
  for _, axis in ipairs(axes) do
    for _, taps in ipairs(axis.taps) do
      if #taps ~= 1 or taps[1][2] ~= 1 then return false end
    end
  end
  return true
end

local function element(axes, o, read)
  local want, magnitude, n = 0.0, 0.0, 0
  local only
  for _, d in ipairs(axes[1].taps[o[1]]) do
    for _, h in ipairs(axes[2].taps[o[2]]) do
      for _, w in ipairs(axes[3].taps[o[3]]) do
        local v = read(d[1], h[1], w[1])
        local weight = d[2] * h[2] * w[2]
        want, magnitude, n = want + weight * v, magnitude + math.abs(weight * v), n + 1
        only = v
      end
    end
  end
  return want, magnitude, n, only
end

---@param problem table
---@param x number[]   in memory order
---@return number[] want, number[] magnitude, number[] terms   in y's memory order
function M.interpolate(problem, x)
  local axes, batch, channels, planar = tables(problem)
  local copy = is_copy(axes)
  local D, H, W = axes[1], axes[2], axes[3]
  local want, magnitude, terms = {}, {}, {}
  for n = 0, batch - 1 do
    for c = 0, channels - 1 do
      local function read(d, h, w)
        if planar then return x[(((n * channels + c) * D.I + d) * H.I + h) * W.I + w + 1] end
        return x[(((n * D.I + d) * H.I + h) * W.I + w) * channels + c + 1]
      end
      for d = 0, D.O - 1 do for h = 0, H.O - 1 do for w = 0, W.O - 1 do
        local at = planar and (((n * channels + c) * D.O + d) * H.O + h) * W.O + w + 1
          or (((n * D.O + d) * H.O + h) * W.O + w) * channels + c + 1
        local value, size, count, only = element(axes, { d + 1, h + 1, w + 1 }, read)
        want[at], magnitude[at], terms[at] = copy and only or value, size, copy and 0 or count
      end end end
    end
  end
  return want, magnitude, terms
end

return M
