-- SPDX-License-Identifier: MIT
-- Reference of `interpolate` in plain Lua, for small shapes: the oracle of IR and plan tests.
--
-- Purpose: for a problem and x as an array in memory order it gives, per element of y, the value in
-- double over the framework's own weights, the magnitude sum |w x| and the number of terms n (0: a
-- copy or fixed point, to be equal bit for bit). Written from the frameworks' definitions, one file
-- each in reference/; it shares nothing with generator/plan and generator/resample, not even the
-- rounding.
-- Invariants: taps are neither merged nor reordered; a tap of weight 0 does not exist.

local M = {}

local PROFILES = {}
for _, name in ipairs { "torch", "onnx", "paddle", "tflite" } do
  PROFILES[name] = dofile(("tests/lib/reference/%s.lua"):format(name))
end

---What one axis of a problem depends on; `at` counts the spatial axes from 1.
function M.case(problem, at)
  local x = problem.x
  local profile = problem.profile or "torch"
  local case = PROFILES[profile].case(problem, at)
  case.profile, case.exact = profile, problem.coord_math == "exact"
  case.I, case.O = x.shape[(x.layout:sub(1, 2) == "NC" and 2 or 1) + at], problem.size[at]
  case.s = problem.scale_factor and problem.scale_factor[at]
  return case
end

---Whether an output of one axis is filled: no tap gives it.
function M.outside(case, o)
  local outside = PROFILES[case.profile].outside
  return outside ~= nil and outside(case, o)
end

---The taps {index, weight} of one output of one axis, in the framework's order.
function M.taps(case, o)
  local kept = {}
  for _, tap in ipairs(PROFILES[case.profile or "torch"].taps(case, o)) do
    if tap[2] ~= 0 then kept[#kept + 1] = tap end
  end
  return kept
end

---Weights in fixed point: taps of one pixel added, p digits after the point for the whole axis, all
---but the sign bit of 16 used by the largest.
function M.quantise(axis)
  local largest = 0.0
  for o, taps in ipairs(axis.taps) do
    local sums = {}
    for _, tap in ipairs(taps) do
      local last = sums[#sums]
      if last and last[1] == tap[1] then
        last[2] = last[2] + tap[2]
      else
        sums[#sums + 1] = { tap[1], tap[2] }
      end
      largest = math.max(largest, sums[#sums][2])
    end
    axis.taps[o] = sums
  end
  axis.p = 22
  while math.floor(0.5 + largest * 2.0 ^ axis.p) >= 32768 do axis.p = axis.p - 1 end
  for _, taps in ipairs(axis.taps) do
    for _, tap in ipairs(taps) do
      local v = tap[2] * 2.0 ^ axis.p
      tap[2] = v < 0 and math.ceil(v - 0.5) or math.floor(v + 0.5)
    end
  end
end

-- All axes as depth, height, width; absent ones have size 1 and a tap of weight 1.
local function tables(problem)
  local x = problem.x
  local planar = x.layout:sub(1, 2) == "NC"
  local rank = #x.shape - 2
  local axes = {}
  for a = 1, 3 do
    local at = a - 3 + rank
    local axis = { I = 1, O = 1, taps = { { { 0, 1.0 } } }, filled = {} }
    if at >= 1 then
      axis = M.case(problem, at)
      axis.taps = {}
      axis.filled, axis.fill = {}, problem.extrapolation_value
      for o = 0, axis.O - 1 do
        axis.taps[o + 1], axis.filled[o + 1] = M.taps(axis, o), M.outside(axis, o)
      end
      if axis.fixed then M.quantise(axis) end
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

local function blend(axes, o, read)
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

-- One pass over fixed-point taps of values that `read` gives.
local function pass(axis, o, read)
  if axis.I == axis.O then return read(o - 1) end
  local sum = 1 << axis.p >> 1
  for _, tap in ipairs(axis.taps[o]) do sum = sum + tap[2] * read(tap[1]) end
  return math.max(0, math.min(255, sum // (1 << axis.p)))
end

-- A picture's element: along the rows first, rounded to 8 bits, then along the columns.
local function pixel(axes, o, read)
  return pass(axes[2], o[2], function(h)
    return pass(axes[3], o[3], function(w) return read(0, h, w) end)
  end)
end

-- Value, magnitude and terms of one output; copies, fixed-point pictures and what is filled have 0
-- terms.
local function element(axes, copy, o, read)
  for a, axis in ipairs(axes) do
    if axis.filled[o[a]] then return axis.fill, 0.0, 0 end
  end
  local value, size, count, only = blend(axes, o, read)
  if axes[3].fixed then return pixel(axes, o, read), size, 0 end
  if copy then return only, size, 0 end
  return value, size, count
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
        want[at], magnitude[at], terms[at] = element(axes, copy, { d + 1, h + 1, w + 1 }, read)
      end end end
    end
  end
  return want, magnitude, terms
end

return M
