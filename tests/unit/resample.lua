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

tap.done()
