-- SPDX-License-Identifier: MIT
-- Tables worked out by hand from the definitions, and pictures published by others.

local tap = dofile "tests/lib/tap.lua"
local resample = require "upweave.resample"
local reference = dofile "tests/lib/reference.lua"

local function problem(mode, input, output, more)
  local p = { op = "interpolate", profile = "torch", mode = mode, coord_math = "framework",
    align_corners = false, antialias = false, size = { output },
    x = { shape = { 1, 1, input }, layout = "NCW", dtype = "f32" } }
  for key, value in pairs(more or {}) do p[key] = value end
  return p
end

local function axis(...) return resample.plan(problem(...)).axes[1] end

local function positions(map)
  local out = {}
  for o, taps in ipairs(map.taps) do out[o] = taps.index[1] end
  return table.concat(out, " ")
end

-- "0:.3571": between x[0] and x[1], .3571 of the second.
local function linear_text(map)
  local out = {}
  for o, taps in ipairs(map.taps) do
    local i, t = taps.index[1], taps.weight[2] or 0
    if t > 0.99999 then i, t = i + 1, 0 end -- float noise below a whole position
    if t < 0.00001 then t = 0 end
    out[o] = t == 0 and ("%d"):format(i) or ("%d:%.4f"):format(i, t)
  end
  return table.concat(out, " ")
end

-- ---- positions and weights

for _, case in ipairs {
  { 4, 7, "0 0 1 1 2 2 3", "0 0 1 2 2 3 3", "0 0:0.3571 0:0.9286 1:0.5000 2:0.0714 2:0.6429 3",
    "0 0:0.5000 1 1:0.5000 2 2:0.5000 3" },
  { 7, 10, "0 0 1 2 2 3 4 4 5 6", "0 1 1 2 3 3 4 5 5 6",
    "0 0:0.5500 1:0.2500 1:0.9500 2:0.6500 3:0.3500 4:0.0500 4:0.7500 5:0.4500 6",
    "0 0:0.6667 1:0.3333 2 2:0.6667 3:0.3333 4 4:0.6667 5:0.3333 6" },
  { 5, 3, "0 1 3", "0 2 4", "0:0.3333 2 3:0.6667", "0 2 4" },
  { 3, 6, "0 0 1 1 2 2", "0 0 1 1 2 2", "0 0:0.2500 0:0.7500 1:0.2500 1:0.7500 2",
    "0 0:0.4000 0:0.8000 1:0.2000 1:0.6000 2" },
  { 10, 3, "0 3 6", "1 5 8", "1:0.1667 4:0.5000 7:0.8333", "0 4:0.5000 9" },
} do
  local input, output, name = case[1], case[2], ("%d -> %d "):format(case[1], case[2])
  tap.is(positions(axis("nearest", input, output)), case[3], name .. "nearest")
  tap.is(positions(axis("nearest-exact", input, output)), case[4], name .. "nearest-exact")
  tap.is(linear_text(axis("linear", input, output)), case[5], name .. "linear")
  tap.is(linear_text(axis("linear", input, output, { align_corners = true })), case[6],
    name .. "linear, corners aligned")
end

-- ---- where float32 coordinates and rational ones part

local function index_at(mode, input, output, o, coord_math)
  local taps = axis(mode, input, output, { coord_math = coord_math }).taps[o + 1]
  return taps.index[1]
end
tap.is(index_at("nearest", 2, 82, 41, "framework"), 0, "float32: 41 * (2/82) is below 1")
tap.is(index_at("nearest", 2, 82, 41, "exact"), 1, "exact: it is 1")
tap.is(positions(axis("nearest", 5, 11, { scale_factor = { 2.2 } })), "0 0 0 1 1 2 2 3 3 4 4",
  "scale_factor 2.2 of 5 pixels")
tap.is(positions(axis("nearest", 5, 5, { scale_factor = { 1.19 } })), "0 0 1 2 3",
  "a scale that keeps the size is followed, not copied (generic path)")
tap.is(positions(axis("nearest", 3, 6, { scale_factor = { 2.22 } })), "0 0 0 1 1 2",
  "a scale beside 2 is followed, not halved (generic path)")

-- ---- 1-pixel images

local function whole(mode, input, output, more)
  local taps = axis(mode, input, output, more).taps
  return table.concat(taps[1].index, " ") .. " * " .. table.concat(taps[1].weight, " ")
end
tap.is(whole("linear", 4, 1), "1 2 * 0.5 0.5", "one output is the centre")
tap.is(whole("linear", 4, 1, { align_corners = true }), "0 * 1.0", "aligned: the first pixel")
tap.is(whole("area", 4, 1), "0 1 2 3 * 0.25 0.25 0.25 0.25", "area: the mean of all")
tap.is(axis("bicubic", 1, 3, { align_corners = true }):cost().taps, 3, "one input: its own value")
tap.ok(axis("bicubic", 1, 3, { align_corners = true }):is_copy(), "aligned: with weight 1")

-- ---- bicubic weights, a = -3/4

tap.same(axis("bicubic", 8, 16).taps[9], { index = { 2, 3, 4, 5 },
  weight = { -0.03515625, 0.26171875, 0.87890625, -0.10546875 } }, "bicubic 2x, t = 3/4")
tap.same(axis("bicubic", 8, 16, { antialias = true }).taps[9].index, { 2, 3, 4, 5 },
  "antialiased upsampling has the same taps")
tap.ok(math.abs(axis("bicubic", 8, 16, { antialias = true }).taps[9].weight[1] + 0.0234375) < 1e-7,
  "but a = -1/2")

-- ---- antialiased downsampling

local down = axis("bilinear", 30, 10, { antialias = true }).taps[5]
tap.same(down.index, { 11, 12, 13, 14, 15 }, "a triangle of 3 pixels' radius")
for k, w in ipairs { 1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9 } do
  tap.ok(math.abs(down.weight[k] - w) < 1e-7, "weight " .. k)
end

-- ---- a 3 x 3 picture doubled (values quoted in tensorflow/tfjs#1729)

local want = {
  1, 1.25, 1.75, 2.25, 2.75, 3, 1.75, 2, 2.5, 3, 3.5, 3.75, 3.25, 3.5, 4, 4.5, 5, 5.25,
  4.75, 5, 5.5, 6, 6.5, 6.75, 6.25, 6.5, 7, 7.5, 8, 8.25, 7, 7.25, 7.75, 8.25, 8.75, 9,
}
local picture = problem("bilinear", 0, 0, { size = { 6, 6 },
  x = { shape = { 1, 1, 3, 3 }, layout = "NCHW", dtype = "f32" } })
local got, magnitude, terms = reference.interpolate(picture, { 1, 2, 3, 4, 5, 6, 7, 8, 9 })
local differ = 0
for i, v in ipairs(want) do
  if got[i] ~= v or magnitude[i] ~= v then differ = differ + 1 end
end
tap.is(differ, 0, "the reference doubles a picture")
tap.is(terms[1], 1, "a corner has one term")
tap.is(terms[8], 4, "the inside has four")

tap.done()
