-- RING
-- ====
-- A window of rows that slides down an image: what enters it before each group of output rows, and
-- what a strip that starts in the middle needs first.  The entries are rows, or whatever rows are
-- kept as: `need(group)` gives the first and the last entry that a group of output rows reads.

local M = {}

---@class lower.Ring
---@field depth integer        entries that are kept
---@field fill fun(number: ir.Index): ir.Index, ir.Index      entries to add before a group
---@field prelude fun(strip: ir.Index): ir.Index, ir.Index    before a strip's first group

-- Entries each group has to add: [from, need + 1).  `lowest` is the first that it or a later group
-- reads: an output that falls on an input reads that one alone, the next output also the input
-- before it.
local function marks(list, need)
  local lowest, have, out = math.maxinteger, -1, {}
  for i = #list, 1, -1 do
    local first, last = need(list[i])
    lowest = math.min(lowest, first)
    out[i] = { lowest = lowest, need = last }
  end
  for _, mark in ipairs(out) do
    mark.from = math.max(have + 1, mark.lowest)
    have = math.max(have, mark.need)
  end
  return out
end

-- For each strip, the entries to have before its first group: those its groups would otherwise
-- expect from their predecessors.
local function preludes(list, starts)
  local lo, hi = {}, {}
  for s = 1, #starts - 1 do
    local first = list[starts[s] + 1]
    lo[s] = first and first.lowest or 0
    hi[s] = first and math.max(lo[s], first.from) or 0
  end
  return lo, hi
end

--- The ring of a list of groups cut into strips at `starts`; `what` names its entries.
---@param b ir.Builder
---@param list lower.Group[]
---@param starts integer[]
---@param what string
---@param need fun(group: lower.Group): integer, integer
---@return lower.Ring
function M.new(b, list, starts, what, need)
  local depth, from, upto = 1, {}, {}
  local marked = marks(list, need)
  for i, mark in ipairs(marked) do
    local first, last = need(list[i])
    depth = math.max(depth, last - first + 1)
    from[i], upto[i] = mark.from, math.max(mark.from, mark.need + 1)
  end
  local lo, hi = preludes(marked, starts)
  return {
    depth = depth,
    fill = b:ranges("fill", from, upto, what .. " that enter the ring before each output row"),
    prelude = b:ranges("prelude", lo, hi, what .. " that enter it before each strip"),
  }
end

return M
