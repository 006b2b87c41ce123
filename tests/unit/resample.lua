-- SPDX-License-Identifier: MIT
-- Plans of interpolate problems: sizes, terms, costs, the shapes of the tap tables.

local tap = dofile "tests/lib/tap.lua"
local resample = require "upweave.resample"

local function problem(fields)
  local p = {
    op = "interpolate", profile = "torch", coord_math = "framework", mode = "bilinear",
    align_corners = false, recompute_scale_factor = false, antialias = false,
    x = { shape = { 2, 3, 4, 6 }, layout = "NCHW", dtype = "f32" }, size = { 8, 12 },
  }
  for key, value in pairs(fields) do p[key] = value end
  return p
end

local plan = resample.plan(problem {})
tap.is(plan.form, "resample", "form")
tap.is(plan.batch, 2, "batch")
tap.is(plan.channels, 3, "channels")
tap.is(plan.planar, true, "NCHW is planar")
tap.is(plan.rank, 2, "rank")
tap.is(plan.terms, 4, "bilinear sums four terms")
tap.is(plan.copy, false, "bilinear is no copy")
tap.is(plan.bytes_read, 2 * 3 * 4 * 6 * 4, "bytes read")
tap.is(plan.bytes_written, 2 * 3 * 8 * 12 * 4, "bytes written")
tap.is(plan.axes[1].name .. plan.axes[2].name, "hw", "axes stand outermost first")
tap.same(plan.axes[1].taps[1], { index = { 0 }, weight = { 1.0 } }, "clamped taps are merged")
tap.same(plan.axes[1].taps[2], { index = { 0, 1 }, weight = { 0.75, 0.25 } }, "first full output")

-- ---- layouts

local wide = resample.plan(problem {
  x = { shape = { 2, 4, 6, 3 }, layout = "NHWC", dtype = "f32" } })
tap.is(wide.planar, false, "NHWC is interleaved")
tap.is(wide.channels, 3, "channels stand last")
tap.is(wide.axes[1].input, 4, "height")
tap.is(wide.axes[2].input, 6, "width")
local line = resample.plan(problem { mode = "linear", size = { 12 },
  x = { shape = { 2, 6, 3 }, layout = "NWC", dtype = "f32" } })
tap.is(line.axes[1].name, "w", "rank 1 has a width only")
tap.is(line.terms, 2, "linear sums two terms")
local cube = resample.plan(problem { mode = "trilinear", size = { 4, 8, 12 },
  x = { shape = { 1, 3, 2, 4, 6 }, layout = "NCDHW", dtype = "f32" } })
tap.is(cube.axes[1].name .. cube.axes[2].name .. cube.axes[3].name, "dhw", "rank 3")
tap.is(cube.terms, 8, "trilinear sums eight terms")

-- ---- terms, copies

tap.is(resample.plan(problem { mode = "bicubic" }).terms, 16, "bicubic sums 16 terms")
tap.is(resample.plan(problem { mode = "area", size = { 3, 4 } }).terms, 4,
  "area: windows of two and two")
tap.is(resample.plan(problem { antialias = true, size = { 2, 2 } }).terms, 15,
  "antialias: windows of three and five at most")
tap.is(resample.plan(problem { size = { 4, 12 } }).terms, 2, "an axis that is kept adds no terms")
local nearest = resample.plan(problem { mode = "nearest" })
tap.is(nearest.terms, 1, "nearest has one term")
tap.is(nearest.copy, true, "and is a copy")
tap.is(nearest.flops, 0, "without arithmetic")
tap.is(resample.plan(problem { size = { 4, 6 } }).copy, true, "equal sizes are a copy")
tap.is(resample.plan(problem { size = { 4, 12 } }).copy, false, "one of two axes is not enough")

-- ---- costs: per plane 18 and 30 operations a line, W first on 4 rows or H first on 6 columns

tap.is(plan.axes[1]:cost().flops, 6 * 3, "operations of a column")
tap.is(plan.axes[2]:cost().flops, 10 * 3, "operations of a row")
tap.is(plan.flops, 2 * 3 * math.min(4 * 30 + 12 * 18, 6 * 18 + 8 * 30), "the cheaper order counts")

-- ---- what enters the ratio

local function height(fields)
  fields.x = { shape = { 1, 1, 5, 1 }, layout = "NCHW", dtype = "f32" }
  return resample.plan(problem(fields)).axes[1]
end
local scaled = height { mode = "nearest", size = { 5, 1 }, scale_factor = { 1.19, 1.0 } }
tap.is(scaled.taps[2].index[1], 0, "a given scale factor enters")
tap.is(height { mode = "nearest", size = { 5, 1 } }.taps[2].index[1], 1, "otherwise the sizes do")
tap.same(height { size = { 9, 1 }, align_corners = true }.taps[2],
  { index = { 0, 1 }, weight = { 0.5, 0.5 } }, "corners aligned")
tap.same(height { size = { 3, 1 }, coord_math = "exact" }.taps[1].index, { 0, 1 }, "exact")
tap.is(height { size = { 3, 1 }, coord_math = "exact" }.taps[1].weight[2],
  (string.unpack("<f", string.pack("<f", 1 / 3))), "exact: a third, rounded once")
tap.ok(height { size = { 15, 1 } }.taps[3].weight[1] ~= height {
  size = { 15, 1 }, coord_math = "exact" }.taps[3].weight[1], "framework: its own rounding")

tap.done()
