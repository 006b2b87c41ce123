-- SPDX-License-Identifier: MIT
-- Conv and ConvTranspose: the fields of the kernel that a node is, and why it is none.

local tap = dofile "tests/lib/tap.lua"
local onnx = dofile "tests/lib/onnx.lua"
local import = require "upweave.import"

local function ints(name, ...) return { name = name, kind = "ints", value = { ... } } end
local function group(n) return { name = "group", kind = "int", value = n } end
local function auto_pad(value) return { name = "auto_pad", kind = "string", value = value } end

local function numbers(shape)
  local values = { 1 }
  for _, n in ipairs(shape) do
    for i = 1, #values * n do values[i] = i end
  end
  return values
end

-- W and B are inputs, or with `constant` the model's own.
local function add_parameters(c, model)
  for _, one in ipairs { { name = "W", shape = c.w }, c.b and { name = "B", shape = c.b } } do
    one.dtype = c.wdtype or "f32"
    if c.constant then one.values = numbers(one.shape) end
    local list = c.constant and model.initializers or model.inputs
    list[#list + 1] = one
  end
end

-- The node of a model: { op, opset, x, w, b, attributes, constant }, and the shape that it gives.
local function item_of(c)
  local model = { opset = c.opset, initializers = {}, outputs = { { name = "Y" } },
    inputs = { { name = "X", dtype = "f32", shape = c.x } },
    nodes = { { op = c.op or "Conv", inputs = { "X", "W", c.b and "B" }, outputs = { "Y" },
      attributes = c.attributes } } }
  add_parameters(c, model)
  local graph = assert(import.graph("a.onnx", onnx.model(model)))
  local item = import.nodes(graph)[1]
  return item, item.problem and table.concat(import.output_shape(graph, item), "x")
end

local function is(c, want, shape, name)
  local item, got = item_of(c)
  want.profile, want.note = "onnx", item.fields and item.fields.note
  tap.same(item.fields, want, name)
  tap.is(got, shape, name .. ": the output's shape")
  tap.is(item.tensors and item.tensors.weight, "W", name .. ": its weights")
  tap.is(item.tensors and item.tensors.bias, c.b and "B", name .. ": its bias")
end

local function planar(...)
  return { shape = { ... }, layout = ({ "NCW", "NCHW", "NCDHW" })[select("#", ...) - 2],
    dtype = "f32" }
end

for _, row in ipairs { { 7, 1 }, { 10, 1 }, { 11, 11 }, { 21, 11 }, { 22, 22 }, { 25, 22 } } do
  is({ opset = row[1], x = { 1, 2, 5, 6 }, w = { 4, 2, 3, 2 } },
    { op = "conv", opset = row[2], out_channels = 4, kernel_shape = { 3, 2 }, bias = false,
      x = planar(1, 2, 5, 6) }, "1x4x3x5", "Conv of opset " .. row[1])
end
is({ x = { 1, 4, 9 }, w = { 6, 2, 3 }, b = { 6 }, constant = true, opset = 13, attributes = {
  ints("kernel_shape", 3), ints("strides", 2), ints("dilations", 2), ints("pads", 1, 2),
  group(2), auto_pad("NOTSET") } },
  { op = "conv", opset = 11, out_channels = 6, kernel_shape = { 3 }, strides = { 2 },
    dilations = { 2 }, pads = { 1, 2 }, group = 2, auto_pad = "NOTSET", x = planar(1, 4, 9) },
  "1x6x4", "every attribute of Conv")
is({ op = "ConvTranspose", x = { 1, 4, 3, 3 }, w = { 4, 3, 3, 3 }, b = { 6 }, opset = 10,
  attributes = { ints("strides", 2, 2), group(2), ints("output_shape", 6, 7),
    ints("output_padding", 0, 1) } },
  { op = "conv_transpose", opset = 1, out_channels = 6, kernel_shape = { 3, 3 },
    strides = { 2, 2 }, group = 2, output_shape = { 6, 7 }, output_padding = { 0, 1 },
    x = planar(1, 4, 3, 3) }, "1x6x6x7", "ConvTranspose")
is({ op = "ConvTranspose", x = { 2, 1, 3, 4, 5 }, w = { 1, 2, 3, 3, 3 }, opset = 22 },
  { op = "conv_transpose", opset = 22, out_channels = 2, kernel_shape = { 3, 3, 3 }, bias = false,
    x = planar(2, 1, 3, 4, 5) }, "2x2x5x6x7", "ConvTranspose of rank 3")

-- Padding that the opset decides: all that is reached is 7.
local function begin(opset)
  return item_of({ op = "ConvTranspose", x = { 1, 1, 3 }, w = { 1, 1, 3 }, opset = opset,
    attributes = { ints("strides", 2), auto_pad("SAME_UPPER") } }).problem.padding[1]
end
tap.is(begin(10) .. begin(11) .. begin(22), "100", "the halves of opset 1 are swapped")

-- What is wrong is told with the input or attribute.
local X <const>, W <const> = { 1, 4, 5, 5 }, { 2, 4, 3, 3 }
for _, case in ipairs {
  { "E071", "Conv.W", { x = X, w = { 2, 3, 3, 3 } } },
  { "E071", "Conv.W", { x = X, w = { 2, 4, 3 } } },
  { "E071", "Conv.W", { x = X, w = W, attributes = { group(2) } } },
  { "E071", "Conv.W", { x = X, w = W, wdtype = "f16" } },
  { "E071", "Conv.W", { x = X, w = W, attributes = { group(0) } } },
  { "E071", "ConvTranspose.W", { op = "ConvTranspose", x = X, w = { 2, 4, 3, 3 } } },
  { "E071", "Conv.B", { x = X, w = W, b = { 4 } } },
  { "E071", "Conv.B", { x = X, w = W, b = { 2, 1 } } },
  { "E071", "Conv.kernel_shape", { x = X, w = W, attributes = { ints("kernel_shape", 3, 2) } } },
  { "E071", "Conv.output_shape", { x = X, w = W, attributes = { ints("output_shape", 3, 3) } } },
  { "E071", "Conv.pads", { x = X, w = W, attributes = { { name = "pads", kind = "int",
    value = 1 } } } },
  { "E110", "Conv.X", { x = { 1, 4 }, w = { 2, 4 } } },
  { "E110", "Conv.X", { x = { 1, 4, 2, 2, 2, 2 }, w = { 2, 4, 1, 1, 1, 1 } } },
  { "E110", "Conv.X", { x = { "N", 4, 5, 5 }, w = W } },
  { "E110", "Conv.W", { x = X, w = { 2, 4, "", 3 } } },
  { "E044", "conv.kernel_size", { x = X, w = { 2, 4, 6, 3 } } },
  { "E034", "conv.pads", { x = X, w = W, attributes = { ints("pads", 0, 0, -1, 0) } } },
  { "E032", "conv.auto_pad", { x = X, w = W, attributes = { auto_pad("SAME") } } },
} do
  local code, place, model = table.unpack(case)
  local fault = item_of(model).faults[1] or {}
  tap.is(("%s %s"):format(fault.code, fault.place), code .. " " .. place, place .. ": " .. code)
end

tap.done()
