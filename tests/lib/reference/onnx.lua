-- SPDX-License-Identifier: MIT
-- ONNX's rules of Resize for one output of one axis, written from the operator's text and the order
-- of operations of its reference evaluator: plain double, by loops.

local M = {}

-- What a case depends on beside I, O and s: the attributes. In exact mode the doubles are taken as
-- they are; the caller allows for their roundings.
function M.case(problem, at)
  local roi, rank = problem.roi, #problem.size
  return { mode = problem.mode, rule = problem.coordinate_transformation_mode,
    rounding = problem.nearest_mode, a = problem.cubic_coeff_a, exclude = problem.exclude_outside,
    antialias = problem.antialias, start = roi and roi[at], stop = roi and roi[rank + at] }
end

local rules = {}

function rules.half_pixel(_, o, scale) return (o + 0.5) / scale - 0.5 end
function rules.half_pixel_symmetric(c, o, scale, width)
  return c.I / 2 * (1 - c.O / width) + (o + 0.5) / scale - 0.5
end
function rules.pytorch_half_pixel(_, o, scale, width)
  return width == 1 and -0.5 or (o + 0.5) / scale - 0.5
end
function rules.align_corners(c, o, _, width)
  return width == 1 and 0.0 or o * (c.I - 1) / (width - 1)
end
function rules.asymmetric(_, o, scale) return o / scale end
function rules.tf_half_pixel_for_nn(_, o, scale) return (o + 0.5) / scale end
function rules.tf_crop_and_resize(c, o, _, width)
  local extent, last = c.stop - c.start, c.I - 1
  local x = width == 1 and extent * last / 2 or o * extent * last / (width - 1)
  return x + c.start * last
end

local function coordinate(c, o)
  local scale = c.s or c.O / c.I
  return rules[c.rule](c, o, scale, scale * c.I)
end

local function clamp(i, c) return math.max(0, math.min(c.I - 1, i)) end

local function half_down(x) return math.ceil(x - 0.5) end

local roundings = { floor = math.floor, ceil = math.ceil, round_prefer_floor = half_down,
  round_prefer_ceil = function(x) return -half_down(-x) end }

local function round(c, x)
  local shrinks = (c.s or c.O / c.I) < 1
  return (roundings[c.rounding] or shrinks and math.ceil or math.floor)(x)
end

local function keys(x, a)
  x = math.abs(x)
  if x <= 1 then return (a + 2) * x ^ 3 - (a + 3) * x ^ 2 + 1 end
  return x < 2 and a * x ^ 3 - 5 * a * x ^ 2 + 8 * a * x - 4 * a or 0.0
end

local function tent(x) return math.max(0.0, 1 - math.abs(x)) end

-- The window without a border: { position, weight }.
local function window(c, x)
  local cubic = c.mode == "cubic"
  local reach, squeeze = cubic and 2 or 1, 1
  if c.antialias then squeeze = math.min(c.s or c.O / c.I, 1) end
  local left, out, total = math.floor(x), {}, 0.0
  local first = math.floor(-reach / squeeze) + 1
  for i = left + first, left + 1 - first do
    local w = (cubic and keys or tent)((i - x) * squeeze, c.a)
    total = total + w
    out[#out + 1] = { i, w }
  end
  for _, tap in ipairs(c.antialias and out or {}) do tap[2] = tap[2] / total end
  return out
end

local function excluded(c, taps)
  local inside, total = {}, 0.0
  for _, tap in ipairs(taps) do
    if tap[1] == clamp(tap[1], c) then
      total = total + tap[2]
      inside[#inside + 1] = tap
    end
  end
  if total == 0 then return { { clamp(taps[1][1], c), 1.0 } } end
  for _, tap in ipairs(inside) do tap[2] = tap[2] / total end
  return inside
end

---Whether an output lies outside the input and is filled.
function M.outside(c, o)
  local x = coordinate(c, o)
  return c.rule == "tf_crop_and_resize" and (x < 0 or x > c.I - 1)
end

---The taps {index, weight} of one output, also of weight 0.
function M.taps(c, o)
  local scale = c.s or c.O / c.I
  local whole = not c.start or c.start == 0 and c.stop == 1
  if c.I == c.O and math.abs(scale - 1) <= 1e-9 * scale and whole then return { { o, 1.0 } } end
  local x = coordinate(c, o)
  if c.mode == "nearest" then return { { clamp(round(c, x), c), 1.0 } } end
  if x == math.floor(x) and not c.antialias then
    return { { clamp(math.tointeger(x), c), 1.0 } }
  end
  local taps = window(c, x)
  if c.exclude then return excluded(c, taps) end
  for _, tap in ipairs(taps) do tap[1] = clamp(tap[1], c) end
  return taps
end

return M
