-- SPDX-License-Identifier: MIT
-- PaddlePaddle's rules of interpolate for one output of one axis, written from its CPU kernel:
-- float ratios, a half pixel in double, cubic weights in the tensor's type.

local floats = dofile "tests/lib/reference/floats.lua"
local f32 = floats.f32

local M = {}

function M.case(problem)
  local same = true
  local x = problem.x
  for a, n in ipairs(problem.size) do
    same = same and n == x.shape[(x.layout:sub(1, 2) == "NC" and 2 or 1) + a]
  end
  return { mode = problem.mode, align = problem.align_corners, corner = problem.align_mode == 1,
    double = x.dtype == "f64", copied = same }
end

local function ratio_of(c)
  if c.O == 1 then return 0.0 end
  if c.align then return f32((c.I - 1) / (c.O - 1)) end
  return c.s and f32(1.0 / f32(c.s)) or f32(c.I / c.O)
end

local function clamp(i, c) return math.max(0, math.min(c.I - 1, i)) end

local rules = {}

function rules.nearest(c, o)
  local place = f32(ratio_of(c) * o) + (c.align and 0.5 or 0)
  return { { clamp(math.floor(place), c), 1.0 } }
end

function rules.linear(c, o)
  local x = ratio_of(c) * (o + 0.5) - 0.5
  if c.align or c.corner then x = f32(ratio_of(c) * o) end
  x = math.max(x, 0.0)
  local i = math.floor(x)
  local t = f32(f32(x) - i)
  return { { i, f32(1 - t) }, { clamp(i + 1, c), t } }
end
rules.bilinear, rules.trilinear = rules.linear, rules.linear

function rules.bicubic(c, o)
  local R = c.double and function(v) return v end or f32
  local x = c.align and f32(ratio_of(c) * o) or R(ratio_of(c) * (o + 0.5) - 0.5)
  local i, a = math.floor(f32(x)), -0.75
  local t = R(x - i)
  local function near(v) return R(R(R(R(R((a + 2) * v) - (a + 3)) * v) * v) + 1) end
  local function far(v)
    return R(R(R(R(R(R(R(a * v) - 5 * a) * v)) + 8 * a) * v) - 4 * a)
  end
  local u = R(1 - t)
  return { { clamp(i - 1, c), far(R(t + 1)) }, { clamp(i, c), near(t) },
    { clamp(i + 1, c), near(u) }, { clamp(i + 2, c), far(R(u + 1)) } }
end

function rules.area(c, o)
  local out, first, stop = {}, math.floor(o * c.I / c.O), math.ceil((o + 1) * c.I / c.O)
  for i = first, stop - 1 do out[#out + 1] = { i, 1 / (stop - first) } end
  return out
end

---The taps {index, weight} of one output, also of weight 0.
function M.taps(c, o)
  if c.copied then return { { o, 1.0 } } end
  return rules[c.mode](c, o)
end

return M
