-- HEURISTIC OF CONVOLUTIONS ALONG ROWS
-- ====================================
-- The register tile of contract-planar, how it reads its inputs, and how well it does compared with
-- vectors of output channels.

local lines = require "upweave.lower.contract.lines"
local stage = require "upweave.lower.contract.stage"
local strategy = require "upweave.lower.contract.planar"

local M = {}

local KB = 1024
-- Cycles that a load adds beside multiply-adds: an input vector, which may cross a line, a weight.
local INPUT_CYCLES, WEIGHT_CYCLES = 0.35, 0.15
-- Registers that Clang needs beside sums and inputs where it loads ahead.
local SPARE = 3
-- What is left of the machine beside perfect use of lanes: 64x64, 128 to 64 channels, k2 s2 79 %,
-- 256, 256 to 128 channels, k16 s8 78 %.
local EFFICIENCY = 0.82
-- Inputs of a task, and of an image that is read as it lies: a part of the L2 cache, an L1 cache.
local STAGE_BYTES, NEAR_BYTES = 384 * KB, 512 * KB
local TASKS = 8

-- What the tile of a row of taps costs: multiply-adds, positions, taps.
local function shape_of(plan)
  local positions, slots = lines.positions(plan.axes[plan.rank])
  return { positions = #positions, taps = #slots }
end

-- Cycles a multiply-add, over the share of its lanes and channels that is of use.
local function cost_of(f, shape, tile, vectors)
  local sums = tile.channels * tile.vectors * tile.rows
  local products = shape.taps * sums
  local loads = INPUT_CYCLES * shape.positions * tile.vectors * tile.rows
    + WEIGHT_CYCLES * shape.taps * tile.channels
  local co, rows = f.plan.co, f.plan.rank > 1 and f.plan.axes[f.plan.rank - 1].output or 1
  local turns = math.ceil(co / tile.channels) * tile.channels / co
    * math.ceil(vectors / tile.vectors) * tile.vectors / vectors
    * math.ceil(rows / tile.rows) * tile.rows / rows
  -- few sums wait for each other
  local phases = f.plan.axes[f.plan.rank].phases
  return math.max(products / 2 + loads, 4 * shape.taps / phases) / products * turns
end

local function fits(f, shape, tile)
  local phases = f.plan.axes[f.plan.rank].phases
  local cells = tile.vectors * tile.rows
  local need = phases * tile.channels * cells + (shape.positions > 1 and 2 or 1) * cells + 1
  return need + SPARE <= f.target.registers and strategy.legal(f.plan, tile, f.target)
end

-- The register tile of the least cost that is legal; nil where none is.
local function best_tile(f, shape, vectors, fixed)
  local best, least
  local declared = strategy.knobs(f.plan)
  for _, channels in ipairs(declared[1].values) do
    for _, v in ipairs(declared[2].values) do
      for _, rows in ipairs { 1, 2 } do
        local tile = { channels = channels, vectors = v, rows = rows, strips = fixed.strips,
          stage = fixed.stage, pass = 0 }
        local alike = v <= vectors and (rows == 1 or vectors <= 2 and f.plan.rank > 1)
        if alike and fits(f, shape, tile) then
          local cost = cost_of(f, shape, tile, vectors)
          if not least or cost < 0.97 * least then best, least = tile, cost end
        end
      end
    end
  end
  return best
end

-- Parts of the outermost axis: enough tasks, and inputs of each that fit the cache.
local function strips_of(f, positions)
  local plan = f.plan
  if plan.rank == 1 then return plan.batch < TASKS and 2 or 1 end
  local n = 1
  while n < 32 and plan.axes[1].output // (2 * n) >= 2 do
    local s = stage.layout(plan, positions, { { from = 0, to = plan.axes[plan.rank].output } }, n,
      f.lanes_of_register)
    if plan.batch * n >= TASKS and s.size * f.element <= STAGE_BYTES then break end
    n = 2 * n
  end
  return n
end

local function power_of_two(n) return n & (n - 1) == 0 end

-- How inputs are read: as they lie where that is near, does not meet in the cache, and pays.
local function stage_of(plan, element)
  if not plan.planar then return "rows" end
  local plane = 1
  for _, axis in ipairs(plan.axes) do plane = plane * axis.input end
  local near = plane * plan.ci * plan.groups * element <= NEAR_BYTES and not power_of_two(plane)
  if plan.ci == 1 or plan.rank == 1 or near and plan.dtype == plan.work then return "none" end
  return "rows"
end

--- The knobs, and the share of the machine that is expected; nil where the strategy is not legal.
---@param f schedule.ContractFacts
---@return table? knobs
---@return number? share
function M.choose(f)
  local plan = f.plan
  local axis = plan.axes[plan.rank]
  local q = (axis.output + axis.phases - 1) // axis.phases
  local positions = lines.positions(axis)
  if #positions == 0 then return nil end
  local lanes = f.lanes_of_register
  local vectors = (q + lanes - 1) // lanes
  local fixed = { stage = stage_of(plan, f.element), strips = strips_of(f, positions) }
  local knobs = best_tile(f, shape_of(plan), vectors, fixed)
  if not knobs then return nil end
  return knobs, EFFICIENCY * q / (vectors * lanes)
end

return M
