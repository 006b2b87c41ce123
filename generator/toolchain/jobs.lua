-- SPDX-License-Identifier: MIT
-- Many child processes at a time.
--
-- Purpose: run a list of commands on all CPUs with a line of progress. Invariants: results stand in
-- the order of the jobs, whatever order they ended in; after a failure nothing new is started and
-- what runs is finished.

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
      progress.advance(line, entry.job.name, result.seconds)
    end
  end
  return failed
end

---@param jobs upweave.Job[]
---@param options {what: string, parallel: integer?}
---@return (upweave.ProcessResult|false)[] results false: not started because another one failed
---@return boolean ok
function M.run(jobs, options)
  local results, running, line = {}, {}, progress.new(options.what, #jobs)
  local parallel, following, failed = options.parallel or M.cpus(), 1, false
  while #running > 0 or (following <= #jobs and not failed) do
    while #running < parallel and following <= #jobs and not failed do
      local job = jobs[following]
      local child, fault = process.start(job.command, job.options)
      if child then
        running[#running + 1] = { child = child, job = job, index = following }
      else
        results[following], failed = process.failed_start(fault), true
      end
      following = following + 1
    end
    if #running > 0 then
      progress.show(line, running[1].job.name)
      process.step()
      failed = reap(running, results, line) or failed
    end
  end
  for index = 1, #jobs do results[index] = results[index] or false end
  progress.clear()
  return results, not failed
end

return M
