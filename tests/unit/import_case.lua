-- SPDX-License-Identifier: MIT
-- Test cases of ONNX: what is read of a folder, and why there is nothing to run.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local onnx = dofile "tests/lib/onnx.lua"
local cases = require "upweave.import.case"
local uv = require "luv"

local function floats(name, shape, values)
  return onnx.tensor { name = name, dtype = "f32", shape = shape, values = values }
end

local MODEL <const> = onnx.model {
  nodes = { { op = "Resize", inputs = { "x", "", "s" }, outputs = { "y" } } },
  inputs = { { name = "x", dtype = "f32", shape = { 1, 1, 1, 2 } },
    { name = "s", dtype = "f32", shape = { 4 } } }, outputs = { { name = "y" } } }
local X <const> = floats("x", { 1, 1, 1, 2 }, { 1, 2 })
local TWICE <const> = floats("s", { 4 }, { 1, 1, 1, 2 })
local Y <const> = floats("y", { 1, 1, 1, 4 }, { 1, 1, 2, 2 })

-- A folder of a model and one data set, read.
local function read(model, inputs, wanted)
  local folder = command.folder()
  local set = folder .. "/test_data_set_0"
  assert(uv.fs_mkdir(set, 448))
  command.write(folder .. "/model.onnx", model)
  for index, input in ipairs(inputs) do
    command.write(("%s/input_%d.pb"):format(set, index - 1), input)
  end
  command.write(set .. "/output_0.pb", wanted)
  return cases.read(folder)
end

local function refused(code, name, ...)
  local runs, faults = read(...)
  tap.is(runs, nil, name .. ": nothing to run")
  tap.is(faults and faults[1].code, code, name .. ": " .. code)
end

local runs = read(MODEL, { X, TWICE }, Y)
local run = runs and #runs == 1 and runs[1] or { problem = { y = {} }, data = {}, want = {} }
tap.same(run.problem.y.shape, { 1, 1, 4 }, "the scale of the data set is the kernel's")
tap.is(run.data[1] and run.data[1].tensor.bytes, string.pack("<ff", 1, 2), "the input")
tap.is(run.want.bytes, string.pack("<ffff", 1, 1, 2, 2), "the output that is wanted")

refused("E070", "no model", "no model", { X, TWICE }, Y)
refused("E110", "another operator", onnx.model { nodes = { { op = "Relu", outputs = { "y" } } } },
  {}, Y)
refused("E110", "two nodes", onnx.model { nodes = { { op = "Relu", outputs = { "y" } },
  { op = "Relu", outputs = { "z" } } } }, {}, Y)
refused("E070", "a broken input", MODEL, { "\11", TWICE }, Y)
refused("E070", "a broken output", MODEL, { X, TWICE }, "\11")
refused("E073", "an output of another shape", MODEL, { X, TWICE }, X)
tap.is(cases.read(command.folder()), nil, "an empty folder is no case")

command.clean()
tap.done()
