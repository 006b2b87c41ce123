-- OUTER AXES
-- ==========
-- Rows (and planes of rows) of a convolution as tables: which output comes when, and which input
-- row meets which row of the kernel.  Code does not depend on phases, edges or dilation of these
-- axes; outputs of one phase follow each other, so that they use the same weights in a row.

local contract = require "upweave.plan.contract"

local M = {}

-- Outputs from `from` to before `to` in groups: those of a phase together, at most `most` of equal
-- taps in each, as even as can be.  List of { first, n, from, to }, numbers of taps.
local function groups_of(axis, from, to, most)
  local list = {}
  local function add(run)
    local count = (run.n + most - 1) // most
    for i = 0, count - 1 do
      local begin = i * run.n // count
      list[#list + 1] = {
        output = run.output + begin * axis.phases, n = (i + 1) * run.n // count - begin,
        first = run.first, last = run.last,
      }
    end
  end
  for r = 0, axis.phases - 1 do
    local run
    for o = from + (r - from) % axis.phases, to - 1, axis.phases do
      local first, last = contract.inside(axis, o)
      if run and run.first == first and run.last == last then
        run.n = run.n + 1
      else
        if run then add(run) end
        run = { output = o, n = 1, first = first, last = last }
      end
    end
    if run then add(run) end
  end
  return list
end

--- Outputs of an axis in groups of at most `most` that have the same taps, by the groups' sizes:
--- for each size `n` the groups of all parts in order of work, { output, n, first, last, part }
--- with the numbers of their taps, and where those of a part begin and end.
---@param axis upweave.contract.axis
---@param parts integer
---@param most integer
---@return { n: integer, order: table[], lo: integer[], hi: integer[] }[]
function M.sizes(axis, parts, most)
  local sizes, known = {}, {}
  for p = 1, parts do
    local groups = groups_of(axis, (p - 1) * axis.output // parts, p * axis.output // parts, most)
    for _, group in ipairs(groups) do
      group.part = p
      local size = known[group.n]
      if not size then
        size = { n = group.n, order = {}, lo = {}, hi = {} }
        known[group.n], sizes[#sizes + 1] = size, size
      end
      size.lo[p] = size.lo[p] or #size.order
      size.order[#size.order + 1] = group
      size.hi[p] = #size.order
    end
  end
  for _, size in ipairs(sizes) do
    for p = 1, parts do
      size.lo[p] = size.lo[p] or size.hi[p - 1] or 0
      size.hi[p] = size.hi[p] or size.lo[p]
    end
  end
  return sizes
end

--- The input positions that each part reads, ascending.
---@param axis upweave.contract.axis
---@param parts integer
---@return integer[][]
function M.needs(axis, parts)
  local out = {}
  for p = 1, parts do
    local list, known = {}, {}
    for o = (p - 1) * axis.output // parts, p * axis.output // parts - 1 do
      local first, last = contract.inside(axis, o)
      for t = first, last do
        local i = o // axis.phases * axis.step + axis.taps[o % axis.phases + 1][t].at
        if not known[i] then list[#list + 1], known[i] = i, true end
      end
    end
    table.sort(list)
    out[p] = list
  end
  return out
end

-- For each group the bounds of its taps, for each tap its positions in the input, or among `needs`
-- of its part, and in the kernel.
local function taps_of(axis, order, needs)
  local t = { from = {}, to = {}, input = {}, kernel = {}, output = {} }
  for turn, group in ipairs(order) do
    local taps = axis.taps[group.output % axis.phases + 1]
    local base = needs and needs[group.part][1] or 0
    local origin = group.output // axis.phases * axis.step - base
    t.output[turn], t.from[turn] = group.output, #t.input
    for i = group.first, group.last do
      t.input[#t.input + 1], t.kernel[#t.kernel + 1] = origin + taps[i].at, taps[i].k
    end
    t.to[turn] = #t.input
  end
  if #t.input == 0 then t.input, t.kernel = { 0 }, { 0 } end    -- bias only: never looked at
  return t
end

---@class lower.contract.Outer   turns that make so many outputs together
---@field n integer
---@field part fun(p: ir.Index): ir.Index, ir.Index   bounds of a part's turns
---@field output fun(turn: ir.Index): ir.Index        first output position of a turn
---@field taps fun(turn: ir.Index): ir.Index, ir.Index   bounds of its taps
---@field input fun(tap: ir.Index): ir.Index          input position of a tap
---@field kernel fun(tap: ir.Index): ir.Index         kernel position of a tap

local function tables_of(b, axis, size, name, needs)
  local t = taps_of(axis, size.order, needs)
  local out = b:table(name .. "_out", "i32", t.output, 1, "output positions, in order of work")
  local ins = b:table(name .. "_in", "i32", t.input, 1, "input positions of their taps")
  local ks = b:table(name .. "_k", "i32", t.kernel)
  return {
    n = size.n, part = b:ranges(name .. "_part", size.lo, size.hi),
    output = function(turn) return b:fetch(out, turn) end,
    taps = b:ranges(name .. "_taps", t.from, t.to),
    input = function(tap) return b:fetch(ins, tap) end,
    kernel = function(tap) return b:fetch(ks, tap) end,
  }
end

--- Tables of an axis in so many parts.  A turn makes up to `most` outputs, `phases` apart, whose
--- taps are `step` apart; turns of one size share tables.  With `needs`, inputs are counted from
--- the first that their part reads.
---@param b ir.Builder
---@param axis upweave.contract.axis
---@param parts integer
---@param most integer
---@param needs integer[][]?
---@return lower.contract.Outer[]
function M.new(b, axis, parts, most, needs)
  local out = {}
  for i, size in ipairs(M.sizes(axis, parts, most)) do
    out[i] = tables_of(b, axis, size, axis.name .. (i > 1 and i or ""), needs)
  end
  return out
end

--- The tables of all axes but the last, the outermost in k.parts parts: k.outer.  k.rows is the
--- most rows that are made together; k.stage, if there is one, has the rows that are read.
---@param k { b: ir.Builder, plan: upweave.plan.contract, parts: integer, rows: integer?,
---  stage: lower.contract.Stage? }
function M.declare(k)
  k.outer = {}
  for i = 1, k.plan.rank - 1 do
    local rows = i == k.plan.rank - 1 and k.rows or 1
    k.outer[i] = M.new(k.b, k.plan.axes[i], i == 1 and k.parts or 1, rows,
      k.stage and k.stage.needs[i])
  end
end

return M
