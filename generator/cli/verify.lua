-- SPDX-License-Identifier: MIT
-- Verb: verify.
--
-- Purpose: compiles the kernels and compares them with the reference on random and adversarial
-- data, for each target. Exit 6 on a mismatch, with the command that repeats it. With -o it is
-- `build` for kernels that passed: their JSON has the results, by target.

local build = require "upweave.cli.build"
local context = require "upweave.cli.context"
local diagnostics = require "upweave.util.diagnostics"
local gen = require "upweave.cli.gen"
local harness = require "upweave.toolchain.harness"
local output = require "upweave.cli.output"
local repeated = require "upweave.cli.repeated"
local tools = require "upweave.cli.tools"

local M = {
  name = "verify", summary = "compares the compiled kernels with the reference", takes = "spec",
  groups = { "spec", "target", "compile", "database", "runner" },
  options = {
    { "--seed", "seed", "N", false, "of the random data (1)" },
    { "--rounds", "rounds", "N", false, "how many rounds of data" },
    { "-o --output", "output", "DIR", false, "write what `build` writes, with the results" },
  },
}

local VERIFY_SECONDS <const> = 3600

local function mismatch(options, record, target)
  local index = {}
  for at, value in ipairs(record.index or {}) do
    index[at] = string.format("%d", value)
  end
  local where = string.format("kernel %q, target %s", record.kernel, target.name)
  local command = repeated.command("verify", options, record.kernel, target.name, record.seed)
  if record.got == nil then
    return diagnostics.new("E501", { where = where, command = command,
      reason = record.reason or record["case"] or "the program gave no reason" })
  end
  return diagnostics.new("E500", {
    where = where, index = "[" .. table.concat(index, ",") .. "]",
    got = harness.number(record.got), want = harness.number(record.want),
    ulp = harness.number(record.ulp), case = record["case"] or "", seed = record.seed or "?",
    command = command,
  })
end

local function row_of(record, target)
  return { record.kernel, target.name, record.ok and "ok" or "WRONG",
    record.max_ulp and harness.number(record.max_ulp) or "-",
    record.max_error and harness.number(record.max_error) or "-",
    record.bound_share and string.format("%.2f", tonumber(record.bound_share) or 0) or "-",
    record.checked and string.format("%d", record.checked) or "-" }
end

local function arguments_of(options)
  local list = { "verify" }
  for _, field in ipairs { "seed", "rounds" } do
    if options[field] then
      list[#list + 1] = "--" .. field
      list[#list + 1] = tostring(options[field])
    end
  end
  return list
end

--- Verify on one target; rows and records are added to.
local function verify_on(target, work, options, all)
  local document = work.document
  local binary, faults = tools.harness(work, target)
  if not binary then return nil, faults end
  local records, ended = harness.run(binary, arguments_of(options),
    { runner = options.runner, seconds = VERIFY_SECONDS, what = "verify",
      total = #document.kernels })
  local seen = {}
  for _, record in ipairs(records) do
    seen[record.kernel] = true
    record.target = target.name
    all.records[#all.records + 1] = record
    all.rows[#all.rows + 1] = row_of(record, target)
    if not record.ok then
      all.faults[#all.faults + 1] = mismatch(options, record, target)
    end
  end
  for _, problem in ipairs(document.kernels) do
    if not seen[problem.name] then
      all.faults[#all.faults + 1] = diagnostics.new("E501", {
        where = string.format("kernel %q, target %s", problem.name, target.name),
        reason = "the test program " .. ended,
        command = repeated.command("verify", options, problem.name, target.name, options.seed),
      })
    end
  end
  return true
end

local RESULTS <const> = { "max_ulp", "max_error", "bound_share", "checked", "seed" }

--- What the JSON of a kernel says: results by target.
local function results_by_kernel(records)
  local by_kernel = {}
  for _, record in ipairs(records) do
    local result = {}
    for _, field in ipairs(RESULTS) do result[field] = record[field] end
    local known = by_kernel[record.kernel] or {}
    known[record.target], by_kernel[record.kernel] = result, known
  end
  return by_kernel
end

local function write(options, folder, work, all)
  local libraries, list, faults
  libraries, faults = tools.generate(work.document, work.targets, work)
  if not libraries then return nil, faults end
  list, faults = build.outputs(work.tools, libraries, context.stem(options, work.document),
    results_by_kernel(all.records))
  if not list then return nil, faults end
  return gen.write({ quiet = true }, folder, list, {})
end

local function report(options, all)
  if options.json then
    output.json { ok = #all.faults == 0, results = all.records }
    options.json = false
  elseif #all.rows > 0 and not options.quiet then
    output.write(output.table(
      { "kernel", "target", "", "max ULP", "max error", "of bound", "checked" }, all.rows))
  end
end

function M.run(options)
  local folder, work, faults, ok
  if options.output then
    folder, faults = context.folder(options, M.name)
    if not folder then return nil, faults end
  end
  work, faults = tools.begin(options, M.name)
  if not work then return nil, faults end
  local all = { records = {}, rows = {}, faults = {} }
  for _, target in ipairs(work.targets) do
    ok, faults = verify_on(target, work, options, all)
    if not ok then return nil, faults end
  end
  report(options, all)
  if #all.faults > 0 then return nil, all.faults end
  if folder then return write(options, folder, work, all) end
  return 0
end

return M
