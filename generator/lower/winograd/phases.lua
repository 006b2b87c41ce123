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
---@field first integer     how many taps are absent before the first
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

--- The phases of a dense axis.
---@param axis upweave.contract.axis
---@return lower.winograd.Phase[]
---@return integer base   input at which tile 0 begins
---@return integer step   kernel positions from a tap to the next
function M.of(axis)
  local base, most, step, out = math.maxinteger, M.taps(axis), step_of(axis), {}
  for _, taps in ipairs(axis.taps) do base = math.min(base, taps[1].at) end
  for p, taps in ipairs(axis.taps) do
    local first, present = math.min(most - #taps, taps[1].at - base), {}
    for k = 1, most do present[k] = k > first and k <= first + #taps end
    out[p] = {
      number = p - 1, outputs = (axis.output - p + axis.phases) // axis.phases,
      shift = taps[1].at - first - base, first = first, kernel = taps[1].k - first * step,
      present = present,
    }
  end
  return out, base, step
end

-- The products of a phase that do not vanish: first and last, from 0.  Those that do have the point
-- 0 or infinity, the outermost ones.
local function range_of(w, phase)
  local vanishing, first, last = winograd.vanishing(w, phase.present), 0, w.n - 1
  while vanishing[first + 1] do first = first + 1 end
  while vanishing[last + 1] do last = last - 1 end
  return { first = first, last = last, count = last - first + 1 }
end

local ONE <const> = { number = 0, kernel = 0 }

-- Both axes' phases together, each with its ranges of products, and all their products.
local function pairs_of(plan, w)
  local list, products = {}, 0
  local outer = M.of(plan.axes[1])
  local inner = plan.rank == 2 and M.of(plan.axes[2]) or { ONE }
  for _, y in ipairs(outer) do
    local rows = range_of(w, y)
    for _, x in ipairs(inner) do
      local columns = x == ONE and { first = 0, last = 0, count = 1 } or range_of(w, x)
      list[#list + 1] = {
        key = ("%d+%d-%d+%d"):format(rows.first, rows.count, columns.first, columns.count),
        rows = rows, columns = columns, presence = { y.present, x.present },
        y = y.number, x = x.number, products = products,
        kernel = y.kernel * (plan.rank == 2 and plan.axes[2].kernel or 1) + x.kernel,
      }
      products = products + rows.count * columns.count
    end
  end
  return list, products
end

--- Products of all phases.
---@param plan upweave.plan.contract
---@param w upweave.winograd.matrices
---@return integer
function M.products(plan, w)
  local _, products = pairs_of(plan, w)
  return products
end

--- Classes of the phases of an image (y and x) or a line (y) by the products that they need.  Of a
--- class, `like` has `rows` and `columns` (first, last, count) and the `presence` of the taps of
--- both axes; places are y, x, `products` (of all phases before) and `kernel` (of the first taps).
---@param b ir.Builder
---@param plan upweave.plan.contract
---@param w upweave.winograd.matrices
---@return lower.contract.PartClass[]
function M.classes(b, plan, w)
  return parts.new(b, "phase", { (pairs_of(plan, w)) }, { "y", "x", "products", "kernel" })
end

--- fn(phase) for every phase: the fields of its class's `like`, and its own places.
---@param b ir.Builder
---@param classes lower.contract.PartClass[]
---@param fn fun(phase: table)
function M.each(b, classes, fn)
  for _, class in ipairs(classes) do
    local from, to = class.range(0)
    b:each("phase", from, to, function(i)
      local place, like = class.place, class.like
      fn {
        rows = like.rows, columns = like.columns, presence = like.presence,
        y = place.y(i), x = place.x(i), products = place.products(i), kernel = place.kernel(i),
      }
    end)
  end
end

return M
