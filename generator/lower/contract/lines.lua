-- LINES
-- =====
-- The innermost axis of a convolution in vectors of outputs, for planar tensors.  A vector stands
-- for outputs q, q + 1, … of all phases; each distinct tap position is one vector of inputs, zero
-- where it lies outside.  Vectors go in tiles; tiles of equal code are a class.

local tiles = require "upweave.lower.contract.tiles"
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

-- Positions of a source relative to `low`, and its part of the signature.
local function settle(source, low)
  if not source then return "-" end
  source.low = source.low - low
  if source.plain then return ("p%d"):format(source.low) end
  for i, w in ipairs(source.windows) do source.windows[i] = w - low end
  for i, w in ipairs(source.wanted) do source.wanted[i] = w >= 0 and w - low or -1 end
  return ("w%s:%s"):format(table.concat(source.windows, ","), table.concat(source.wanted, ","))
end

local function tile_of(axis, positions, vectors)
  local low, sources, sig = math.huge, {}, {}
  local q = vectors[1].q
  for p, position in ipairs(positions) do
    sources[p] = {}
    for i, v in ipairs(vectors) do
      local source = source_of(axis, v, position.at)
      sources[p][i] = source or false
      low = math.min(low, source and source.low or low)
    end
  end
  local relative = {}
  for i, v in ipairs(vectors) do
    local count = math.min(v.lanes * axis.phases, axis.output - v.q * axis.phases)
    relative[i] = { q = v.q - q, lanes = v.lanes, count = count }
    sig[i] = ("%d+%d/%d"):format(v.q - q, v.lanes, count)
  end
  for _, row in ipairs(sources) do
    for _, source in ipairs(row) do sig[#sig + 1] = settle(source, low) end
  end
  return {
    vectors = relative, sources = sources, sig = table.concat(sig, " "),
    item = { input = low < math.huge and low or 0, output = q * axis.phases },
  }
end

--- Tiles of `most` vectors in classes of equal code, in so many pieces.
---@param axis upweave.contract.axis
---@param positions lower.contract.Position[]
---@param width integer
---@param most integer
---@param pieces integer
---@return table[] classes
---@return integer pieces
function M.classes(axis, positions, width, most, pieces)
  local vectors = M.cover((axis.output + axis.phases - 1) // axis.phases, width)
  local count = (#vectors + most - 1) // most
  pieces = math.min(pieces, count)
  local list = {}
  for t = 0, count - 1 do
    local first, last = t * #vectors // count + 1, (t + 1) * #vectors // count
    list[t + 1] = tile_of(axis, positions, table.move(vectors, first, last, 1, {}))
    list[t + 1].item.piece = t * pieces // count + 1
  end
  return tiles.gather(list), pieces
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

--- Vectors of phases as vectors of consecutive outputs.
---@param b ir.Builder
---@param phases table[]
---@return table[]
function M.interleave(b, phases)
  local n, out = #phases, {}
  if n == 1 then return phases end
  if n % 2 == 0 then
    local halves = { {}, {} }
    for i, v in ipairs(phases) do table.insert(halves[(i - 1) % 2 + 1], v) end
    local even, odd = M.interleave(b, halves[1]), M.interleave(b, halves[2])
    for i = 1, n // 2 do out[2 * i - 1], out[2 * i] = zip(b, even[i], odd[i]) end
    return out
  end
  local lanes = phases[1].ty.lanes
  for j = 0, n - 1 do
    local picks = {}
    for l = 0, lanes - 1 do
      local o = j * lanes + l
      picks[l + 1] = { source = o % n + 1, lane = o // n }
    end
    out[j + 1] = vector.pick(b, phases, picks)
  end
  return out
end

return M
