-- SPDX-License-Identifier: MIT
-- Verb: sweep.
--
-- Purpose: measures the product of the lists of a spec's `sweep` over all its kernels, one line for
-- each configuration, as table, CSV or JSON; what cannot be stands there with its reason. Exit 6 if
-- a kernel was wrong. Invariant: as with `tune`, every result is kept at once and known ones are
-- not measured again.

local context = require "upweave.cli.context"
local database = require "upweave.tune.database"
local diagnostics = require "upweave.util.diagnostics"
local host = require "upweave.toolchain.host"
local json = require "upweave.util.json"
local measure = require "upweave.tune.measure"
local names = require "upweave.spec.names"
local output = require "upweave.cli.output"
local progress = require "upweave.toolchain.progress"
local store = require "upweave.tune.store"
local sweep = require "upweave.tune.sweep"
local sweeps = require "upweave.spec.sweep"
local target = require "upweave.target"
local text = require "upweave.util.text"
local tools = require "upweave.cli.tools"
local winners = require "upweave.cli.winners"

local M = {
  name = "sweep", summary = "measures many configurations: layouts, schedules, shapes, targets",
  takes = "spec", groups = { "spec", "target", "compile", "database" },
  options = {
    { "--csv", "csv", nil, false, "comma-separated values instead of a table" },
    { "--seed", "seed", "N", false, "of the random data (1)" },
  },
}

local WRONG <const> = 6
local COLUMNS <const> = { "kernel", "shape", "layout", "target", "schedule", "median_ns", "min_ns",
  "spread", "gflops", "status", "reason" }

-- The targets of names; without one the one asked for, or this machine's.
local function target_finder(options)
  local asked = options.target and options.target[1] or "native"
  return function(name)
    name = name or asked
    local record = name == "native" and host.native() or target.find(name)
    if not record then return nil, ("there is no target %s"):format(name) end
    local fault = host.cannot_run(record)
    if fault then return nil, fault.because end
    return record
  end
end

local function selected(kernels, only)
  local chosen = { sweep = kernels.sweep }
  for _, raw in ipairs(kernels) do
    local fits = not only or #only == 0
    for _, pattern in ipairs(only or {}) do
      fits = fits or names.matches(pattern, tostring(raw.name))
    end
    if fits then chosen[#chosen + 1] = raw end
  end
  return chosen
end

local function read(options)
  local kernels, faults = context.raw_kernels(options, M.name)
  if not kernels then return nil, faults end
  if not kernels.sweep then
    return nil, { diagnostics.new("E006", { verb = M.name, what = "a SPEC with a sweep",
      hint = 'sweep { layout = { "NCHW", "NHWC" } }' }) }
  end
  local axes
  axes, faults = sweeps.read(kernels.sweep)
  if not axes then return nil, faults end
  local document
  document, faults = context.document(options, M.name) -- all mistakes of the kernels themselves
  if not document then return nil, faults end
  local overrides = context.overrides(options)
  overrides.only = nil
  return sweep.configurations(selected(kernels, options.only), axes, overrides,
    target_finder(options))
end

-- Measures batches, each with the program of its problem and target.
local function measurer(kit, seed)
  local current
  local function close()
    if current then current.measure.close() end
    current = nil
  end
  local function run(batch, rounds)
    local first = batch[1]
    if not current or current.identity ~= first.identity or current.target ~= first.target then
      close()
      local made, faults = measure.new(kit, { first.problem }, first.target, seed)
      if not made then return nil, faults end
      current = { measure = made, identity = first.identity, target = first.target }
    end
    local candidates = {}
    for index, one in ipairs(batch) do candidates[index] = one.candidate end
    return current.measure:run(candidates, rounds, "measure " .. first.kernel)
  end
  return run, close
end

local function measure_all(configurations, options)
  local path = options.db or database.default_path()
  local contents, kit, faults
  contents, faults = winners.read(path)
  if not contents then return nil, faults end
  kit, faults = tools.toolchain(options, { host.native() })
  if not kit then return nil, faults end
  local records, seed = database.records(contents), options.seed or 1
  local run, close = measurer(kit, seed)
  local function session(one)
    return { kind = "sweep", kernel = one.kernel, target = one.target, compiler = kit.compiler,
      seed = seed }
  end
  local known = store.known(records)
  local ok
  ok, faults = sweep.run(configurations, {
    measure = run,
    known = function(one) return known(session(one), one.candidate) end,
    keep = function(one, result)
      return database.add(path, store.record(session(one), one.candidate, result))
    end,
    watch = function(done, total)
      progress.status(("sweep: %d of %d configurations"):format(done, total))
    end,
  })
  close()
  progress.clear()
  return ok, faults
end

-- One configuration as values of COLUMNS.
local function values_of(one)
  local result = one.result or {}
  local x = one.problem and one.problem.x or { shape = one.shape, layout = one.layout }
  local target_name = type(one.target) == "table" and one.target.name or one.target
  return {
    kernel = one.kernel, shape = x.shape and text.shape(x.shape) or nil, layout = x.layout or nil,
    target = target_name or nil, schedule = one.schedule, median_ns = result.median_ns,
    min_ns = result.min_ns, spread = result.spread,
    gflops = result.median_ns and one.candidate.flops / result.median_ns,
    status = one.status, reason = one.reason,
  }
end

local HEAD <const> = { "kernel", "shape", "layout", "target", "median", "spread", "GFLOP/s",
  "schedule" }

local function row_of(values)
  local function shown(value, format) return value and format:format(value) or "-" end
  local told = values.reason and ("%s: %s"):format(values.status, values.reason) or values.status
  return { values.kernel, values.shape or "-", values.layout or "-", values.target or "-",
    values.median_ns and store.time(values.median_ns) or "-",
    shown(values.spread and values.spread * 100, "%.1f %%"), shown(values.gflops, "%.1f"),
    values.status == "ok" and values.schedule
      or ("%s (%s)"):format(values.schedule or "-", told) }
end

local function csv_line(values)
  local cells = {}
  for index, column in ipairs(COLUMNS) do
    local value = values[column]
    local cell = value == nil and "" or type(value) == "number" and json.number(value) or value
    if cell:find('[",\n]') then cell = '"' .. cell:gsub('"', '""') .. '"' end
    cells[index] = cell
  end
  return table.concat(cells, ",")
end

local function print_all(configurations, options)
  local all, rows = {}, {}
  for index, one in ipairs(configurations) do
    all[index] = values_of(one)
    rows[index] = row_of(all[index])
  end
  if options.json then
    output.json { results = json.list(all) }
  elseif options.csv then
    output.line(table.concat(COLUMNS, ","))
    for _, values in ipairs(all) do output.line(csv_line(values)) end
  elseif not options.quiet then
    output.write(output.table(HEAD, rows))
  end
end

function M.run(options)
  local configurations, faults = read(options)
  if not configurations then return nil, faults end
  local ok
  ok, faults = measure_all(configurations, options)
  if not ok then return nil, faults end
  print_all(configurations, options)
  for _, one in ipairs(configurations) do
    if one.status == "wrong" or one.status == "crash" then return WRONG end
  end
  return 0
end

return M
