-- SPDX-License-Identifier: MIT
-- Operators: tensors and their layouts, the registry, and what interpolate makes of its arguments.

local tap = dofile "tests/lib/tap.lua"
local ops = require "upweave.ops"
local spec = require "upweave.spec"
local tensor = require "upweave.ops.tensor"

-- Tensors.
local nchw = { shape = { 1, 3, 5, 7 }, layout = "NCHW", dtype = "f32" }
tap.same(tensor.spatial(nchw), { 5, 7 }, "spatial sizes, planar")
tap.is(tensor.channels(nchw), 3, "channels, planar")
local nhwc = tensor.relaid(nchw, "NHWC")
tap.same(nhwc, { shape = { 1, 5, 7, 3 }, layout = "NHWC", dtype = "f32" }, "relaid")
tap.same(tensor.relaid(nhwc, "NCHW"), nchw, "and back")
tap.same(tensor.spatial(nhwc), { 5, 7 }, "spatial sizes, interleaved")
tap.is(tensor.channels(nhwc), 3, "channels, interleaved")
tap.same(tensor.resized(nhwc, { 2, 4 }).shape, { 1, 2, 4, 3 }, "resized")
tap.ok(not tensor.equal(nchw, nhwc) and tensor.equal(nchw, nchw), "equality")
tap.is(tensor.describe(nhwc), "1x5x7x3 NHWC f32", "as text")
tap.same(tensor.layout_names(3), { "NCDHW", "NDHWC" }, "layouts of a rank, default first")
tap.same(tensor.record("x", "input", nchw), { name = "x", role = "input", shape = nchw.shape,
  layout = "NCHW", dtype = "f32", elems = 105, bytes = 420 }, "a record")
for _, case in ipairs {
  { { 1, 1 << 10, 1 << 14, 1 << 14 }, nil, "2^40 bytes are allowed" },
  { { 1, (1 << 10) + 1, 1 << 14, 1 << 14 }, "E037", "a channel more is not" },
  { { 1, 1, 2147483647, 1 }, nil, "2^31-1 elements a plane are allowed" },
  { { 1, 1, 1 << 31, 1 }, "E038", "one more is not" },
  { { 0, 1, 1 << 31, 1 }, "E038", "not even in an empty batch" },
  { { 1 << 62, 1 << 62, 1 << 62, 1 << 62 }, "E037", "no overflow" },
  { { 1, 1, 1e300, 1 }, "E037", "no integer" },
} do
  local code = tensor.limit("x", { shape = case[1], layout = "NCHW", dtype = "f32" })
  tap.is(code, case[2], case[3])
end

-- The registry.
local interpolate = ops.find("interpolate")
tap.is(interpolate.name, "interpolate", "found by its name")
local aliased, rank = ops.find("interpolate3d")
tap.ok(aliased == interpolate and rank == 3, "found by an alias that demands a rank")
tap.is(ops.find("resize"), nil, "not found")
tap.same(ops.names(), { "interpolate", "conv", "conv_transpose" }, "all names")
for _, attribute in ipairs(interpolate.attributes) do
  tap.ok(#attribute.doc > 10, attribute.name .. " says its rule")
end

-- Interpolate.
local function problem(fields)
  fields.op = fields.op or "interpolate"
  fields.x = fields.x or { shape = { 1, 2, 5, 7 } }
  local document, list = spec.validate { { name = "k", fields = fields, where = function()
    return "test"
  end } }
  return document and document.kernels[1], list
end

tap.same(problem { scale_factor = 2 }, {
  name = "k", op = "interpolate", profile = "torch", coord_math = "framework",
  numerics = "default", mode = "nearest", size = { 10, 14 }, scale_factor = { 2.0, 2.0 },
  align_corners = false, recompute_scale_factor = false, antialias = false,
  x = { shape = { 1, 2, 5, 7 }, layout = "NCHW", dtype = "f32" },
  y = { shape = { 1, 2, 10, 14 }, layout = "NCHW", dtype = "f32" },
}, "every default is explicit")

-- Output sizes are trunc(input * scale), the product in double; 49 * (1/49) is less than 1 there.
local SIZES <const> = {
  { 10, 0.3, 3 }, { 10, 0.7, 7 }, { 3, 1 / 3, 1 }, { 49, 1 / 49, nil }, { 49, 1.1, 53 },
  { 100, 0.29, 28 }, { 100, 1.15, 114 }, { 7, 2.9999999999999996, 20 }, { 5, 2.5, 12 },
}
local function inferred(input, scale)
  local made = problem { x = { shape = { 1, 1, input } }, scale_factor = scale }
  return made and made.size[1]
end
for _, case in ipairs(SIZES) do
  local input, scale, want = table.unpack(case, 1, 3)
  tap.is(inferred(input, scale), want, ("%d * %.17g"):format(input, scale))
end

-- The scale stays where it enters the coordinates.
local function scale_of(fields)
  fields.scale_factor = 1.5
  return problem(fields).scale_factor
end
tap.same(scale_of { mode = "bilinear" }, { 1.5, 1.5 }, "scale: kept")
tap.is(scale_of { mode = "bilinear", recompute_scale_factor = true }, nil, "scale: recomputed")
tap.is(scale_of { mode = "bilinear", align_corners = true }, nil, "scale: align_corners ignores it")
tap.is(scale_of { mode = "area" }, nil, "scale: area recomputes it")
tap.ok(problem({ mode = "area", scale_factor = 2 }).recompute_scale_factor, "and says so")
tap.ok(not problem({ mode = "area", size = 2 }).recompute_scale_factor, "with a size it does not")

-- What the rest of the compiler asks for.
local aa = problem { x = { shape = { 2, 9, 8, 3 }, layout = "NHWC" }, mode = "bicubic",
  antialias = true, size = { 3, 2 }, coord_math = "exact" }
local tensors = interpolate.tensors(aa)
tap.is(tensors[1].name .. tensors[1].role .. tensors[1].bytes, "xinput1728", "x")
tap.is(tensors[2].name .. tensors[2].role .. tensors[2].elems, "youtput36", "y")
tap.same(interpolate.reference(aa), {
  func = "upw_ref_interpolate", type = "struct upw_ref_interpolate",
  fields = {
    { "profile", "UPW_REF_TORCH" }, { "dtype", "UPW_REF_F32" },
    { "mode", "UPW_REF_BICUBIC" }, { "rank", "2" }, { "planar", "0" }, { "align_corners", "0" },
    { "antialias", "1" }, { "exact", "1" }, { "half_pixel_centers", "0" }, { "align_mode", "0" },
    { "coordinates", "0" }, { "nearest_mode", "0" }, { "exclude_outside", "0" },
    { "cubic_coeff_a", "0" }, { "extrapolation_value", "0" }, { "batch", "2" }, { "channels", "3" },
    { "in", "{9, 8, 0}" }, { "out", "{3, 2, 0}" }, { "scale", "{0, 0, 0}" },
    { "roi_start", "{0, 0, 0}" }, { "roi_end", "{0, 0, 0}" },
  },
}, "the parameters of the reference")
local one = problem { x = { shape = { 1, 2, 10 } }, mode = "nearest-exact", scale_factor = 0.3 }
tap.same(interpolate.reference(one).fields[3], { "mode", "UPW_REF_NEAREST_EXACT" }, "a mode's name")
tap.same(interpolate.reference(one).fields[20], { "scale", "{0.3, 0, 0}" }, "a scale")
tap.is(interpolate.formula(aa), "y[n,c,h,w] = sum Wh[h,ih] * Ww[w,iw] * x[n,c,ih,iw];"
  .. " filter keys_half stretched by max(1, r) at s = r*(o + 1/2) - 1/2, r = in/out", "formula")
tap.is(interpolate.formula(one), "y[n,c,w] = sum Ww[w,iw] * x[n,c,iw];"
  .. " filter nearest_exact at s = r*(o + 1/2) - 1/2, r = 1/scale_factor", "formula with a scale")
tap.is(interpolate.formula(problem { mode = "area", size = 2 }), "y[n,c,h,w] = sum Wh[h,ih] *"
  .. " Ww[w,iw] * x[n,c,ih,iw]; filter box over [floor(o*in/out), ceil((o + 1)*in/out))", "area")
tap.like(interpolate.formula(problem { mode = "bilinear", size = 2, align_corners = true }),
  "at s = o*(in - 1)/(out - 1)", "align_corners")
local plan = interpolate.plan(aa)
tap.is(plan.form .. #plan.axes .. plan.channels, "resample23", "the plan")

-- a region of interest: starts, then ends, of the axes in their order
local cropped = dofile("tests/lib/problems.lua").make {
  profile = "onnx", mode = "linear", x = { shape = { 1, 1, 4, 4 }, layout = "NCHW" },
  size = { 3, 3 }, coordinate_transformation_mode = "tf_crop_and_resize", axes = { 2, 3 },
  roi = { 0.1, 0.2, 0.7, 0.9 },
}
tap.same(cropped.roi, { 0.1, 0.2, 0.7, 0.9 }, "starts and ends of a region of interest")

-- equal sizes are a copy, for which PyTorch needs no filter of the type
local problems = dofile "tests/lib/problems.lua"
local function smooth(size)
  return problems.make { x = { shape = { 1, 1, 4, 4 }, layout = "NCHW", dtype = "f16" },
    mode = "bilinear", antialias = true, size = size }
end
tap.is(smooth({ 4, 4 }).antialias, true, "antialias of f16 where no size changes")
tap.ok(not pcall(smooth, { 4, 5 }), "and not where one does")

-- ---- sizes of listed axes only: the others keep theirs

local function sizes(axes, size)
  local listed = problems.make { profile = "onnx", mode = "linear", axes = axes, size = size,
    x = { shape = { 1, 3, 5, 7 }, layout = "NCHW" } }
  return table.concat(listed.y.shape, " ")
end
tap.is(sizes({ 3 }, { 9 }), "1 3 5 9", "the last axis alone")
tap.is(sizes({ 2 }, { 9 }), "1 3 9 7", "the one before it alone")
tap.is(sizes({ -1, -2 }, { 9, 11 }), "1 3 11 9", "both, counted from the end, in this order")

tap.done()
