-- GEOMETRY
-- ========
-- Where Winograd's tiles lie: which of a tile's inputs are inside, where its outputs go, and rows
-- of tiles in blocks, a block in chunks of a register tile's size.

local parts = require "upweave.lower.contract.parts"

local M = {}

--- Tiles along an axis.
function M.tiles(axis, m) return (axis.output + m - 1) // m end

--- Products of a tile with n inputs along each axis.
function M.products(plan, n) return plan.rank == 2 and n * n or n end

--- Elements of V and M from a product to the next, for blocks of so many tiles and register tiles
--- of so many channels.  They are padded by a cache line: at a distance of a large power of two
--- they would share their places in the cache (measured: 302 us instead of 269).
---@param plan upweave.plan.contract
---@param tiles integer
---@param width integer
---@return integer v
---@return integer m
function M.pitches(plan, tiles, width)
  local padding <const> = 16
  return tiles * plan.ci + padding, tiles * width + padding
end

-- Tile t of an axis: which of its n inputs are inside, and where the first of these lies.
local function input_of(axis, w, t)
  local origin = t * w.m + axis.taps[1][1].at
  local from, to = math.max(0, -origin), math.min(w.n, axis.input - origin) - 1
  if from > to then from, to, origin = 0, -1, 0 end
  return { key = ("%d-%d"):format(from, to), from = from, to = to, at = origin + from, tile = t }
end

-- Tile t of an axis: how many of its outputs are inside, and where the first lies.
local function output_of(axis, w, t)
  local count = math.min(w.m, axis.output - t * w.m)
  return { key = count, count = count, at = t * w.m, tile = t }
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
  for t = 0, k.columns - 1 do
    inputs[t + 1], outputs[t + 1] = input_of(axis, k.w, t), output_of(axis, k.w, t)
  end
  k.input_columns = parts.new(k.b, "column_in", { inputs }, { "at", "tile" })
  k.output_columns = parts.new(k.b, "column_out", { outputs }, { "at", "tile" })
end

--- Sets in k: `columns` (tiles in a row of tiles), `blocks` (their number), `tiles` (of a block at
--- most), `rows` (of a block, each with its first tile there), `chunks` (of a block), `inputs` and
--- `outputs` (of a row of tiles), `input_columns` and `output_columns`.
---@param k table         b, plan, w (matrices)
---@param rows integer    of tiles in a block at most; blocks are as even as can be
---@param chunk integer   tiles in a chunk at most
function M.divide(k, rows, chunk)
  local axis, w = k.plan.axes[1], k.w
  k.columns = k.plan.rank == 2 and M.tiles(k.plan.axes[2], w.m) or 1
  local all = M.tiles(axis, w.m)
  local inputs, outputs, members, chunks = {}, {}, {}, {}
  k.blocks, k.tiles = (all + rows - 1) // rows, 0
  for p = 1, k.blocks do
    local from, to = (p - 1) * all // k.blocks, p * all // k.blocks
    members[p] = {}
    for t = from, to - 1 do
      members[p][t - from + 1] = { key = "row", tile = (t - from) * k.columns }
      inputs[t + 1], outputs[t + 1] = { input_of(axis, w, t) }, { output_of(axis, w, t) }
    end
    chunks[p] = chunks_of((to - from) * k.columns, chunk)
    k.tiles = math.max(k.tiles, (to - from) * k.columns)
  end
  k.rows = parts.new(k.b, "row", members, { "tile" })[1]
  k.inputs = parts.new(k.b, "in", inputs, { "at" })
  k.outputs = parts.new(k.b, "out", outputs, { "at" })
  k.chunks = parts.new(k.b, "chunk", chunks, { "tile" })
  divide_columns(k)
end

return M
