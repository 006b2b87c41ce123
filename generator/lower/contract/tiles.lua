-- TILES
-- =====
-- The innermost axis of a convolution in tiles of pixels that are accumulated together.  Tiles
-- alike in size, taps and edges have the same key.  A tap is left out of the pixels for which it
-- falls outside the input.

local M = {}

---@class lower.contract.Span    taps for which the same pixels are inside
---@field first integer   pixels from this one
---@field last integer    to this one, from 0
---@field at integer      input position of pixel `first`, relative to the tile's
---@field slot integer    of the first tap, relative to the tile's
---@field taps integer
---@field stride integer  input positions from tap to tap

---@class lower.contract.Tile
---@field key string
---@field pixels integer
---@field spans lower.contract.Span[]
---@field input integer    position of the first input
---@field output integer   of the first output
---@field within integer   the same from the piece's begin
---@field slot integer     first slot

--- Slots of kernel positions, in the order in which tiles read them: phases one after the other.
---@param axis upweave.contract.axis
---@return integer[] kernel   kernel position of every slot
---@return integer[] first    first slot of every phase
function M.slots(axis)
  local kernel, first = {}, {}
  for r, taps in ipairs(axis.taps) do
    first[r] = #kernel
    for _, tap in ipairs(taps) do kernel[#kernel + 1] = tap.k end
  end
  return kernel, first
end

-- The pixels of a tile for which a tap is inside; nil where there is none.
local function inside(axis, origin, tap, pixels)
  local first, last
  for j = 0, pixels - 1 do
    local i = origin + j * axis.step + tap.at
    if i >= 0 and i < axis.input then
      first, last = first or j, j
    end
  end
  return first, last
end

-- Spans of a tile whose first pixel has input origin `origin`, in absolute positions.
local function spans_of(axis, taps, origin, pixels)
  local spans = {}
  local stride = taps[2] and taps[2].at - taps[1].at or 1
  for t, tap in ipairs(taps) do
    local first, last = inside(axis, origin, tap, pixels)
    local open = spans[#spans]
    if open and open.first == first and open.last == last and open.slot + open.taps == t - 1 then
      open.taps = open.taps + 1
    elseif first then
      spans[#spans + 1] = {
        first = first, last = last, at = origin + first * axis.step + tap.at, slot = t - 1,
        taps = 1, stride = stride,
      }
    end
  end
  return spans
end

local function signature(pixels, spans)
  local parts = { pixels }
  for _, s in ipairs(spans) do
    parts[#parts + 1] = ("%d-%d@%d+%dx%d/%d"):format(s.first, s.last, s.at, s.slot, s.taps,
      s.stride)
  end
  return table.concat(parts, " ")
end

-- A tile with its positions taken out of its spans.
local function tile_of(axis, r, first_slot, q, pixels)
  local spans = spans_of(axis, axis.taps[r], q * axis.step, pixels)
  local low, slot = math.huge, spans[1] and spans[1].slot or 0
  for _, s in ipairs(spans) do low = math.min(low, s.at) end
  for _, s in ipairs(spans) do s.at, s.slot = s.at - low, s.slot - slot end
  return {
    pixels = pixels, spans = spans, key = signature(pixels, spans),
    input = spans[1] and low or 0, output = q * axis.phases + r - 1, slot = first_slot + slot,
  }
end

--- Pieces of an axis: at most so many runs of outputs, as even as can be.  They begin with the
--- first phase, at multiples of `align`.
---@param axis upweave.contract.axis
---@param pieces integer
---@param align integer   a power of two
---@return integer[]   where each begins, and the end
function M.pieces(axis, pieces, align)
  local unit = axis.phases
  while unit % align ~= 0 do unit = 2 * unit end
  local units, out = (axis.output + unit - 1) // unit, {}
  pieces = math.min(pieces, units)
  for p = 0, pieces do out[p + 1] = math.min(axis.output, p * units // pieces * unit) end
  return out
end

-- The tiles of a phase inside a piece: take(first output of the phase, pixels) each.
local function tiles_of(axis, r, from, to, most, take)
  local q = (from + axis.phases - r) // axis.phases
  local n = (to + axis.phases - r) // axis.phases - q
  local count = (n + most - 1) // most
  for i = 0, count - 1 do
    local first = i * n // count
    take(q + first, (i + 1) * n // count - first)
  end
end

--- Tiles of at most `most` pixels of one phase, as even as can be, of each piece; `cuts` are where
--- pieces begin, and the end.
---@param axis upweave.contract.axis
---@param most integer
---@param cuts integer[]
---@return lower.contract.Tile[][]
function M.list(axis, most, cuts)
  local _, first = M.slots(axis)
  local pieces = {}
  for p = 1, #cuts - 1 do
    local list = {}
    for r = 1, axis.phases do
      tiles_of(axis, r, cuts[p], cuts[p + 1], most, function(q, pixels)
        local tile = tile_of(axis, r, first[r], q, pixels)
        tile.within = tile.output - cuts[p]
        list[#list + 1] = tile
      end)
    end
    pieces[p] = list
  end
  return pieces
end

return M
