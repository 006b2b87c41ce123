-- SPDX-License-Identifier: MIT
-- Verb: import.
--
-- Purpose: lists the nodes of an ONNX model, and which of them are kernels; -o writes these as a
-- spec; --test runs test cases of ONNX (cli/import_test.lua). Invariant: what is left out of a
-- spec is said.

local context = require "upweave.cli.context"
local diagnostics = require "upweave.util.diagnostics"
local import = require "upweave.import"
local import_test = require "upweave.cli.import_test"
local names = require "upweave.spec.names"
local ordered = require "upweave.util.ordered"
local output = require "upweave.cli.output"
local progress = require "upweave.toolchain.progress"
local text = require "upweave.util.text"
local write = require "upweave.import.write"

local M = {
  name = "import", summary = "lists the nodes of an ONNX model, or writes them as a spec",
  takes = "model", groups = { "target", "compile", "runner" },
  options = {
    { "-o --output", "output", "FILE", false, "a .lua or .json spec of the kernels" },
    { "--only", "only", "PATTERN", true, "keep the kernels whose name matches (shell wildcard)" },
    { "--dim", "dim", "NAME=N", true, "a size that the model leaves open" },
    { "--test", "test", nil, false, "run test cases: folders with model.onnx, test_data_set_*/" },
  },
}

local WRITERS <const> = { lua = write.lua, json = write.json }

-- --dim NAME=N
local function pinned_sizes(options)
  local pinned = {}
  for _, word in ipairs(options.dim or {}) do
    local name, digits = word:match("^(.+)=(%d+)$")
    local size = digits and math.tointeger(tonumber(digits))
    if not size then
      return nil, { diagnostics.new("E004", { option = "--dim", value = word,
        expected = "a name of the model, = and a whole number", hint = "--dim N=1" }) }
    end
    pinned[name] = size
  end
  return pinned
end

-- A --dim that names no open size of the model is a slip.
local function check_pinned(options, graph)
  local known = ordered.keys(graph.open)
  for _, word in ipairs(options.dim or {}) do
    if not graph.open[word:match("^(.+)=")] then
      return { diagnostics.new("E004", { option = "--dim", value = word,
        expected = known[1] and "one of the model's open sizes: " .. table.concat(known, ", ")
          or "left out: no size of the model is open",
        hint = known[1] and ("--dim %s=1"):format(known[1]) or false }) }
    end
  end
end

local function is_chosen(item, patterns)
  for _, pattern in ipairs(patterns) do
    if names.matches(pattern, item.name) then return true end
  end
  return #patterns == 0
end

local function chosen(items, options)
  local list, all = {}, {}
  for index, item in ipairs(items) do
    all[index] = item.name
    if is_chosen(item, options.only or {}) then list[#list + 1] = item end
  end
  if #list > 0 or not options.only or #options.only == 0 then return list end
  return nil, { diagnostics.new("E008", { patterns = table.concat(options.only, ", "),
    names = table.concat(all, ", "), hint = all[1] and ("--only '%s'"):format(all[1]) or false }) }
end

-- A name of the model, which may be any bytes.
local function printable(word)
  return word ~= "" and (word:gsub("[^\32-\126]", "?")) or "-"
end

-- The sizes of a value, where they are known: numbers, and names of open ones.
local function sizes_of(value)
  if not value.shape then return nil end
  local sizes = {}
  for axis, n in ipairs(value.shape) do
    sizes[axis] = math.type(n) and n or printable(n)
  end
  return sizes
end

-- What is known of an input: `1x64x112x112 f32`.
local function value_text(graph, name)
  local value = graph.values[name] or {}
  local sizes = sizes_of(value)
  if name == "" then return "-" end
  local shape = sizes and (#sizes > 0 and table.concat(sizes, "x") or "scalar") or "?"
  return value.dtype and shape .. " " .. value.dtype or shape
end

-- What is wrong with an operator stands in each of its lines, so that is said in few words.
local function reason_of(item)
  local fault = item.faults[1]
  if not fault.place then return fault.message end
  return ("%s: %s (%s)"):format(fault.place, fault.message, fault.because or fault.where)
end

local function row_of(graph, item)
  local node, inputs = item.node, {}
  for index, name in ipairs(node.inputs) do inputs[index] = value_text(graph, name) end
  local result = item.problem and text.shape(import.output_shape(graph, item)) or "-"
  return { ("%d"):format(node.index - 1), printable(node.name), printable(node.op),
    #inputs > 0 and table.concat(inputs, ", ") or "-", result,
    item.problem and item.name or "no: " .. reason_of(item) }
end

local function record_of(graph, item)
  local node, inputs = item.node, {}
  for index, name in ipairs(node.inputs) do
    local value = graph.values[name] or {}
    inputs[index] = { name = printable(name), shape = sizes_of(value), dtype = value.dtype,
      constant = graph.constants[name] ~= nil }
  end
  return { index = node.index - 1, name = printable(node.name), op = printable(node.op),
    domain = node.domain ~= "" and printable(node.domain) or nil, inputs = inputs,
    kernel = item.problem and item.name or nil, importable = item.problem ~= nil,
    output = item.problem and import.output_shape(graph, item) or nil,
    faults = #item.faults > 0 and item.faults or nil }
end

local function list_nodes(options, graph, items)
  local rows, records = {}, {}
  for index, item in ipairs(items) do
    if options.json then
      records[index] = record_of(graph, item)
    else
      rows[index] = row_of(graph, item)
    end
  end
  if options.json then
    output.json { model = options.words[1], opset = graph.opset, nodes = records }
  elseif not options.quiet then
    output.write(output.table({ "node", "name", "operator", "inputs", "output", "kernel" }, rows))
  end
  return 0
end

-- The items that are kernels. The others are said, and are an error if nothing is left.
local function kernels_of(options, items)
  local kernels, faults = {}, {}
  for _, item in ipairs(items) do
    if item.problem then
      kernels[#kernels + 1] = item
    else
      table.move(item.faults, 1, #item.faults, #faults + 1, faults)
      progress.note(("left out: node %d, %s: %s"):format(item.node.index - 1,
        printable(item.node.op), reason_of(item)))
    end
  end
  if #kernels > 0 then return kernels end
  return nil, #faults > 0 and faults or { diagnostics.new("E071", { where = options.words[1],
    reason = "its graph has no node" }) }
end

local function write_spec(options, items)
  local writer = WRITERS[options.output:match("%.(%w+)$")]
  if not writer then
    return nil, { diagnostics.new("E014", { where = options.output }) }
  end
  local kernels, faults = kernels_of(options, items)
  if not kernels then return nil, faults end
  faults = context.write_file(options.output, writer(kernels))
  if faults then return nil, faults end
  if options.json then
    output.json { files = { options.output }, kernels = #kernels }
  elseif not options.quiet then
    output.line(options.output)
  end
  return 0
end

function M.run(options)
  if options.test then return import_test.run(options) end
  if #options.words ~= 1 then
    return nil, { diagnostics.new("E006", { verb = M.name, what = "one model",
      hint = "upweave import model.onnx" }) }
  end
  local pinned, faults = pinned_sizes(options)
  if not pinned then return nil, faults end
  local graph
  graph, faults = import.file(options.words[1], pinned)
  if not graph then return nil, faults end
  faults = check_pinned(options, graph)
  if faults then return nil, faults end
  local items
  items, faults = chosen(import.nodes(graph), options)
  if not items then return nil, faults end
  if options.output then return write_spec(options, items) end
  return list_nodes(options, graph, items)
end

return M
