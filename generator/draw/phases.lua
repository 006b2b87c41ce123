-- SPDX-License-Identifier: MIT
-- Phases: which outputs have equal weights, in which colour they are drawn, how they are written.
--
-- The phases of the interior come first; other weights (clipped outputs, axes without a period)
-- follow in the order in which they are met. Float weights that differ only by the rounding of
-- their coordinates are one phase, as they are to the reader; integer weights are taken as they
-- are. Invariant: equal weights have one colour; beside an interior, clipped outputs are grey.

local fraction = require "upweave.draw.fraction"

local M = {}
M.__index = M

-- Colours that stay apart for the colour-blind, on white; the reds are left to negative weights.
local COLOURS <const> = {
  "#0072b2", "#dd8500", "#00926b", "#7b4fa3", "#3d9bd1", "#8a6414", "#b8568c", "#5a7d2a",
}
local GREY <const> = "#6b7280"
local LONGEST <const> = 6 -- terms of a formula that is written out

local ROUNDING <const> = 1e-3

local function signature(weights, precision)
  local parts = {}
  for k, w in ipairs(weights) do
    parts[k] = precision and ("%d"):format(w) or ("%d"):format(math.floor(w / ROUNDING + 0.5))
  end
  return table.concat(parts, " ")
end

-- Whether weights repeat with the positions, but for rounding.
local function nearly_repeats(axis, period)
  for o = period.first, period.last - period.outputs do
    local a, b = axis.taps[o + 1].weight, axis.taps[o + period.outputs + 1].weight
    for k, w in ipairs(a) do
      if math.abs(w - b[k]) > ROUNDING then return false end
    end
  end
  return true
end

-- The period of the interior, and whether it is exact.
local function period_of(axis)
  local period = axis:period()
  if period or axis.precision then return period, true end
  period = axis:period("index")
  if period and nearly_repeats(axis, period) then return period, false end
  return nil, true
end

---@class upweave.draw.phase
---@field colour string
---@field weights number[]  as the kernel has them
---@field output integer    an output that has them
---@field interior boolean  repeats with the period

---@param scale upweave.draw.scale
---@return table
function M.new(scale)
  local axis = scale.axis
  local period, exact = period_of(axis)
  local self = setmetatable({ scale = scale, axis = axis, list = {}, colours = {}, met = 0,
    outputs = {}, period = period, exact = exact,
    one = axis.precision and 2.0 ^ axis.precision or 1 }, M)
  if period then
    local start = period.first + -period.first % period.outputs -- phase 0 is y[outputs * n]
    if start + period.outputs - 1 > period.last then start = period.first end
    for o = start, start + period.outputs - 1 do
      if not scale:filled(o) then self:of(o) end
    end
  end
  return self
end

local function colour_of(self, o, interior)
  local name = signature(self.axis.taps[o + 1].weight, self.axis.precision)
  if not self.colours[name] then
    local edge = self.period and not interior and self.scale:lost(o) > 0
    self.colours[name] = edge and GREY or COLOURS[self.met % #COLOURS + 1]
    self.met = self.met + 1
  end
  return self.colours[name]
end

--- The phase of an output.
---@param o integer
---@return upweave.draw.phase
function M:of(o)
  local period = self.period
  local interior = period ~= nil and o >= period.first and o <= period.last
  local key = interior and ("%d of period"):format(o % period.outputs) or o
  local phase = self.outputs[key]
  if not phase then
    phase = { weights = self.axis.taps[o + 1].weight, output = o, interior = interior,
      colour = colour_of(self, o, interior) }
    self.outputs[key], self.list[#self.list + 1] = phase, phase
  end
  return phase
end

local function sum_of(terms)
  local text = table.concat(terms, " + "):gsub("%+ %-", "− "):gsub("^%-", "−")
  return text
end

local function place(letter, n, offset)
  if n == 0 then return ("%s[%d]"):format(letter, offset) end
  local times = n == 1 and "n" or n .. "n"
  local rest = offset == 0 and "" or offset < 0 and ("−%d"):format(-offset) or "+" .. offset
  return ("%s[%s%s]"):format(letter, times, rest)
end

-- A weight before its input; the only one of a copy, or of one, is left out.
local function factor(self, w)
  if self.axis.symbolic then return ("w%d "):format(w - 1) end
  if w == 1 then return "" end
  return (self.axis.precision and ("%d"):format(w) or fraction.text(w)) .. " "
end

--- `1/4 x[n] + 3/4 x[n+1]`, positions counted from `base`, moving by `step` a period.
local function right_side(self, phase, base, step)
  local index, terms = self.axis.taps[phase.output + 1].index, {}
  if #index == 0 then return "no taps" end
  if #index > LONGEST then
    return ("%d taps, %s … %s"):format(#index, place("x", step, index[1] - base),
      place("x", step, index[#index] - base))
  end
  if #index == 1 and phase.weights[1] == self.one and not self.axis.symbolic then
    return place("x", step, index[1] - base)
  end
  for k, i in ipairs(index) do
    terms[k] = factor(self, phase.weights[k]) .. place("x", step, i - base)
  end
  if self.axis.precision and self.axis.precision > 0 then
    return ("(%s) / %d"):format(sum_of(terms), 1 << self.axis.precision)
  end
  return sum_of(terms)
end

--- What an output of this phase is, in one line.
---@param phase upweave.draw.phase
---@return string
function M:text(phase)
  local period = self.period
  if not (phase.interior and period) then
    return place("y", 0, phase.output) .. " = " .. right_side(self, phase, 0, 0)
  end
  local times = phase.output // period.outputs
  return place("y", period.outputs, phase.output % period.outputs) .. " = "
    .. right_side(self, phase, times * period.inputs, period.inputs)
end

return M
