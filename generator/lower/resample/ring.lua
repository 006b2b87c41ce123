-- RING
-- ====
-- A window of rows that slides down an image: what enters it before each group of output rows, and
-- what a strip that starts in the middle needs first.  The entries are rows, or whatever rows are
-- kept as: the groups' indices count them.

local frame = require "upweave.lower.resample.frame"
local groups = require "upweave.lower.resample.groups"

local M = {}

---@class lower.Ring
---@field depth integer        entries that are kept
---@field rows lower.Groups     output rows
---@field starts integer[]      first groups of the strips, and the end
---@field what string           what the entries are
---@field fill fun(number: ir.Index): ir.Index, ir.Index      entries to add before a group
---@field prelude fun(strip: ir.Index): ir.Index, ir.Index    before a strip's first group

-- Entries each group has to add: [from, need + 1).  `lowest` is the first that it or a later group
-- reads: an output that falls on an input reads that one alone, the next output also the input
-- before it.
local function marks(list)
  local lowest, have, out = math.maxinteger, -1, {}
  for i = #list, 1, -1 do
    local index = list[i].index
    lowest = math.min(lowest, index[1])
    out[i] = { lowest = lowest, need = index[#index] }
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

--- The ring of the groups of an image's rows, cut into strips; `what` names its entries, of which a
--- group reads those in its index.
---@param b ir.Builder
---@param rows lower.Groups
---@param strips integer
---@param what string
---@return lower.Ring
function M.new(b, rows, strips, what)
  local depth, from, upto, list = 1, {}, {}, rows.list
  local starts, marked = groups.starts(rows, strips), marks(list)
  for i, mark in ipairs(marked) do
    local index = list[i].index
    depth = math.max(depth, index[#index] - index[1] + 1)
    from[i], upto[i] = mark.from, math.max(mark.from, mark.need + 1)
  end
  local lo, hi = preludes(marked, starts)
  return {
    depth = depth, rows = rows, starts = starts, what = what,
    fill = b:ranges("fill", from, upto, what .. " that enter the ring before each output row"),
    prelude = b:ranges("prelude", lo, hi, what .. " that enter it before each strip"),
  }
end

--- The task loop of a kernel with a ring: enter(src, i) adds entry i, write(dst, group, oy) stores
--- the output rows of a group, of which oy is the first.
---@param f lower.Frame
---@param ring lower.Ring
---@param name string   of the loop over entries
---@param enter fun(src: table, i: ir.Index)
---@param write fun(dst: table, group: lower.Group, oy: ir.Index)
function M.tasks(f, ring, name, enter, write)
  local b = f.b
  frame.tasks(f, #ring.starts - 1, function(src, dst, strip)
    local function fill(lo, hi)
      b:each(name, lo, hi, function(i) enter(src, i) end)
    end
    local section = groups.sections(b, ring.rows, "run", ring.starts, strip)
    fill(ring.prelude(strip))
    groups.each(b, ring.rows, "g", section, function(group, run, g)
      b:note("%s that are new go through the row pass into the ring", ring.what)
      fill(ring.fill(g * run.period + group.number))
      b:note("output rows are sums over the ring")
      write(dst, group, g * run.stride[1] + group.pos[1])
    end)
  end)
end

return M
