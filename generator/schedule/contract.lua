-- HEURISTIC OF CONVOLUTIONS
-- =========================
-- The schedule for a contract plan that nobody tuned.

local blocks = require "upweave.lower.contract.blocks"
local channels = require "upweave.lower.contract.channels"
local depthwise = require "upweave.schedule.depthwise"
local frame = require "upweave.lower.contract.frame"
local list = require "upweave.util.list"
local outer = require "upweave.lower.contract.outer"
local planar = require "upweave.schedule.planar"
local winograd = require "upweave.schedule.winograd"

local M = {}

local KB = 1024
-- Enough tasks for a few threads to share evenly, of rows enough to be worth a start.
local TASKS, ROWS_PER_STRIP = 8, 4
-- Sums that hide the latency of two multiply-adds a cycle: 4 cycles each.
local IN_FLIGHT = 8
-- Cycles that a tile costs beside its products: its sums begin and end.
local TILE_CYCLES = 10
-- Weights beyond the L1 cache come at so many bytes a cycle.
local L1_BYTES, L2_BYTES_PER_CYCLE = 32 * KB, 24
-- Weights of a block beyond the L1 cache are asked for so many elements ahead, how many hardly
-- matters: 4x4, 512 to 256 channels 518 → 414 µs, 16x16, 128 to 64 channels 333 → 315.
local L2_BYTES, AHEAD = 1024 * KB, 1024
-- Bytes a cycle from beyond that cache.
local FAR_BYTES = 10
-- What Winograd's algorithms, whose results are less direct, have to gain.
local WINOGRAD_GAIN = 0.9
-- Inputs beyond the L2 cache: all blocks of channels use a strip of this size before the next one.
-- 28x28, 1024 to 512 channels 23.5 → 21.5 ms.
local STRIP_BYTES = 1024 * KB
-- Outputs beyond this are written past the cache: 128x128x64 1690 → 1620 µs, 56x56x512 21.5 → 20.1
-- ms.
local STREAM_BYTES = 4 * 1024 * KB
-- Several rows in a tile cost code: they have to gain this much.
local ROWS_GAIN = 0.95

-- Cycles of one reduction step of a tile: products, their latency, or the loads they need.
local function step_cycles(f, pixels, vectors)
  local cycles = math.max(pixels * vectors, IN_FLIGHT, pixels + vectors) / 2
  if f.vector_weights > L1_BYTES then
    cycles = math.max(cycles, vectors * f.vector_bytes / L2_BYTES_PER_CYCLE)
  end
  return cycles + 0.5
end

-- Parts that `n` things are cut in evenly, at most `most` each: sizes and how many of each.
local function even(n, most)
  local count = (n + most - 1) // most
  local small, more = n // count, n % count
  return { { small, count - more }, { small + 1, more } }
end

-- Rows of y as tiles see them: { rows together, turns, taps of all turns } each.
local function turns_of(plan, rows)
  local axis = plan.axes[plan.rank - 1]
  if not axis then return { { 1, 1, 1 } } end
  local out = {}
  for i, size in ipairs(outer.sizes(axis, 1, rows)) do
    local taps = 0
    for _, g in ipairs(size.order) do taps = taps + math.max(0, g.last - g.first + 1) end
    out[i] = { size.n, #size.order, taps }
  end
  return out
end

-- Cycles of all tiles of `turn` that begin with so many pixels of a row and have vectors as given.
local function tile_cycles(f, turn, pixels, vectors, taps)
  local steps = turn[3] * taps * f.plan.ci
  return steps * step_cycles(f, turn[1] * pixels, vectors) + turn[2] * TILE_CYCLES
end

-- Cycles of an image, for all output channels of a group.
local function cycles_of(f, knobs, turns)
  local axis, total = f.plan.axes[f.plan.rank], 0
  for r, taps in ipairs(axis.taps) do
    local n = (axis.output - r + axis.phases) // axis.phases
    for _, tile in ipairs(n > 0 and even(n, knobs.pixels) or {}) do
      for _, block in ipairs(even(f.vectors, knobs.vectors)) do
        for _, turn in ipairs(turns) do
          total = total + tile[2] * block[2] * tile_cycles(f, turn, tile[1], block[1], #taps)
        end
      end
    end
  end
  return total
end

---@class schedule.ContractFacts
---@field plan upweave.plan.contract
---@field view table            the plan as contract-channels sees it
---@field target Target
---@field lanes integer         of a vector of output channels
---@field lanes_of_register integer
---@field element integer       bytes of an element of the arithmetic
---@field vector_bytes integer
---@field vectors integer       of the output channels of a group
---@field vector_weights integer   bytes of the weights of a vector of output channels
---@field weights integer       bytes of all packed weights

local function facts_of(plan, target)
  local view = channels.view(plan, target)
  local lanes = blocks.lanes(view.co, frame.lanes(plan, target), view.elementwise)
  local places = plan.ci
  for _, axis in ipairs(plan.axes) do places = places * axis.kernel end
  local element = target.vector_bytes // frame.lanes(plan, target)
  return {
    plan = plan, view = view, target = target, lanes = lanes,
    lanes_of_register = frame.lanes(plan, target), element = element,
    vector_bytes = lanes * element,
    vectors = blocks.padded(view.co, lanes) // lanes,
    vector_weights = places * lanes * element,
    weights = places * view.groups * blocks.padded(view.co, lanes) * element,
  }
end

-- The register tile of the least cycles.
local function best_tile(f)
  local best, least = nil, math.huge
  local declared = channels.knobs(f.plan, f.target)
  local function values(knob) return ipairs(list.named(declared, knob).values) end
  for _, r in values "rows" do
    local turns = turns_of(f.plan, r)
    for _, v in values "vectors" do
      for _, p in values "pixels" do
        local knobs = { pixels = p, rows = r, vectors = v }
        if channels.legal(f.plan, knobs, f.target) then
          local cycles = cycles_of(f, knobs, turns)
          local wins = cycles < least * (best and r > best.rows and ROWS_GAIN or 1)
          if wins then best, least = knobs, cycles end
        end
      end
    end
  end
  return best, least
end

-- Parts of the outermost axis that make enough tasks, and strips whose input fits the cache where
-- all of it does not.
local function strips(plan, tasks, input)
  local n, size = 1, plan.axes[1].output
  local function worth() return size // (2 * n) >= ROWS_PER_STRIP end
  while tasks * n < TASKS and worth() do n = n * 2 end
  while input > n * STRIP_BYTES and worth() do n = n * 2 end
  return n
end

-- Bytes of an image.
local function input_bytes(f)
  local bytes = f.plan.ci * f.plan.groups * f.element
  for _, axis in ipairs(f.plan.axes) do bytes = bytes * axis.input end
  return bytes
end

-- The direct algorithm with vectors of output channels: its knobs, and cycles for a group of an
-- image.
local function direct(f)
  local knobs, cycles = best_tile(f)
  local plan, input = f.plan, input_bytes(f)
  local _, count = blocks.split(f.view.co, f.lanes, knobs.vectors)
  knobs.strips = strips(plan, plan.batch * f.view.groups * count, input)
  knobs.order = input > STRIP_BYTES and "strips" or "blocks"
  knobs.prefetch = f.vector_weights * knobs.vectors > L1_BYTES and AHEAD or 0
  knobs.stores = plan.bytes_written >= STREAM_BYTES and "streaming" or "cached"
  local far = f.weights > L2_BYTES and f.weights / f.view.groups / FAR_BYTES or 0
  return knobs, math.max(cycles, far)
end

-- The share of the machine that is expected of the direct algorithm with vectors of channels:
-- lanes in use, and the sums of an output against its begin and end.  Of planar tensors, 28x28 to
-- 64x64: 80 to 90 % of the interleaved ones; every block and phase reads planes far apart again.
local function share_of(f, is_planar)
  local used, terms = f.view.co / (f.vectors * f.lanes_of_register), f.plan.terms
  if not is_planar then return 0.95 * used * terms / (terms + 12) end
  local share = used * terms / (terms + 24)
  if f.plan.axes[f.plan.rank].phases == 1 then return 0.9 * share end
  return (input_bytes(f) > STRIP_BYTES and 0.67 or 0.84) * share
end

--- Strategy, the knobs that differ from their defaults, and the reason.
---@param plan upweave.plan.contract
---@param target Target
---@return string strategy
---@return table knobs
---@return string why
function M.choose(plan, target)
  local f = facts_of(plan, target)
  local lines = depthwise.choose(f)
  if lines then return "contract-depthwise", lines, "one input channel a group" end
  local name, why = channels.name, "output channels fill vectors"
  local knobs, cycles = direct(f)
  local own = share_of(f, plan.planar)
  cycles = cycles * share_of(f, false) / own
  local along, share = planar.choose(f)
  if along and share > own then
    name, why, knobs = "contract-planar", "rows fill vectors better than channels", along
    cycles = cycles * own / share
  end
  local tiles, fewer = winograd.choose(f)
  if tiles and fewer < WINOGRAD_GAIN * cycles then
    return "winograd", tiles, "fewer products, of the class that numerics allow"
  end
  return name, knobs, why
end

return M
