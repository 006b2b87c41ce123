-- SPDX-License-Identifier: MIT
-- Measuring candidates.
--
-- Purpose: from candidates to verified times: compiles a batch on all CPUs, then runs the program
-- of runtime/tuner/ on it. Invariants: nothing compiles while something is timed; a candidate that
-- does not compile, crashes, hangs or is wrong gets that as its result, and the others theirs; the
-- flags are those of `build`, so what was timed is what will be built; no file outlives the object.

local cache = require "upweave.toolchain.cache"
local clang = require "upweave.toolchain.clang"
local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local harness = require "upweave.toolchain.harness"
local jobs = require "upweave.toolchain.jobs"
local process = require "upweave.toolchain.process"

local M = {}
M.__index = M

M.SECONDS = 120 -- for a batch, of which a reference may take a few

local LINES <const> = 2 -- that the program says of a candidate
local TIMES <const> = { "median_ns", "min_ns", "spread", "relative", "low", "high", "rounds",
  "early" }

---@class tune.Result
---@field status string     "ok", "compile", "slow compile", "load", "wrong", "crash", "hang", …
---@field reason string?
---@field median_ns number? and the other times of tune.Record

--- Candidates for these problems, which stand for one kernel, on a target.
---@param tools {compiler: upweave.Compiler, store: upweave.Cache}
---@param problems table[]
---@param target Target
---@param seed integer
---@return table? measure  with `run` and `close`
---@return upweave.Diagnostic[]? faults
function M.new(tools, problems, target, seed)
  local named, case_of = {}, {}
  for index, problem in ipairs(problems) do
    named[index] = setmetatable({ name = "case" .. index }, { __index = problem })
    case_of[problem.x.layout] = index - 1
  end
  local program, faults = harness.build_tuner(tools, named, target)
  if not program then return nil, faults end
  local folder, release = cache.work(tools.store)
  return setmetatable({ tools = tools, target = target, seed = seed, program = program,
    case_of = case_of, folder = folder, close = release, libraries = {}, count = 0 }, M)
end

local function lay_out(folder, list)
  assert(files.make_folder(folder))
  for _, file in ipairs(list) do
    if not file.name:find("%.json$") then
      assert(files.write_private(folder .. "/" .. file.name, file.text))
    end
  end
end

-- One command from C to a shared library.
local function job_of(self, candidate)
  self.count = self.count + 1
  local folder = ("%s/%d"):format(self.folder, self.count)
  lay_out(folder, candidate.files)
  local compiler = self.tools.compiler
  local flags = clang.compile_flags(compiler, self.target.flags)
  table.move({ "-shared", "candidate.c", "-o", "candidate.so" }, 1, 4, #flags + 1, flags)
  local command = table.move(flags, 1, #flags, #compiler.command + 1,
    table.move(compiler.command, 1, #compiler.command, 1, {}))
  return { name = candidate.schedule, command = command, candidate = candidate,
    path = folder .. "/candidate.so", options = clang.run_options(compiler, folder) }
end

local function failed_compilation(result)
  if result and result.timed_out then
    return { status = "slow compile", reason = process.describe(result) }
  end
  return { status = "compile", reason = result and process.describe(result) or "not started" }
end

-- Compiles what was not compiled before; results of those that fail.
local function compile(self, batch, results)
  local list, place = {}, {}
  for index, candidate in ipairs(batch) do
    if not self.libraries[candidate.c_sha256] then
      list[#list + 1], place[#place + 1] = job_of(self, candidate), index
    end
  end
  local done = jobs.run(list, { parallel = self.tools.compiler.jobs, all = true })
  for index, job in ipairs(list) do
    if done[index] and done[index].ok then
      self.libraries[job.candidate.c_sha256] = job.path
    else
      results[place[index]] = failed_compilation(done[index])
    end
  end
end

local function arguments_of(self, batch, left, rounds)
  local list = { "--expected", self.folder, "--seed", tostring(self.seed), "--rounds",
    tostring(rounds) }
  for _, index in ipairs(left) do
    local candidate = batch[index]
    local tile = candidate.tile or {}
    list[#list + 1] = ("%d:%d,%d,%d,%.17g:%s"):format(self.case_of[candidate.problem.x.layout],
      tile[1] or 0, tile[2] or 0, tile[3] or 0, candidate.factor or 0,
      self.libraries[candidate.c_sha256])
  end
  return list
end

local function times_of(record)
  local result = { status = "ok" }
  for _, name in ipairs(TIMES) do result[name] = record[name] end
  if not result.early then result.early = nil end
  return result
end

-- What the program said of each; the one that had begun last if it said nothing of some.
local function take(records, left, results)
  local begun
  for _, record in ipairs(records) do
    local index = left[(math.tointeger(tonumber(record.kernel)) or -1) + 1]
    if record.begun then
      begun = index
    elseif index then
      results[index] = record.ok and times_of(record)
        or { status = record.kind, reason = record.reason }
    end
  end
  return begun
end

local function without_results(left, results)
  local out = {}
  for _, index in ipairs(left) do
    if not results[index] then out[#out + 1] = index end
  end
  return out
end

--- Compile, verify and time candidates; the first right one is the anchor of the others.
---@param batch tune.Candidate[]
---@param rounds integer
---@param what string for the line of progress
---@return tune.Result[]? results in their order
---@return upweave.Diagnostic[]? faults
function M:run(batch, rounds, what)
  local results = {}
  compile(self, batch, results)
  local left = {}
  for index = 1, #batch do left[index] = index end
  left = without_results(left, results)
  while #left > 0 do
    local records, ended, result = harness.run(self.program,
      arguments_of(self, batch, left, rounds),
      { seconds = M.SECONDS, what = what, total = LINES * #left })
    local begun = take(records, left, results)
    local open = without_results(left, results)
    if #open > 0 and not begun then
      return nil, { diagnostics.new("E600", { reason = "the tuning program " .. ended,
        hint = false }) }
    elseif #open > 0 then
      results[begun] = { status = result.timed_out and "hang" or "crash", reason = ended }
    end
    left = without_results(left, results)
  end
  return results
end

return M
