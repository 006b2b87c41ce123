-- SPDX-License-Identifier: MIT
-- Test cases of ONNX: a folder with model.onnx and test_data_set_*/input_k.pb, output_k.pb.
--
-- Purpose: from such a folder to the kernel that it tests, its data and the result it wants, and
-- the comparison of a result with that. Inputs that decide shapes and coordinates are constants of
-- the kernel: their values are those of the data set.
-- Invariant: a case that cannot be run is told apart from one that is wrong, by the exit status of
-- its diagnostics.

local diagnostics = require "upweave.util.diagnostics"
local graphs = require "upweave.import.graph"
local import = require "upweave.import"
local ordered = require "upweave.util.ordered"
local tensors = require "upweave.import.tensor"
local text = require "upweave.util.text"
local uv = require "luv"

local M = {}

local RELATIVE <const>, ABSOLUTE <const> = 1e-3, 1e-7
local SET <const> = "^test_data_set_(%d+)$"

---@class upweave.OnnxRun one data set of a case
---@field problem table
---@field data { name: string, tensor: upweave.OnnxTensor }[]   inputs and parameters
---@field want upweave.OnnxTensor

local function no_case(folder, reason)
  return nil, { diagnostics.new("E073", { where = folder, reason = reason }) }
end

-- The data sets of a folder in the order of their numbers.
local function sets_of(folder)
  local scan, sets = uv.fs_scandir(folder), {}
  local name = scan and uv.fs_scandir_next(scan)
  while name do
    local number = tonumber(name:match(SET))
    if number then
      sets[#sets + 1] = { name = name, number = number }
    end
    name = uv.fs_scandir_next(scan)
  end
  table.sort(sets, function(a, b) return a.number < b.number end)
  return sets
end

-- The one node of a graph, if Upweave has its operator.
local function check_graph(folder, graph)
  local fault = graph.nodes[1] and import.operator_fault(graph, graph.nodes[1])
  if #graph.nodes ~= 1 then
    fault = diagnostics.new("E110", { where = folder, hint = false,
      what = ("a model of %d nodes"):format(#graph.nodes), reason = "cases of one node are run" })
  end
  return not fault, { fault }
end

-- The inputs of the graph become what the data set gives.
local function fill(graph, folder, set)
  for index, name in ipairs(graph.inputs) do
    local tensor, faults = import.tensor_file(("%s/%s/input_%d.pb"):format(folder, set, index - 1))
    if not tensor then
      return nil, faults
    end
    graphs.fix(graph, name, tensor)
  end
  return true
end

local function wanted(graph, item, folder, set)
  local want, faults = import.tensor_file(("%s/%s/output_0.pb"):format(folder, set))
  if not want then
    return nil, faults
  end
  local shape, dtype = import.output_shape(graph, item), item.problem.x.dtype
  if want.dtype ~= dtype or text.shape(want.shape) ~= text.shape(shape) then
    return no_case(folder .. "/" .. set, ("y is %s {%s} and the case wants %s {%s}"):format(dtype,
      text.shape(shape), want.dtype, text.shape(want.shape)))
  end
  return want
end

-- What the kernel's inputs and parameters hold, in the order of their names.
local function data_of(graph, item)
  local list = {}
  for index, name in ipairs(ordered.keys(item.tensors)) do
    local tensor, faults = graphs.data(graph, item.tensors[name])
    if not tensor then
      return nil, faults
    end
    list[index] = { name = name, tensor = tensor }
  end
  return list
end

local function read_run(folder, set)
  local graph, faults = import.file(folder .. "/model.onnx")
  local ok = graph
  if ok then
    ok, faults = check_graph(folder, graph)
  end
  if ok then
    ok, faults = fill(graph, folder, set)
  end
  if not ok then
    return nil, faults
  end
  local item = import.nodes(graph)[1]
  if not item.problem then
    return nil, item.faults
  end
  local data, want
  data, faults = data_of(graph, item)
  if data then
    want, faults = wanted(graph, item, folder, set)
  end
  if not want then
    return nil, faults
  end
  return { problem = item.problem, data = data, want = want }
end

--- The data sets of a case.
---@param folder string
---@return upweave.OnnxRun[]?
---@return upweave.Diagnostic[]? faults
function M.read(folder)
  local sets, runs = sets_of(folder), {}
  if not uv.fs_stat(folder .. "/model.onnx") then
    return no_case(folder, "there is no model.onnx in it")
  elseif #sets == 0 then
    return no_case(folder, "there is no test_data_set_0 in it")
  end
  for index, set in ipairs(sets) do
    local run, faults = read_run(folder, set.name)
    if not run then
      return nil, faults
    end
    runs[index] = run
  end
  return runs
end

local function close(got, want)
  if got == want or (got ~= got and want ~= want) then
    return true
  end
  local difference = math.abs(got - want)
  return difference <= ABSOLUTE + RELATIVE * math.abs(want) and difference < math.huge
end

--- The first element of a result that is not the wanted one, in words; nil if there is none.
---@param got string bytes
---@param want upweave.OnnxTensor
---@return string?
function M.difference(got, want)
  local next_got = tensors.numbers(got, want.dtype)
  for index, expected in tensors.numbers(want.bytes, want.dtype) do
    local _, value = next_got()
    if not close(value, expected) then
      return ("element %d of {%s} is %.9g and should be %.9g"):format(index - 1,
        text.shape(want.shape), value, expected)
    end
  end
end

return M
