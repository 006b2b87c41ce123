-- HEURISTIC OF CONVOLUTIONS
-- =========================
-- The schedule for a contract plan that nobody tuned.

local blocks = require "upweave.lower.contract.blocks"
local channels = require "upweave.lower.contract.channels"
local frame = require "upweave.lower.contract.frame"

local M = {}

-- Enough tasks for a few threads to share evenly, of rows enough to be worth a start.
local TASKS, ROWS_PER_STRIP = 8, 4
-- Sums that hide the latency of two multiply-adds a cycle: 4 cycles each.
local IN_FLIGHT = 8
-- Cycles that a tile costs beside its products: its sums begin and end.
local TILE_CYCLES = 10

-- Cycles of one reduction step of a tile: products, their latency, or the loads they need.
local function step_cycles(pixels, vectors)
  return math.max(pixels * vectors, IN_FLIGHT, pixels + vectors) / 2 + 0.5
end

-- Parts that `n` things are cut in evenly, at most `most` each: sizes and how many of each.
local function even(n, most)
  local count = (n + most - 1) // most
  local small, more = n // count, n % count
  return { { small, count - more }, { small + 1, more } }
end

-- Cycles of all tiles of an image's row, for all output channels of a group.
local function row_cycles(plan, lanes, knobs)
  local axis, vectors = plan.axes[plan.rank], blocks.padded(plan.co, lanes) // lanes
  local total = 0
  for r, taps in ipairs(axis.taps) do
    local n = (axis.output - r + axis.phases) // axis.phases
    local steps = #taps * plan.terms / math.max(1, axis.kernel)
    for _, tile in ipairs(n > 0 and even(n, knobs.pixels) or {}) do
      for _, block in ipairs(even(vectors, knobs.vectors)) do
        total = total + tile[2] * block[2] * (steps * step_cycles(tile[1], block[1]) + TILE_CYCLES)
      end
    end
  end
  return total
end

local function best_tile(plan, target)
  local lanes = blocks.lanes(plan.co, frame.lanes(plan, target))
  local declared, best, least = channels.knobs(plan), nil, math.huge
  for _, vectors in ipairs(declared[2].values) do
    for _, pixels in ipairs(declared[1].values) do
      local knobs = { pixels = pixels, rows = 1, vectors = vectors }
      if channels.legal(plan, knobs, target) then
        local cycles = row_cycles(plan, lanes, knobs)
        if cycles < least then best, least = knobs, cycles end
      end
    end
  end
  return best, lanes
end

-- Parts of the outermost axis that make enough tasks.
local function strips(plan, tasks)
  local n, size = 1, plan.axes[1].output
  while tasks * n < TASKS and size // (2 * n) >= ROWS_PER_STRIP do n = n * 2 end
  return n
end

--- Strategy, the knobs that differ from their defaults, and the reason.
---@param plan upweave.plan.contract
---@param target Target
---@return string strategy
---@return table knobs
---@return string why
function M.choose(plan, target)
  local knobs, lanes = best_tile(plan, target)
  local _, count = blocks.split(plan.co, lanes, knobs.vectors)
  knobs.strips = strips(plan, plan.batch * plan.groups * count)
  return channels.name, knobs, "output channels fill vectors"
end

return M
