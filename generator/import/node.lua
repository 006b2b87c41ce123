-- SPDX-License-Identifier: MIT
-- Reading one node of ONNX.
--
-- Purpose: what the files of all operators need: is the node what a version of its operator may be,
-- what do its attributes and its constant inputs hold, and reports of what is wrong.
-- Invariant: a version lists all its attributes and inputs; whatever else a node has is an error,
-- so nothing is ignored.

local diagnostics = require "upweave.util.diagnostics"
local graphs = require "upweave.import.graph"
local list = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local tensors = require "upweave.import.tensor"
local text = require "upweave.util.text"

local M = {}

local MOST_ELEMENTS <const> = 2.0 ^ 40

---@class upweave.OnnxVersion of an operator
---@field since integer opset
---@field attributes string[][]? { name, kind }; nil if there is no such operator
---@field inputs string[]?

---@class upweave.NodeReader
---@field graph upweave.OnnxGraph
---@field node upweave.OnnxNode
---@field names string[] of its attributes, in order
---@field faults upweave.Diagnostic[]
---@field version upweave.OnnxVersion after `check`
local Node = {}
Node.__index = Node

---@param graph upweave.OnnxGraph
---@param node upweave.OnnxNode
---@param faults upweave.Diagnostic[] where reports go
---@return upweave.NodeReader
function M.new(graph, node, faults)
  return setmetatable({ graph = graph, node = node, faults = faults,
    names = ordered.keys(node.attributes) }, Node)
end

-- All reports give nil, so that a function can end with one.
local function report(self, code, key, fields, value)
  fields.place = ("%s.%s"):format(self.node.op, key)
  fields.where = self.node.place
    .. (value ~= nil and (": %s = %s"):format(key, text.value(value)) or "")
  self.faults[#self.faults + 1] = diagnostics.new(code, fields)
  return nil
end

--- Reports what no valid model has.
---@param key string an attribute or input
---@param reason string
---@param value any? what it is
function Node:invalid(key, reason, value)
  return report(self, "E071", key, { reason = reason }, value)
end

--- Reports what valid models may have.
---@param key string
---@param what string
---@param reason string
---@param hint string|false?
function Node:unsupported(key, what, reason, hint)
  return report(self, "E110", key, { what = what, reason = reason, hint = hint or false })
end

local function version_of(versions, opset)
  local found
  for _, version in ipairs(versions) do
    found = version.since <= opset and version or found
  end
  return found
end

local function check_attributes(self)
  local kinds = {}
  for _, row in ipairs(self.version.attributes) do
    kinds[row[1]] = row[2]
  end
  for _, name in ipairs(self.names) do
    local attribute = self.node.attributes[name]
    if not kinds[name] then
      return self:invalid(name, ("%s of opset %d has no such attribute"):format(self.node.op,
        self.version.since))
    elseif attribute.kind ~= kinds[name] then
      return self:invalid(name, ("it must be of type %s, not %s"):format(kinds[name],
        attribute.kind))
    end
  end
  return true
end

local function check_inputs(self)
  local inputs = self.version.inputs
  if #self.node.inputs > #inputs or (self.node.inputs[1] or "") == "" then
    return self:invalid("input", ("it has %d inputs; the operator has %s"):format(
      #self.node.inputs, table.concat(inputs, ", ")))
  elseif #self.node.outputs ~= 1 then
    return self:invalid("output", ("it has %d outputs and must have 1"):format(
      #self.node.outputs))
  end
  return true
end

--- Whether the node is what its operator's version for this opset may be.
---@param versions upweave.OnnxVersion[] oldest first
---@return boolean?
function Node:check(versions)
  if self.node.fault then
    return self:invalid("attribute", self.node.fault)
  end
  self.version = version_of(versions, self.graph.opset)
  if not self.version.attributes then
    return self:invalid("opset", ("opset %d does not have the operator"):format(self.graph.opset))
  end
  return check_attributes(self) and check_inputs(self)
end

--- The value of an attribute; nil if it is left out.
---@param name string
---@return any
function Node:attribute(name)
  local found = self.node.attributes[name]
  return found and found.value
end

-- The name of an input; "" if it is left out or the version does not have it.
local function name_of(self, key)
  for index, name in ipairs(self.version.inputs) do
    if name == key then
      return self.node.inputs[index] or ""
    end
  end
  return ""
end

-- Whether every size of an input is a known number, and there are not too many elements.
local function check_sizes(self, key, name, shape)
  local count = 1.0
  for axis, n in ipairs(shape) do
    if type(n) == "string" then
      local open = n == "?" and "not given" or "`" .. n .. "`"
      return self:unsupported(key, "an input of open shape",
        ("size %d of `%s` is %s"):format(axis - 1, name, open),
        n ~= "?" and ("--dim %s=1"):format(n))
    elseif n < 0 then
      return self:invalid(key, ("size %d of `%s` is %d"):format(axis - 1, name, n))
    end
    count = count * math.max(n, 1)
  end
  if #shape == 0 or count > MOST_ELEMENTS then
    return self:unsupported(key, "an input of shape {" .. text.shape(shape) .. "}",
      "a tensor has at least one axis and at most 2^40 bytes")
  end
  return true
end

--- The name of an input; nil if it is left out.
---@param key string
---@return string?
function Node:input(key)
  local name = name_of(self, key)
  return name ~= "" and name or nil
end

--- Shape and dtype of an input; nil after a report where they are not known.
---@param key string
---@return integer[]? shape
---@return string? dtype
function Node:tensor(key)
  local name = name_of(self, key)
  local value = self.graph.values[name] or {}
  if not value.shape then
    return self:unsupported(key, "an input of unknown shape",
      ("the model does not say the shape of `%s`"):format(name),
      "onnx.shape_inference.infer_shapes(model)")
  elseif not value.dtype then
    return self:unsupported(key, "an input of this data type",
      ("`%s` holds none of f32, f64, f16, bf16 and u8"):format(name))
  end
  if check_sizes(self, key, name, value.shape) then return value.shape, value.dtype end
end

--- The numbers of an input that must be constant: nil if it is left out or empty, nil and true if
--- something is wrong with it.
---@param key string
---@param dtypes string[] it may have
---@return number[]? values
---@return boolean? wrong
function Node:constant(key, dtypes)
  local name = name_of(self, key)
  local tensor, faults = graphs.constant(self.graph, name)
  if name == "" then
    return nil
  elseif faults then
    table.move(faults, 1, #faults, #self.faults + 1, self.faults)
  elseif not tensor then
    self:unsupported(key, ("%s that are computed"):format(key),
      ("`%s` is no constant of the model, and shapes must be known"):format(name),
      "onnxsim, or another tool that folds constants")
  elseif not list.contains(dtypes, tensor.dtype) or #tensor.shape ~= 1 then
    self:invalid(key, ("it must be a list of %s; it is %s {%s}"):format(
      table.concat(dtypes, " or "), tensor.dtype, text.shape(tensor.shape)))
  else
    return #tensor.bytes > 0 and tensors.values(tensor) or nil
  end
  return nil, true
end

return M
