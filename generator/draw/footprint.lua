-- SPDX-License-Identifier: MIT
-- Footprint: the input pixels of one output of a plane, and their weights' products.

local fraction = require "upweave.draw.fraction"
local svg = require "upweave.draw.svg"

local M = {}

local MOST <const> = 12      -- pixels along a side
local SIDE <const> = 140     -- of the whole on paper
local CELL <const> = 34      -- largest pixel
local TINY <const> = 9

-- An output in the middle with as many taps as any.
local function typical(axis)
  local best, most = 0, 0
  local widest = axis:cost().widest
  for o = axis.output // 2, axis.output - 1 do
    local n = #axis.taps[o + 1].index
    if n == widest then return o end
    if n > most then best, most = o, n end
  end
  return best
end

--- Whether a plan has a footprint worth drawing.
---@param plan table
---@return boolean
function M.fits(plan)
  if plan.rank ~= 2 or plan.copy or plan.fill or plan.symbolic then return false end
  local h, w = plan.axes[1]:cost().widest, plan.axes[2]:cost().widest
  return h * w > 1 and h <= MOST and w <= MOST
end

local function heaviest_of(weights)
  local most = 0
  for _, w in ipairs(weights) do most = math.max(most, math.abs(w)) end
  return most
end

local function draw_pixel(canvas, x, y, cell, share, label)
  canvas:rect(x, y, cell, cell, share < 0 and "pixel minus" or "pixel",
    { "fill-opacity", 0.06 + 0.6 * math.abs(share) })
  if label then
    canvas:text(x + cell / 2, y + cell / 2 + 4, "tiny", label)
  end
end

-- Fractions where they fit, decimals where those do, else nothing.
local function writing(rows, columns, one, cell)
  local function fits(write)
    for _, wh in ipairs(rows) do
      for _, ww in ipairs(columns) do
        if svg.width(write(wh * ww / one), TINY) > cell - 1 then return false end
      end
    end
    return true
  end
  local function decimals(w) return ("%.3f"):format(w) end
  return fits(fraction.text) and fraction.text or fits(decimals) and decimals
    or function() return nil end
end

---@param canvas upweave.draw.canvas
---@param plan table
---@return number height
function M.draw(canvas, plan)
  local h, w = plan.axes[1], plan.axes[2]
  local oh, ow = typical(h), typical(w)
  local rows, columns = h.taps[oh + 1], w.taps[ow + 1]
  local cell = math.min(SIDE / math.max(#rows.index, #columns.index), CELL)
  canvas:text(0, 14, "rule", ("y[%d,%d]"):format(oh, ow))
  local one = 2.0 ^ ((h.precision or 0) + (w.precision or 0))
  local heaviest = heaviest_of(rows.weight) * heaviest_of(columns.weight)
  local write = writing(rows.weight, columns.weight, one, cell)
  for r, wh in ipairs(rows.weight) do
    for c, ww in ipairs(columns.weight) do
      draw_pixel(canvas, (c - 1) * cell, 26 + (r - 1) * cell, cell, wh * ww / heaviest,
        write(wh * ww / one))
    end
  end
  local bottom = 26 + #rows.index * cell
  canvas:text(0, bottom + 16, "note", ("%d × %d taps, from x[%d,%d]"):format(#rows.index,
    #columns.index, rows.index[1], columns.index[1]))
  return bottom + 20
end

return M
