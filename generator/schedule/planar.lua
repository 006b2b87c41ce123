-- HEURISTIC OF CONVOLUTIONS ALONG ROWS
-- ====================================
-- The register tile of contract-planar, how it reads its inputs, and how well it does compared with
-- vectors of output channels.

local lines = require "upweave.lower.contract.lines"
local list = require "upweave.util.list"
local stage = require "upweave.lower.contract.stage"
local strategy = require "upweave.lower.contract.planar"

local M = {}

local KB = 1024
-- Cycles that are added beside multiply-adds by an input vector, which may cross a line, by a
-- weight and by a step of the reduction: 64x64, 128 to 64 channels 7x2 sums 1625 µs, 2x4 1815.
local INPUT_CYCLES, WEIGHT_CYCLES, STEP_CYCLES = 0.35, 0.15, 2
-- The share of the machine where all lanes are in use: 64x64, 128 to 64 channels, k2 s2 79 %,
-- 256, 256 to 128 channels, k16 s8 78 %.
local EFFICIENCY = 0.83
-- Inputs of a task, and of an image that is read as it lies: a part of the L2 cache, an L1 cache.
local STAGE_BYTES, NEAR_BYTES = 384 * KB, 512 * KB
local TASKS = 8

-- What the tile of a row of taps costs: multiply-adds, positions, taps.
local function shape_of(plan)
  local positions, slots = lines.positions(plan.axes[plan.rank])
  return { positions = #positions, taps = #slots }
end

-- The mean of the parts that n things are cut in evenly, at most `most` each.
local function mean_part(n, most) return n / math.ceil(n / most) end

-- Cycles a multiply-add, of tiles of the mean size.
local function cost_of(f, shape, tile, vectors)
  local plan = f.plan
  local rows = plan.rank > 1 and plan.axes[plan.rank - 1].output or 1
  local channels = mean_part(plan.co, tile.channels)
  local cells = mean_part(vectors, tile.vectors) * mean_part(rows, tile.rows)
  local products = shape.taps * channels * cells
  local cycles = products / 2 + STEP_CYCLES + INPUT_CYCLES * shape.positions * cells
    + WEIGHT_CYCLES * shape.taps * channels
  -- few sums wait for each other
  return math.max(cycles, 4 * shape.taps / plan.axes[plan.rank].phases) / products
end

local function fits(f, shape, tile)
  local phases = f.plan.axes[f.plan.rank].phases
  local cells = tile.vectors * tile.rows
  local need = phases * tile.channels * cells + (shape.positions > 1 and 2 or 1) * cells + 1
  return need <= f.target.registers and strategy.legal(f.plan, tile, f.target)
end

-- The register tile of the least cost that is legal, of nearly equal ones the first; nil where none
-- is.
local function best_tile(f, shape, vectors, fixed)
  local best, least
  local declared = strategy.knobs(f.plan)
  local function values(knob) return ipairs(list.named(declared, knob).values) end
  for _, channels in values "channels" do
    for _, v in values "vectors" do
      for _, rows in ipairs { 1, 2 } do
        local tile = { channels = channels, vectors = v, rows = rows, strips = fixed.strips,
          stage = fixed.stage }
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
local function strips_of(f, positions, q)
  local plan, pieces = f.plan, { { from = 0, to = q } }
  if plan.rank == 1 then return plan.batch < TASKS and 2 or 1 end
  local n = 1
  while n < 32 and plan.axes[1].output // (2 * n) >= 2 do
    local s = stage.layout(plan, positions, pieces, n, f.lanes_of_register)
    if plan.batch * n >= TASKS and s.size * f.element <= STAGE_BYTES then break end
    n = 2 * n
  end
  return n
end

-- How inputs are read: as they lie where that is near, by aligned loads and shuffles where few sums
-- use each (64x64, 56 to 1 channels, k9 s4 322 → 270 µs), else in rows of a task's own.
local function stage_of(plan, element)
  local plane, axis = 1, plan.axes[plan.rank]
  for _, each in ipairs(plan.axes) do plane = plane * each.input end
  local near = plane * plan.ci * plan.groups * element <= NEAR_BYTES
  if plan.planar and (plan.ci == 1 or plan.rank == 1 or near and plan.dtype == plan.work) then
    return "none"
  end
  return plan.co * axis.phases <= 4 and axis.step == 1 and "aligned" or "rows"
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
  local fixed = { stage = stage_of(plan, f.element), strips = strips_of(f, positions, q) }
  local knobs = best_tile(f, shape_of(plan), vectors, fixed)
  if not knobs then return nil end
  return knobs, EFFICIENCY * q / (vectors * lanes)
end

return M
