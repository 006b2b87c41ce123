-- SPDX-License-Identifier: MIT
-- Legend: the phases with their weights, and what the lines mean.

local svg = require "upweave.draw.svg"

local M = {}

local ROW <const> = 24
local WIDTH <const> = 976
local SIZE <const> = 12      -- of the formulas
local TEXT <const> = 76      -- where they begin
local MOST <const> = 16      -- entries
local SOME <const> = 8       -- of a list that is longer
local BARS <const> = 64      -- width of the picture of the weights
local BAR_HEIGHT <const> = 15
local MOST_BARS <const> = 32

-- The weights as bars on a base line, negative ones below.
local function draw_bars(canvas, x, y, phase, one)
  local n, largest, lowest = #phase.weights, 0, 0
  for _, w in ipairs(phase.weights) do
    largest, lowest = math.max(largest, w / one), math.min(lowest, w / one)
  end
  local every = (n + MOST_BARS - 1) // MOST_BARS
  local pitch = math.min(BARS / math.ceil(n / every), 12)
  local unit = BAR_HEIGHT / math.max(largest - lowest, 1e-6)
  local base = y + largest * unit
  canvas:line(x, base, x + BARS, base, "base")
  for k = 1, n, every do
    local w = phase.weights[k] / one
    canvas:rect(x + (k - 1) // every * pitch, w > 0 and base - w * unit or base,
      math.max(pitch - 1.5, 0.7), math.abs(w) * unit, w > 0 and "bar" or "bar minus",
      w > 0 and { "fill", phase.colour } or nil)
  end
end

-- What is left of a formula: its colour alone where the weights are not known.
local function draw_weights(canvas, scale, x, y, phase, one)
  if not scale.axis.symbolic then return draw_bars(canvas, x, y, phase, one) end
  canvas:rect(x, y, BARS, BAR_HEIGHT, "bar", { "fill", phase.colour })
end

local function note_of(scale, phase)
  local count = scale:lost(phase.output)
  if count == 0 or phase.interior then return nil end
  local taps = count == 1 and "1 tap outside" or count .. " taps outside"
  if scale.source.outside == "renormalised" then return taps .. ", left out" end
  local before, after = scale:outside(phase.output)
  local last = ("x[%d]"):format(scale.axis.input - 1)
  local to = before > 0 and (after > 0 and last ~= "x[0]" and "x[0], " .. last or "x[0]") or last
  return taps .. " → " .. to
end

local function entries_of(scale, phases)
  local list, widest = {}, 0
  for k = 1, #phases.list <= MOST and #phases.list or SOME do
    local phase = phases.list[k]
    local entry = { phase = phase, text = phases:text(phase), note = note_of(scale, phase) }
    local whole = entry.note and entry.text .. "    " .. entry.note or entry.text
    widest = math.max(widest, svg.width(whole, SIZE))
    list[k] = entry
  end
  return list, widest
end

---@param canvas upweave.draw.canvas
---@param scale upweave.draw.scale
---@param phases table
---@return number height
function M.draw(canvas, scale, phases)
  local list, widest = entries_of(scale, phases)
  local columns = math.max(math.min(WIDTH // (widest + TEXT + 24), 3), 1)
  local rows = (#list + columns - 1) // columns
  for k, entry in ipairs(list) do
    local x, y = (k - 1) // rows * (WIDTH // columns), (k - 1) % rows * ROW
    draw_weights(canvas, scale, x, y, entry.phase, phases.one)
    canvas:text(x + TEXT, y + 13, "formula", entry.text)
    if entry.note then
      canvas:text(x + TEXT + svg.width(entry.text, SIZE) + 12, y + 13, "note", entry.note)
    end
  end
  if #list < #phases.list then
    canvas:text(0, rows * ROW + 12, "note", ("… and %d more"):format(#phases.list - #list))
    rows = rows + 1
  end
  return rows * ROW
end

local function key_line(canvas, x, class, more, text)
  canvas:line(x, 9, x + 26, 9, class, more)
  canvas:text(x + 34, 13, "note", text)
  return x + 34 + svg.width(text, 11) + 26
end

local function name_of_taps(has)
  if has.symbolic then return "tap" end
  return has.copy and "copy of this input" or "tap, as wide as its weight"
end

--- One line that says what the marks mean; only those that occur.
---@param canvas upweave.draw.canvas
---@param scale upweave.draw.scale
---@param has { negative: boolean, outside: boolean, copy: boolean, filled: boolean, fill: number?,
---  symbolic: boolean? }
---@return number height
function M.keys(canvas, scale, has)
  local x = key_line(canvas, 0, "reads", nil, "where an output reads")
  x = key_line(canvas, x, "tap", { "stroke", "#4b5563", "stroke-width", 3 }, name_of_taps(has))
  if has.negative then
    x = key_line(canvas, x, "tap negative", { "stroke-width", 1.6 }, "negative weight")
  end
  if has.outside then
    local clamped = scale.source.outside == "clamped"
    if not clamped then canvas:rect(x, 2, 26, 13, "ghost") end
    x = key_line(canvas, x, clamped and "lost" or "no line", nil,
      clamped and "tap outside the input: reads the border pixel" or "outside the input: left out")
  end
  if has.filled then
    canvas:rect(x, 2, 26, 13, "filled")
    canvas:text(x + 34, 13, "note", ("constant %.6g"):format(has.fill))
  end
  return 22
end

return M
