-- LINES
-- =====
-- The innermost axis of a convolution in vectors of outputs, for planar tensors.  A vector stands
-- for outputs q, q + 1, … of all phases; each distinct tap position is one vector of inputs, zero
-- where it lies outside.  Vectors go in tiles, tiles in pieces.

local vector = require "upweave.lower.vector"

local M = {}

---@class lower.contract.Position   a position that taps of some phases read
---@field at integer
---@field taps { phase: integer, slot: integer }[]

--- The taps of all phases by their positions; slots are numbered in that order.
---@param axis upweave.contract.axis
---@return lower.contract.Position[]
---@return integer[] slots   kernel position of every slot
function M.positions(axis)
  local list, slots = {}, {}
  for r, taps in ipairs(axis.taps) do
    for _, tap in ipairs(taps) do list[#list + 1] = { at = tap.at, phase = r, k = tap.k } end
  end
  table.sort(list, function(a, b) return a.at < b.at or a.at == b.at and a.phase < b.phase end)
  local out = {}
  for i, tap in ipairs(list) do
    slots[i] = tap.k
    if not out[#out] or out[#out].at ~= tap.at then out[#out + 1] = { at = tap.at, taps = {} } end
    table.insert(out[#out].taps, { phase = tap.phase, slot = i - 1 })
  end
  return out, slots
end

--- Vectors that cover n outputs of each phase: full ones, then one as short as the rest allows,
--- moved back to end with it.
---@param n integer
---@param width integer
---@return { q: integer, lanes: integer }[]
function M.cover(n, width)
  local out, q = {}, 0
  while n - q >= width do
    out[#out + 1], q = { q = q, lanes = width }, q + width
  end
  while q < n do
    local lanes = vector.pow2_floor(n - q)
    if lanes < n - q and 2 * lanes <= n then lanes = 2 * lanes end
    if lanes > n - q then q = n - lanes end
    out[#out + 1], q = { q = q, lanes = lanes }, q + lanes
  end
  return out
end

--- Vectors that cover n outputs of each phase: full ones, then one that goes beyond them, as short
--- as it can be.
---@param n integer
---@param width integer
---@return { q: integer, lanes: integer }[]
function M.beyond(n, width)
  local out = {}
  for q = 0, n - 1, width do
    local rest = math.min(width, n - q)
    local lanes = vector.pow2_floor(rest)
    out[#out + 1] = { q = q, lanes = lanes < rest and 2 * lanes or lanes }
  end
  return out
end

-- Where the inputs of a vector come from for a position: `plain`, one load at `from`; windows to
-- pick lanes from (-1: zero); or nil, all outside.
local function source_of(axis, v, at)
  local wanted, inside = {}, {}
  for l = 0, v.lanes - 1 do
    local i = (v.q + l) * axis.step + at
    wanted[l + 1] = i >= 0 and i < axis.input and i or -1
    if wanted[l + 1] >= 0 then inside[#inside + 1] = i end
  end
  if #inside == 0 then return nil end
  if #inside == v.lanes and (axis.step == 1 or v.lanes == 1) then
    return { plain = true, low = wanted[1] }
  end
  local width = math.min(v.lanes, vector.pow2_floor(axis.input))
  local windows = vector.windows({ inside }, width, axis.input)
  return { width = width, windows = windows, wanted = wanted, low = windows[1] }
end

-- Positions of a source relative to `low`, and its part of the key.
local function settle(source, low)
  if not source then return "-" end
  source.low = source.low - low
  if source.plain then return ("p%d"):format(source.low) end
  for i, w in ipairs(source.windows) do source.windows[i] = w - low end
  for i, w in ipairs(source.wanted) do source.wanted[i] = w >= 0 and w - low or -1 end
  return ("w%s:%s"):format(table.concat(source.windows, ","), table.concat(source.wanted, ","))
end

-- A tile of vectors; find(v, at) is the source of a vector's inputs for a position.  The tile's
-- inputs begin at a multiple of `grain`.
local function tile_of(axis, positions, vectors, find, grain)
  local low, sources, key = math.huge, {}, {}
  local q = vectors[1].q
  for p, position in ipairs(positions) do
    sources[p] = {}
    for i, v in ipairs(vectors) do
      local source = find(v, position.at)
      sources[p][i] = source or false
      low = math.min(low, source and source.low or low)
    end
  end
  if low < math.huge then low = low // grain * grain end
  local relative = {}
  for i, v in ipairs(vectors) do
    local count = math.min(v.lanes * axis.phases, axis.output - v.q * axis.phases)
    relative[i] = { q = v.q - q, lanes = v.lanes, count = count }
    key[i] = ("%d+%d/%d"):format(v.q - q, v.lanes, count)
  end
  for _, row in ipairs(sources) do
    for _, source in ipairs(row) do key[#key + 1] = settle(source, low) end
  end
  return {
    vectors = relative, sources = sources, key = table.concat(key, " "),
    input = low < math.huge and low or 0, output = q * axis.phases,
  }
end

---@class lower.contract.Piece
---@field from integer   outputs of a phase that its vectors stand for
---@field to integer
---@field tiles { q: integer, lanes: integer }[][]   vectors of each

--- Vectors as tiles of at most `most`, tiles as pieces: both as even as can be.
---@param vectors { q: integer, lanes: integer }[]
---@param most integer
---@param count integer   of pieces, at most
---@return lower.contract.Piece[]
function M.pieces(vectors, most, count)
  local all = (#vectors + most - 1) // most
  local pieces = {}
  count = math.min(count, all)
  for t = 0, all - 1 do
    local first, last = t * #vectors // all + 1, (t + 1) * #vectors // all
    local p = t * count // all + 1
    pieces[p] = pieces[p] or { from = vectors[first].q, tiles = {} }
    table.insert(pieces[p].tiles, table.move(vectors, first, last, 1, {}))
    pieces[p].to = vectors[last].q + vectors[last].lanes
  end
  return pieces
end

--- The tiles of each piece, those of equal code with the same key; place(q, at) is where the inputs
--- of a vector that begins with output q of its piece are for a position, if they are one load
--- anywhere, and absent where x is read as it lies.
---@param axis upweave.contract.axis
---@param positions lower.contract.Position[]
---@param pieces lower.contract.Piece[]
---@param place (fun(q: integer, at: integer): integer)?
---@param lanes integer?   of a register, with `place`
---@return table[][]
function M.list(axis, positions, pieces, place, lanes)
  local out = {}
  for p, piece in ipairs(pieces) do
    out[p] = {}
    for t, vectors in ipairs(piece.tiles) do
      out[p][t] = tile_of(axis, positions, vectors, function(v, at)
        if place then return { plain = true, low = place(v.q - piece.from, at) } end
        return source_of(axis, v, at)
      end, place and lanes or 1)
    end
  end
  return out
end

-- Shuffles that a source needs, as text; none where it is one load.
local function shuffles_of(source)
  if not source or source.plain then return nil, 0 end
  settle(source, source.low)
  local n, zeros = #source.windows, 0
  for _, wanted in ipairs(source.wanted) do
    if wanted < 0 then zeros = 1 end
  end
  return table.concat(source.windows, ",") .. ":" .. table.concat(source.wanted, ","),
    math.max(1, n + zeros - 1), zeros
end

--- Registers of constants that a tile's inputs are shuffled with at most, where x is read as it
--- lies: only those at the ends of the axis and one between them differ.
---@param axis upweave.contract.axis
---@param positions lower.contract.Position[]
---@param vectors { q: integer, lanes: integer }[]   of the axis
---@param most integer   vectors of a tile
---@return integer
function M.constants(axis, positions, vectors, most)
  local result = 0
  local function tile(first, last)
    local known, count, zero = {}, 0, 0
    for i = math.max(1, first), math.min(last, #vectors) do
      for _, position in ipairs(positions) do
        local text, n, zeros = shuffles_of(source_of(axis, vectors[i], position.at))
        if text and not known[text] then
          known[text], count, zero = true, count + n, math.max(zero, zeros)
        end
      end
    end
    result = math.max(result, count + zero)
  end
  tile(1, most)
  tile(most + 1, 2 * most)
  tile(#vectors - most + 1, #vectors)
  return result
end

--- The inputs of a vector as a value.
---@param b ir.Builder
---@param input table    view of the tile's first input
---@param origin ir.Index   where the channel begins
---@param source table
---@param lanes integer
---@return table
function M.fetch(b, input, origin, source, lanes)
  if source.plain then return b:load(input, origin + source.low, lanes) end
  local sources, picks = {}, {}
  for i, at in ipairs(source.windows) do
    sources[i] = b:load(input, origin + at, source.width, "win")
  end
  sources[#sources + 1] = b:const(sources[1].ty.elem, source.width, 0)
  for l, wanted in ipairs(source.wanted) do
    local s = wanted < 0 and #sources or 1
    while s < #sources and wanted >= source.windows[s] + source.width do s = s + 1 end
    picks[l] = { source = s, lane = wanted < 0 and 0 or wanted - source.windows[s] }
  end
  return vector.pick(b, sources, picks)
end

-- x and y lane by lane.
local function zip(b, x, y)
  local n, out = x.ty.lanes, {}
  if n == 1 then return x, y end
  for half = 0, 1 do
    local lanes = {}
    for l = 0, n - 1 do lanes[l + 1] = half * (n // 2) + l // 2 + l % 2 * n end
    out[half + 1] = b:shuffle(x, y, lanes)
  end
  return out[1], out[2]
end

local interleaved

-- The same for an odd number of vectors: fn(j, vector j of the outputs).
local function by_picks(b, list, fn)
  local n, lanes = #list, list[1].ty.lanes
  for j = 0, n - 1 do
    local picks = {}
    for l = 1, lanes do
      local o = j * lanes + l - 1
      picks[l] = { source = o % n + 1, lane = o // n }
    end
    fn(j + 1, vector.pick(b, list, picks))
  end
end

local function by_halves(b, list, fn)
  local halves = { {}, {} }
  for i, v in ipairs(list) do table.insert(halves[(i - 1) % 2 + 1], v) end
  local even, odd = interleaved(b, halves[1]), interleaved(b, halves[2])
  for i = 1, #list // 2 do
    local low, high = zip(b, even[i], odd[i])
    fn(2 * i - 1, low)
    fn(2 * i, high)
  end
end

--- Vectors whose elements take turns in the output, as vectors of neighbours: fn(j, vector j), as
--- soon as each is made.
---@param b ir.Builder
---@param list table[]
---@param fn fun(j: integer, v: table)
function M.interleave(b, list, fn)
  if #list == 1 then return fn(1, list[1]) end
  local way = #list % 2 == 0 and by_halves or by_picks
  way(b, list, fn)
end

function interleaved(b, list)
  local out = {}
  M.interleave(b, list, function(j, v) out[j] = v end)
  return out
end

-- Registers that `interleaved` needs for n vectors.
local function kept(n)
  if n == 1 then return 1 end
  return n % 2 == 0 and math.max(kept(n // 2) + n // 2, n + 1) or 2 * n + 1
end

--- Registers that interleave needs for n vectors, if what it makes is stored at once.
---@param n integer
---@return integer
function M.registers(n)
  return n % 2 == 0 and kept(n // 2) + n // 2 + 2 or n + 2
end

return M
