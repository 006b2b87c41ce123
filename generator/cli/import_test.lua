-- SPDX-License-Identifier: MIT
-- `import --test`: test cases of ONNX, as TAP.
--
-- Purpose: one program with the kernels of all cases, run once on their data. Invariants: a case
-- that Upweave cannot express is skipped with its reason, anything else that is not right is `not
-- ok`; the exit code is 0 only if nothing is.

local cache = require "upweave.toolchain.cache"
local cases = require "upweave.import.case"
local context = require "upweave.cli.context"
local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local harness = require "upweave.toolchain.harness"
local npy = require "upweave.read.npy"
local ops = require "upweave.ops"
local output = require "upweave.cli.output"
local tools = require "upweave.cli.tools"

local M = {}

local UNSUPPORTED <const>, MISMATCH <const> = 4, 6
local RUN_SECONDS <const> = 600

---@class upweave.CaseResult
---@field name string
---@field runs upweave.OnnxRun[]
---@field faults upweave.Diagnostic[] why there is nothing to run, or what went wrong
---@field difference string?

local function read_cases(words)
  local results = {}
  for index, folder in ipairs(words) do
    local path = folder:gsub("/+$", "")
    local runs, faults = cases.read(path)
    results[index] = { name = files.stem(path), runs = runs or {}, faults = faults or {} }
  end
  return results
end

-- A library for each run: { problem, … }. What cannot be generated is the fault of its case.
local function generate(results, target)
  local libraries = {}
  for _, result in ipairs(results) do
    for _, run in ipairs(result.runs) do
      run.problem.name = ("case_%d"):format(#libraries + 1)
      local made, faults = tools.generate({ kernels = { run.problem } }, { target }, {})
      if not made then
        result.runs, result.faults = {}, faults
        break
      end
      libraries[#libraries + 1] = made[1]
    end
  end
  return libraries
end

-- A run whose case was given up has no library any more.
local function used(libraries, results)
  local wanted, list = {}, {}
  for _, result in ipairs(results) do
    for _, run in ipairs(result.runs) do wanted[run.problem.name] = true end
  end
  for _, library in ipairs(libraries) do
    if wanted[library.problem.name] then list[#list + 1] = library end
  end
  return list
end

local function file_of(folder, run, tensor)
  return ("%s/%s.%s.npy"):format(folder, run.problem.name, tensor)
end

-- The shapes are the kernel's, which may see other axes than the model.
local function write_run(folder, run)
  local shapes = {}
  for _, tensor in ipairs(ops.find(run.problem.op).tensors(run.problem)) do
    shapes[tensor.name] = tensor.shape
  end
  for _, one in ipairs(run.data) do
    local ok, reason = files.write_private(file_of(folder, run, one.name),
      npy.encode(one.tensor.dtype, shapes[one.name], one.tensor.bytes))
    if not ok then return nil, reason end
  end
  return true
end

local function write_inputs(folder, results)
  for _, result in ipairs(results) do
    for _, run in ipairs(result.runs) do
      local ok, reason = write_run(folder, run)
      if not ok then return nil, context.write_fault(folder, reason) end
    end
  end
  return true
end

-- What is wrong with the result of a run, in words.
local function check(folder, run, record, ended)
  if not (record and record.ok) then
    return record and record.error or "the program " .. ended
  end
  local bytes = files.read(file_of(folder, run, "y"))
  local array, reason = npy.decode(bytes or "")
  if not array then return "its result cannot be read: " .. reason end
  if array.descr ~= npy.descr(run.want.dtype) or #array.bytes ~= #run.want.bytes then
    return "its result has another dtype or size"
  end
  return cases.difference(array.bytes, run.want)
end

local function run_all(folder, results, binary, options)
  local ok, faults = write_inputs(folder, results)
  if not ok then return nil, faults end
  local total = 0
  for _, result in ipairs(results) do total = total + #result.runs end
  local records, ended = harness.run(binary, { "run", "--data", folder },
    { runner = options.runner, seconds = RUN_SECONDS, what = "run", total = total })
  local by_name = {}
  for _, record in ipairs(records) do by_name[record.kernel] = record end
  for _, result in ipairs(results) do
    for _, run in ipairs(result.runs) do
      result.difference = result.difference or check(folder, run, by_name[run.problem.name], ended)
    end
  end
  return true
end

local function build_and_run(results, target, options)
  local toolchain, faults = tools.toolchain(options, { target })
  if not toolchain then return nil, faults end
  local libraries = used(generate(results, target), results)
  if #libraries == 0 then return true end
  local binary
  binary, faults = harness.build(toolchain, libraries, target)
  if not binary then return nil, faults end
  local folder, release = cache.work(toolchain.store)
  local ok
  ok, faults = run_all(folder, results, binary, options)
  release()
  return ok, faults
end

-- Reporting -------------------------------------------------------------------------------------

local function is_skipped(result)
  for _, fault in ipairs(result.faults) do
    if fault.exit ~= UNSUPPORTED then return false end
  end
  return #result.faults > 0
end

local function skip_reason(fault)
  local place = fault.place and fault.place .. ": " or ""
  return place .. fault.message .. (fault.because and ", because " .. fault.because or "")
end

local function tap_line(index, result, skipped)
  local name = result.name:gsub("[#%c]", "_")
  if skipped then
    return ("ok %d - %s # SKIP %s"):format(index, name, skip_reason(result.faults[1]))
  end
  local bad = result.difference or #result.faults > 0
  local lines = { ("%s %d - %s"):format(bad and "not ok" or "ok", index, name) }
  local why = result.difference or diagnostics.format(result.faults):gsub("\n$", "")
  if bad then lines[2] = "# " .. why:gsub("\n", "\n# ") end
  return table.concat(lines, "\n")
end

local function report(results, options)
  local failed, records = false, {}
  for index, result in ipairs(results) do
    local skipped = is_skipped(result)
    local bad = not skipped and (result.difference ~= nil or #result.faults > 0)
    failed = failed or bad
    records[index] = { name = result.name, ok = not bad, skipped = skipped,
      reason = result.difference or result.faults[1] and skip_reason(result.faults[1]) }
    if not options.json then output.line(tap_line(index, result, skipped)) end
  end
  if options.json then
    output.json { ok = not failed, results = records }
  else
    output.line(("1..%d"):format(#results))
  end
  return failed and MISMATCH or 0
end

--- Run the cases that the command line names.
---@param options table
---@return integer|nil code
---@return upweave.Diagnostic[]? faults
function M.run(options)
  if #options.words == 0 then
    return nil, { diagnostics.new("E006", { verb = "import --test", what = "a CASE",
      hint = "upweave import --test onnx/backend/test/data/node/test_resize_*" }) }
  elseif options.output or options.target and #options.target > 1 then
    return nil, { diagnostics.new("E007", { first = "--test", hint = "leave it out",
      second = options.output and "-o" or "several --target" }) }
  end
  local targets, faults = context.runnable_targets(options)
  if not targets then return nil, faults end
  local results = read_cases(options.words)
  local ok
  ok, faults = build_and_run(results, targets[1], options)
  if not ok then return nil, faults end
  return report(results, options)
end

return M
