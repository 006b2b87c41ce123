-- SPDX-License-Identifier: MIT
-- Laws that the axis maps of every mode obey, over many sizes, in both coordinate arithmetics.

local tap = dofile "tests/lib/tap.lua"
local build = require "upweave.resample.build"
local cut = require "upweave.resample.stretch.cut"
local modes = require "upweave.resample.modes"

local ARITHMETIC = {
  framework = require "upweave.resample.arithmetic.f32",
  exact = require "upweave.resample.arithmetic.rational",
}
local UNIT = 2.0 ^ -24

local SIZES = { { 1, 1 }, { 1, 2 }, { 1, 7 }, { 2, 1 }, { 2, 3 }, { 3, 2 }, { 4, 7 }, { 7, 4 },
  { 7, 10 }, { 10, 3 }, { 5, 5 }, { 8, 16 }, { 8, 24 }, { 16, 8 }, { 33, 100 }, { 100, 33 },
  { 129, 513 }, { 61, 2 }, { 2, 61 }, { 40, 39 }, { 39, 40 } }
local SCALES = { { 4, 2.2 }, { 5, 1.1 }, { 10, 0.7 }, { 9, 1 / 3 }, { 7, 2 }, { 6, 1.5 },
  { 12, 0.25 }, { 20, 0.0625 } }

-- Ties of nearest go one way; aligned antialiasing has PyTorch's lopsided centres.
local function is_symmetric(mode, aligned, smooth)
  return mode.name ~= "nearest" and mode.name ~= "nearest-exact" and not (aligned and smooth)
end

-- A mode with one choice of align_corners and antialias; nil where there is no such thing.
local function variant_of(mode, aligned, smooth)
  local filter, coordinates = mode.sharp, mode.coordinates
  if smooth then filter = mode.smooth end
  if aligned then coordinates = mode.aligned end
  if not filter or aligned and not coordinates then return nil end
  return {
    name = mode.name .. (aligned and " aligned" or "") .. (smooth and " antialias" or ""),
    filter = filter, coordinates = coordinates, smooth = smooth,
    symmetric = is_symmetric(mode, aligned, smooth),
  }
end

local VARIANTS = {}
for _, mode in ipairs(modes.list) do
  for _, aligned in ipairs { false, true } do
    VARIANTS[#VARIANTS + 1] = variant_of(mode, aligned, false)
    VARIANTS[#VARIANTS + 1] = variant_of(mode, aligned, true)
  end
end

local built = {}

local function axis(variant, input, output, scale, arithmetic)
  local key = ("%s %d %d %s %s"):format(variant.name, input, output, tostring(scale), arithmetic)
  built[key] = built[key] or { build.axis { name = "w", input = input, output = output,
    scale = scale, filter = variant.filter,
    copies_equal_sizes = variant.filter.copies_equal_sizes, coordinates = variant.coordinates,
    arithmetic = ARITHMETIC[arithmetic],
    work = "f32", stretch = cut } }
  return built[key][1], built[key][2]
end

-- Calls body(map, arithmetic, terms, scale, filter) for all cases of a variant; collects the texts
-- that it returns.
local function each(variant, body)
  local faults = {}
  local function try(input, output, scale, arithmetic)
    local map, terms = axis(variant, input, output, scale, arithmetic)
    local fault = body(map, arithmetic, terms, scale, variant.filter)
    if fault then
      faults[#faults + 1] = ("%s %d -> %d %s: %s"):format(arithmetic, input, output,
        tostring(scale), fault)
    end
  end
  for _, arithmetic in ipairs { "framework", "exact" } do
    for _, s in ipairs(SIZES) do try(s[1], s[2], nil, arithmetic) end
    for _, s in ipairs(variant.coordinates and SCALES or {}) do
      try(s[1], math.floor(s[1] * s[2]), s[2], arithmetic)
    end
  end
  return faults
end

local function holds(variant, name, body)
  local faults = each(variant, body)
  tap.is(table.concat(faults, "; "), "", variant.name .. ": " .. name)
end

-- Weights of an output add up to one within the roundings that made them.
local function partition(map, arithmetic)
  for o, taps in ipairs(map.taps) do
    local sum, magnitude = 0.0, 0.0
    for _, w in ipairs(taps.weight) do
      sum, magnitude = sum + w, magnitude + math.abs(w)
    end
    local roundings = arithmetic == "exact" and 1 or 6 + #taps.weight
    if math.abs(sum - 1) > roundings * UNIT * magnitude then
      return ("weights of %d add up to %.12g"):format(o - 1, sum)
    end
  end
end

-- Windows never go back by more than the taps whose weight is exactly 0 where the filter stands on
-- a pixel, and not at the next output.
local function monotone(map, _, _, _, filter)
  local first, last, slack = 0, 0, math.max(1, (filter.radius or 1) - 1)
  for o, taps in ipairs(map.taps) do
    local a, b = taps.index[1], taps.index[#taps.index]
    if a + slack < first or b + slack < last then return "windows go back at " .. o - 1 end
    first, last = math.max(a, first), math.max(b, last)
  end
end

-- <A x, y> = <x, A' y>: x and y are small integers, so that sums differ by rounding only.
local function adjoint(map)
  local x, y = {}, {}
  for i = 1, map.input do x[i] = (i * 37) % 23 - 11.0 end
  for o = 1, map.output do y[o] = (o * 53) % 29 - 14.0 end
  local left, right, magnitude = 0.0, 0.0, 1.0
  for o, v in ipairs(map:apply(x)) do left = left + v * y[o] end
  for i, v in ipairs(map:transpose():apply(y)) do
    right = right + v * x[i]
    magnitude = magnitude + math.abs(v * x[i])
  end
  if math.abs(left - right) > 1e-12 * magnitude * (map.input + map.output) then
    return ("%.17g ~= %.17g"):format(left, right)
  end
end

-- The response to an impulse at i is column i of the map; all responses add up to the constant.
local function impulses(map)
  if map.input > 50 then return nil end
  local sum = {}
  for o = 1, map.output do sum[o] = 0.0 end
  for i = 1, map.input do
    local x = {}
    for k = 1, map.input do x[k] = k == i and 1.0 or 0.0 end
    for o, v in ipairs(map:apply(x)) do sum[o] = sum[o] + v end
  end
  local ones = {}
  for i = 1, map.input do ones[i] = 1.0 end
  for o, v in ipairs(map:apply(ones)) do
    if math.abs(sum[o] - v) > 1e-14 then return "superposition fails at " .. o - 1 end
  end
end

-- In the interior the response is shift invariant: x moved by `inputs` gives y moved by `outputs`.
local function shift(map)
  local period = map:period()
  if not period then return nil end
  local x, moved = {}, {}
  for i = 1, map.input do
    x[i] = (i * 29) % 31 + 0.0
    moved[i] = ((i - period.inputs) * 29) % 31 + 0.0
  end
  local y, z = map:apply(x), map:apply(moved)
  for o = period.first, period.last - period.outputs do
    if y[o + 1] ~= z[o + period.outputs + 1] then return "not shift invariant at " .. o end
  end
end

-- Reading the axis from the other end changes nothing; but one aligned output is the first pixel.
local function mirrored(tolerance)
  return function(map, arithmetic, _, scale)
    if scale or map.output == 1 then return nil end
    local dense = {}
    for o, taps in ipairs(map.taps) do
      local row = {}
      for i = 1, map.input do row[i] = 0.0 end
      for k, i in ipairs(taps.index) do row[i + 1] = taps.weight[k] end
      dense[o] = row
    end
    local allowed = arithmetic == "exact" and 0.0 or tolerance * map.input * UNIT
    for o = 1, map.output do
      for i = 1, map.input do
        local other = dense[map.output + 1 - o][map.input + 1 - i]
        if math.abs(dense[o][i] - other) > allowed then
          return ("y[%d] and its mirror image differ by %g"):format(o - 1, dense[o][i] - other)
        end
      end
    end
  end
end

local function enough_terms(map, _, terms)
  if map:cost().widest > terms then return "more taps than the framework has terms" end
end

for _, variant in ipairs(VARIANTS) do
  holds(variant, "weights add up to one", partition)
  holds(variant, "windows move forwards", monotone)
  holds(variant, "adjoint", adjoint)
  holds(variant, "impulses", impulses)
  holds(variant, "shifts", shift)
  holds(variant, "terms", enough_terms)
  if variant.symmetric then
    holds(variant, "mirror image", mirrored(8))
  end
end

-- Both arithmetics mean the same map: they differ by the rounding of coordinates.
local function distance(variant)
  local worst = 0.0
  for _, s in ipairs(SIZES) do
    local a = axis(variant, s[1], s[2], nil, "framework")
    local b = axis(variant, s[1], s[2], nil, "exact")
    local x = {}
    for i = 1, s[1] do x[i] = (i * 29) % 31 / 31 end
    local y, z = a:apply(x), b:apply(x)
    for o = 1, s[2] do worst = math.max(worst, math.abs(y[o] - z[o]) / (s[1] * UNIT)) end
  end
  return worst
end

for _, variant in ipairs(VARIANTS) do
  if variant.filter.taps ~= 1 then
    local worst = distance(variant)
    if not tap.ok(worst < 8, variant.name .. ": framework and exact agree") then
      tap.diag(("worst %.3g"):format(worst))
    end
  end
end

tap.done()
