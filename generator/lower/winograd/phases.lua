-- PHASES
-- ======
-- One transform of the inputs serves every phase of a transposed convolution.  A tile of an axis is
-- n inputs in a row; m outputs of each phase read nothing else, if those of a phase whose taps lie
-- further on begin earlier: by its shift.  Taps that a phase lacks are absent, and the products
-- that this makes 0 are left out.  Of an ordinary convolution the one phase has all taps.

local parts = require "upweave.lower.contract.parts"
local winograd = require "upweave.plan.winograd"

local M = {}

---@class lower.winograd.Phase   of one axis
---@field number integer     from 0
---@field outputs integer   how many the axis has of it
---@field shift integer     tile t begins with output t·m - shift of the phase
---@field ahead integer     how many rows later than the tile's first those of the phase begin
---@field kernel integer    position in the kernel of the first tap; it may be absent, and outside
---@field present boolean[]   of the algorithm's taps

--- Most taps of a phase.
---@param axis upweave.contract.axis
---@return integer
function M.taps(axis)
  local most = 0
  for _, taps in ipairs(axis.taps) do most = math.max(most, #taps) end
  return most
end

--- Whether every phase has taps, on neighbouring inputs.
---@param axis upweave.contract.axis
---@return boolean
function M.dense(axis)
  for _, taps in ipairs(axis.taps) do
    if #taps == 0 or taps[#taps].at - taps[1].at ~= #taps - 1 then return false end
  end
  return axis.step == 1
end

-- Kernel positions from a tap to the next.
local function step_of(axis)
  for _, taps in ipairs(axis.taps) do
    if #taps > 1 then return taps[2].k - taps[1].k end
  end
  return 0
end

--- The phases of a dense axis.  Where it is transformed, a phase is shifted; where its taps are
--- summed, rows of inputs are apart, and it reads later ones instead.
---@param axis upweave.contract.axis
---@param w upweave.winograd.matrices
---@return lower.winograd.Phase[]
---@return integer base   input at which tile 0 begins
---@return integer step   kernel positions from a tap to the next
function M.of(axis, w)
  local base, most, step, out = math.maxinteger, M.taps(axis), step_of(axis), {}
  for _, taps in ipairs(axis.taps) do base = math.min(base, taps[1].at) end
  for p, taps in ipairs(axis.taps) do
    local first, present = math.min(most - #taps, taps[1].at - base), {}
    for k = 1, most do present[k] = k > first and k <= first + #taps end
    local later = taps[1].at - first - base
    out[p] = {
      number = p - 1, outputs = (axis.output - p + axis.phases) // axis.phases,
      shift = w.summed and 0 or later, ahead = w.summed and later or 0,
      kernel = taps[1].k - first * step, present = present,
    }
  end
  return out, base, step
end

-- The rows of G of a phase that do not vanish: first and last, from 0.  Those that do are products
-- with the point 0 or infinity, or taps: the outermost ones.
local function range_of(w, phase)
  local vanishing, first, last = winograd.vanishing(w, phase.present), 0, #w.g - 1
  while vanishing[first + 1] do first = first + 1 end
  while vanishing[last + 1] do last = last - 1 end
  return { first = first, last = last, count = last - first + 1 }
end

local ONE <const> = { number = 0, kernel = 0, ahead = 0 }
local ALONE <const> = { first = 0, last = 0, count = 1 }

-- Phase y of the first axis and x of the second together, with their ranges of products and of taps
-- that are summed with the channels; `weights` are those of all before.
local function pair_of(plan, ws, y, x, weights)
  local range, columns = range_of(ws[1], y), x == ONE and ALONE or range_of(ws[2], x)
  return {
    key = ("%d+%d-%d+%d"):format(range.first, range.count, columns.first, columns.count),
    rows = ws[1].summed and ALONE or range, columns = columns,
    taps = ws[1].summed and range or ALONE, presence = { y.present, x.present },
    y = y.number, x = x.number, ahead = y.ahead, weights = weights,
    kernel = y.kernel * (plan.rank == 2 and plan.axes[2].kernel or 1) + x.kernel,
  }
end

-- Both axes' phases together, and all their weights.
local function pairs_of(plan, ws)
  local list, weights = {}, 0
  local inner = plan.rank == 2 and M.of(plan.axes[2], ws[2]) or { ONE }
  for _, y in ipairs((M.of(plan.axes[1], ws[1]))) do
    for _, x in ipairs(inner) do
      local pair = pair_of(plan, ws, y, x, weights)
      list[#list + 1] = pair
      weights = weights + pair.rows.count * pair.columns.count * pair.taps.count
    end
  end
  return list, weights
end

--- Transformed weights of a pair of channels, in all phases.
---@param plan upweave.plan.contract
---@param ws upweave.winograd.matrices[]   of every axis
---@return integer
function M.weights(plan, ws)
  local _, weights = pairs_of(plan, ws)
  return weights
end

--- The phases of an image (y and x) or a line (y); those that need the same products are alike.  A
--- phase has `rows` and `columns` of products and `taps` that are summed (first, last and count),
--- and the `presence` of the taps of both axes; it lies at y, x, `ahead` (rows), `weights` (of all
--- phases before) and `kernel` (of the first taps).
---@param b ir.Builder
---@param plan upweave.plan.contract
---@param ws upweave.winograd.matrices[]   of every axis
---@return lower.contract.Parts   one part
function M.declare(b, plan, ws)
  return parts.new(b, "phase", { (pairs_of(plan, ws)) },
    { "y", "x", "ahead", "weights", "kernel" })
end

return M
