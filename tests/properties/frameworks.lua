-- SPDX-License-Identifier: MIT
-- What the frameworks themselves publish, and tables worked out by hand from their formulas: ONNX,
-- TFLite, Paddle. The source of each stands beside it.

local tap = dofile "tests/lib/tap.lua"
local resample = require "upweave.resample"
local reference = dofile "tests/lib/reference.lua"

local function problem(profile, mode, shape, size, more)
  local p = { op = "interpolate", profile = profile, coord_math = "framework", mode = mode,
    align_corners = false, half_pixel_centers = false, align_mode = 0, antialias = false,
    coordinate_transformation_mode = "half_pixel", nearest_mode = "round_prefer_floor",
    cubic_coeff_a = -0.75, exclude_outside = false, extrapolation_value = 0.0, size = size,
    x = { shape = shape, layout = "NCHW", dtype = "f32" } }
  for key, value in pairs(more or {}) do p[key] = value end
  return p
end

local function counted(n)
  local x = {}
  for i = 1, n do x[i] = i + 0.0 end
  return x
end

-- The plan's two axes applied to a picture, and what the reference says.
local function differences(p, x, want, tolerance)
  local axes, rows = resample.plan(p).axes, {}
  local h, w = axes[1], axes[2]
  for i = 0, h.input - 1 do
    rows[i + 1] = w:apply(table.move(x, i * w.input + 1, (i + 1) * w.input, 1, {}))
  end
  local by_reference, count = reference.interpolate(p, x), 0
  for o = 0, w.output - 1 do
    local column = {}
    for i, row in ipairs(rows) do column[i] = row[o + 1] end
    for r, value in ipairs(h:apply(column)) do
      local at = (r - 1) * w.output + o + 1
      if math.abs(value - want[at]) > tolerance
        or math.abs(by_reference[at] - want[at]) > tolerance then
        count = count + 1
      end
    end
  end
  return count
end

local function gives(name, p, x, want, tolerance)
  tap.is(differences(p, x, want, tolerance or 1e-5), 0, name)
end

-- ---- TFLite: resize_nearest_neighbor_test.cc and resize_bilinear_test.cc of TensorFlow

local function nearest(name, height, width, out_height, out_width, want, align, half)
  gives("TFLite nearest " .. name, problem("tflite", "nearest", { 1, 1, height, width },
    { out_height, out_width }, { align_corners = align, half_pixel_centers = half }),
    counted(height * width), want, 0)
end
nearest("2x2 to 1x1", 2, 2, 1, 1, { 1 })
nearest("2x2 to 1x1, aligned", 2, 2, 1, 1, { 1 }, true)
nearest("2x2 to 1x1, centres", 2, 2, 1, 1, { 4 }, false, true)
nearest("2x2 to 3x3", 2, 2, 3, 3, { 1, 1, 2, 1, 1, 2, 3, 3, 4 })
nearest("2x2 to 3x3, aligned", 2, 2, 3, 3, { 1, 2, 2, 3, 4, 4, 3, 4, 4 }, true)
nearest("2x2 to 3x3, centres", 2, 2, 3, 3, { 1, 2, 2, 3, 4, 4, 3, 4, 4 }, false, true)
nearest("3x3 to 2x2", 3, 3, 2, 2, { 1, 2, 4, 5 })
nearest("3x3 to 2x2, aligned", 3, 3, 2, 2, { 1, 3, 7, 9 }, true)
nearest("3x3 to 2x2, centres", 3, 3, 2, 2, { 1, 3, 7, 9 }, false, true)
nearest("2x2 to 2x5", 2, 2, 2, 5, { 1, 1, 1, 2, 2, 3, 3, 3, 4, 4 })
nearest("2x2 to 2x5, centres", 2, 2, 2, 5, { 1, 1, 2, 2, 2, 3, 3, 4, 4, 4 }, false, true)
nearest("4x4 to 3x3", 4, 4, 3, 3, { 1, 2, 3, 5, 6, 7, 9, 10, 11 })
nearest("4x4 to 3x3, aligned", 4, 4, 3, 3, { 1, 3, 4, 9, 11, 12, 13, 15, 16 }, true)
nearest("4x4 to 3x3, centres", 4, 4, 3, 3, { 1, 3, 4, 9, 11, 12, 13, 15, 16 }, false, true)
nearest("2x2 to 5x2, aligned centres", 2, 2, 5, 2, { 2, 2, 2, 2, 4, 4, 4, 4, 4, 4 }, true, true)
gives("TFLite bilinear 2x2 to 3x3", problem("tflite", "bilinear", { 1, 1, 2, 2 }, { 3, 3 }),
  { 3, 6, 9, 12 }, { 3, 5, 6, 7, 9, 10, 9, 11, 12 })

-- By hand: (o + 1/2) * 2/4 - 1/2 = -1/4, 1/4, 3/4, 5/4; left of 0 both neighbours are pixel 0.
gives("TFLite bilinear 2 to 4, centres", problem("tflite", "bilinear", { 1, 1, 1, 2 }, { 1, 4 },
  { half_pixel_centers = true }), { 0, 1 }, { 0, 0.25, 0.75, 1 })
-- o * 2/4 = 0, 1/2, 1, 3/2, the last beyond the last pixel; aligned: o * 1/3.
gives("TFLite bilinear 2 to 4", problem("tflite", "bilinear", { 1, 1, 1, 2 }, { 1, 4 }),
  { 0, 1 }, { 0, 0.5, 1, 1 })
gives("TFLite bilinear 2 to 4, aligned", problem("tflite", "bilinear", { 1, 1, 1, 2 }, { 1, 4 },
  { align_corners = true }), { 0, 1 }, { 0, 1 / 3, 2 / 3, 1 })
gives("TFLite bilinear 5 to 1, aligned", problem("tflite", "bilinear", { 1, 1, 1, 5 }, { 1, 1 },
  { align_corners = true }), counted(5), { 1 })

-- ---- Paddle: by hand from the formulas of paddle.nn.functional.interpolate's documentation, with
-- a ratio of 0 for one output (paddle/phi/kernels/cpu/interpolate_kernel.cc)

local function paddle(name, mode, input, output, want, more, tolerance)
  local p = problem("paddle", mode, { 1, 1, 1, input }, { 1, output }, more)
  local x = counted(input)
  for i, v in ipairs(x) do x[i] = v - 1 end -- a pixel's value is its place
  gives("Paddle " .. name, p, x, want, tolerance)
end
paddle("nearest 4 to 7", "nearest", 4, 7, { 0, 0, 1, 1, 2, 2, 3 })
paddle("nearest 4 to 7, aligned: o/2 + 1/2", "nearest", 4, 7, { 0, 1, 1, 2, 2, 3, 3 },
  { align_corners = true })
paddle("bilinear 2 to 4: o/2 - 1/4", "bilinear", 2, 4, { 0, 0.25, 0.75, 1 })
paddle("bilinear 2 to 4, align_mode 1: o/2", "bilinear", 2, 4, { 0, 0.5, 1, 1 },
  { align_mode = 1 })
paddle("bilinear 4 to 7, aligned: o/2", "bilinear", 4, 7, { 0, 0.5, 1, 1.5, 2, 2.5, 3 },
  { align_corners = true })
paddle("bilinear 4 to 7, aligned, whatever align_mode", "bilinear", 4, 7,
  { 0, 0.5, 1, 1.5, 2, 2.5, 3 }, { align_corners = true, align_mode = 1 })
paddle("bilinear 5 to 1: not the centre", "bilinear", 5, 1, { 0 })
paddle("bilinear 4 to 6 by 1.6: (o + 1/2)/1.6 - 1/2", "bilinear", 4, 6,
  { 0, 0.4375, 1.0625, 1.6875, 2.3125, 2.9375 }, { scale_factor = { 1.0, 1.6 } })
paddle("bicubic 4 to 2: at 1/2 and 5/2", "bicubic", 4, 2, { 0.40625, 2.59375 })
paddle("bicubic 4 to 2, align_mode without effect", "bicubic", 4, 2, { 0.40625, 2.59375 },
  { align_mode = 1 })
-- at -1/2: -3/32, 19/32, 19/32 fall on pixel 0 and -3/32 on pixel 1
paddle("bicubic 4 to 1", "bicubic", 4, 1, { -0.09375 })
paddle("area 5 to 3", "area", 5, 3, { 0.5, 2, 3.5 })
paddle("one axis of two that keeps its size is resampled", "bilinear", 3, 3,
  { 0, 0.75, 1.5, 0, 0.75, 1.5 }, { scale_factor = { 2.0, 4 / 3 }, size = { 2, 3 },
  align_mode = 1 })

-- ---- ONNX: literals of the operator's examples (Changelog, Resize-10; Operators, Resize)

local function onnx(name, mode, height, width, size, want, more)
  gives("ONNX " .. name, problem("onnx", mode, { 1, 1, height, width }, size, more),
    counted(height * width), want, 1e-6)
end
local old = { coordinate_transformation_mode = "asymmetric", nearest_mode = "simple",
  scale_factor = { 0.6, 0.6 } }
onnx("Resize-10 nearest, scale 0.6", "nearest", 2, 4, { 1, 2 }, { 1, 3 }, old)
onnx("Resize-10 linear, scale 0.6", "linear", 2, 4, { 1, 2 }, { 1, 2.66666651 }, old)
onnx("linear, scale 0.6", "linear", 2, 4, { 1, 2 }, { 2.6666665, 4.3333331 },
  { scale_factor = { 0.6, 0.6 } })
onnx("linear, corners aligned, scale 0.6", "linear", 2, 4, { 1, 2 }, { 1, 3.142857 },
  { scale_factor = { 0.6, 0.6 }, coordinate_transformation_mode = "align_corners" })
onnx("linear, scale 2", "linear", 2, 2, { 4, 4 }, { 1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5,
  2.75, 3.25, 3.5, 3, 3.25, 3.75, 4 }, { scale_factor = { 2.0, 2.0 } })
onnx("nearest, scale 2 and 3", "nearest", 2, 2, { 4, 6 }, { 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2,
  3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4 }, { scale_factor = { 2.0, 3.0 } })
onnx("cubic, scale 0.8", "cubic", 4, 4, { 3, 3 }, { 1.47119141, 2.78125, 4.08251953, 6.71142578,
  8.02148438, 9.32275391, 11.91650391, 13.2265625, 14.52783203 }, { scale_factor = { 0.8, 0.8 } })
onnx("cubic, a = -0.5, outside excluded, scale 0.8", "cubic", 4, 4, { 3, 3 }, { 1.36812675,
  2.6695014, 4.0133367, 6.57362535, 7.875, 9.2188353, 11.94896657, 13.25034122, 14.59417652 },
  { scale_factor = { 0.8, 0.8 }, cubic_coeff_a = -0.5, exclude_outside = true })

-- Which neighbour at -1/4 … 15/4 by quarters of 3 -> 12: by hand.
local function places(rounding)
  local p = problem("onnx", "nearest", { 1, 1, 1, 3 }, { 1, 6 }, { nearest_mode = rounding })
  local out = {}
  for o, taps in ipairs(resample.plan(p).axes[2].taps) do out[o] = taps.index[1] end
  return table.concat(out, " ")
end
tap.is(places("floor"), "0 0 0 1 1 2", "ONNX floor of -1/4, 1/4, 3/4, …")
tap.is(places("ceil"), "0 1 1 2 2 2", "ONNX ceil")
tap.is(places("round_prefer_floor"), "0 0 1 1 2 2", "ONNX rounding")
local function ties(rounding)
  local p = problem("onnx", "nearest", { 1, 1, 1, 4 }, { 1, 2 }, { nearest_mode = rounding })
  local taps = resample.plan(p).axes[2].taps
  return taps[1].index[1] .. " " .. taps[2].index[1]
end
tap.is(ties("round_prefer_floor"), "0 2", "ONNX ties to the floor: 1/2, 5/2")
tap.is(ties("round_prefer_ceil"), "1 3", "ONNX ties to the ceiling")

-- A window of the input, one half of which lies outside: sources -1, 0, 1, 2 and the value 9.
local cut = problem("onnx", "linear", { 1, 1, 1, 3 }, { 1, 4 }, { extrapolation_value = 9.0,
  coordinate_transformation_mode = "tf_crop_and_resize", roi = { 0.0, -0.5, 1.0, 1.0 } })
local plan = resample.plan(cut)
tap.same(plan.fill, { value = 9.0, lo = { 0, 1 }, hi = { 1, 4 } }, "ONNX: what is filled")
tap.same(table.pack(reference.interpolate(cut, { 5, 6, 7 }))[1], { 9.0, 5.0, 6.0, 7.0 },
  "ONNX: a window of the input")
cut.roi = { 0.0, 0.0, 1.0, 1.0 }
tap.is(resample.plan(cut).fill, nil, "ONNX: nothing is filled where all lies inside")
cut.roi = { 0.0, 1.5, 1.0, 2.0 }
plan = resample.plan(cut)
tap.is(plan.fill.lo[2] .. plan.fill.hi[2], "00", "ONNX: all is filled where nothing does")
cut.x.dtype, cut.mode = "u8", "nearest"
tap.is(math.type(resample.plan(cut).fill.value), "integer", "ONNX: a value of bytes is an integer")
cut.x.dtype, cut.extrapolation_value = "f16", 0.1
tap.is(resample.plan(cut).fill.value, 0.0999755859375, "ONNX: a value of f16 is one of f16")

tap.done()
