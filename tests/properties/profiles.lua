-- SPDX-License-Identifier: MIT
-- Plans of the profiles onnx, paddle and tflite against independent references: indices and weights
-- of every output, and which outputs are filled.

local tap = dofile "tests/lib/tap.lua"
local resample = require "upweave.resample"
local reference = dofile "tests/lib/reference.lua"

local function float(x) return (string.unpack("<f", string.pack("<f", x))) end
local function same(x) return x end

local SIZES = { { 1, 5 }, { 2, 1 }, { 2, 3 }, { 3, 2 }, { 4, 7 }, { 5, 5 }, { 8, 16 }, { 10, 3 },
  { 5, 3 } }
local SCALES = { { 4, 2.2 }, { 5, 1.1 }, { 10, 0.7 }, { 6, 1.5 }, { 7, 0.5 }, { 3, 1 + 1e-10 },
  { 2, 0.6 } }

-- Index -> sum of the weights; taps that are dropped or merge are the plan's business.
local function merged(case, o)
  local sums = {}
  for _, t in ipairs(reference.taps(case, o)) do sums[t[1]] = (sums[t[1]] or 0.0) + t[2] end
  return sums
end

-- Two orders of the same double operations differ by a few units; a weight that rounding left of 0
-- is none.
local function output_fault(taps, sums, round, slack)
  local seen = {}
  for k, i in ipairs(taps.index) do
    local want = round(sums[i] or 0.0)
    if math.abs(taps.weight[k] - want) > slack * math.max(math.abs(want), 1) then return true end
    seen[i] = true
  end
  for i, w in pairs(sums) do
    if not seen[i] and math.abs(w) > 1e-15 then return true end
  end
end

local function is_filled(plan, o)
  return plan.fill ~= nil and (o < plan.fill.lo[1] or o >= plan.fill.hi[1])
end

local function fault_of(p, slack)
  local plan, case = resample.plan(p), reference.case(p, 1)
  local round = plan.work == "f32" and float or same
  for o, taps in ipairs(plan.axes[1].taps) do
    local filled = reference.outside(case, o - 1)
    if filled ~= is_filled(plan, o - 1) then return "filled " .. o - 1 end
    if not filled and output_fault(taps, merged(case, o - 1), round, slack) then
      return "output " .. o - 1
    end
  end
end

local function problem(profile, fields, input, output, scale)
  local p = { op = "interpolate", profile = profile, coord_math = "framework",
    x = { shape = { 1, 1, input }, layout = "NCW", dtype = "f32" }, size = { output },
    scale_factor = scale and { scale }, align_corners = false, antialias = false,
    half_pixel_centers = false, align_mode = 0 }
  for key, value in pairs(fields) do p[key] = value end
  p.x.dtype = fields.dtype or "f32"
  return p
end

local function holds(name, profile, fields, slack)
  local faults = {}
  local function try(input, output, scale)
    local fault = fault_of(problem(profile, fields, input, output, scale), slack)
    faults[#faults + 1] = fault and ("%d -> %d %s: %s"):format(input, output, tostring(scale),
      fault)
  end
  for _, s in ipairs(SIZES) do try(s[1], s[2]) end
  for _, s in ipairs(profile ~= "tflite" and fields.mode ~= "area" and SCALES or {}) do
    try(s[1], math.floor(s[1] * s[2]), s[2])
  end
  tap.is(table.concat(faults, "; "), "", name)
end

-- ---- ONNX: in double, where two ways to write a polynomial leave some units

local ROIS = { { 0.25, 0.75 }, { -0.3, 1.2 }, { 0.9, 0.1 }, { 1.5, 2.0 } }

local function onnx(name, fields)
  fields.nearest_mode = fields.nearest_mode or "floor"
  fields.cubic_coeff_a = fields.cubic_coeff_a or -0.75
  fields.exclude_outside = fields.exclude_outside or false
  fields.extrapolation_value = 7.0
  fields.dtype = "f64"
  holds("onnx " .. name, "onnx", fields, fields.mode == "cubic" and 2.0 ^ -45 or 2.0 ^ -51)
end

local ROUNDINGS = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple" }

-- Every filter and rounding on one rule of coordinates, with one window of the input.
local function check_rule(rule, roi)
  local function try(name, fields)
    fields.coordinate_transformation_mode, fields.roi = rule, roi
    onnx(("%s%s %s"):format(rule, roi and " " .. table.concat(roi, ":") or "", name), fields)
  end
  for _, rounding in ipairs(ROUNDINGS) do
    try(rounding, { mode = "nearest", nearest_mode = rounding })
  end
  for _, exclude in ipairs { false, true } do
    local tail = exclude and ", outside excluded" or ""
    for _, smooth in ipairs { false, true } do
      local title = (smooth and " antialias" or "") .. tail
      try("linear" .. title, { mode = "linear", exclude_outside = exclude, antialias = smooth })
      try("cubic" .. title, { mode = "cubic", exclude_outside = exclude, antialias = smooth })
      try("cubic a = -0.6" .. title, { mode = "cubic", exclude_outside = exclude,
        antialias = smooth, cubic_coeff_a = -0.6 })
    end
  end
end

for _, rule in ipairs { "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
  "align_corners", "asymmetric", "tf_half_pixel_for_nn" } do
  check_rule(rule)
end
for _, roi in ipairs(ROIS) do check_rule("tf_crop_and_resize", roi) end

-- ---- Paddle and TFLite: every bit

local function check_paddle(dtype, mode, align)
  for align_mode = 0, 1 do
    holds(("paddle %s %s%s, align_mode %d"):format(dtype, mode, align and " aligned" or "",
      align_mode), "paddle", { mode = mode, dtype = dtype, align_mode = align_mode,
      align_corners = align }, 0.0)
  end
end
for _, dtype in ipairs { "f32", "f64" } do
  for _, mode in ipairs { "nearest", "linear", "bicubic" } do
    check_paddle(dtype, mode, false)
    check_paddle(dtype, mode, true)
  end
  check_paddle(dtype, "area", false)
end

local function check_tflite(mode, align, half)
  holds(("tflite %s%s%s"):format(mode, align and " aligned" or "", half and " centres" or ""),
    "tflite", { mode = mode, align_corners = align, half_pixel_centers = half }, 0.0)
end
for _, mode in ipairs { "nearest", "bilinear" } do
  check_tflite(mode, false, false)
  check_tflite(mode, false, true)
  check_tflite(mode, true, false)
end
check_tflite("nearest", true, true)

-- ---- exact coordinates: the same rules but for rounding

-- The greatest difference of the two on a picture of values below 1.
local function distance(profile, fields)
  local worst = 0.0
  for _, s in ipairs(SIZES) do
    fields.coord_math = nil
    local a = resample.plan(problem(profile, fields, s[1], s[2])).axes[1]
    fields.coord_math = "exact"
    local b = resample.plan(problem(profile, fields, s[1], s[2])).axes[1]
    local x = {}
    for i = 1, s[1] do x[i] = (i * 29) % 31 / 31 end
    local y, z = a:apply(x), b:apply(x)
    for o = 1, s[2] do worst = math.max(worst, math.abs(y[o] - z[o])) end
  end
  return worst
end

for _, case in ipairs {
  { "onnx", { mode = "linear", coordinate_transformation_mode = "half_pixel_symmetric" } },
  { "onnx", { mode = "cubic", coordinate_transformation_mode = "align_corners" } },
  { "onnx", { mode = "cubic", coordinate_transformation_mode = "half_pixel", antialias = true } },
  { "onnx", { mode = "linear", coordinate_transformation_mode = "tf_crop_and_resize",
    roi = { 0.125, 0.875 } } },
  { "paddle", { mode = "linear" } }, { "paddle", { mode = "bicubic" } },
  { "tflite", { mode = "bilinear", half_pixel_centers = true } },
} do
  local profile, fields = case[1], case[2]
  fields.nearest_mode, fields.cubic_coeff_a, fields.exclude_outside = "floor", -0.75, false
  fields.extrapolation_value = 0.0
  local worst = distance(profile, fields)
  local name = ("%s %s: framework and exact agree"):format(profile, fields.mode)
  if not tap.ok(worst < 2.0 ^ -17, name) then tap.diag(("worst %.3g"):format(worst)) end
end

tap.done()
