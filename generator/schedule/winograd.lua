-- HEURISTIC OF WINOGRAD'S ALGORITHMS
-- ==================================
-- Which algorithm, in blocks of how many rows of tiles, and how many cycles that takes.

local geometry = require "upweave.lower.winograd.geometry"
local phases = require "upweave.lower.winograd.phases"
local strategy = require "upweave.lower.winograd"

local M = {}

local MB = 1024 * 1024
-- Fewer channels leave the transforms too much of the time, and the measured errors begin here.
local CHANNELS = 16
-- Multiply-adds a cycle, and of a product's share of the transforms its cycles: 64 channels, 56x56.
local MULTIPLY_ADDS, INPUT_CYCLES, OUTPUT_CYCLES = 1.85, 2.5, 2
-- Of planar tensors, cycles to transpose a vector of channels: 56x56x64 to 112x112x32 529 → 617 µs.
local TURN_CYCLES = 10
-- Transformed weights that the L2 cache keeps; tiles for which they are then worth a pass.  Beyond
-- it, they pass once: 16x16, 128 to 64 channels 330 → 247 µs, 28x28x128 F(4,3) 560 → 413.
local L2_BYTES, TILES = 1.25 * MB, 14
-- Tiles of a block whose transformed inputs would leave the L2 cache.
local BLOCK_BYTES = 4 * MB
-- Bytes a cycle from beyond the L2 cache; elements ahead at which weights are asked for then, so
-- that they come while products are summed.
local FAR_BYTES, AHEAD = 10, 1024
-- Tiles that are one chunk of one vector of channels, and more than one of two: weights from afar
-- are then read once (14x14, 256 to 256 channels F(4,3) 598 → 522 µs).
local ONE_CHUNK, TWO_CHUNKS = 14, 28
-- What an algorithm of longer tiles, whose errors are larger, has to gain.
local GAIN = 0.9

-- The first number of rows on offer with at least so many tiles; all, if there are not so many.
local function rows_of(values, all, columns, tiles)
  for _, rows in ipairs(values) do
    if rows > 0 and rows <= all and rows * columns >= tiles then return rows end
  end
  return 0
end

-- Vectors of channels in the inputs and in the outputs of a group of an image.
local function vectors_of(f)
  local inputs, outputs = f.plan.ci / f.lanes, f.vectors
  for _, axis in ipairs(f.plan.axes) do
    inputs, outputs = inputs * axis.input, outputs * axis.output
  end
  return inputs + outputs
end

-- What an algorithm makes of a plan: tiles, products and weights.
local function sizes_of(f, knobs)
  local plan, ws = f.plan, strategy.matrices(f.plan, knobs)
  local all = geometry.tiles(plan.axes[1], ws[1])
  local columns, spare = geometry.columns(plan, ws)
  local places = phases.weights(plan, ws)
  local weights = places * plan.ci * f.vectors * f.vector_bytes
  return {
    all = all, columns = columns, tiles = all * columns - spare, places = places,
    products = strategy.products(ws), weights = weights, far = weights > L2_BYTES,
    read = geometry.inputs(plan.axes[1], ws[1], all) * columns,
  }
end

local function cycles_of(f, s)
  local plan = f.plan
  local full = plan.co / (f.vectors * f.lanes) -- a vector that is not is stored in pieces
  local cycles = s.tiles * s.places * plan.ci * f.vectors / MULTIPLY_ADDS
    + s.read * s.products * plan.ci / f.lanes * INPUT_CYCLES
    + s.tiles * s.places * f.vectors * OUTPUT_CYCLES / full
  if s.far then cycles = math.max(cycles, s.weights / FAR_BYTES) end
  if plan.planar then cycles = cycles + TURN_CYCLES * vectors_of(f) / full end
  return cycles
end

-- Cycles with an algorithm; its blocks are added to the knobs.
local function estimate(f, knobs, values)
  local s = sizes_of(f, knobs)
  local inputs = s.products * f.plan.ci * s.read * f.element
  local wanted = not s.far and TILES or inputs <= BLOCK_BYTES and s.tiles or 64
  knobs.rows, knobs.prefetch = rows_of(values, s.all, s.columns, wanted), s.far and AHEAD or 0
  if s.far and s.tiles > ONE_CHUNK and s.tiles <= TWO_CHUNKS then knobs.vectors = 1 end
  return cycles_of(f, s)
end

-- The algorithms that may be chosen, as knobs.
local function candidates(f, declared)
  local plan, out = f.plan, {}
  for _, value in ipairs(declared.algorithm) do
    for _, axes in ipairs(declared.axes) do
      local vectors = f.vectors > 1 and 2 or 1
      local knobs = { algorithm = value, axes = axes, rows = 1, vectors = vectors, prefetch = 0 }
      if strategy.legal(plan, knobs, f.target) and not strategy.by_name_only(plan, knobs) then
        out[#out + 1] = knobs
      end
    end
  end
  return out
end

--- The best algorithm that the plan's numerics allow: its knobs and its cycles for a group of an
--- image; nil where there is none.
---@param f schedule.ContractFacts
---@return table? knobs
---@return number? cycles
function M.choose(f)
  local plan = f.plan
  if plan.ci < CHANNELS or plan.co < CHANNELS then return nil end
  local best, least, declared = nil, nil, {}
  for _, knob in ipairs(strategy.knobs(plan, f.target)) do declared[knob.name] = knob.values end
  for _, knobs in ipairs(candidates(f, declared)) do
    local cycles = estimate(f, knobs, declared.rows)
    if not least or cycles < GAIN * least then best, least = knobs, cycles end
  end
  return best, least
end

return M
