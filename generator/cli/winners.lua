-- SPDX-License-Identifier: MIT
-- What verbs take from the tuning database.
--
-- Purpose: opens the database, hands the core a function that finds winners, chooses layouts that a
-- spec leaves open, and says what was not used. Invariants: a missing database has no winners,
-- unless --db names it; what is stale or damaged is said on standard error, once; nothing is
-- written.

local database = require "upweave.tune.database"
local diagnostics = require "upweave.util.diagnostics"
local host = require "upweave.toolchain.host"
local progress = require "upweave.toolchain.progress"
local store = require "upweave.tune.store"
local uv = require "luv"

local M = {}

--- The file of --db, which must be there, or the user's, which need not.
---@param options table
---@return string? path
---@return upweave.Diagnostic[]? faults
function M.path(options)
  if not options.db then
    local path = database.default_path()
    return path
  end
  if uv.fs_stat(options.db) then return options.db end
  return nil, { diagnostics.new("E010", { where = options.db, reason = "there is no such file" }) }
end

--- Read a database and say what of it was skipped.
---@param path string
---@return tune.Contents?
---@return upweave.Diagnostic[]? faults
function M.read(path)
  local contents, faults = database.read(path)
  if not contents then return nil, faults end
  local complaint = store.complaint(contents)
  if complaint then progress.note("upweave: " .. complaint) end
  return contents
end

--- Read the database that a command line means.
---@param options table
---@return tune.Contents?
---@return upweave.Diagnostic[]? faults
function M.contents(options)
  local path, faults = M.path(options)
  if not path then return nil, faults end
  return M.read(path)
end

-- The layout that won when all were compared, as a place among the problems.
local function won(contents, problems, target)
  local any = store.identity(problems[1])
  local finals = store.finals(database.records(contents, any), function(record)
    return record.any == any and record.target == target.name
      and record.machine == host.machine()
  end)
  for place, problem in ipairs(problems) do
    if finals[1] and problem.x.layout == finals[1].layout then return place end
  end
end

-- Choose the layouts that a spec leaves open: the tuner's, else the first.
local function settle(document, contents, target)
  for index, problem in ipairs(document.kernels) do
    local problems = document.open[index]
    local place = problems and contents and won(contents, problems, target)
    if problems then
      document.kernels[index] = problems[place or 1]
      progress.note(("%s: layout %s, %s"):format(problem.name, problems[place or 1].x.layout,
        place and "tuned" or "the default: `upweave tune` compares them"))
    end
  end
end

--- A function that finds the winners of a problem on a target; the layouts that the document leaves
--- open are chosen. Verbs whose output must not depend on what this user has tuned say `named`:
--- they look into a database only if one is named.
---@param options table
---@param document {kernels: table[], open: table<integer, table[]>}
---@param target Target whose winners choose a layout
---@param named boolean?
---@return upweave.Winners?
---@return upweave.Diagnostic[]? faults
function M.open(options, document, target, named)
  local _, by_variable = database.default_path()
  local contents, faults
  if not named or options.db or by_variable then
    contents, faults = M.contents(options)
    if not contents then return nil, faults end
  end
  settle(document, contents, target)
  if not contents or #contents.lines == 0 then return nil end
  return function(problem, on)
    return store.winners(database.records(contents, store.identity(problem)), problem, on)
  end
end

--- Say which winners were not used, because their schedules give other C by now.
---@param results upweave.Result[]
function M.report(results)
  for _, result in ipairs(results) do
    if result.stale then
      progress.note(("%s, %s: the database's winner `%s` was measured with other C: not used;"
        .. " `upweave tune` measures anew"):format(result.problem.name, result.target.name,
        result.stale))
    end
  end
end

return M
