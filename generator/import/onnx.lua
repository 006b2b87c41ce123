-- SPDX-License-Identifier: MIT
-- The messages of ONNX.
--
-- Purpose: which fields of which messages are read, as data for import/protobuf.lua; the rest of a
-- file is passed over. Names are those of onnx.proto.
-- Invariant: nothing is judged here. What must not be ignored, because it would change a meaning,
-- is a field too, if only its presence (subgraphs, references to a function's attributes, …).

local protobuf = require "upweave.import.protobuf"

local M = {}

local schema = protobuf.schema

-- Numbers and raw bytes of a tensor stay where they are (slices) until somebody asks for them;
-- those in typed fields are decoded with the message.
local tensor = schema {
  { 1, "dims", "int", "list" },
  { 2, "data_type", "int" },
  { 3, "segment", "presence" },
  { 4, "float_data", "float", "list" },
  { 5, "int32_data", "int", "list" },
  { 6, "string_data", "presence" },
  { 7, "int64_data", "int", "list" },
  { 8, "name", "bytes" },
  { 9, "raw_data", "slice" },
  { 10, "double_data", "double", "list" },
  { 11, "uint64_data", "presence" },
  { 13, "external_data", schema { { 1, "key", "bytes" }, { 2, "value", "bytes" } }, "list" },
  { 14, "data_location", "int" },
}

local attribute = schema {
  { 1, "name", "bytes" },
  { 2, "f", "float" },
  { 3, "i", "int" },
  { 4, "s", "bytes" },
  { 5, "t", tensor },
  { 6, "g", "presence" },
  { 7, "floats", "float", "list" },
  { 8, "ints", "int", "list" },
  { 9, "strings", "bytes", "list" },
  { 20, "type", "int" },
  { 21, "ref_attr_name", "bytes" },
}

local node = schema {
  { 1, "input", "bytes", "list" },
  { 2, "output", "bytes", "list" },
  { 3, "name", "bytes" },
  { 4, "op_type", "bytes" },
  { 5, "attribute", attribute, "list" },
  { 7, "domain", "bytes" },
}

local dimension = schema { { 1, "dim_value", "int" }, { 2, "dim_param", "bytes" } }
local shape = schema { { 1, "dim", dimension, "list" } }
local tensor_type = schema { { 1, "elem_type", "int" }, { 2, "shape", shape } }
local value_info = schema {
  { 1, "name", "bytes" },
  { 2, "type", schema { { 1, "tensor_type", tensor_type } } },
}

local graph = schema {
  { 1, "node", node, "list" },
  { 2, "name", "bytes" },
  { 5, "initializer", tensor, "list" },
  { 11, "input", value_info, "list" },
  { 12, "output", value_info, "list" },
  { 13, "value_info", value_info, "list" },
  { 15, "sparse_initializer", "presence" },
}

local model = schema {
  { 1, "ir_version", "int" },
  { 7, "graph", graph },
  { 8, "opset_import", schema { { 1, "domain", "bytes" }, { 2, "version", "int" } }, "list" },
  { 25, "functions", schema { { 1, "name", "bytes" }, { 10, "domain", "bytes" } }, "list" },
}

--- A ModelProto.
---@param text string
---@return table? message
---@return upweave.ProtobufFault? fault
function M.model(text)
  return protobuf.decode(text, model)
end

--- A TensorProto.
---@param text string
---@return table? message
---@return upweave.ProtobufFault? fault
function M.tensor(text)
  return protobuf.decode(text, tensor)
end

return M
