-- SPDX-License-Identifier: MIT
-- Verb: bench.
--
-- Purpose: times the kernels, interleaved with generic C and the machine's own limits, in one
-- process. Exit 7 if something could not be measured. Invariant: shares and ratios are of one run.

local diagnostics = require "upweave.util.diagnostics"
local harness = require "upweave.toolchain.harness"
local ops = require "upweave.ops"
local output = require "upweave.cli.output"
local tools = require "upweave.cli.tools"

local M = {
  name = "bench", summary = "times the kernels against generic C and the machine's limits",
  takes = "spec", groups = { "spec", "target", "compile", "database", "runner" },
  options = {
    { "--seconds", "seconds", "S", false, "how long to measure each kernel" },
    { "--threads", "threads", "N", false, "also time the kernel on N threads" },
    { "--cpu", "cpu", "N", false, "measure on this CPU" },
  },
}

local PATIENCE <const> = 120 -- seconds for a kernel beyond what was asked for
local PASSED <const> = { "seconds", "threads", "cpu" }

local function arguments_of(options)
  local list = { "bench" }
  for _, field in ipairs(PASSED) do
    if options[field] then
      list[#list + 1] = "--" .. field
      list[#list + 1] = tostring(options[field])
    end
  end
  return list
end

local function time(nanoseconds)
  local value = tonumber(nanoseconds)
  if not value then return "-" end
  for _, unit in ipairs { { 1e3, 1, "ns" }, { 1e6, 1e3, "us" }, { 1e9, 1e6, "ms" } } do
    if value < unit[1] then return string.format("%.3g %s", value / unit[2], unit[3]) end
  end
  return string.format("%.3g s", value / 1e9)
end

local function ratio(value, format)
  return value and value == value and string.format(format, value) or "-"
end

--- What follows from a record and the kernel's plan.
local function derive(record, problem)
  local plan = ops.find(problem.op).plan(problem)
  local median = tonumber(record.median_ns)
  record.numerics = problem.numerics
  record.gflops = plan.flops / median
  record.gbs = (plan.bytes_read + plan.bytes_written) / median
  local generic = tonumber(record.generic_ns or record.reference_ns)
  record.times_generic = generic and generic / median or nil
  local threads = tonumber(record.threads_ns)
  record.times_threads = threads and threads > 0 and median / threads or nil
end

local function row_of(record)
  local share = tonumber(record.share)
  local row = { record.kernel, record.target, time(record.min_ns), time(record.median_ns),
    ratio(tonumber(record.spread) and record.spread * 100, "%.1f %%"),
    ratio(record.gflops, "%.1f"), ratio(record.gbs, "%.1f"),
    ratio(share and share * 100, "%.0f %%"), ratio(record.times_generic, "%.1f x") }
  if record.times_threads then row[#row + 1] = ratio(record.times_threads, "%.2f x") end
  return row
end

local HEAD <const> = { "kernel", "target", "min", "median", "spread", "GFLOP/s", "GB/s",
  "of limit", "generic C" }

local function bench_on(target, work, options, all)
  local document = work.document
  local binary, faults = tools.harness(work, target)
  if not binary then return nil, faults end
  local seconds = (options.seconds or 1) * 4 + PATIENCE
  local records, ended = harness.run(binary, arguments_of(options),
    { runner = options.runner, seconds = seconds * #document.kernels, what = "measure",
      total = #document.kernels })
  local by_name = {}
  for _, record in ipairs(records) do by_name[record.kernel] = record end
  for _, problem in ipairs(document.kernels) do
    local record = by_name[problem.name]
    if record and tonumber(record.median_ns) then
      record.target = target.name
      derive(record, problem)
      all.records[#all.records + 1] = record
      all.rows[#all.rows + 1] = row_of(record)
    else
      all.faults[#all.faults + 1] = diagnostics.new("E600", {
        where = string.format("kernel %q, target %s", problem.name, target.name),
        reason = record and record.reason or "the bench program " .. ended, hint = false })
    end
  end
  return true
end

function M.run(options)
  local work, faults = tools.begin(options, M.name)
  if not work then return nil, faults end
  local all = { records = {}, rows = {}, faults = {} }
  for _, target in ipairs(work.targets) do
    local ok
    ok, faults = bench_on(target, work, options, all)
    if not ok then return nil, faults end
  end
  if options.json then
    output.json { ok = #all.faults == 0, compiler = work.tools.compiler.id, results = all.records }
    options.json = false
  elseif #all.rows > 0 then
    local head = table.move(HEAD, 1, #HEAD, 1, {})
    if options.threads then head[#head + 1] = options.threads .. " threads" end
    output.write(output.table(head, all.rows))
  end
  if #all.faults > 0 then return nil, all.faults end
  return 0
end

return M
