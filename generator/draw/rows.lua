-- SPDX-License-Identifier: MIT
-- Rows: input pixels, output pixels and the taps between them, one axis.
--
-- Both rows stand on one ruler, so that what a coordinate rule means is seen before it is read:
-- thin uprights mark what the rule makes meet, dots are the pixels' points, dotted lines go from an
-- output to where it reads. Invariant: only cells that stand in a window as a whole are drawn, and
-- a tap only where both its ends are.

local svg = require "upweave.draw.svg"

local M = { HEIGHT = 232 }

local INPUT_Y <const>, INPUT_HEIGHT <const> = 26, 34
local OUTPUT_Y <const>, OUTPUT_HEIGHT <const> = 172, 30
local INPUT_END <const> = INPUT_Y + INPUT_HEIGHT
local LABEL <const> = 11       -- size of the numbers in cells
local LEAST <const> = 7        -- cells do not stand closer
local UNKNOWN <const> = "#a3acb8" -- an output whose taps lie beyond the window
local EVEN <const> = 0.4      -- a tap whose weight is not known
local MOST_TAPS <const> = 1200 -- lines of an axis

M.input_y, M.output_y = INPUT_Y, OUTPUT_Y
M.input_end, M.output_end = INPUT_END, OUTPUT_Y + OUTPUT_HEIGHT

-- Every how many cells a number has room.
local function numbered(every, pitch, largest)
  local need = svg.width(tostring(largest), LABEL) + 5
  local step = every
  while step * pitch < need do step = step * 2 end
  return step
end

-- A number in the middle of a cell, unless it would stick out of the window.
local function number(canvas, scale, window, middle, y, class, value)
  local half = svg.width(tostring(value), LABEL) / 2 - 3
  if middle - half >= window.x and middle + half <= scale:x(window, window.to) then
    canvas:text(middle, y, class, tostring(value))
  end
end

local function number_input(canvas, scale, window, i)
  local last = scale.axis.input - 1
  local outside = i < 0 or i > last
  if outside and scale.source.outside ~= "clamped" then return end
  number(canvas, scale, window, scale:x(window, (scale:input_cell(i))) + scale.unit / 2,
    INPUT_Y + 22, outside and "number faint" or "number", math.max(0, math.min(i, last)))
end

local function draw_inputs(canvas, scale, window)
  local first, last, every = scale:inputs(window, LEAST)
  local step = numbered(every, scale.unit, scale.axis.input)
  for i = first, last, every do
    local outside = i < 0 or i >= scale.axis.input
    canvas:rect(scale:x(window, (scale:input_cell(i))), INPUT_Y,
      scale.unit * math.min(every, last - i + 1), INPUT_HEIGHT, outside and "ghost" or "input")
    if scale.unit >= 16 and not outside then
      canvas:circle(scale:x(window, i), INPUT_END, 2.6, "point")
    end
  end
  local start = every == 1 and first + -first % step or first -- round numbers where possible
  for i = start, last, step do number_input(canvas, scale, window, i) end
  return every
end

-- The outputs of a window that are drawn.
local function outputs_of(scale, window)
  local first, last, every = scale:outputs(window, LEAST)
  local list = {}
  for o = first, last, every do list[#list + 1] = o end
  if list[#list] ~= last and last >= first then list[#list + 1] = last end
  return list, every
end

local function inside(window, coordinate)
  return coordinate >= window.from - 1e-9 and coordinate <= window.to + 1e-9
end

-- Whether all taps of an output end in the window.
local function complete(scale, window, o)
  local index = scale.axis.taps[o + 1].index
  return #index == 0 or inside(window, index[1]) and inside(window, index[#index])
end

local function draw_output(canvas, scale, phases, window, o, cells)
  local left, pitch = scale:x(window, (scale:output_cell(o))), scale.unit * scale.cell * cells
  local known = complete(scale, window, o) and not scale:filled(o)
  local colour = known and phases:of(o).colour or UNKNOWN
  canvas:rect(left, OUTPUT_Y, pitch, OUTPUT_HEIGHT,
    scale:lost(o) > 0 and "output clipped" or "output", { "fill", colour, "stroke", colour })
  if scale:filled(o) then
    canvas:rect(left, OUTPUT_Y, pitch, OUTPUT_HEIGHT, "filled")
  end
  if pitch >= 16 then canvas:circle(scale:x(window, scale:at(o)), OUTPUT_Y, 2.6, "point") end
end

local function draw_outputs(canvas, scale, phases, window)
  local list, every = outputs_of(scale, window)
  local pitch = scale.unit * scale.cell
  local step = numbered(every, pitch, scale.axis.output)
  for k, o in ipairs(list) do
    draw_output(canvas, scale, phases, window, o, (list[k + 1] or o + 1) - o)
  end
  for o = list[1] or 0, list[#list] or -1, step do
    number(canvas, scale, window, scale:x(window, (scale:output_cell(o))) + pitch / 2,
      OUTPUT_Y + 20, "number", o)
  end
  return every
end

local function tap_line(canvas, x1, x2, weight, colour, room)
  local size = math.min(math.abs(weight), 1)
  local width, opacity = math.min(0.7 + 3.6 * size, room), 0.3 + 0.65 * size
  if weight < 0 then
    canvas:line(x1, INPUT_END, x2, OUTPUT_Y, "tap negative", { "stroke-width", width })
  else
    canvas:line(x1, INPUT_END, x2, OUTPUT_Y, "tap",
      { "stroke", colour, "stroke-width", width, "stroke-opacity", opacity })
  end
end

local function draw_outside(canvas, scale, window, o)
  local before, after, first, last = scale:outside(o)
  if before + after == 0 then return end
  for i = math.max(first, scale.low), math.min(last, scale.high) do
    if (i < 0 or i >= scale.axis.input) and inside(window, i) then
      canvas:line(scale:x(window, i), INPUT_END, scale:x(window, scale:at(o)), OUTPUT_Y, "lost")
    end
  end
end

local function draw_taps(canvas, scale, phases, window, o, thinned)
  if scale:filled(o) or not complete(scale, window, o) then return end
  local taps, x = scale.axis.taps[o + 1], scale:x(window, scale:at(o))
  canvas:line(x, OUTPUT_Y, x, INPUT_END, "reads")
  if scale.source.outside == "clamped" then draw_outside(canvas, scale, window, o) end
  local from, colour = 0, phases:of(o).colour
  if scale.copy then -- whole pixels move
    from = scale.unit * (0.5 - scale.source.point.input)
    x = scale:x(window, (scale:output_cell(o))) + scale.unit * scale.cell / 2
  end
  for k = 1, #taps.index, thinned.taps do
    tap_line(canvas, scale:x(window, taps.index[k]) + from, x,
      scale.axis.symbolic and EVEN or taps.weight[k] / thinned.heaviest, colour, thinned.room)
  end
end

-- Whether the filter was widened, so that how far it reaches is worth showing.
local function is_wide(scale)
  local source = scale.source
  return source.reach > 2 or source.outside == "renormalised" and math.abs(source.step) > 1
end

-- The stretch of the input that a wide filter covers.
local function draw_reach(canvas, scale, phases, window, o)
  local source, s = scale.source, scale:at(o)
  local from = math.max(s - source.reach, window.from)
  local to = math.min(s + source.reach, window.to)
  local x = scale:x(window, s)
  canvas:polygon({ scale:x(window, from), INPUT_END, scale:x(window, to), INPUT_END, x, OUTPUT_Y },
    "reach", { "fill", phases:of(o).colour })
end

-- Uprights where the rule makes the rows meet: at the borders, else at the outermost points.
local function draw_meeting(canvas, scale)
  local last_i, last_o = scale.axis.input - 1, scale.axis.output - 1
  local windows, near = scale.windows, 1e-4 + scale.axis.input * 2.0 ^ -20 -- rounding of floats
  local first = { windows[1], (scale:input_cell(0)), (scale:output_cell(0)), 0, scale:at(0) }
  local last = { windows[#windows], select(2, scale:input_cell(last_i)),
    select(2, scale:output_cell(last_o)), last_i, scale:at(last_o) }
  for _, one in ipairs { first, last } do
    local window, border, other, point, reads = table.unpack(one)
    local at = math.abs(border - other) < near and border
      or math.abs(point - reads) < near and point
    if at then
      local x = scale:x(window, at)
      canvas:line(x, INPUT_Y - 14, x, INPUT_Y, "meeting")
      canvas:line(x, INPUT_END, x, OUTPUT_Y, "meeting")
      canvas:line(x, M.output_end, x, M.output_end + 14, "meeting")
      canvas:text(one == first and x + 6 or x - 6, INPUT_Y - 6,
        one == first and "note" or "note end", at == border and "borders meet" or "centres meet")
    end
  end
end

-- Marks that an axis goes on between two windows.
local function draw_breaks(canvas, scale)
  for k = 2, #scale.windows do
    local before = scale.windows[k - 1]
    local x = (scale:x(before, before.to) + scale.windows[k].x) / 2
    for _, y in ipairs { INPUT_Y + INPUT_HEIGHT / 2, OUTPUT_Y + OUTPUT_HEIGHT / 2 } do
      for d = -8, 8, 8 do canvas:circle(x + d, y, 1.8, "break") end
    end
  end
end

-- How many taps the outputs have, and the largest weight: it is drawn widest.
local function weigh(scale, lists)
  local total, heaviest = 0, 0
  for _, list in ipairs(lists) do
    for _, o in ipairs(list) do
      local weights = scale.axis.taps[o + 1].weight
      total = total + #weights
      for _, w in ipairs(weights) do heaviest = math.max(heaviest, math.abs(w)) end
    end
  end
  return total, heaviest
end

---@class upweave.draw.thinned
---@field inputs integer   one in so many is drawn
---@field outputs integer
---@field taps integer
---@field heaviest number  the weight that is drawn widest
---@field room number      lines are no wider

--- Draws the rows at the origin of the canvas.
---@param canvas upweave.draw.canvas
---@param scale upweave.draw.scale
---@param phases table
---@return upweave.draw.thinned
function M.draw(canvas, scale, phases)
  local lists, wide = {}, is_wide(scale)
  for k, window in ipairs(scale.windows) do lists[k] = outputs_of(scale, window) end
  local total, heaviest = weigh(scale, lists)
  local thinned = { inputs = 1, outputs = 1, taps = math.max(-(-total // MOST_TAPS), 1),
    heaviest = heaviest, room = math.max(0.5, scale.unit * 0.4) }
  draw_meeting(canvas, scale)
  for k, window in ipairs(scale.windows) do
    for _, o in ipairs(wide and lists[k] or {}) do
      if complete(scale, window, o) then draw_reach(canvas, scale, phases, window, o) end
    end
    for _, o in ipairs(lists[k]) do draw_taps(canvas, scale, phases, window, o, thinned) end
    thinned.inputs = math.max(thinned.inputs, draw_inputs(canvas, scale, window))
    thinned.outputs = math.max(thinned.outputs, draw_outputs(canvas, scale, phases, window))
  end
  draw_breaks(canvas, scale)
  return thinned
end

return M
