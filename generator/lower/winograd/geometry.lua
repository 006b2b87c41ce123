-- GEOMETRY
-- ========
-- Where Winograd's tiles lie: which of a tile's inputs are inside, where its outputs go, and rows
-- of tiles in blocks, a block in chunks of a register tile's size.

local parts = require "upweave.lower.contract.parts"
local phases = require "upweave.lower.winograd.phases"

local M = {}

--- Tiles along an axis: enough for all outputs of every phase.
function M.tiles(axis, w)
  local most = 0
  for _, phase in ipairs((phases.of(axis, w))) do
    most = math.max(most, (phase.outputs + phase.shift + w.m - 1) // w.m)
  end
  return most
end

--- Tiles of inputs that so many tiles of outputs read: of each span one, in a row.
function M.inputs(axis, w, tiles)
  local ahead = 0
  for _, phase in ipairs((phases.of(axis, w))) do ahead = math.max(ahead, phase.ahead) end
  return tiles + ahead + w.spans - 1
end

--- Tiles in a row of tiles, and how many of these, the last ones, have inputs only.
---@param plan upweave.plan.contract
---@param ws upweave.winograd.matrices[]
---@return integer columns
---@return integer spare
function M.columns(plan, ws)
  if plan.rank == 1 then return 1, 0 end
  local tiles = M.tiles(plan.axes[2], ws[2])
  local columns = M.inputs(plan.axes[2], ws[2], tiles)
  return columns, columns - tiles
end

--- Elements of V from a tile to the next: those of a register tile must not share their places in
--- the cache (10x10, 1024 to 64 channels: 446 → 424 us, with one vector a tile 578 → 424).
---@param plan upweave.plan.contract
---@return integer
function M.pitch(plan) return plan.ci % 512 == 0 and plan.ci + 16 or plan.ci end

--- Elements of V and M from a product to the next, for blocks that read and that have so many
--- tiles, and register tiles of so many channels.  They are padded by a cache line: at a distance
--- of a large power of two they would share their places in the cache (a prototype with 64 channels
--- of 56x56: 302 us instead of 269).
---@param plan upweave.plan.contract
---@param read integer
---@param tiles integer
---@param width integer
---@return integer v
---@return integer m
function M.pitches(plan, read, tiles, width)
  local padding <const> = 16
  return read * M.pitch(plan) + padding, tiles * width + padding
end

-- Tile t of an axis that begins at `base`: which of its n inputs are inside, and where the first of
-- these lies.
local function input_of(axis, w, base, t)
  local origin = t * w.m + base
  local from, to = math.max(0, -origin), math.min(w.n, axis.input - origin) - 1
  if from > to then from, to, origin = 0, -1, 0 end
  return { key = ("%d-%d"):format(from, to), from = from, to = to, at = origin + from, tile = t }
end

--- Tile t of a phase: which of its m outputs are inside, and where the first of these lies; nil if
--- there is none.
function M.output_of(axis, phase, w, t)
  local first = t * w.m - phase.shift
  local from, to = math.max(0, -first), math.min(w.m, phase.outputs - first)
  if from >= to then return nil end
  return {
    key = ("%d-%d"):format(from, to), from = from, count = to - from, tile = t,
    at = (first + from) * axis.phases + phase.number,
  }
end

-- Tiles in chunks of at most `most`, as even as can be.
local function chunks_of(tiles, most)
  local count, out = (tiles + most - 1) // most, {}
  for i = 0, count - 1 do
    local at = i * tiles // count
    local size = (i + 1) * tiles // count - at
    out[i + 1] = { key = size, size = size, tile = at }
  end
  return out
end

local function divide_columns(k)
  local axis, inputs, outputs = k.plan.axes[2], {}, {}
  if not axis then return end
  local w = k.ws[2]
  local list, base = phases.of(axis, w)
  for t = 0, k.columns - 1 do inputs[t + 1] = input_of(axis, w, base, t) end
  for p, phase in ipairs(list) do
    outputs[p] = {}
    for t = 0, k.columns - 1 do table.insert(outputs[p], M.output_of(axis, phase, w, t)) end
  end
  k.input_columns = parts.new(k.b, "column_in", { inputs }, { "at", "tile" })
  k.output_columns = parts.new(k.b, "column_out", outputs, { "at", "tile" })
end

-- `all` rows of tiles with outputs: inputs of each, outputs of each phase of each.
local function divide_rows(k, all)
  local axis, w, inputs, outputs = k.plan.axes[1], k.ws[1], {}, {}
  local list, base = phases.of(axis, w)
  for t = 0, M.inputs(axis, w, all) - 1 do inputs[t + 1] = { input_of(axis, w, base, t) } end
  for _, phase in ipairs(list) do
    for t = 0, all - 1 do outputs[#outputs + 1] = { M.output_of(axis, phase, w, t) } end
  end
  k.inputs = parts.new(k.b, "in", inputs, { "at" })
  k.outputs = parts.new(k.b, "out", outputs, { "at" })
end

-- `count` rows of tiles from number `from` on, as a block has them: their first tile there, their
-- number among all, their number there.
local function rows_of(k, from, count)
  local list = {}
  for i = 0, count - 1 do
    list[i + 1] = { key = "row", tile = i * k.columns, number = from + i, row = i }
  end
  return list
end

--- Sets in k: `columns` (tiles in a row of tiles), `blocks` (their number), `tiles` and `read` (of
--- a block at most: those of outputs and those of inputs), `bounds` (for each block its rows of
--- tiles, from and to), `rows` and `input_rows` (of a block), `chunks` (of a block; where tiles at
--- the end of a row have no outputs, what is calculated for them is not used), `all` (number of
--- rows of tiles), `inputs` (of a row of tiles), `outputs` (of row t of phase p: part p·all + t),
--- `input_columns` and `output_columns` (of a phase).
---@param k table         b, plan, ws (matrices of every axis)
---@param rows integer    of tiles in a block at most, 0: all; blocks are as even as can be
---@param chunk integer   tiles in a chunk at most
function M.divide(k, rows, chunk)
  local axis, w, members, read, chunks = k.plan.axes[1], k.ws[1], {}, {}, {}
  local all, columns, spare = M.tiles(axis, w), M.columns(k.plan, k.ws)
  k.columns, k.all, k.blocks = columns, all, rows > 0 and (all + rows - 1) // rows or 1
  k.tiles, k.read = 0, 0
  k.bounds = {}
  for p = 1, k.blocks do
    local from, to = (p - 1) * all // k.blocks, p * all // k.blocks
    members[p], k.bounds[p] = rows_of(k, from, to - from), { from = from, to = to }
    read[p] = rows_of(k, from, M.inputs(axis, w, to - from))
    local tiles = (to - from) * columns - spare
    chunks[p] = chunks_of(tiles, chunk)
    k.tiles, k.read = math.max(k.tiles, tiles), math.max(k.read, #read[p] * columns)
  end
  k.rows = parts.new(k.b, "row", members, { "tile", "number", "row" })
  k.input_rows = parts.new(k.b, "read", read, { "tile", "number", "row" })
  k.chunks = parts.new(k.b, "chunk", chunks, { "tile" })
  divide_rows(k, all)
  divide_columns(k)
end

--- fn(like, at, tile) for the tiles of a part of a row of tiles that begins at `tile`: all for
--- inputs, those of a phase for outputs.  A line has one, which is like `line`.
function M.each_column(k, columns, part, tile, line, fn)
  if k.plan.rank == 1 then return fn(line, 0, tile) end
  columns:each("t", part, function(column) fn(column, column.at, tile + column.tile) end)
end

return M
