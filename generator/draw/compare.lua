-- SPDX-License-Identifier: MIT
-- Comparison: the same two sizes under the three coordinate rules, side by side and small.
--
-- Only for filters that blend neighbours: those are the ones for which frameworks let the rule be
-- chosen, and small ratios, whose cells can be told apart. Long axes show their beginning.

local align_corners = require "upweave.resample.coordinates.align_corners"
local arithmetic = require "upweave.resample.arithmetic.f64"
local asymmetric = require "upweave.resample.coordinates.asymmetric"
local half_pixel = require "upweave.resample.coordinates.half_pixel"
local source_of = require("upweave.resample.source").of

local M = { HEIGHT = 118 }

local WIDTH <const>, PITCH <const> = 196, 212
local LARGEST_RATIO <const> = 6
local LONGEST <const> = 9      -- cells of a row before it is torn off
local INPUT_Y <const>, OUTPUT_Y <const>, CELL <const> = 32, 78, 16
local NEIGHBOURS <const> = { taps = 2 }

local RULES <const> = {
  { half_pixel, "borders meet" }, { align_corners, "corner centres meet" },
  { asymmetric, "pixels stand at their left border" },
}

--- Whether a comparison says something about this axis.
---@param scale upweave.draw.scale
---@return boolean
function M.fits(scale)
  local axis, source = scale.axis, scale.source
  return not scale.copy and source.outside == "clamped" and source.rule ~= "box" and source.step > 0
    and axis.output > 1 and scale.cell <= LARGEST_RATIO and scale.cell >= 1 / LARGEST_RATIO
end

-- A row of cells from `left` on, the points at `point` of a cell.
local function draw_row(canvas, y, left, cell, count, point, class)
  for k = 0, count - 1 do
    canvas:rect(left + k * cell, y, cell, CELL, class)
    canvas:circle(left + (k + point) * cell, y + CELL / 2, 1.9, "point")
  end
end

local function draw_rule(canvas, axis, source, note, chosen)
  local point, ratio, first = source.point, source.step, source.first
  local low = math.min(0, first - ratio * point.output + point.input)
  local longest = LONGEST * math.min(1, ratio)
  local cut = math.max(axis.input, axis.output * ratio) > longest * 1.5
  local inputs, outputs = axis.input, axis.output
  if cut then
    inputs = math.max(math.min(inputs, math.ceil(longest)), 1)
    outputs = math.max(math.min(outputs, math.ceil(longest / ratio)), 1)
  end
  local outputs_end = first + point.input + (outputs - point.output) * ratio
  local unit = math.min((WIDTH - (cut and 34 or 8)) / (math.max(inputs, outputs_end) - low), 44)
  local origin = 4 - low * unit
  canvas:text(4, 14, chosen and "rule chosen" or "rule", source.rule)
  canvas:text(4, OUTPUT_Y + CELL + 18, "note", note)
  for o = 0, outputs - 1 do
    local x = origin + (first + ratio * o + point.input) * unit
    canvas:line(x, INPUT_Y + CELL, x, OUTPUT_Y, "reads")
  end
  for d = 8, 22, 7 do
    if cut then
      canvas:circle(origin + inputs * unit + d, INPUT_Y + CELL / 2, 1.5, "break")
      canvas:circle(origin + outputs_end * unit + d, OUTPUT_Y + CELL / 2, 1.5, "break")
    end
  end
  draw_row(canvas, INPUT_Y, origin, unit, inputs, point.input, "input")
  draw_row(canvas, OUTPUT_Y, origin + (first + point.input - ratio * point.output) * unit,
    ratio * unit, outputs, point.output, chosen and "output chosen" or "output plain")
end

-- The kernel's own rule as it is, also where it is none of the three; the others for its sizes.
local function strips_of(scale)
  local axis, strips, own = scale.axis, {}, false
  for k, row in ipairs(RULES) do
    local chosen = row[1].name == scale.source.rule
    strips[k] = { note = row[2], chosen = chosen, source = chosen and scale.source
      or source_of(arithmetic, { input = axis.input, output = axis.output, coordinates = row[1],
        filter = NEIGHBOURS }, false) }
    own = own or chosen
  end
  if not own then
    table.insert(strips, 1, { note = "this kernel", chosen = true, source = scale.source })
  end
  return strips
end

---@param canvas upweave.draw.canvas
---@param scale upweave.draw.scale
---@return number width
function M.draw(canvas, scale)
  local strips = strips_of(scale)
  for k, strip in ipairs(strips) do
    canvas:open { "transform", ("translate(%d,0)"):format((k - 1) * PITCH) }
    draw_rule(canvas, scale.axis, strip.source, strip.note, strip.chosen)
    canvas:close()
  end
  return #strips * PITCH
end

return M
