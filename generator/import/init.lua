-- SPDX-License-Identifier: MIT
-- Import of ONNX models.
--
-- Purpose: from a .onnx file to its nodes, each with the kernel that it is or the reasons why it
-- is none. protobuf.lua knows the wire format, onnx.lua the messages, graph.lua what they say,
-- node.lua how one node is read; one file per family of operators (resize.lua, convolution.lua)
-- says which kernel a node is.
-- Invariants: a model is untrusted. Its file is read whole or refused; a kernel comes only if it
-- has passed the validation that specs pass.

local convolution = require "upweave.import.convolution"
local diagnostics = require "upweave.util.diagnostics"
local graphs = require "upweave.import.graph"
local names = require "upweave.spec.names"
local nodes = require "upweave.import.node"
local onnx = require "upweave.import.onnx"
local resize = require "upweave.import.resize"
local spec = require "upweave.spec"
local tensors = require "upweave.import.tensor"
local text = require "upweave.util.text"
local uv = require "luv"

local M = {}

local LARGEST_FILE <const> = 128 << 20
local FAMILIES <const> = { resize, convolution }

---@class upweave.ImportedNode
---@field node upweave.OnnxNode
---@field name string of the kernel
---@field fields table? the kernel as a spec says it
---@field problem table? the same, validated
---@field view upweave.AxesView? how its axes are those of the node's input; nil: they are the same
---@field tensors table<string, string> the values that its inputs and parameters are, by name
---@field faults upweave.Diagnostic[] why it is no kernel

-- Files -----------------------------------------------------------------------------------------

local function unreadable(path, reason)
  return nil, { diagnostics.new("E010", { where = path, reason = reason }) }
end

local function contents(path)
  local stat = uv.fs_stat(path)
  if stat and stat.type ~= "file" then
    return unreadable(path, "it is no plain file")
  elseif stat and stat.size > LARGEST_FILE then
    return nil, { diagnostics.new("E900", { where = path,
      reason = ("the file has %d bytes; %d are read"):format(stat.size, LARGEST_FILE),
      hint = "onnx.save_model(model, path, save_as_external_data=True)" }) }
  end
  local file, reason = io.open(path, "rb")
  if not file then
    return unreadable(path, reason:sub(#path + 3))
  end
  local bytes = file:read(LARGEST_FILE)
  file:close()
  return bytes or ""
end

local function source_of(path, bytes)
  return { path = path, folder = path:match("^(.*)/[^/]*$") or ".", text = bytes }
end

local function wire_fault(path, what, fault)
  local where = path .. (fault.path ~= "" and " " .. fault.path or "")
  local reason = ("%s, at byte %d"):format(fault.reason, fault.at)
  if fault.budget then
    return nil, { diagnostics.new("E900", { where = where, reason = reason, hint = false }) }
  end
  return nil, { diagnostics.new("E070", { where = where, what = what, reason = reason }) }
end

--- The graph in the bytes of a model.
---@param path string for the places, and for the folder where external data lie
---@param bytes string
---@param pinned? table<string, integer> sizes that the model leaves open, by name
---@return upweave.OnnxGraph?
---@return upweave.Diagnostic[]? faults
function M.graph(path, bytes, pinned)
  local message, fault = onnx.model(bytes)
  if not message then
    return wire_fault(path, "model", fault)
  end
  return graphs.read(message, source_of(path, bytes), pinned or {})
end

--- The graph of a model file.
---@param path string
---@param pinned? table<string, integer>
---@return upweave.OnnxGraph?
---@return upweave.Diagnostic[]? faults
function M.file(path, pinned)
  local bytes, faults = contents(path)
  if not bytes then
    return nil, faults
  end
  return M.graph(path, bytes, pinned)
end

--- The tensor in the bytes of a TensorProto.
---@param path string
---@param bytes string
---@return upweave.OnnxTensor?
---@return upweave.Diagnostic[]? faults
function M.tensor(path, bytes)
  local message, fault = onnx.tensor(bytes)
  if not message then
    return wire_fault(path, "tensor", fault)
  end
  return tensors.read(message, source_of(path, bytes))
end

--- The tensor in a file.
---@param path string
---@return upweave.OnnxTensor?
---@return upweave.Diagnostic[]? faults
function M.tensor_file(path)
  local bytes, faults = contents(path)
  if not bytes then
    return nil, faults
  end
  return M.tensor(path, bytes)
end

-- Nodes -----------------------------------------------------------------------------------------

local function family_of(graph, node)
  if node.domain ~= "" or graphs.is_function(graph, node) then
    return nil
  end
  for _, family in ipairs(FAMILIES) do
    for _, op in ipairs(family.operators) do
      if op == node.op then
        return family
      end
    end
  end
end

--- Why a node can be no kernel whatever it says: its operator. nil if it may be one.
---@param graph upweave.OnnxGraph
---@param node upweave.OnnxNode
---@return upweave.Diagnostic?
function M.operator_fault(graph, node)
  if family_of(graph, node) then
    return nil
  end
  local known = {}
  for _, family in ipairs(FAMILIES) do
    table.move(family.operators, 1, #family.operators, #known + 1, known)
  end
  local full = (node.domain ~= "" and node.domain .. "." or "") .. node.op
  local own = graphs.is_function(graph, node)
  return diagnostics.new("E110", { where = node.place, what = "operator " .. full, hint = false,
    reason = own and "the model defines it itself; inline its functions first"
      or ("%s and %s are imported"):format(table.concat(known, ", ", 1, #known - 1),
        known[#known]) })
end

-- A name for the kernel that no other one has.
local function free_name(node, taken)
  local wanted = node.name ~= "" and node.name or ("%s_%d"):format(node.op, node.index - 1)
  local reason, instead = names.fault(wanted)
  local stem = reason and instead or wanted
  local name, count = stem, 1
  while taken[name:lower()] do
    count = count + 1
    name = ("%s_%d"):format(stem:sub(1, 56):gsub("_$", ""), count)
  end
  for _, identifier in ipairs(names.taken_by(name)) do
    taken[identifier] = true
  end
  return name
end

-- What is worth knowing of the node behind a kernel, in plain characters.
local function note_of(graph, node)
  local shape = graph.values[node.inputs[1]].shape
  local label = node.name ~= "" and " `" .. node.name .. "`" or ""
  local note = ("ONNX node %d%s: %s of %s"):format(node.index - 1, label, node.op,
    text.shape(shape))
  return (note:sub(1, 400):gsub("[^\32-\126]", "?"))
end

local function validate(item, graph)
  local node = item.node
  item.fields.note = note_of(graph, node)
  local document, faults = spec.validate { { name = item.name, fields = item.fields,
    where = function() return node.place end } }
  if document then
    item.problem = document.kernels[1]
  else
    item.faults = faults
  end
end

--- The nodes of a graph, in its order.
---@param graph upweave.OnnxGraph
---@return upweave.ImportedNode[]
function M.nodes(graph)
  local items, taken = {}, {}
  for index, node in ipairs(graph.nodes) do
    local item = { node = node, faults = {}, name = free_name(node, taken) }
    item.faults[1] = M.operator_fault(graph, node)
    if #item.faults == 0 then
      local reader = nodes.new(graph, node, item.faults)
      item.fields, item.view, item.tensors = family_of(graph, node).fields(reader)
    end
    if item.fields then
      validate(item, graph)
    end
    items[index] = item
  end
  return items
end

--- The shape of a node's output in the node's own axes.
---@param graph upweave.OnnxGraph
---@param item upweave.ImportedNode with a problem
---@return integer[]
function M.output_shape(graph, item)
  if not item.view then
    return item.problem.y.shape
  end
  local input = graph.values[item.node.inputs[1]].shape
  local shape = table.move(input, 1, #input, 1, {})
  for index, axis in ipairs(item.view.spatial) do
    if axis ~= 0 then
      shape[axis] = item.problem.size[index]
    end
  end
  return shape
end

return M
