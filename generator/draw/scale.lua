-- SPDX-License-Identifier: MIT
-- Scale: where the cells of an axis stand on paper.
--
-- One ruler for input and output: input pixel i has its point at coordinate i, output o where the
-- plan says that it reads. A long axis is broken into windows: its first outputs, a period of the
-- interior, its last outputs. Invariant: what a drawing holds is bounded, however long the axis.

local M = {}
M.__index = M

local WIDTH <const> = 900   -- of all windows
local GAP <const> = 44      -- between two windows
local PITCH <const> = 26    -- a cell that holds its number
local ROOMY <const> = 56    -- cells do not get larger than this
local EDGE_OUTPUTS <const> = 6
local INTERIOR_OUTPUTS <const> = 8
local GHOSTS <const> = 8    -- most pixels drawn outside the input, on a side
local NEAR <const> = 1e-4   -- the frameworks' rounding, and less than can be seen

---@class upweave.draw.scale
---@field axis upweave.axis
---@field source upweave.axis.source
---@field copy boolean
---@field kept { lo: integer, hi: integer }|nil   outputs that are no constant
---@field cell number      width of an output cell in input pixels
---@field unit number      width of an input pixel on paper
---@field low integer      first input position drawn, negative outside the input
---@field high integer     last one
---@field windows { from: number, to: number, x: number }[]  coordinates, place on paper
---@field width number

---@param o integer
---@return number   coordinate of an output's point
function M:at(o) return self.source.first + self.source.step * o end

---@return number left, number right   coordinates of an output's cell
function M:output_cell(o)
  local left = self:at(o) - self.source.point.output * self.cell
  return left, left + self.cell
end

---@return number left, number right   coordinates of an input's cell
function M:input_cell(i)
  local left = i - self.source.point.input
  return left, left + 1
end

--- Whether an output is a constant, because it would read beyond the input.
---@param o integer
---@return boolean
function M:filled(o)
  return self.kept ~= nil and (o < self.kept.lo or o >= self.kept.hi)
end

--- The positions outside the input that the filter of an output would reach, on each side.
---@param o integer
---@return integer before, integer after   how many
---@return integer first, integer last   all that it reaches
function M:outside(o)
  local s, reach, index = self:at(o), self.source.reach, self.axis.taps[o + 1].index
  local first, last = math.floor(s - reach) + 1, math.ceil(s + reach) - 1
  if self.copy or self:filled(o) or #index == 1 and math.abs(index[1] - s) < NEAR then
    return 0, 0, first, last
  end
  return math.max(math.min(last, -1) - first + 1, 0),
    math.max(last - math.max(first, self.axis.input) + 1, 0), first, last
end

--- How many taps of an output lie outside the input.
---@param o integer
---@return integer
function M:lost(o)
  local lost = self.axis.taps[o + 1].lost
  if lost then return lost end
  local before, after = self:outside(o)
  return before + after
end

-- What a stretch of outputs takes on the ruler: their cells and their taps, and the ends if near.
local function span(self, first, last)
  local axis = self.axis
  local from, to = math.huge, -math.huge
  for _, o in ipairs { first, last } do
    local index, left, right = axis.taps[o + 1].index, self:output_cell(o)
    from = math.min(from, left, (self:input_cell(index[1] or math.floor(self:at(o)))))
    to = math.max(to, right, select(2, self:input_cell(index[#index] or math.ceil(self:at(o)))))
  end
  if first == 0 then from = math.min(from, (self:input_cell(self.low))) end
  if last == axis.output - 1 then to = math.max(to, select(2, self:input_cell(self.high))) end
  return { from = from, to = to }
end

local function stretches(axis)
  local period, last = axis:period(), axis.output - 1
  local count = math.min(period and period.outputs or EDGE_OUTPUTS, INTERIOR_OUTPUTS)
  local left = math.min(period and period.first + count or EDGE_OUTPUTS, EDGE_OUTPUTS)
  local right = math.min(period and last - period.last + count or EDGE_OUTPUTS, EDGE_OUTPUTS)
  local middle = last // 2
  if period then middle = middle - (middle - period.first) % period.outputs end
  return { { 0, left - 1 }, { middle, middle + count - 1 }, { last - right + 1, last } }
end

-- One window if all fits, or if three would hold nearly as much.
local function windows_of(self, all)
  local length = all.to - all.from
  local pitch = PITCH / math.min(1, self.cell)
  if length * pitch <= WIDTH then return { all } end
  local parts, total = {}, 0
  for k, stretch in ipairs(stretches(self.axis)) do
    parts[k] = span(self, math.max(stretch[1], 0), math.min(stretch[2], self.axis.output - 1))
    total = total + parts[k].to - parts[k].from
    if k > 1 and parts[k].from <= parts[k - 1].to then return { all } end
  end
  return total > 0.8 * length and { all } or parts
end

local function place(self)
  local room, widest = WIDTH - GAP * (#self.windows - 1), 0
  for _, window in ipairs(self.windows) do
    widest = math.max(widest, window.to - window.from)
  end
  self.unit = math.min(room / (widest * #self.windows), ROOMY / math.min(1, self.cell))
  local x = 0
  for _, window in ipairs(self.windows) do
    window.x = x
    x = x + (window.to - window.from) * self.unit + GAP
  end
  self.width = x - GAP
end

---@param plan table
---@param k integer   which of its axes; it has a source
---@return upweave.draw.scale
function M.new(plan, k)
  local axis, fill = plan.axes[k], plan.fill
  local source = axis.source
  local self = setmetatable({ axis = axis, source = source, copy = axis:is_copy(),
    kept = fill and { lo = fill.lo[k], hi = fill.hi[k] },
    cell = source.step ~= 0 and math.abs(source.step) or 1, low = 0, high = axis.input - 1 }, M)
  for _, o in ipairs { 0, axis.output - 1 } do
    local before, after, first, last = self:outside(o)
    if before > 0 and -first <= GHOSTS then self.low = math.min(self.low, first) end
    if after > 0 and last - axis.input < GHOSTS then self.high = math.max(self.high, last) end
  end
  self.windows = windows_of(self, span(self, 0, axis.output - 1))
  place(self)
  return self
end

--- Place on paper of a coordinate in a window.
---@param window table
---@param coordinate number
---@return number
function M:x(window, coordinate)
  return window.x + (coordinate - window.from) * self.unit
end

--- The cells of a row that a window shows: numbers first to last and the step that keeps them
--- `least` apart on paper.
local function shown(from, to, low, high, unit, least)
  local first, last = math.max(math.ceil(from - 1e-9), low), math.min(math.floor(to + 1e-9), high)
  local every = math.max(math.ceil(least / unit), 1)
  return first, last, every
end

--- The inputs whose cells begin and end in a window; `every` of them is drawn.
---@return integer first, integer last, integer every
function M:inputs(window, least)
  local point = self.source.point.input
  return shown(window.from + point, window.to - 1 + point, self.low, self.high, self.unit, least)
end

--- The outputs whose cells begin and end in a window; `every` of them is drawn.
---@return integer first, integer last, integer every
function M:outputs(window, least)
  local source, cell, last = self.source, self.cell, self.axis.output - 1
  if source.step == 0 then return 0, 0, last + 1 end -- all in one place
  local left = source.first - source.point.output * cell
  local one, other = (window.from - left) / source.step, (window.to - cell - left) / source.step
  return shown(math.min(one, other), math.max(one, other), 0, last, self.unit * cell, least)
end

return M
