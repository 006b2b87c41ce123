-- SPDX-License-Identifier: MIT
-- What an ONNX graph says: nodes, attributes in all their forms, shapes and constants.

local tap = dofile "tests/lib/tap.lua"
local onnx = dofile "tests/lib/onnx.lua"
local graphs = require "upweave.import.graph"
local import = require "upweave.import"
local tensors = require "upweave.import.tensor"

local function graph_of(fields, pinned)
  return import.graph("a.onnx", onnx.model(fields), pinned)
end

local VALUES <const> = {
  { kind = "float", value = 0.5 }, { kind = "int", value = -3 }, { kind = "string", value = "a\0" },
  { kind = "floats", value = { 1.0, -2.5 } }, { kind = "ints", value = { -1, 300 } },
  { kind = "strings", value = { "a", "bc" } },
}

for _, untyped in ipairs { false, true } do
  for _, packed in ipairs { false, true } do
    local attributes, want = {}, {}
    for _, one in ipairs(VALUES) do
      attributes[#attributes + 1] = { name = one.kind, kind = one.kind, value = one.value,
        untyped = untyped, packed = packed }
      want[one.kind] = { kind = one.kind, value = one.value }
    end
    local graph = graph_of { nodes = { { op = "A", outputs = {}, attributes = attributes } } }
    tap.same(graph.nodes[1].attributes, want, ("attributes%s%s"):format(
      untyped and " without their types" or "", packed and ", packed" or ""))
  end
end

local function attribute_of(one)
  one.name = "a"
  local node = graph_of({ nodes = { { op = "A", outputs = {}, attributes = { one } } } }).nodes[1]
  return node.attributes.a or node.fault
end
tap.same(attribute_of { kind = "int" }, { kind = "int", value = 0 }, "0 may be left out")
tap.same(attribute_of { kind = "float" }, { kind = "float", value = 0.0 }, "0.0 may be left out")
tap.same(attribute_of { kind = "string" }, { kind = "string", value = "" }, "so may no text")
tap.same(attribute_of { kind = "ints" }, { kind = "ints", value = {} }, "so may no numbers")
tap.is(attribute_of({ kind = "graph", value = "" }).kind, "other", "a subgraph is passed over")
tap.is(attribute_of({ kind = "int", untyped = true }).kind, "other", "neither type nor value")
tap.is(attribute_of { kind = "tensor" }, "attribute `a` has no value", "a tensor left out")

local graph = graph_of {
  opset = 13,
  nodes = {
    { op = "Constant", outputs = { "t" }, attributes = { { name = "value", kind = "tensor",
      value = { dtype = "i64", shape = { 2 }, values = { 5, -6 }, typed = true } } } },
    { op = "Constant", outputs = { "f" }, attributes = { { name = "value_float", kind = "float",
      value = 2.0 } } },
    { op = "Constant", outputs = { "fs" }, attributes = { { name = "value_floats", kind = "floats",
      value = { 1.0, 2.0 } } } },
    { op = "Constant", outputs = { "is" }, attributes = { { name = "value_ints", kind = "ints",
      value = { 3 } } } },
    { op = "Constant", outputs = { "wrong" }, attributes = { { name = "value_int", kind = "float",
      value = 1.5 } } },
    { op = "Constant", domain = "other", outputs = { "foreign" }, attributes = { {
      name = "value_int", kind = "int", value = 1 } } },
    { op = "Relu", name = "r", domain = "ai.onnx", inputs = { "x", "" }, outputs = { "y", "" } },
    { op = "Relu", inputs = { "x" }, outputs = { "z", "" } },
  },
  inputs = { { name = "x", dtype = "f16", shape = { "N", 3, "", "M" } },
    { name = "odd", dtype = 8 }, { name = "bare" }, { name = "w" } },
  outputs = { { name = "y", dtype = "f32", shape = {} } },
  values = { { name = "z", dtype = "u8", shape = { 1, 2 } } },
  initializers = { { name = "w", dtype = "f32", shape = { 2 }, values = { 1.5, 2.5 } } },
}
tap.is(graph.opset, 13, "the opset")
tap.same(graph.inputs, { "x", "odd", "bare", "w" }, "the inputs")
tap.same(graph.outputs, { "y" }, "the outputs")
tap.same(graph.values.x, { dtype = "f16", shape = { "N", 3, "?", "M" } },
  "open sizes have names, or none")
tap.same(graph.values.odd, {}, "a data type without a name here")
tap.same(graph.values.bare, {}, "nothing is said of a value")
tap.same(graph.values.y, { dtype = "f32", shape = {} }, "a scalar")
tap.same(graph.values.z, { dtype = "u8", shape = { 1, 2 } }, "value_info")
tap.same(graph.values.w.shape, { 2 }, "an initializer has its own shape")
tap.is(graph.nodes[7].place, "a.onnx node 6 `r` (Relu)", "the place of a node")
tap.is(graph.nodes[7].domain, "", "ONNX's own domain by its long name")

local function constant(name)
  local tensor = graphs.constant(graph, name)
  return tensor and tensors.values(tensor), tensor and tensor.dtype
end
tap.same({ constant("t") }, { { 5, -6 }, "i64" }, "a constant tensor")
tap.same({ constant("f") }, { { 2.0 }, "f32" }, "a constant float")
tap.same({ constant("fs") }, { { 1.0, 2.0 }, "f32" }, "constant floats")
tap.same({ constant("is") }, { { 3 }, "i64" }, "constant integers")
tap.same({ constant("w") }, { { 1.5, 2.5 }, "f32" }, "an initializer")
tap.is(constant("wrong"), nil, "a constant of two minds")
tap.is(constant("foreign"), nil, "a Constant of somebody else")
tap.is(constant("x"), nil, "an input is no constant")
graphs.fix(graph, "x", tensors.of("f32", { 7.0 }, { 1 }))
tap.same({ constant("x") }, { { 7.0 }, "f32" }, "unless it is made one")
tap.same(graph.values.x.shape, { 1 }, "with the shape of its contents")

local pinned = graph_of({ inputs = { { name = "x", shape = { "N", 3, "M" } } } }, { N = 2 })
tap.same(pinned.values.x.shape, { 2, 3, "M" }, "open sizes may be pinned")

local foreign = graph_of { opset = false, nodes = { { op = "A", domain = "own", outputs = {} } } }
tap.is(foreign and foreign.opset, nil, "operators of others need no version of ONNX's")
tap.is(import.nodes(foreign)[1].faults[1].code, "E110", "they are no kernels")

local defined = graph_of { functions = { { name = "A", domain = "own" } },
  nodes = { { op = "A", domain = "own", outputs = {} }, { op = "A", outputs = {} } } }
tap.ok(graphs.is_function(defined, defined.nodes[1]), "a function of the model, by its domain")
tap.ok(not graphs.is_function(defined, defined.nodes[2]), "not one of the same name in another")

-- Names of kernels are C identifiers, and each is there once.
local nodes = {}
for index, name in ipairs { "up", "up", "UP", "/model/up.1", "int", "", "up_2" } do
  nodes[index] = { op = "Relu", name = name, outputs = {} }
end
local names = {}
for index, item in ipairs(import.nodes(graph_of { nodes = nodes })) do names[index] = item.name end
tap.same(names, { "up", "up_2", "UP_3", "model_up_1", "my_int", "Relu_5", "up_2_2" }, "names")

tap.done()
