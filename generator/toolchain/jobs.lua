-- SPDX-License-Identifier: MIT
-- Many child processes at a time.
--
-- Purpose: run a list of commands on all CPUs with a line of progress. Invariants: results stand in
-- the order of the jobs, whatever order they ended in; after a failure nothing new is started and
-- what runs is finished, unless the caller expects failures and has progress of its own.

local process = require "upweave.toolchain.process"
local progress = require "upweave.toolchain.progress"
local uv = require "luv"

local M = {}

---@class upweave.Job
---@field name string for the progress line
---@field command string[]
---@field options upweave.ProcessOptions?

---@return integer
function M.cpus()
  return math.max(1, uv.available_parallelism())
end

local function reap(running, results, line)
  local failed = false
  for slot = #running, 1, -1 do
    local entry = running[slot]
    if entry.child.done then
      table.remove(running, slot)
      local result = process.result(entry.child)
      results[entry.index] = result
      failed = failed or not result.ok
      if line then progress.advance(line, entry.job.name, result.seconds) end
    end
  end
  return failed
end

-- Start jobs until all slots are taken; true if one could not be started.
local function fill(state)
  while #state.running < state.parallel and state.following <= #state.jobs do
    local index = state.following
    local job = state.jobs[index]
    local child, fault = process.start(job.command, job.options)
    state.following = index + 1
    if not child then
      state.results[index] = process.failed_start(fault)
      return true
    end
    table.insert(state.running, { child = child, job = job, index = index })
  end
  return false
end

---@param jobs upweave.Job[]
---@param options {what: string?, parallel: integer?, all: boolean?}  all: in silence, and also
---  after failures
---@return (upweave.ProcessResult|false)[] results false: not started because another one failed
---@return boolean ok
function M.run(jobs, options)
  local state = { jobs = jobs, results = {}, running = {}, following = 1,
    parallel = options.parallel or M.cpus() }
  local line = not options.all and progress.new(options.what, #jobs)
  local failed = fill(state)
  while #state.running > 0 do
    if line then progress.show(line, state.running[1].job.name) end
    process.step()
    failed = reap(state.running, state.results, line) or failed
    if options.all or not failed then failed = fill(state) or failed end
  end
  for index = 1, #jobs do state.results[index] = state.results[index] or false end
  if line then progress.clear() end
  return state.results, not failed
end

return M
