-- HEURISTIC OF WINOGRAD'S ALGORITHMS
-- ==================================
-- Which algorithm, in blocks of how many rows of tiles, and how many cycles that takes.

local geometry = require "upweave.lower.winograd.geometry"
local phases = require "upweave.lower.winograd.phases"
local strategy = require "upweave.lower.winograd"
local winograd = require "upweave.plan.winograd"

local M = {}

local MB = 1024 * 1024
-- Fewer channels leave the transforms too much of the time, and the measured errors begin here.
local CHANNELS = 16
-- Multiply-adds a cycle, and of a product's share of the transforms its cycles: 64 channels, 56x56.
local MULTIPLY_ADDS, INPUT_CYCLES, OUTPUT_CYCLES = 1.85, 2.5, 2
-- Transformed weights that the L2 cache keeps; tiles for which they are then worth a pass.  Beyond
-- it, they pass once: 16x16, 128 to 64 channels 330 → 247 µs, 28x28x128 F(4,3) 560 → 413.
local L2_BYTES, TILES = 1.25 * MB, 20
-- Tiles of a block whose transformed inputs would leave the L2 cache.
local BLOCK_BYTES = 4 * MB
-- Bytes a cycle from beyond the L2 cache; elements ahead at which weights are asked for then, so
-- that they come while products are summed.
local FAR_BYTES, AHEAD = 10, 4096
-- What an algorithm of longer tiles, whose errors are larger, has to gain.
local GAIN = 0.9

local function algorithm_named(value)
  for _, algorithm in ipairs(winograd.algorithms) do
    if ("%dx%d"):format(algorithm.m, algorithm.r) == value then return algorithm end
  end
end

-- The first number of rows on offer with at least so many tiles; all, if there are not so many.
local function rows_of(values, all, columns, tiles)
  for _, rows in ipairs(values) do
    if rows > 0 and rows <= all and rows * columns >= tiles then return rows end
  end
  return 0
end

local function estimate(f, algorithm, values)
  local plan, w = f.plan, winograd.matrices(algorithm)
  local all = geometry.tiles(plan.axes[1], w.m)
  local columns = plan.rank == 2 and geometry.tiles(plan.axes[2], w.m) or 1
  local tiles, places = all * columns, phases.products(plan, w)
  local weights = places * plan.ci * f.vectors * f.vector_bytes
  local far = weights > L2_BYTES
  local v = geometry.products(plan, w.n) * plan.ci * tiles * f.element
  local wanted = not far and TILES or v <= BLOCK_BYTES and tiles or 64
  local vectors = plan.ci / f.lanes
  local cycles = tiles * places * plan.ci * f.vectors / MULTIPLY_ADDS
    + tiles * geometry.products(plan, w.n) * vectors * INPUT_CYCLES
    + tiles * places * f.vectors * OUTPUT_CYCLES
  if far then cycles = math.max(cycles, weights / FAR_BYTES) end
  return cycles, {
    rows = rows_of(values, all, columns, wanted), prefetch = far and AHEAD or 0,
  }
end

--- The best algorithm that the plan's numerics allow: its knobs and its cycles for a group of an
--- image; nil where there is none.
---@param f schedule.ContractFacts
---@return table? knobs
---@return number? cycles
function M.choose(f)
  local plan = f.plan
  if plan.ci < CHANNELS or plan.co < CHANNELS then return nil end
  local best, least
  local declared = strategy.knobs(plan, f.target)
  for _, value in ipairs(declared[1].values) do
    local algorithm = algorithm_named(value)
    local known = algorithm and algorithm.class[plan.rank] ~= "named"
    if known and strategy.legal(plan, { algorithm = value, rows = 1, vectors = 2 }, f.target) then
      local cycles, knobs = estimate(f, algorithm, declared[2].values)
      knobs.algorithm, knobs.vectors = value, f.vectors > 1 and 2 or 1
      if not least or cycles < GAIN * least then best, least = knobs, cycles end
    end
  end
  return best, least
end

return M
