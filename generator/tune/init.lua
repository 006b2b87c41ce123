-- SPDX-License-Identifier: MIT
-- Tuning one kernel.
--
-- Purpose: walks through the candidates in their order, measures those whose trial is not known
-- yet, keeps every trial at once, and lets the best meet again. Invariants: which candidates there
-- are does not depend on what is measured; what is known is never measured again, but for the
-- final; clock, measurement and memory are the caller's, so that a recorded run can be replayed.

local candidates = require "upweave.tune.candidates"
local diagnostics = require "upweave.util.diagnostics"
local winners = require "upweave.tune.winner"

local M = {}

local BATCH <const> = 8
local ROUNDS <const>, FINAL_ROUNDS <const> = 15, 61
-- Of the budget: the final, and the batch that is begun last.
local RESERVE <const> = 0.15

---@class tune.Task
---@field problems table[]   the kernel; in each layout if it is the tuner's to choose
---@field target Target
---@field trials integer?    how many candidates; else
---@field seconds number?    the budget
---@field known fun(candidate: tune.Candidate, anchor: tune.Candidate): tune.Result?  of before
---@field measure fun(batch: tune.Candidate[], rounds: integer): tune.Result[]?, table[]?
---@field keep fun(candidate: tune.Candidate, result: tune.Result): true?, table[]?  at once
---@field clock fun(): number  seconds
---@field watch fun(state: tune.State)  after each batch

---@class tune.State
---@field trials tune.Trial[]
---@field measured integer   in this run
---@field best tune.Trial?
---@field total integer?     candidates to come and gone, where that is known
---@field left number?       seconds, where there is a budget

local function best_of(trials)
  local best
  for _, trial in ipairs(trials) do
    local relative = trial.result.status == "ok" and trial.result.relative
    if relative and (not best or relative < best.result.relative) then best = trial end
  end
  return best
end

-- Results of candidates, the first of which all others are compared with.
local function measured(task, list, rounds)
  local results, faults = task.measure(list, rounds)
  if not results then return nil, faults end
  local anchor = results[1]
  if anchor.status ~= "ok" then
    return nil, { diagnostics.new("E600", { where = ("schedule %s"):format(list[1].schedule),
      reason = ("the schedule that others are compared with: %s, %s"):format(anchor.status,
        anchor.reason or "no times"), hint = "upweave verify" }) }
  end
  return results
end

-- Measure a batch behind the anchor and keep what comes of it.
local function measure(task, state, batch)
  local anchor = state.anchor
  local list = batch[1] == anchor and batch or table.move(batch, 1, #batch, 2, { anchor })
  local results, faults = measured(task, list, ROUNDS)
  if not results then return nil, faults end
  for index, candidate in ipairs(list) do
    local result = results[index]
    if candidate == batch[1] or candidate ~= anchor then
      local kept
      kept, faults = task.keep(candidate, result)
      if not kept then return nil, faults end
      state.measured = state.measured + 1
      table.insert(state.trials, { rank = candidate.rank, candidate = candidate, result = result })
    end
  end
  state.best = best_of(state.trials)
  return true
end

local function time_left(task, begun)
  return task.seconds and task.seconds * (1 - RESERVE) - (task.clock() - begun)
end

local function over(task, state, begun)
  if task.trials then return #state.trials + #state.batch >= task.trials end
  state.left = time_left(task, begun)
  return state.left <= 0 and #state.trials > 0
end

local function flush(task, state)
  local batch = state.batch
  state.batch = {}
  if #batch == 0 then return true end
  local ok, faults = measure(task, state, batch)
  if ok then task.watch(state) end
  return ok, faults
end

local function search(task, state)
  local begun = task.clock()
  for candidate in candidates.each_of(task.problems, task.target) do
    state.anchor = state.anchor or candidate
    local known = task.known(candidate, state.anchor)
    if known then
      table.insert(state.trials, { rank = candidate.rank, candidate = candidate, result = known })
    else
      table.insert(state.batch, candidate)
    end
    if #state.batch == BATCH then
      local ok, faults = flush(task, state)
      if not ok then return nil, faults end
    end
    if over(task, state, begun) then break end
  end
  local ok, faults = flush(task, state)
  if not ok then return nil, faults end
  state.best = best_of(state.trials)
  return true
end

--- Tune: the winner, with the times of the final, and all trials.
---@param task tune.Task
---@return {winner: tune.Trial, anchor: tune.Trial, trials: tune.Trial[], measured: integer,
---  seconds: number}?  seconds: of the search, without the final
---@return table[]? faults
function M.run(task)
  local state = { trials = {}, batch = {}, measured = 0, total = task.trials }
  local begun = task.clock()
  local ok, faults = search(task, state)
  if not ok then return nil, faults end
  local seconds = task.clock() - begun
  local finalists, batch = winners.finalists(state.trials), {}
  for index, trial in ipairs(finalists) do batch[index] = trial.candidate end
  local results
  results, faults = measured(task, batch, FINAL_ROUNDS)
  if not results then return nil, faults end
  local last = {}
  for index, trial in ipairs(finalists) do
    last[index] = { rank = trial.rank, candidate = trial.candidate, result = results[index] }
  end
  return { winner = winners.of(last), anchor = last[1], trials = state.trials,
    measured = state.measured, seconds = seconds }
end

return M
