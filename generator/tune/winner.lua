-- SPDX-License-Identifier: MIT
-- Who has won.
--
-- Purpose: the rules that turn times into a choice. Invariants: pure; times are multiples of the
-- anchor's in the same rounds, so that those of different runs compare; within the noise the
-- candidate of the earlier rank wins, so that the heuristic's choice is left only for a reason, and
-- the same times give the same winner in whatever order they are read.

local M = {}

local FINALISTS <const> = 5

---@class tune.Trial
---@field rank integer
---@field result tune.Result

-- Faster first; the same time: the earlier rank.
local function faster(a, b)
  if a.result.relative ~= b.result.relative then
    return a.result.relative < b.result.relative
  end
  return a.rank < b.rank
end

local function timed(trials)
  local list = {}
  for _, trial in ipairs(trials) do
    if trial.result.status == "ok" and not trial.result.early then list[#list + 1] = trial end
  end
  table.sort(list, faster)
  return list
end

--- Those that are measured again together, the anchor first.
---@param trials tune.Trial[]
---@return tune.Trial[]
function M.finalists(trials)
  local anchor
  for _, trial in ipairs(trials) do
    if trial.rank == 1 then anchor = trial end
  end
  local list = { anchor }
  for _, trial in ipairs(timed(trials)) do
    if trial ~= anchor and #list <= FINALISTS then list[#list + 1] = trial end
  end
  return list
end

-- Whether the middle halves of two have a time in common.
local function overlap(a, b) return a.low <= b.high and b.low <= a.high end

--- The winner of those that were measured together.
---@param trials tune.Trial[]
---@return tune.Trial?
function M.of(trials)
  local list = timed(trials)
  local best = list[1]
  local winner = best
  for _, trial in ipairs(list) do
    if trial.rank < winner.rank and overlap(trial.result, best.result) then winner = trial end
  end
  return winner
end

return M
