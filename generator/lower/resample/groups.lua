-- GROUPS
-- ======
-- Outputs of an axis that read the same inputs, computed together from the same loads, and the
-- loops over such groups.  An axis may be cut into sections (strips of rows, tiles of columns):
-- a section does some iterations of every loop, between bounds from tables.

local runs = require "upweave.plan.runs"

local M = {}

-- Longest period of group sizes looked for, and the straight-line groups of rows of a kernel.
local MAX_PERIOD, MAX_PIECES = 8, 12

---@class lower.Group
---@field pos integer[]        { first output }, or with `relative` { first output, first input }
---@field index integer[]      inputs, ascending
---@field weights number[][]   of each output
---@field number integer       its place in the list, from 0

---@class lower.Groups
---@field list lower.Group[]
---@field loops plan.Run[]

local function collect(map, most, relative)
  local out = {}
  for o, t in ipairs(map.taps) do
    local key, last = table.concat(t.index, ","), out[#out]
    if last and last.key == key and #last.weights < most then
      last.weights[#last.weights + 1] = t.weight
    else
      out[#out + 1] = {
        key = key, pos = { o - 1, relative and t.index[1] }, index = t.index,
        weights = { t.weight },
      }
    end
  end
  return out
end

--- Groups of at most `most` outputs of a map; `signature(group)` says which are alike.  With
--- `relative` their inputs have to advance as evenly as their outputs; without, inputs are found
--- by table.
---@param map plan.Axis
---@param most integer
---@param max_period integer
---@param signature fun(group: lower.Group): string|integer
---@param relative boolean?
---@return lower.Groups
function M.new(map, most, max_period, signature, relative)
  local list = collect(map, most, relative)
  for number, g in ipairs(list) do g.sig, g.number = signature(g), number - 1 end
  return { list = list, loops = runs.runs(list, max_period) }
end

--- The groups at which `sections` equal parts begin, and the end: sections + 1 numbers from 0.
--- A part begins only where an iteration of a loop does.
---@param groups lower.Groups
---@param sections integer
---@return integer[]
function M.starts(groups, sections)
  local starts = {}
  for s = 0, sections do starts[s + 1] = #groups.list * s // sections end
  for s = 2, sections do
    for _, run in ipairs(groups.loops) do
      local into = starts[s] - (run.first - 1)
      if into > 0 and into < run.count * run.period then
        starts[s] = run.first - 1 + into // run.period * run.period
      end
    end
  end
  return starts
end

-- First and last iteration of a run that belong to a section.
local function bounds(b, name, run, starts, section)
  if #starts == 2 then return 0, run.count end
  local lo, hi = {}, {}
  local function iteration(group)      -- the first iteration that starts at or after a group
    local i = (group - (run.first - 1) + run.period - 1) // run.period
    return math.max(0, math.min(run.count, i))
  end
  for s = 1, #starts - 1 do lo[s], hi[s] = iteration(starts[s]), iteration(starts[s + 1]) end
  return b:ranges(name, lo, hi, "iterations of the loop that each part does")(section)
end

--- Groups of whole rows, at most `most`; one row at a time where their sizes follow no period.
---@param map plan.Axis
---@param most integer
---@return lower.Groups
function M.rows(map, most)
  local function size(g) return #g.weights end
  local found = M.new(map, most, MAX_PERIOD, size)
  if runs.pieces(found.loops) <= MAX_PIECES then return found end
  return M.new(map, 1, 1, size)
end

--- Bounds of every loop of a section: declared once, before the loops around it.
function M.sections(b, groups, name, starts, section)
  local list = {}
  for number, run in ipairs(groups.loops) do
    local lo, hi = bounds(b, ("%s%d"):format(name, number), run, starts, section)
    list[number] = { lo = lo, hi = hi }
  end
  return list
end

--- Loop over the groups of a section: fn(group, run, iteration).
function M.each(b, groups, name, section, fn)
  for i, run in ipairs(groups.loops) do
    b:each(name, section[i].lo, section[i].hi, function(g)
      for _, group in ipairs(run.items) do
        b:group(function() fn(group, run, g) end)
      end
    end)
  end
end

return M
