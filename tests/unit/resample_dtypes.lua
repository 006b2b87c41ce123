-- SPDX-License-Identifier: MIT
-- Plans by element type: bytes, type of the arithmetic, how weights are kept, fixed point.

local tap = dofile "tests/lib/tap.lua"
local axis_map = require "upweave.plan.axis"
local fixed = require "upweave.resample.fixed"
local plans = require "upweave.plan.resample"
local resample = require "upweave.resample"
local stored = require "upweave.resample.arithmetic.stored"
local torch_f64 = require "upweave.resample.arithmetic.torch_f64"

local function plan(dtype, mode, input, output, more)
  local p = { op = "interpolate", profile = "torch", coord_math = "framework", mode = mode,
    align_corners = false, antialias = false, size = output,
    x = { shape = input, layout = "NCHW", dtype = dtype } }
  for key, value in pairs(more or {}) do p[key] = value end
  return resample.plan(p)
end

-- ---- bytes and types

for _, case in ipairs {
  { "f32", "f32", 4 }, { "f64", "f64", 8 }, { "f16", "f32", 2 }, { "bf16", "f32", 2 },
  { "u8", "u8", 1 },
} do
  local dtype, work, bytes = table.unpack(case)
  local p = plan(dtype, "bilinear", { 2, 3, 4, 6 }, { 8, 12 })
  tap.is(p.dtype .. " " .. p.work, dtype .. " " .. work, dtype .. ": storage and arithmetic")
  tap.is(p.bytes_read, 2 * 3 * 4 * 6 * bytes, dtype .. ": bytes read")
  tap.is(p.bytes_written, 2 * 3 * 8 * 12 * bytes, dtype .. ": bytes written")
  tap.is(p.fixed, dtype == "u8" or nil, dtype .. ": fixed point")
  local copy = plan(dtype, "nearest", { 2, 3, 4, 6 }, { 8, 12 })
  tap.is(copy.work, dtype, dtype .. ": a copy moves values as they are")
  tap.is(copy.fixed, nil, dtype .. ": without fixed point")
  tap.ok(copy.copy, dtype .. ": and is known as one")
end

-- ---- weights must be numbers of the arithmetic

local function refused(work, weight, precision)
  local axis = axis_map.new { name = "w", input = 1, output = 1, precision = precision,
    taps = { { index = { 0 }, weight = { weight } } } }
  local fine, fault = pcall(plans.new, { dtype = "f32", work = work, fixed = precision ~= nil,
    batch = 1, channels = 1, planar = true, axes = { axis }, terms = 1 })
  return not fine and fault or nil
end
for _, case in ipairs {
  { "f32", 0.1, "axis w: output 0: weight 0.1 is not of f32" }, { "f32", 1e39, "weight 1e+39" },
  { "f32", 2.0 ^ 130, "weight 1.36" }, { "f32", 2.0 ^ -160, "weight 6.8" },
  { "f32", 16777217.0, "weight 16777217" }, { "f64", 2, "weight 2 is not of f64" },
  { "u8", 0.5, "weight 0.5 is not of fixed", 1 }, { "u8", 32768, "32768 is not of fixed", 15 },
  { "u8", -32769, "-32769 is not of fixed", 15 }, { "u8", 1, "has a precision", -1 },
} do
  local fault = refused(case[1], case[2], case[4]) or ""
  tap.like(fault, case[3], ("%s: no %s"):format(case[1], case[2]))
end
tap.is(refused("f32", 0.5), nil, "f32: 0.5")
tap.is(refused("f32", 2.0 ^ -149), nil, "f32: the smallest")
tap.is(refused("f64", 0.1), nil, "f64: 0.1")
tap.is(refused("u8", 32767, 15), nil, "fixed: 32767")
tap.is(refused("u8", -32768, 15), nil, "fixed: -32768")

-- ---- double: positions through float32, weights not

local below = 1 - 2.0 ^ -40
tap.is(torch_f64.floor(below), 1, "f64: floorf rounds the coordinate first")
tap.is(torch_f64.wide.floor(below), 0, "f64: windows do not")
local double = plan("f64", "bilinear", { 1, 1, 1, 3 }, { 1, 5 }).axes[2].taps[2].weight[1]
tap.ok(math.abs(double - 0.6) < 1e-15, "f64: weights are doubles")

-- ---- f16 and bf16: who keeps weights short (values: 3 -> 5, the second output has 0.6 and 0.4)

local function second(dtype, mode, shape, size, more)
  local axes = plan(dtype, mode, shape, size, more).axes
  local taps = axes[#axes].taps[2]
  return ("%.9g %.9g"):format(taps.weight[1], taps.weight[2])
end
local FLOAT <const>, F16 <const> = "0.599999964 0.400000036", "0.600097656 0.399902344"
local BF16 <const> = "0.6015625 0.400390625"
for _, case in ipairs {
  { "bilinear", { 1, 3, 1, 3 }, { 123, 5 }, FLOAT, "short outputs" },
  { "bilinear", { 1, 3, 1, 3 }, { 124, 5 }, F16, "longer ones" },
  { "bilinear", { 1, 4, 1, 3 }, { 124, 5 }, F16, "planar" },
  { "bilinear", { 1, 1, 3, 4 }, { 124, 5 }, FLOAT, "four channels last", "NHWC" },
  { "bilinear", { 1, 1, 3, 3 }, { 124, 5 }, F16, "three channels last", "NHWC" },
  { "trilinear", { 1, 4, 1, 1, 3 }, { 1, 1, 5 }, F16, "rank 3", "NCDHW" },
  { "trilinear", { 1, 1, 1, 3, 4 }, { 1, 1, 5 }, FLOAT, "rank 3, channels last", "NDHWC" },
  { "trilinear", { 1, 1, 1, 3, 3 }, { 1, 1, 5 }, F16, "rank 3, three channels", "NDHWC" },
  { "linear", { 1, 3, 3 }, { 5 }, F16, "rank 1, short", "NCW" },
  { "linear", { 1, 3, 4 }, { 5 }, F16, "rank 1, channels last", "NWC" },
} do
  local mode, shape, size, want, title, layout = table.unpack(case, 1, 6)
  local more = layout and { x = { shape = shape, layout = layout, dtype = "f16" } }
  tap.is(second("f16", mode, shape, size, more), want, ("%s: %s"):format(mode, title))
end
tap.is(second("bf16", "bilinear", { 1, 3, 1, 3 }, { 124, 5 }), BF16,
  "bf16: the left weight is 1 - the right one as kept, and kept itself")
local short = plan("f16", "bicubic", { 1, 4, 1, 9 }, { 1, 19 }).axes[2].taps[8].weight
for k, w in ipairs(short) do tap.is(stored.of("f16").stored(w), w, "bicubic: f16 weight " .. k) end
tap.is(plan("f16", "area", { 1, 1, 1, 9 }, { 1, 3 }).axes[2].taps[1].weight[1],
  (string.unpack("<f", string.pack("<f", 1 / 3))), "area: a float")
tap.is(second("f16", "bilinear", { 1, 3, 1, 3 }, { 124, 5 }, { coord_math = "exact" }),
  "0.600000024 0.400000006",
  "exact: rounded once, to float32")
tap.is(plan("f16", "bilinear", { 1, 1, 1, 1 }, { 1, 300 }).axes[2].taps[1].weight[1], 1.0,
  "what meets on one pixel is added after that")

-- ---- pictures

local up2 = plan("u8", "bilinear", { 1, 1, 4, 4 }, { 8, 8 })
tap.is(up2.axes[1].precision, 2, "2x: two digits are enough")
tap.same(up2.axes[1].taps[2], { index = { 0, 1 }, weight = { 3, 1 } }, "2x: three and one")
tap.same(up2.axes[1].taps[1], { index = { 0 }, weight = { 4 } }, "2x: the border")
local across = plan("u8", "bicubic", { 1, 1, 4, 5 }, { 4, 9 }, { scale_factor = { 1.1, 1.8 } })
tap.is(across.axes[1].precision, 0, "an axis of equal sizes has no digits")
tap.ok(across.axes[1]:is_identity(), "and is copied, whatever the scale")
tap.is(across.axes[2].precision, 14, "a weight above one leaves 14")
tap.is(plan("u8", "bicubic", { 1, 1, 1, 251 }, { 1, 250 }).axes[2].precision, 14,
  "so does a sum that is above it until the last of the taps on the border is added")
tap.is(plan("u8", "bilinear", { 1, 1, 9, 1 }, { 3, 1 }).copy, true, "every third pixel is a copy")
tap.is(plan("u8", "bilinear", { 1, 1, 9, 5 }, { 3, 1 }).fixed, nil, "in both directions")
local wide = plan("u8", "bilinear", { 1, 1, 1, 4000 }, { 1, 7 }, { antialias = true }).axes[2]
tap.is(wide.precision, 22, "small weights: no more than 22 digits")
tap.is(plan("u8", "bilinear", { 1, 1, 1, 7 }, { 1, 3 }, { coord_math = "exact" }).axes[2].precision,
  plan("u8", "bilinear", { 1, 1, 1, 7 }, { 1, 3 }).axes[2].precision, "exact: the same digits")

local function pointed(...)
  local taps, precision = fixed.point {
    { index = { 0, 1, 2 }, weight = { ... }, largest = math.max(...) } }
  return ("%s; %d"):format(table.concat(taps[1].weight, " "), precision)
end
tap.is(pointed(0.25, 0.5, 0.25), "1 2 1; 2", "all shared factors of two are taken out")
tap.is(pointed(1.0, 1.0, 1.0), "1 1 1; 0", "down to no digits")
tap.is(pointed(2.0, 2.0, -4.0), "2 2 -4; 0", "but not below")
tap.is(pointed(0.99997, 2.0 ^ -16, -2.0 ^ -16), "32767 1 -1; 15", "halves round away from zero")
tap.is(pointed(0.99999, 0.2, 0.3), "16384 3277 4915; 14",
  "the largest weight is judged after rounding")
tap.is(pointed(0.6, 2.0 ^ -17, -0.6), "19661 -19661; 15", "what rounds to zero is dropped")

tap.done()
