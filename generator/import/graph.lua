-- SPDX-License-Identifier: MIT
-- What an ONNX graph says.
--
-- Purpose: from a ModelProto to nodes with decoded attributes, and what is known of each value
-- without running anything: its shape, its dtype, its constant contents.
-- Invariants: a graph that contradicts itself is rejected as a whole; what only one node suffers
-- from is kept with that node, so that the others can still be listed. Contents of tensors are read
-- when they are asked for, and then only small ones.

local diagnostics = require "upweave.util.diagnostics"
local tensors = require "upweave.import.tensor"
local text = require "upweave.util.text"

local M = {}

local MOST_NODES <const> = 20000
local OLDEST_OPSET <const> = 7
local LARGEST_CONSTANT <const> = 64 -- numbers of what decides shapes and coordinates

---@class upweave.OnnxNode
---@field index integer
---@field name string "" if it has none
---@field op string
---@field domain string "" for ONNX's own
---@field inputs string[] "" where an optional input is left out
---@field outputs string[]
---@field attributes table<string, upweave.OnnxAttribute>
---@field fault string? why its attributes cannot be read
---@field place string for diagnostics

---@class upweave.OnnxAttribute
---@field kind "float"|"int"|"string"|"tensor"|"floats"|"ints"|"strings"|"other"
---@field value any

---@class upweave.OnnxValue
---@field shape (integer|string)[]? a name for a size that the model leaves open, "?" without one
---@field dtype string? nil if it is not given or has no name here

---@class upweave.OnnxGraph
---@field source upweave.OnnxSource
---@field opset integer? of ONNX's own operators; there is one if the graph has such
---@field nodes upweave.OnnxNode[]
---@field inputs string[] names, in order
---@field outputs string[]
---@field values table<string, upweave.OnnxValue>
---@field constants table<string, table> TensorProto or upweave.OnnxTensor
---@field functions table<string, boolean> operators that the model defines itself
---@field open table<string, boolean> names of sizes that the model leaves open

local function invalid(source, reason)
  return nil, { diagnostics.new("E071", { where = source.path, reason = reason }) }
end

-- ONNX's own domain has two names.
local function domain_of(name)
  return name and name ~= "ai.onnx" and name or ""
end

-- Attributes ------------------------------------------------------------------------------------

-- By the number of AttributeProto.type: kind, field, and what stands for a field left out.
local KINDS <const> = {
  { kind = "float", field = "f", default = 0.0 },
  { kind = "int", field = "i", default = 0 },
  { kind = "string", field = "s", default = "" },
  { kind = "tensor", field = "t" },
  { kind = "other", field = "g" },
  { kind = "floats", field = "floats" },
  { kind = "ints", field = "ints" },
  { kind = "strings", field = "strings" },
}
local OTHER <const> = { kind = "other", field = "g" }

-- The first writers left out the type: then the field that is there says it.
local function kind_of(proto)
  if (proto.type or 0) ~= 0 then
    return KINDS[proto.type] or OTHER
  end
  for _, kind in ipairs(KINDS) do
    local value = proto[kind.field]
    if value ~= nil and (type(value) ~= "table" or kind.kind == "tensor" or #value > 0) then
      return kind
    end
  end
  return OTHER
end

local function attributes_of(proto)
  local attributes = {}
  for _, one in ipairs(proto.attribute) do
    local name, kind = one.name or "", kind_of(one)
    local value = one[kind.field]
    if value == nil then
      value = kind.default
    end
    if one.ref_attr_name then
      return nil, ("attribute `%s` refers to one of a function"):format(name)
    elseif attributes[name] then
      return nil, ("attribute `%s` stands there twice"):format(name)
    elseif value == nil and kind ~= OTHER then
      return nil, ("attribute `%s` has no value"):format(name)
    end
    attributes[name] = { kind = kind.kind, value = value }
  end
  return attributes
end

-- Nodes -----------------------------------------------------------------------------------------

local function node_of(proto, index, source)
  local attributes, fault = attributes_of(proto)
  local node = {
    index = index,
    name = proto.name or "",
    op = proto.op_type or "",
    domain = domain_of(proto.domain),
    inputs = proto.input,
    outputs = proto.output,
    attributes = attributes or {},
    fault = fault,
  }
  node.place = ("%s node %d%s (%s)"):format(source.path, index - 1,
    node.name ~= "" and (" `%s`"):format(node.name) or "", node.op)
  return node
end

-- Every value is made once, and ONNX's own operators have a version.
local function check_nodes(graph)
  local made = {}
  for _, node in ipairs(graph.nodes) do
    if node.domain == "" and not graph.opset then
      return invalid(graph.source, "it does not say which version of ONNX's operators it uses")
    end
    for _, name in ipairs(node.outputs) do
      if made[name] then
        return invalid(graph.source, ("`%s` is the output of two nodes"):format(name))
      end
      made[name] = name ~= ""
    end
  end
  return true
end

-- Values ----------------------------------------------------------------------------------------

-- A size: a number, or the name of one that is open.
local function size_of(dimension, open, pinned)
  local n, name = dimension.dim_value, dimension.dim_param or ""
  if n or name == "" then
    return n or "?"
  end
  open[name] = true
  return pinned[name] or name
end

local function value_of(info, open, pinned)
  local kind = info.type and info.type.tensor_type
  if not kind then
    return {}
  end
  local value = { dtype = tensors.dtype(kind.elem_type) }
  if kind.shape then
    value.shape = {}
    for index, dimension in ipairs(kind.shape.dim) do
      value.shape[index] = size_of(dimension, open, pinned)
    end
  end
  return value
end

local function names_of(infos)
  local names = {}
  for index, info in ipairs(infos) do
    names[index] = info.name or ""
  end
  return names
end

local function add_values(graph, proto, pinned)
  for _, list in ipairs { proto.value_info, proto.output, proto.input } do
    for _, info in ipairs(list) do
      graph.values[info.name or ""] = value_of(info, graph.open, pinned)
    end
  end
  for _, tensor in ipairs(proto.initializer) do
    local name = tensor.name or ""
    if graph.constants[name] then
      return invalid(graph.source, ("two initializers are called `%s`"):format(name))
    end
    graph.constants[name] = tensor
    graph.values[name] = { shape = tensor.dims, dtype = tensors.dtype(tensor.data_type) }
  end
  return true
end

-- What a Constant node holds.
local function constant_of(node)
  local attributes = node.attributes
  local tensor = attributes.value
  if tensor and tensor.kind == "tensor" then
    return tensor.value
  end
  for _, row in ipairs { { "float", "f32" }, { "int", "i64" } } do
    local kind, dtype = table.unpack(row)
    local one, many = attributes["value_" .. kind], attributes["value_" .. kind .. "s"]
    if one and one.kind == kind then
      return tensors.of(dtype, { one.value }, {})
    elseif many and many.kind == kind .. "s" then
      return tensors.of(dtype, many.value, { #many.value })
    end
  end
end

local function add_constants(graph)
  for _, node in ipairs(graph.nodes) do
    local name = node.outputs[1]
    local constant = node.op == "Constant" and node.domain == "" and name and constant_of(node)
    if constant then
      graph.constants[name] = constant
      graph.values[name] = { shape = constant.shape or constant.dims,
        dtype = constant.dtype or tensors.dtype(constant.data_type) }
    end
  end
end

-- The model -------------------------------------------------------------------------------------

local function opset_of(message)
  for _, import in ipairs(message.opset_import) do
    if domain_of(import.domain) == "" then
      return import.version or 0
    end
  end
end

local function functions_of(message)
  local functions = {}
  for _, one in ipairs(message.functions) do
    functions[domain_of(one.domain) .. ":" .. (one.name or "")] = true
  end
  return functions
end

local function check_message(message, source)
  local proto, opset = message.graph, opset_of(message)
  local old = opset and opset < OLDEST_OPSET
  if not proto then
    return invalid(source, "it has no graph")
  elseif old or proto.sparse_initializer then
    return nil, { diagnostics.new("E110", { where = source.path,
      what = old and ("opset %d"):format(opset) or "a sparse initializer",
      reason = old and "opset 7 and newer are read" or "initializers must be dense",
      hint = old and "onnx.version_converter.convert_version(model, 13)" or false }) }
  elseif #proto.node > MOST_NODES then
    return nil, { diagnostics.new("E900", { where = source.path, hint = false,
      reason = ("the graph has %d nodes; %d are read"):format(#proto.node, MOST_NODES) }) }
  end
  return true
end

--- The graph of a ModelProto. `pinned` gives sizes that the model leaves open, by name.
---@param message table
---@param source upweave.OnnxSource
---@param pinned table<string, integer>
---@return upweave.OnnxGraph?
---@return upweave.Diagnostic[]? faults
function M.read(message, source, pinned)
  local ok, faults = check_message(message, source)
  if not ok then
    return nil, faults
  end
  local proto = message.graph
  local graph = { source = source, opset = opset_of(message), nodes = {}, values = {},
    constants = {}, open = {}, functions = functions_of(message), inputs = names_of(proto.input),
    outputs = names_of(proto.output) }
  for index, one in ipairs(proto.node) do
    graph.nodes[index] = node_of(one, index, source)
  end
  ok, faults = check_nodes(graph)
  if ok then
    ok, faults = add_values(graph, proto, pinned)
  end
  if not ok then
    return nil, faults
  end
  add_constants(graph)
  return graph
end

--- Whether a node is an operator that the model defines itself.
---@param graph upweave.OnnxGraph
---@param node upweave.OnnxNode
---@return boolean
function M.is_function(graph, node)
  return graph.functions[node.domain .. ":" .. node.op] == true
end

--- Gives an input of the model constant contents.
---@param graph upweave.OnnxGraph
---@param name string
---@param tensor upweave.OnnxTensor
function M.fix(graph, name, tensor)
  graph.constants[name] = tensor
  graph.values[name] = { shape = tensor.shape, dtype = tensor.dtype }
end

--- The contents of a value whatever its size; nil and no faults if it has none.
---@param graph upweave.OnnxGraph
---@param name string
---@return upweave.OnnxTensor?
---@return upweave.Diagnostic[]? faults
function M.data(graph, name)
  local constant = graph.constants[name]
  if not constant or constant.bytes then
    return constant
  end
  return tensors.read(constant, graph.source)
end

--- The constant contents of a value: nil and no faults if it is not constant.
---@param graph upweave.OnnxGraph
---@param name string
---@return upweave.OnnxTensor?
---@return upweave.Diagnostic[]? faults
function M.constant(graph, name)
  local constant, count = graph.constants[name], 1.0
  for _, n in ipairs(constant and constant.dims or {}) do
    count = count * n
  end
  if count > LARGEST_CONSTANT then
    return nil, { diagnostics.new("E071", { where = graph.source.path .. " tensor `" .. name .. "`",
      reason = ("it has the shape %s; one number for each axis is enough"):format(
        text.shape(constant.dims)) }) }
  end
  return M.data(graph, name)
end

return M
