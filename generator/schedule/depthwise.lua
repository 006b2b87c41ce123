-- HEURISTIC OF DEPTHWISE CONVOLUTIONS
-- ===================================
-- How contract-depthwise does one input channel a group, where it does it best.  Measured on
-- AVX-512 (docs/performance-convolution.md): 21 channels, 34x34, k16 s8 interleaved 1070 → 234 µs
-- against vectors of channels, 64 channels, 56x56, k4 s2 322 → 129.

local strategy = require "upweave.lower.contract.depthwise"

local M = {}

-- From so many taps on, a sum of each costs more loads than a loop over them (7x7: 109, 53 µs).
local MOST_TAPS = 49
-- Outputs beyond this leave the L2 cache: several rows at once no longer pay.
local L2_BYTES = 4 * 1024 * 1024
local TASKS = 8

local function taps_of(plan)
  local n = 1
  for _, axis in ipairs(plan.axes) do n = n * #axis.taps[1] end
  return n
end

-- Knobs to try for interleaved tensors, best first.
local function interleaved(f, phases)
  local few = f.plan.groups < f.lanes_of_register
  local ragged = phases >= 4 and f.plan.groups % f.lanes_of_register ~= 0
  if few or ragged then
    if phases > 1 then return { { read = "expanded", rows = 4, order = "line" } } end
    return { { read = "expanded", rows = 2 }, { read = "expanded" } }
  end
  if phases > 1 then
    return { { read = "direct", rows = math.min(4, phases), order = "line" }, { read = "direct" } }
  end
  return {
    { read = "direct", pixels = 4 }, { read = "direct", rows = 2, pixels = 2 },
    { read = "direct", pixels = 2 }, { read = "direct" },
  }
end

-- The same for planar ones; none where vectors along the rows without weights at hand do better.
local function planar(f, phases)
  local plan = f.plan
  local last = plan.axes[plan.rank]
  if phases > 1 then
    return { { rows = plan.bytes_written > L2_BYTES and 1 or math.min(4, phases) }, {} }
  end
  local wide = last.output >= 2 * f.lanes_of_register
  return plan.rank < 3 and last.step == 1 and wide and { { rows = 4 }, { rows = 2 } } or {}
end

local function completed(f, wish)
  local knobs, rows = {}, f.plan.axes[1].output
  for _, knob in ipairs(strategy.knobs(f.plan, f.target)) do
    knobs[knob.name] = wish[knob.name] or knob.default
  end
  local planes = f.plan.batch * (f.plan.planar and f.plan.groups or 1)
  while f.plan.rank > 1 and planes * knobs.strips < TASKS and rows // (2 * knobs.strips) >= 8 do
    knobs.strips = 2 * knobs.strips
  end
  return knobs
end

--- The knobs, or nil where the strategy is not legal or another one is better.
---@param f schedule.ContractFacts
---@return table?
function M.choose(f)
  local plan = f.plan
  if plan.ci ~= 1 or plan.groups == 1 or taps_of(plan) >= MOST_TAPS then return nil end
  local phases = plan.axes[plan.rank].phases
  for _, wish in ipairs((plan.planar and planar or interleaved)(f, phases)) do
    local knobs = completed(f, wish)
    if strategy.legal(plan, knobs, f.target) then return knobs end
  end
end

return M
