-- HEURISTIC
-- =========
-- The schedule for a plan that nobody tuned.  Every rule names the measurement behind it;
-- docs/performance.md holds the tables.

local blend = require "upweave.lower.resample.blend"
local frame = require "upweave.lower.resample.frame"
local plane = require "upweave.lower.plane"
local registers = require "upweave.lower.registers"

local M = {}

-- Working sets beyond this are written past the cache: break-even was measured at about 18 MB,
-- a win of 1.4-2x at 64 MB, a loss of 1.9x at 16 MB.
local STREAM_BYTES = 24 * 1024 * 1024
-- Enough tasks for a few threads to share evenly, and rows that make restarting a ring cheap.
local TASKS, ROWS_PER_STRIP = 8, 16
-- Vectors of a row up to which a loop over rows is dear.
local SHORT_ROW = 4

local function strips(plan, geometry)
  if plan.rank ~= 2 then return 1 end
  local n = 1
  while n < 8 and geometry.planes * n < TASKS
    and geometry.y.output // (2 * n) >= ROWS_PER_STRIP do
    n = n * 2
  end
  return n
end

local function interleaved(plan, lanes)
  if plan.channels * 2 >= lanes then
    return "channels", "channels fill vectors"
  end
end

local function tiny(plan, lanes, target)
  local width = plan.axes[plan.rank].output * (plan.planar and 1 or plan.channels)
  if plan.rank > 1 and width <= lanes and plane.legal(plan, { planes = 1 }, target) then
    return "plane", "rows are shorter than a vector"
  end
end

local function rows(plan)
  if plan.rank == 1 then return "blended", "one spatial axis" end
  local y = plan.axes[plan.rank - 1]
  if y.output < y.input then return "blended", "fewer output rows than input rows" end
  if y:is_copy() then return "blended", "output rows are input rows: nothing to keep" end
  return "rolling", "each input row is used by several output rows"
end

-- 14x14 → 28x28, 16 planes: 2.6 µs with a rolling buffer, 0.8 in registers.
local function short_rows(plan, lanes, target)
  local width = plan.axes[plan.rank].output * (plan.planar and 1 or plan.channels)
  if width <= SHORT_ROW * lanes and registers.legal(plan, {}, target) then
    return "registers", "a row is a few vectors"
  end
end

local function strategy(plan, lanes, target)
  local name, why
  if not plan.planar then name, why = interleaved(plan, lanes) end
  if not name then name, why = tiny(plan, lanes, target) end
  if not name then name, why = short_rows(plan, lanes, target) end
  if not name then name, why = rows(plan) end
  return name, why
end

-- Several output rows in a sweep pay from four taps on, as far as their weights fit.
local function rows_in_sweep(plan, target)
  local n = blend.most_taps(plan.axes[plan.rank - 1])
  if n < 4 or n > blend.STRAIGHT then return 1 end
  for _, rows_together in ipairs { 4, 3, 2 } do
    if rows_together * n + n + 1 <= target.registers then return rows_together end
  end
  return 1
end

--- Strategy, the knobs that differ from their defaults, and the reason.
---@param plan table
---@param target Target
---@return string strategy
---@return table knobs
---@return string why
function M.choose(plan, target)
  local lanes = target.vector_bytes // 4
  local name, why = strategy(plan, lanes, target)
  local knobs = {}
  if name == "rolling" or name == "blended" or name == "channels" then
    knobs.strips = strips(plan, frame.geometry(plan, name ~= "channels"))
    if plan.bytes_read + plan.bytes_written > STREAM_BYTES then knobs.stores = "streaming" end
  end
  if name == "rolling" then knobs.rows = rows_in_sweep(plan, target) end
  return name, knobs, why
end

return M
