-- SPDX-License-Identifier: MIT
-- Must-fail tests: the exact text of what a spec is rejected with.

local diagnostics = require "upweave.util.diagnostics"
local import = require "upweave.import"
local json_spec = require "upweave.read.json_spec"
local lua_spec = require "upweave.read.lua_spec"
local onnx = dofile "tests/lib/onnx.lua"
local read = require "upweave.read"
local spec = require "upweave.spec"

local M = {}

local function text_of(kernels, list, options)
  local document
  if kernels then
    document, list = spec.validate(kernels, options)
  end
  return document and "accepted\n" or diagnostics.format(list)
end

--- What a Lua spec called a.lua gives.
function M.lua(source, options)
  local kernels, list = lua_spec.read("a.lua", source)
  return text_of(kernels, list, options)
end

--- What a JSON spec called a.json gives.
function M.json(source, options)
  local kernels, list = json_spec.read("a.json", source)
  return text_of(kernels, list, options)
end

--- What the fields of one interpolate kernel give, called k, in line 1 of a.lua.
function M.fields(fields, options)
  return M.lua('kernel "k" { op = "interpolate", ' .. fields .. " }", options)
end

--- What options give.
function M.flags(values, options)
  local document, list = read.flags(values, options)
  return document and "accepted\n" or diagnostics.format(list)
end

--- What a file gives.
function M.file(path, options)
  local document, list = read.file(path, options)
  return document and "accepted\n" or diagnostics.format(list)
end

--- What a model gives: its own mistakes, or those of its nodes.
function M.onnx(source)
  local bytes = load("local onnx = ... return " .. source)(onnx)
  local graph, all = import.graph("a.onnx", bytes)
  if not graph then
    return diagnostics.format(all)
  end
  all = {}
  for _, item in ipairs(import.nodes(graph)) do
    table.move(item.faults, 1, #item.faults, #all + 1, all)
  end
  return #all > 0 and diagnostics.format(all) or "accepted\n"
end

return M
