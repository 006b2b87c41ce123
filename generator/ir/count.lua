-- COUNT
-- =====
-- How often a kernel loads, stores and calculates vectors in one run, counted over its loops.
-- Loops between constant bounds multiply; the others, whose bounds come from tables, are stepped
-- through.  Tasks repeat with the module's `task_period`.

local index = require "upweave.ir.index"

local M = {}

local kinds = {
  load = "loads", gather = "loads", store = "stores", add = "arithmetic", mul = "arithmetic",
  fma = "arithmetic", shuffle = "shuffles", convert = "arithmetic", convert_pairs = "arithmetic",
  average = "arithmetic", bxor = "arithmetic", band = "arithmetic", sub = "arithmetic",
  div = "arithmetic", sqrt = "arithmetic", max = "arithmetic", min = "arithmetic",
  lt = "arithmetic", shift = "arithmetic", neighbours = "arithmetic", narrow = "shuffles",
}

-- True if a loop inside the block has bounds that are not constants.
local function varies(block)
  for _, n in ipairs(block) do
    if n.op == "for" and not (index.static(n.lo) and index.static(n.hi)) then return true end
    if n.body and varies(n.body) then return true end
  end
  return false
end

local count_block

local function count_loop(n, totals, times)
  local value = function(a) return a.value end
  local lo, hi = index.evaluate(n.lo, value), index.evaluate(n.hi, value)
  if hi <= lo then return end
  if not varies(n.body) then
    n.var.value = lo
    return count_block(n.body, totals, times * (hi - lo))
  end
  local step = 1
  if n.var.parameter then
    step = hi // n.var.period
    hi = n.var.period
  end
  for i = lo, hi - 1 do
    n.var.value = i
    count_block(n.body, totals, times * step)
  end
end

function count_block(block, totals, times)
  for _, n in ipairs(block) do
    if n.op == "for" then count_loop(n, totals, times)
    elseif n.body or n.op == "call" then
      count_block(n.body or n.routine.body, totals, times)
    elseif kinds[n.op] and (n.ty or n[1].ty).lanes > 1 then
      totals[kinds[n.op]] = totals[kinds[n.op]] + times
    end
  end
end

--- Totals of one run of all tasks.
---@param module ir.Builder
---@return { loads: integer, stores: integer, arithmetic: integer, shuffles: integer }
function M.count(module)
  local totals = { loads = 0, stores = 0, arithmetic = 0, shuffles = 0 }
  count_block(module.body, totals, 1)
  return totals
end

return M
