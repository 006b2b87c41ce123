-- SPDX-License-Identifier: MIT
-- Filters and coordinates one by one, in float64 where every number below is exact: also what
-- clamping elsewhere hides from a whole axis map.

local tap = dofile "tests/lib/tap.lua"
local build = require "upweave.resample.build"
local f32 = require "upweave.resample.arithmetic.f32"
local f64 = require "upweave.resample.arithmetic.f64"
local lists = require "upweave.util.list"
local modes = require "upweave.resample.modes"

local function filter(name) return require("upweave.resample.filters." .. name) end
local function coordinates(name) return require("upweave.resample.coordinates." .. name) end

-- coordinates ------------------------------------------------------------------------------------

local half, asymmetric = coordinates "half_pixel", coordinates "asymmetric"
local corners = coordinates "align_corners"
local function sizes(input, output, scale)
  return { input = input, output = output, scale = scale }
end
tap.is(half.ratio(f64, sizes(3, 12)), 0.25, "half pixel: the ratio of sizes")
tap.is(half.ratio(f64, sizes(3, 12, 2.0)), 0.5, "or of the scale")
tap.is(half.source(f64, sizes(3, 6))(0), -0.25, "half pixel: the first source")
tap.is(half.source(f64, sizes(3, 6))(3), 1.25, "another")
tap.is(half.source(f64, sizes(3, 7, 2.0))(3), 1.25, "with a scale")
tap.is(asymmetric.ratio(f64, sizes(3, 12)), 0.25, "asymmetric: the ratio of sizes")
tap.is(asymmetric.ratio(f64, sizes(3, 12, 2.0)), 0.5, "or of the scale")
tap.is(asymmetric.source(f64, sizes(3, 6))(3), 1.5, "asymmetric: a source")
tap.is(corners.ratio(f64, sizes(5, 9)), 0.5, "corners: the ratio of the distances")
tap.is(corners.ratio(f64, sizes(5, 9, 3.0)), 0.5, "a scale does not enter")
tap.is(corners.ratio(f64, sizes(5, 2)), 4.0, "corners: two outputs")
tap.is(corners.ratio(f64, sizes(5, 1)), 0.0, "corners: one output")
tap.is(corners.ratio(f64, sizes(1, 3)), 0.0, "corners: one input")
tap.is(corners.source(f64, sizes(5, 9))(3), 1.5, "corners: a source")

-- ONNX's: five pixels by 1.5 are a width of 7.5, of which 7 remain
local wide = { input = 5, output = 7, scale = 1.5, roi = { 0.25, 0.75 } }
local one = { input = 4, output = 1, scale = 0.25, roi = { 0.25, 0.75 } }
for _, case in ipairs {
  { "half_pixel", 1 / 1.5, 1.5 / 1.5 - 0.5, 4.0, 1.5 },
  { "half_pixel_symmetric", 1 / 1.5, 2.5 * (1 - 7 / 7.5) + 1.5 / 1.5 - 0.5, 4.0, 1.5 },
  { "pytorch_half_pixel", 1 / 1.5, 1.5 / 1.5 - 0.5, 4.0, -0.5 },
  { "align_corners", 4 / 6.5, 4 / 6.5, 0.0, 0.0 }, { "asymmetric", 1 / 1.5, 1 / 1.5, 4.0, 0.0 },
  { "tf_half_pixel_for_nn", 1 / 1.5, 1.5 / 1.5, 4.0, 2.0 },
  { "tf_crop_and_resize", 0.5 * 4 / 6.5, 0.5 * 4 / 6.5 + 1, 0.0, 1.5 },
} do
  local rule = coordinates("onnx." .. case[1])
  tap.is(rule.name, case[1], case[1] .. ": its name")
  tap.is(rule.ratio(f64, wide), case[2], case[1] .. ": ratio")
  tap.ok(math.abs(rule.source(f64, wide)(1) - case[3]) < 1e-15, case[1] .. ": a source")
  tap.is(rule.ratio(f64, one), case[4], case[1] .. ": ratio of one output")
  tap.is(rule.source(f64, one)(0), case[5], case[1] .. ": one output")
end
local crop = coordinates "onnx.tf_crop_and_resize"
local function inside(start, stop)
  return table.concat({ crop.inside(f64, { input = 3, output = 5, roi = { start, stop } }) }, " ")
end
tap.is(inside(0.0, 1.0), "0 5", "crop: all lies inside")
tap.is(inside(-0.5, 1.5), "1 4", "crop: both ends lie outside; the borders are inside")
tap.is(inside(1.5, -0.5), "1 4", "crop: from right to left")
tap.is(inside(1.5, 2.0), "0 0", "crop: nothing does")

-- where in its cell a position lies, for drawings
for _, case in ipairs { { "onnx.tf_half_pixel_for_nn", 0.5 }, { "onnx.asymmetric", 0 },
  { "asymmetric", 0 } } do
  tap.same(coordinates(case[1]).point, { input = 0, output = case[2] }, case[1] .. ": its points")
end
tap.is(coordinates "centres".of(asymmetric).point.output, 0.5, "centres: its points")

local promoted, centres = coordinates "half_pixel_promoted", coordinates "centres"
tap.is(promoted.ratio(f64, sizes(4, 1)), 0.0, "promoted: one output")
tap.is(promoted.source(f64, sizes(4, 1))(0), -0.5, "promoted: its source")
tap.is(promoted.source(f32, sizes(3, 11))(8), f32.div(3, 11) * 8.5 - 0.5, "promoted: in double")
tap.is(centres.of(asymmetric).source(f64, sizes(3, 6))(3), 1.75, "centres: a source")
tap.is(centres.of(corners).source(f64, sizes(5, 9))(3), 1.75, "centres: corners aligned")
tap.is(centres.of(corners).text, "(o + 1/2)*(in - 1)/(out - 1)", "centres: as text")
for _, c in ipairs { "half_pixel", "asymmetric", "align_corners" } do
  tap.is(coordinates(c).name, c, c .. ": its name")
end

-- filters on the pixel grid -----------------------------------------------------------------------

local function sample(name, source, input, first, weights)
  local at, got = filter(name).sample(f64, source, input)
  local title = ("%s at %s of %d"):format(name, source, input)
  tap.is(at, first, title)
  tap.same(got, weights, title .. ": weights")
end
sample("linear", 1.25, 4, 1, { 0.75, 0.25 })
sample("linear", -0.25, 4, 0, { 1.0, 0.0 })
sample("linear", 3.25, 4, 3, { 0.75, 0.25 })
sample("linear", 5.5, 4, 3, { 0.0, 1.0 })
sample("nearest", 2.75, 4, 2, { 1.0 })
sample("nearest_exact", 2.25, 4, 2, { 1.0 })
sample("nearest_exact", 2.5, 4, 3, { 1.0 })
sample("nearest_exact", -0.75, 4, 0, { 1.0 })
sample("cubic_guarded", 1.25, 6, 0, { -0.10546875, 0.87890625, 0.26171875, -0.03515625 })
sample("cubic_guarded", -0.25, 6, -2, { -0.03515625, 0.26171875, 0.87890625, -0.10546875 })
sample("cubic_guarded", 5.25, 6, 4, { -0.10546875, 0.87890625, 0.26171875, -0.03515625 })
sample("cubic_guarded", 7.5, 6, 4, { 0.0, 0.0, 1.0, 0.0 })
tap.is(filter "linear".taps, 2, "taps of linear")
sample("cubic_guarded", 2.0, 6, 2, { 1.0 })
local _, free = filter "cubic".of(-0.5).sample(f64, -0.25, 6)
tap.same(free, { -0.0234375, 0.2265625, 0.8671875, -0.0703125 }, "cubic with another parameter")
tap.is(filter "cubic".of(-0.5).sample(f64, 9.5, 6), 8, "cubic: a base outside the input stays")
tap.is(#select(2, filter "cubic".taps(f64, 2, -2.0 ^ -30, -0.75)), 4, "cubic: a way below 0 counts")
tap.is(filter "cubic".of(-0.5).taps, 4, "taps of cubic")
tap.is(filter "nearest".taps, 1, "taps of nearest")
tap.is(filter "nearest_exact".taps, 1, "taps of nearest-exact")

for _, rounding in ipairs { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" } do
  tap.is(filter "nearest_onnx"[rounding].taps, 1, rounding .. ": taps")
  tap.is(filter "nearest_onnx"[rounding].name, rounding, rounding .. ": name")
end
tap.is(filter "nearest_rounded".taps, 1, "taps of nearest, rounded")
for _, name in ipairs { "linear_onnx", "linear_promoted", "linear_tflite" } do
  tap.is(filter(name).taps, 2, name .. ": taps")
  tap.is(filter(name).name, "linear", name .. ": name")
end

-- taps outside the input, excluded ----------------------------------------------------------------

local exclude = require "upweave.resample.exclude"
local function excluded(first, weights, input, want, title)
  local at, kept = exclude(f64, first, weights, input)
  tap.is(at .. ": " .. table.concat(kept, " "), want, "exclude: " .. title)
end
excluded(1, { 0.5, 0.5 }, 4, "1: 0.5 0.5", "all inside")
excluded(-1, { 0.5, 0.25, 0.25 }, 4, "0: 0.5 0.5", "one on the left")
excluded(2, { 0.25, 0.25, 0.5 }, 4, "2: 0.5 0.5", "one on the right")
excluded(-1, { 1.0 }, 4, "0: 1.0", "nothing left of the input")
excluded(4, { 1.0 }, 4, "3: 1.0", "nothing right of it")
excluded(0, { 1.0 }, 4, "0: 1.0", "the first pixel alone")
excluded(0, { 0.0, 1.0 }, 1, "0: 1.0", "weights of 0 only")

-- windows -----------------------------------------------------------------------------------------

local function window(o, input, output, first, weights)
  local at, got = filter "box".window(f64, o, input, output)
  local title = ("box: output %d of %d to %d"):format(o, input, output)
  tap.is(at, first, title)
  tap.same(got, weights, title .. ": weights")
end
window(0, 4, 2, 0, { 0.5, 0.5 })
window(1, 4, 2, 2, { 0.5, 0.5 })
window(1, 5, 3, 1, { 1 / 3, 1 / 3, 1 / 3 })
window(2, 5, 3, 3, { 0.5, 0.5 })
window(3, 2, 6, 1, { 1.0 })

-- kernels -----------------------------------------------------------------------------------------

local function kernel(name, x, want)
  tap.is(filter(name).kernel(f64, x), want, ("%s of %s"):format(name, x))
end
kernel("triangle", 0.25, 0.75)
kernel("triangle", -0.25, 0.75)
kernel("triangle", 1.0, 0.0)
kernel("triangle", -1.5, 0.0)
kernel("keys_half", 0.0, 1.0)
kernel("keys_half", -0.5, 0.5625)
kernel("keys_half", 1.5, -0.0625)
kernel("keys_half", -1.5, -0.0625)
kernel("keys_half", 2.5, 0.0)
tap.is(filter "triangle".radius, 1, "radius of the triangle")
tap.is(filter "keys_half".radius, 2, "radius of Keys' kernel")

local keys = filter "keys"
tap.is(keys.near(f64, 0.5, -0.75, keys.fused), 0.59375, "Keys: near")
tap.is(keys.far(f64, 1.5, -0.75, keys.fused), -0.09375, "Keys: far")
local above, below = 1 + 2.0 ^ -23, 1 - 2.0 ^ -23
tap.is(keys.fused(f32, above, below, -1.0), -2.0 ^ -46, "fused: the product is not rounded")
tap.is(keys.apart(f32, above, below, -1.0), 0.0, "apart: it is")
tap.is(keys.apart(f32, 3.0, 0.5, 0.25), 1.75, "apart: a product and a sum")

-- modes: the ranks that the framework accepts, what antialias and corners make of them

local function line_of(mode)
  return ("%s %s%s%s"):format(mode.name, table.concat(mode.ranks, ","),
    mode.aligned and " corners" or "", mode.smooth and " " .. mode.smooth.name or "")
end
local listed = {}
for i, mode in ipairs(modes.list) do listed[i] = line_of(mode) end
tap.same(listed, { "nearest 1,2,3", "nearest-exact 1,2,3", "linear 1 corners",
  "bilinear 2 corners triangle", "bicubic 2 corners keys_half", "trilinear 3 corners",
  "area 1,2,3" }, "modes")

-- axis maps: nothing but the outputs --------------------------------------------------------------

local function axis(mode, input, output, antialias)
  local m = lists.named(modes.list, mode)
  local chosen = antialias and m.smooth or m.sharp
  return build.axis { name = "w", input = input, output = output, filter = chosen,
    copies_equal_sizes = chosen.copies_equal_sizes, coordinates = m.coordinates, arithmetic = f32,
    work = "f32", stretch = require "upweave.resample.stretch.cut" }
end
local function keys_of(list)
  local n = 0
  for _ in pairs(list) do n = n + 1 end
  return n
end
for _, case in ipairs { { "bilinear", 5, 9 }, { "area", 7, 3 }, { "bilinear", 9, 4, true },
  { "bicubic", 9, 9, true }, { "nearest", 4, 7 } } do
  local map, terms = axis(table.unpack(case))
  local title = ("%s %d to %d%s"):format(case[1], case[2], case[3], case[4] and " smooth" or "")
  tap.is(keys_of(map.taps), case[3], title .. ": as many taps as outputs")
  tap.is(map.name .. map.input .. "/" .. map.output, "w" .. case[2] .. "/" .. case[3], title)
  tap.ok(terms >= map:cost().widest, title .. ": terms")
end
local function terms_of(...) return (select(2, axis(...))) end
tap.is(terms_of("bilinear", 5, 9), 2, "terms: linear")
tap.is(terms_of("bicubic", 5, 9), 4, "terms: cubic")
tap.is(terms_of("bilinear", 5, 5), 1, "terms: a copy")
tap.is(terms_of("bicubic", 5, 5), 4, "terms: cubic is no copy")
tap.is(terms_of("bicubic", 5, 5, true), 1, "terms: antialiased, it is")
tap.is(terms_of("area", 7, 3), 3, "terms: area, windows of three")
tap.is(terms_of("area", 3, 7), 2, "terms: area, enlarging")
tap.is(terms_of("area", 3, 6), 1, "terms: area, by a whole number")
tap.is(terms_of("bilinear", 1, 4, true), 1, "terms: antialiased, one input")
tap.is(terms_of("bilinear", 8, 4, true), 4, "terms: antialiased by two")
tap.is(terms_of("bilinear", 4, 8, true), 2, "terms: antialiased, enlarging")

tap.done()
