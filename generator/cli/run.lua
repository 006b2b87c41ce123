-- SPDX-License-Identifier: MIT
-- Verb: run.
--
-- Purpose: builds (through the cache) and runs each kernel on DIR/<kernel>.<input>.npy, writing
-- DIR/<kernel>.<output>.npy. Invariant: all input files are looked for before anything runs.

local diagnostics = require "upweave.util.diagnostics"
local harness = require "upweave.toolchain.harness"
local ops = require "upweave.ops"
local output = require "upweave.cli.output"
local parameters = require "upweave.spec.parameters"
local tensors = require "upweave.ops.tensor"
local text = require "upweave.util.text"
local tools = require "upweave.cli.tools"
local uv = require "luv"

local M = {
  name = "run", summary = "runs the kernels on .npy files", takes = "spec",
  groups = { "spec", "target", "compile", "database", "runner" },
  options = {
    { "--data", "data", "DIR", false, "folder of <kernel>.<input>.npy and of the results" },
  },
}

local RUN_SECONDS <const> = 3600

local function file_of(options, problem, tensor)
  return string.format("%s/%s.%s.npy", options.data, problem.name, tensor.name)
end

-- Whether a kernel takes a tensor: an input, or a parameter that is not baked.
local function is_read(problem, tensor)
  return tensor.role ~= "output" and not parameters.is_file(problem[tensor.name])
end

--- Input files that cannot be read.
local function missing(options, document)
  local faults = {}
  for _, problem in ipairs(document.kernels) do
    for _, tensor in ipairs(ops.find(problem.op).tensors(problem)) do
      local path = file_of(options, problem, tensor)
      local ok, reason = uv.fs_access(path, "R")
      if is_read(problem, tensor) and not ok then
        faults[#faults + 1] = diagnostics.new("E012", { place = problem.name,
          tensor = tensor.name, where = path,
          reason = reason and reason:match("^%u+: ([^:]*)") or "it cannot be read",
          file = path, shape = text.shape(tensor.shape), dtype = tensors.numpy[tensor.dtype] })
      end
    end
  end
  return faults
end

-- The program names the file; the tensor's name stands in it.
local function refusal(options, problem, record, ended)
  local reason = record and record.reason or "the program " .. ended
  for _, tensor in ipairs(ops.find(problem.op).tensors(problem)) do
    local path = file_of(options, problem, tensor)
    if record and record.file == path and tensor.role == "output" then
      return diagnostics.new("E011", { place = path, reason = reason })
    elseif record and record.file == path then
      return diagnostics.new("E013", { place = problem.name, tensor = tensor.name, where = path,
        reason = reason, shape = text.shape(tensor.shape), dtype = tensors.numpy[tensor.dtype] })
    end
  end
  return diagnostics.new("E600", { where = string.format("kernel %q", problem.name),
    reason = reason, hint = false })
end

local function written(options, document)
  local paths = {}
  for _, problem in ipairs(document.kernels) do
    for _, tensor in ipairs(ops.find(problem.op).tensors(problem)) do
      if tensor.role == "output" then paths[#paths + 1] = file_of(options, problem, tensor) end
    end
  end
  return paths
end

local function run_program(options, work, binary)
  local records, ended = harness.run(binary, { "run", "--data", options.data },
    { runner = options.runner, seconds = RUN_SECONDS, what = "run",
      total = #work.document.kernels })
  local by_name, faults = {}, {}
  for _, record in ipairs(records) do by_name[record.kernel] = record end
  for _, problem in ipairs(work.document.kernels) do
    local record = by_name[problem.name]
    if not (record and record.ok) then
      faults[#faults + 1] = refusal(options, problem, record, ended)
    end
  end
  return faults
end

function M.run(options)
  if not options.data or options.data == "" then
    return nil, { diagnostics.new("E006", { verb = M.name, what = "--data DIR",
      hint = "--data ." }) }
  end
  if options.target and #options.target > 1 then
    return nil, { diagnostics.new("E007", { first = "one set of results",
      second = "several --target", hint = "one --target" }) }
  end
  local work, faults = tools.begin(options, M.name)
  if not work then return nil, faults end
  faults = missing(options, work.document)
  if #faults > 0 then return nil, faults end
  local binary
  binary, faults = tools.harness(work, work.targets[1])
  if not binary then return nil, faults end
  faults = run_program(options, work, binary)
  if #faults > 0 then return nil, faults end
  local paths = written(options, work.document)
  if options.json then
    output.json { files = paths }
  elseif not options.quiet then
    for _, path in ipairs(paths) do output.line(path) end
  end
  return 0
end

return M
