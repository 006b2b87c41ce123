-- SPDX-License-Identifier: MIT
-- Verb: db.
--
-- Purpose: looks into the tuning database and keeps it in order: ls, best, merge, check, gc.
-- Invariants: ls, best and check change nothing; merge only adds lines that are missing; gc drops
-- what nobody can use, by one rename.

local database = require "upweave.tune.database"
local diagnostics = require "upweave.util.diagnostics"
local driver = require "upweave.driver"
local host = require "upweave.toolchain.host"
local json = require "upweave.util.json"
local list = require "upweave.util.list"
local names = require "upweave.spec.names"
local output = require "upweave.cli.output"
local store = require "upweave.tune.store"
local suggest = require "upweave.util.suggest"
local winners = require "upweave.cli.winners"

local ACTIONS <const> = { "ls", "best", "merge", "check", "gc" }

local M = {
  name = "db", takes = "action",
  summary = "the tuning database: ls (all records), best (the winners), merge FILE… (adds their "
    .. "lines), check (exit 8 if a line cannot be read), gc (drops what nobody can use)",
  groups = { "database" },
  options = {
    { "--only", "only", "PATTERN", true, "ls, best: kernels whose name matches" },
  },
}

local function selected(options, record)
  for _, pattern in ipairs(options.only or {}) do
    if names.matches(pattern, record.kernel) then return true end
  end
  return not options.only or #options.only == 0
end

local function show(options, records, head, row_of)
  if options.json then
    output.json { records = json.list(records) }
    return 0
  end
  local rows = {}
  for index, record in ipairs(records) do rows[index] = row_of(record) end
  if not options.quiet then output.write(output.table(head, rows)) end
  return 0
end

local function time(record)
  return record.median_ns and store.time(record.median_ns) or record.status
end

local actions = {}

--- Every record, in the order of the file.
function actions.ls(options)
  local contents, faults = winners.contents(options)
  if not contents then return nil, faults end
  local records = {}
  for _, record in ipairs(database.records(contents)) do
    if selected(options, record) then records[#records + 1] = record end
  end
  return show(options, records, { "kind", "kernel", "x", "target", "median", "schedule" },
    function(record)
      return { record.kind, record.kernel, record.shape, record.target, time(record),
        record.schedule }
    end)
end

--- The newest final of every kernel, target and processor.
function actions.best(options)
  local contents, faults = winners.contents(options)
  if not contents then return nil, faults end
  local seen, best = {}, {}
  for _, record in ipairs(store.finals(database.records(contents), function(record)
    return selected(options, record)
  end)) do
    local key = table.concat({ record.spec, record.target, record.machine }, "\n")
    if not seen[key] then best[#best + 1] = record end
    seen[key] = true
  end
  table.sort(best, function(a, b)
    return a.kernel .. a.shape .. a.target < b.kernel .. b.shape .. b.target
  end)
  return show(options, best, { "kernel", "x", "target", "median", "here", "schedule" },
    function(record)
      return { record.kernel, record.shape, record.target, time(record),
        record.machine == host.machine() and "yes" or record.machine, record.schedule }
    end)
end

--- Add what other files have.
function actions.merge(options, paths)
  if #paths == 0 then
    return nil, { diagnostics.new("E006", { verb = "db merge", what = "FILE…",
      hint = "upweave db merge other.jsonl" }) }
  end
  local path = options.db or database.default_path()
  local own, faults = database.read(path)
  if not own then return nil, faults end
  local known, lines = {}, {}
  for _, line in ipairs(own.lines) do known[line] = true end
  for _, other in ipairs(paths) do
    local contents
    contents, faults = winners.contents { db = other }
    if not contents then return nil, faults end
    for _, line in ipairs(contents.lines) do
      if not known[line] then lines[#lines + 1] = line end
      known[line] = true
    end
  end
  local ok
  ok, faults = database.add_lines(path, lines)
  if not ok then return nil, faults end
  if options.json then
    output.json { database = path, added = #lines }
  elseif not options.quiet then
    output.line(("%s: %d lines added"):format(path, #lines))
  end
  return 0
end

--- Every line that cannot be read; exit 8 if there is one.
function actions.check(options)
  local path, contents, faults
  path, faults = winners.path(options)
  if not path then return nil, faults end
  contents, faults = database.read(path)
  if not contents then return nil, faults end
  for _, fault in ipairs(contents.faults) do
    faults = faults or {}
    faults[#faults + 1] = diagnostics.new("E701", { store = "tuning database",
      place = ("%s:%d"):format(path, fault.line), reason = fault.reason,
      hint = "upweave db gc" })
  end
  if faults then return nil, faults end
  if options.json then
    output.json { database = path, lines = #contents.lines, repeated = contents.repeated }
  elseif not options.quiet then
    output.line(("%s: %d lines, all sound"):format(path, #contents.lines))
  end
  return 0
end

--- Drop lines that cannot be read, stand there twice, are of another version of Upweave, or of C
--- that a later record of the same schedule replaced.
function actions.gc(options)
  local path, ok, faults
  path, faults = winners.path(options)
  if not path then return nil, faults end
  local before, after = 0, 0
  ok, faults = database.rewrite(path, function(contents)
    local kept = store.useful(contents.lines, driver.VERSION)
    before = #contents.lines + #contents.faults + contents.repeated
    after = #kept
    return kept
  end)
  if not ok then return nil, faults end
  if options.json then
    output.json { database = path, kept = after, dropped = before - after }
  elseif not options.quiet then
    output.line(("%s: %d lines kept, %d dropped"):format(path, after, before - after))
  end
  return 0
end

function M.run(options)
  local action = table.remove(options.words, 1)
  local all = table.concat(ACTIONS, ", ")
  if not action then
    return nil, { diagnostics.new("E006", { verb = M.name, what = "one of " .. all,
      hint = "upweave db best" }) }
  elseif not list.contains(ACTIONS, action) then
    return nil, { diagnostics.new("E004", { option = "db", value = action,
      expected = "one of " .. all, hint = suggest.nearest(action, ACTIONS) or false }) }
  elseif #options.words > 0 and action ~= "merge" then
    return nil, { diagnostics.new("E006", { verb = "db " .. action, what = "no argument",
      hint = "upweave help db" }) }
  end
  return actions[action](options, options.words)
end

return M
