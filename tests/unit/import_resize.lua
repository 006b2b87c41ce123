-- SPDX-License-Identifier: MIT
-- Resize and Upsample: the fields of the kernel that a node is, in every version of the operators.

local tap = dofile "tests/lib/tap.lua"
local onnx = dofile "tests/lib/onnx.lua"
local graphs = require "upweave.import.graph"
local import = require "upweave.import"
local tensors = require "upweave.import.tensor"

local NOTE <const> = "ONNX node 0: %s of %s"

local function item_of(bytes)
  return import.nodes(assert(import.graph("a.onnx", bytes)))[1]
end

-- A node's fields but for those that never differ here.
local function is(resize, want, name)
  local item = item_of(onnx.resize(resize))
  want.op, want.profile = "interpolate", "onnx"
  want.note = NOTE:format(resize.op or "Resize", table.concat(resize.shape, "x"))
  tap.same(item.fields, want, name)
end

local function planar(...) return { shape = { ... }, layout = "NCHW", dtype = "f32" } end

for _, row in ipairs { { 7, 7 }, { 8, 7 } } do
  is({ op = "Upsample", opset = row[1], shape = { 1, 2, 3, 4 }, attributes = {
    { name = "mode", kind = "string", value = "linear" },
    { name = "scales", kind = "floats", value = { 1, 1, 2, 1.5 } } } },
    { opset = row[2], mode = "linear", scale_factor = { 2.0, 1.5 }, x = planar(1, 2, 3, 4) },
    "Upsample of opset " .. row[1])
end
is({ op = "Upsample", opset = 9, shape = { 1, 2, 3, 4 }, scales = { 1, 1, 2, 3 } },
  { opset = 9, scale_factor = { 2.0, 3.0 }, x = planar(1, 2, 3, 4) }, "Upsample of opset 9")
for _, row in ipairs { { 10, 10 }, { 11, 11 }, { 12, 11 }, { 13, 13 }, { 17, 13 }, { 18, 18 },
  { 19, 19 }, { 22, 19 }, { 26, 19 } } do
  is({ opset = row[1], shape = { 1, 2, 3, 4 }, scales = { 1, 1, 2, 0.5 } },
    { opset = row[2], scale_factor = { 2.0, 0.5 }, x = planar(1, 2, 3, 4) },
    "Resize of opset " .. row[1])
end
for _, form in ipairs { { typed = true }, { typed = true, packed = true }, {} } do
  is({ opset = 13, shape = { 1, 2, 3, 4 }, sizes = { 1, 2, 6, 5 }, roi = {}, scales = {},
    typed = form.typed, packed = form.packed },
    { opset = 13, size = { 6, 5 }, x = planar(1, 2, 3, 4) }, "sizes; roi and scales are empty")
end

local function text(name, value) return { name = name, kind = "string", value = value } end
is({ shape = { 1, 1, 4, 4 }, sizes = { 1, 1, 8, 8 }, attributes = {
  text("mode", "cubic"), text("coordinate_transformation_mode", "pytorch_half_pixel"),
  text("nearest_mode", "ceil"), { name = "cubic_coeff_a", kind = "float", value = -0.5 },
  { name = "exclude_outside", kind = "int", value = 1 },
  { name = "extrapolation_value", kind = "float", value = 2.5 },
  { name = "antialias", kind = "int" }, text("keep_aspect_ratio_policy", "stretch") } },
  { opset = 19, mode = "cubic", coordinate_transformation_mode = "pytorch_half_pixel",
    nearest_mode = "ceil", cubic_coeff_a = -0.5, exclude_outside = true,
    extrapolation_value = 2.5, antialias = false, keep_aspect_ratio_policy = "stretch",
    size = { 8, 8 }, x = planar(1, 1, 4, 4) }, "every attribute")

local CROP <const> = text("coordinate_transformation_mode", "tf_crop_and_resize")
local function axes(...) return { name = "axes", kind = "ints", value = { ... } } end

is({ shape = { 1, 1, 4, 4 }, sizes = { 1, 1, 4, 3 }, attributes = { CROP },
  roi = { 0, 0, 0.25, 0, 1, 1, 0.75, 1 } },
  { opset = 19, coordinate_transformation_mode = "tf_crop_and_resize", size = { 4, 3 },
    roi = { 0.25, 0.0, 0.75, 1.0 }, x = planar(1, 1, 4, 4) },
  "an axis of which a region is cut out changes")
is({ shape = { 1, 1, 4, 4 }, sizes = { 1, 1, 4, 3 }, attributes = { CROP },
  roi = { 0, 0, 0, 0.5, 1, 1, 1, 1 } },
  { opset = 19, coordinate_transformation_mode = "tf_crop_and_resize", size = { 3 },
    roi = { 0.5, 1.0 }, x = { shape = { 1, 4, 4 }, layout = "NCW", dtype = "f32" } },
  "an axis cut out whole does not")
is({ shape = { 1, 1, 4, 5 }, sizes = { 3, 2 }, attributes = { CROP, axes(3, -2) },
  roi = { 0.5, 0.25, 1, 0.75 } },
  { opset = 19, coordinate_transformation_mode = "tf_crop_and_resize", size = { 2, 3 },
    roi = { 0.25, 0.5, 0.75, 1.0 }, x = planar(1, 1, 4, 5) }, "axes in another order")
is({ shape = { 1, 1, 4, 4 }, sizes = { 1, 1, 2, 2 }, roi = { 1, 2, 3 } },
  { opset = 19, size = { 2, 2 }, x = planar(1, 1, 4, 4) }, "other rules pay no heed to roi")
is({ shape = { 1, 6, 5, 3 }, scales = { 1, 2, 2, 1 } },
  { opset = 19, scale_factor = { 2.0, 2.0 },
    x = { shape = { 1, 6, 5, 3 }, layout = "NHWC", dtype = "f32" } }, "channels last")
is({ shape = { 2, 3, 4, 5 }, scales = { 2, 0.5 }, attributes = { axes(0, 3) } },
  { opset = 19, scale_factor = { 2.0, 1.0, 0.5 },
    x = { shape = { 1, 1, 2, 12, 5 }, layout = "NCDHW", dtype = "f32" } },
  "an axis that stays between two that do not")
is({ shape = { 2, 3, 4, 5 }, sizes = { 4, 10 }, attributes = { axes(0, 3) } },
  { opset = 19, size = { 4, 12, 10 },
    x = { shape = { 1, 1, 2, 12, 5 }, layout = "NCDHW", dtype = "f32" } },
  "the same with sizes")
is({ shape = { 2, 3 }, scales = { 1, 1 } },
  { opset = 19, scale_factor = { 1.0 },
    x = { shape = { 1, 2, 3 }, layout = "NCW", dtype = "f32" } }, "nothing changes")
is({ shape = { 1, 1, 4, 4 }, scales = { 1, 1, 1.125, 1 } },
  { opset = 19, scale_factor = { 1.125 },
    x = { shape = { 1, 4, 4 }, layout = "NWC", dtype = "f32" } },
  "a scale that leaves the size moves the positions")

-- keep_aspect_ratio_policy: one scale for all axes that the node lists, or that the tensor has.
local function keeping(policy, want, resize, name)
  want.keep_aspect_ratio_policy, want.opset = not want.settled and policy or nil, 19
  want.settled = nil
  resize.attributes = { text("keep_aspect_ratio_policy", policy), resize.axes and axes(
    table.unpack(resize.axes)) or nil }
  is(resize, want, policy .. ": " .. name)
end
keeping("not_smaller", { size = { 6, 5 }, x = planar(1, 2, 3, 4) },
  { shape = { 1, 2, 3, 4 }, sizes = { 6, 5 }, axes = { 2, 3 } }, "both axes")
keeping("not_smaller", { size = { 3, 5 }, x = planar(1, 2, 3, 4) },
  { shape = { 1, 2, 3, 4 }, sizes = { 3, 5 }, axes = { 2, 3 } },
  "an axis whose size stays is resized with the other one")
keeping("not_larger", { settled = true, size = { 4 },
  x = { shape = { 6, 3, 4 }, layout = "NCW", dtype = "f32" } },
  { shape = { 2, 3, 3, 4 }, sizes = { 3, 5 }, axes = { 2, 3 } }, "the scale is 1")
keeping("not_larger", { size = { 5, 7 }, axes = { 2, 4 },
  x = { shape = { 1, 1, 3, 8, 4 }, layout = "NCDHW", dtype = "f32" } },
  { shape = { 3, 2, 4, 4 }, sizes = { 7, 5 }, axes = { -1, 0 } }, "an axis between stays")
keeping("not_larger", { size = { 5, 7 }, axes = { 1, 3 },
  x = { shape = { 1, 3, 8, 4, 5 }, layout = "NDHWC", dtype = "f32" } },
  { shape = { 3, 2, 4, 4, 5 }, sizes = { 5, 7 }, axes = { 0, 3 } }, "so do those behind")
keeping("not_larger", { settled = true, size = { 4 },
  x = { shape = { 1, 3, 4 }, layout = "NCW", dtype = "f32" } },
  { shape = { 1, 1, 3, 4 }, sizes = { 1, 1, 6, 5 } }, "batch and channels count, too")

keeping("not_smaller", { settled = true, scale_factor = { 2.0, 3.0 }, x = planar(1, 2, 3, 4) },
  { shape = { 1, 2, 3, 4 }, scales = { 2, 3 }, axes = { 2, 3 } }, "says nothing of scales")
is({ shape = { 2, 3, 4, 5 }, sizes = { 2, 6, 8, 9 }, roi = { 0, 0, 0.5, 0, 1, 1, 0.75, 0.5 },
  attributes = { CROP, text("keep_aspect_ratio_policy", "not_larger") } },
  { opset = 19, coordinate_transformation_mode = "tf_crop_and_resize", size = { 4, 5 },
    roi = { 0.5, 0.0, 0.75, 0.5 }, x = planar(2, 3, 4, 5) }, "not_larger: the batch keeps the size")

-- Scales that a Constant node holds, or that the caller gives.
local graph = import.graph("a.onnx", onnx.model {
  nodes = { { op = "Resize", inputs = { "X", "", "s" }, outputs = { "Y" } } },
  inputs = { { name = "X", dtype = "u8", shape = { "N", 3, 4, 4 } } } })
tap.is(import.nodes(graph)[1].faults[1].code, "E110", "neither shape nor scales are known")
graphs.fix(graph, "s", tensors.of("f32", { 1.0, 1.0, 2.0, 3.0 }, { 4 }))
graphs.fix(graph, "X", tensors.of("u8", {}, { 0, 3, 4, 4 }))
local item = import.nodes(graph)[1]
tap.same(item.fields.x, { shape = { 0, 3, 4, 4 }, layout = "NCHW", dtype = "u8" }, "then they are")

tap.done()
