-- SPDX-License-Identifier: MIT
-- What the tuner keeps, and what builds find.
--
-- Purpose: between problems and candidates on one side and records on the other: who a trial is,
-- which are known, which winner a build should take. Invariants: a record is of one kernel,
-- target, processor, compiler and C; a winner of another processor is never found; the order of
-- records says nothing.

local driver = require "upweave.driver"
local host = require "upweave.toolchain.host"
local parameters = require "upweave.spec.parameters"
local record = require "upweave.tune.record"
local spec = require "upweave.spec"
local text = require "upweave.util.text"
local uv = require "luv"
local words = require "upweave.toolchain.words"

local M = {}

--- A compiler with the user's flags: what one measured, another does not know.
---@param compiler upweave.Compiler
---@return string
function M.compiler(compiler)
  local name = compiler.id
  if #compiler.cflags > 0 then name = name .. " " .. words.join(compiler.cflags) end
  return name
end

--- The identity of a kernel to the tuner: the numbers of baked parameters do not change its time.
---@param problem table
---@return string
function M.identity(problem) return spec.identity(parameters.unbaked(problem)) end

---@param problem table
---@return string
function M.shape(problem)
  return ("%s %s %s"):format(text.shape(problem.x.shape), problem.x.layout, problem.x.dtype)
end

-- What a trial is: whatever else is said, it is not measured twice.
local function key_of(entry)
  return table.concat({ entry.kind, entry.spec, entry.target, entry.machine, entry.compiler,
    entry.schedule, entry.c_sha256, entry.anchor or "" }, "\n")
end

---@class tune.Session what all trials of one kernel on one target have in common
---@field kind string
---@field target Target
---@field compiler upweave.Compiler
---@field seed integer
---@field kernel string
---@field anchor string?  c_sha256 of the candidate whose time the others are multiples of

local fields_of_result = { "status", "reason", "median_ns", "min_ns", "spread", "relative", "low",
  "high", "rounds", "early" }

--- The record of a candidate's result.
---@param session tune.Session
---@param candidate tune.Candidate
---@param result tune.Result
---@return tune.Record
function M.record(session, candidate, result)
  local problem = candidate.problem
  local entry = {
    kind = session.kind, spec = M.identity(problem), target = session.target.name,
    machine = host.machine(), compiler = M.compiler(session.compiler),
    generator = driver.VERSION, c_sha256 = candidate.c_sha256, schedule = candidate.schedule,
    layout = problem.x.layout, kernel = session.kernel, shape = M.shape(problem),
    rank = candidate.rank, seed = session.seed, at = uv.gettimeofday(), anchor = session.anchor,
  }
  for _, name in ipairs(fields_of_result) do entry[name] = result[name] end
  return entry
end

--- A function that finds the result of a candidate among records.
---@param records tune.Record[]
---@return fun(session: tune.Session, candidate: tune.Candidate): tune.Result?
function M.known(records)
  local by_key = {}
  for _, entry in ipairs(records) do by_key[key_of(entry)] = entry end
  return function(session, candidate)
    return by_key[key_of(M.record(session, candidate, {}))]
  end
end

-- The later of two finals is the one that saw more; at the same second the text decides.
local function better(a, b)
  if a.at ~= b.at then return a.at > b.at end
  if a.median_ns ~= b.median_ns then return a.median_ns < b.median_ns end
  return a.schedule < b.schedule
end

local function time(nanoseconds)
  for _, unit in ipairs { { 1e3, 1, "ns" }, { 1e6, 1e3, "us" }, { 1e9, 1e6, "ms" } } do
    if nanoseconds < unit[1] then return ("%.4g %s"):format(nanoseconds / unit[2], unit[3]) end
  end
  return ("%.4g s"):format(nanoseconds / 1e9)
end

--- Nanoseconds in words.
M.time = time

--- The finals of a kernel on a target and this processor, best first.
---@param records tune.Record[]
---@param wanted fun(record: tune.Record): boolean
---@return tune.Record[]
function M.finals(records, wanted)
  local list = {}
  for _, entry in ipairs(records) do
    if entry.kind == "final" and entry.status == "ok" and wanted(entry) then
      list[#list + 1] = entry
    end
  end
  table.sort(list, better)
  return list
end

--- What a build takes: finals of the kernel on the target and this processor.
---@param records tune.Record[]
---@param problem table
---@param target Target
---@return {schedule: string, c_sha256: string, why: string}[]
function M.winners(records, problem, target)
  local identity, machine = M.identity(problem), host.machine()
  local list = M.finals(records, function(entry)
    return entry.spec == identity and entry.target == target.name and entry.machine == machine
  end)
  for index, entry in ipairs(list) do
    list[index] = { schedule = entry.schedule, c_sha256 = entry.c_sha256,
      why = ("tuned: %s, %d trials"):format(time(entry.median_ns), entry.trials or 0) }
  end
  return list
end

-- What two records of the same measurement have in common, whatever C they were of.
local function place_of(entry)
  return table.concat({ entry.kind, entry.spec, entry.target, entry.machine, entry.compiler,
    entry.schedule, entry.any or "" }, "\n")
end

--- The lines that somebody may still use: of this version, and of the C that was last measured for
--- their schedule.
---@param lines string[]
---@param version string
---@return string[]
function M.useful(lines, version)
  local latest, kept, records = {}, {}, {}
  for index, line in ipairs(lines) do
    local entry = record.read(line)
    records[index] = entry or false
    local place = entry and place_of(entry)
    local known = entry and latest[place]
    if entry and (not known or entry.at > known.at) then latest[place] = entry end
  end
  for index, line in ipairs(lines) do
    local entry = records[index]
    if entry and entry.generator == version
      and latest[place_of(entry)].c_sha256 == entry.c_sha256 then
      kept[#kept + 1] = line
    end
  end
  return kept
end

--- What is wrong with a database as a whole, for people; nil if nothing.
---@param contents tune.Contents
---@return string?
function M.complaint(contents)
  local count = #contents.faults
  if count == 0 then return nil end
  return ("%s: %d line%s skipped: `upweave db check` says why"):format(contents.path, count,
    count == 1 and "" or "s")
end

return M
