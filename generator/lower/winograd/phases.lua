-- PHASES
-- ======
-- One transform of the inputs serves every phase of a transposed convolution.  A tile of an axis is
-- n inputs in a row; m outputs of each phase read nothing else, if those of a phase whose taps lie
-- further on begin earlier: by its shift.  Taps that a phase lacks are absent, and the products
-- that this makes 0 are left out.  An ordinary convolution has one phase; only the last span of its
-- taps may lack some.

local parts = require "upweave.lower.contract.parts"
local winograd = require "upweave.plan.winograd"

local M = {}

---@class lower.winograd.Phase   of one axis
---@field number integer     from 0
---@field outputs integer   how many the axis has of it
---@field shift integer     tile t begins with output t·m - shift of the phase
---@field ahead integer     how many tiles later than t are the first that it reads
---@field kernel integer    position in the kernel of the first tap; it may be absent, and outside
---@field present boolean[]   of the taps of the algorithm's spans
---@field key string           which they are

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

-- Which taps of an algorithm's spans a phase has: `count`, after so many absent ones.
local function presence_of(w, absent, count)
  local present = {}
  for k = 1, w.spans * w.r do present[k] = k > absent and k <= absent + count end
  return present
end

--- The phases of a dense axis.  What a phase reads later than the first one is whole tiles, so many
--- that it is ahead, and a shift.
---@param axis upweave.contract.axis
---@param w upweave.winograd.matrices
---@return lower.winograd.Phase[]
---@return integer base   input at which tile 0 begins
---@return integer step   kernel positions from a tap to the next
function M.of(axis, w)
  local base, most, step, out = math.maxinteger, M.taps(axis), step_of(axis), {}
  for _, taps in ipairs(axis.taps) do base = math.min(base, taps[1].at) end
  for p, taps in ipairs(axis.taps) do
    local first = math.min(most - #taps, taps[1].at - base)
    local later = taps[1].at - first - base
    out[p] = {
      number = p - 1, outputs = (axis.output - p + axis.phases) // axis.phases,
      shift = later % w.m, ahead = later // w.m, kernel = taps[1].k - first * step,
      present = presence_of(w, first, #taps), key = ("%d+%d"):format(first, #taps),
    }
  end
  return out, base, step
end

-- The spans, from 0, in which product j of a phase does not vanish; nil if it always does.  Those
-- of absent taps are the outermost ones.
local function spans_of(w, phase, j)
  local first, last
  for span = 0, w.spans - 1 do
    local present = { table.unpack(phase.present, span * w.r + 1, (span + 1) * w.r) }
    if not winograd.vanishing(w, present)[j] then first, last = first or span, span end
  end
  return first and { first = first, count = last - first + 1 }
end

-- First and last present tap of a phase, from 0.
local function present_of(phase)
  local first, last = 0, #phase.present - 1
  while not phase.present[first + 1] do first = first + 1 end
  while not phase.present[last + 1] do last = last - 1 end
  return first, last
end

--- How many inputs before or behind those that a tile's outputs use its products read, where taps
--- are absent: in the exact sum they cancel, but their rounding, a NaN or an infinity reaches it.
---@param axis upweave.contract.axis
---@param w upweave.winograd.matrices
---@return integer
function M.beyond(axis, w)
  local most = 0
  for _, phase in ipairs((M.of(axis, w))) do
    local first, last = present_of(phase)
    for j, row in ipairs(w.bt) do
      local spans = spans_of(w, phase, j)
      for l, v in ipairs(spans and row or {}) do
        local from = spans.first * w.m + l - 1
        local to = from + (spans.count - 1) * w.m
        if not v:is_zero() then most = math.max(most, first - from, to - last - w.m + 1) end
      end
    end
  end
  return most
end

-- Products of a phase that are neighbours and sum the same spans: first and last, from 0.
local function ranges_of(w, phase)
  local out = {}
  for j = 1, w.n do
    local spans, range = spans_of(w, phase, j), out[#out]
    if spans and range and range.last == j - 2 and range.spans.first == spans.first
      and range.spans.count == spans.count then
      range.last, range.count = j - 1, range.count + 1
    elseif spans then
      out[#out + 1] = { first = j - 1, last = j - 1, count = 1, spans = spans }
    end
  end
  return out
end

local ONE <const> = { number = 0, kernel = 0, ahead = 0, key = "" }
local ALONE <const> = { { first = 0, last = 0, count = 1, spans = { first = 0, count = 1 } } }

-- Ranges of rows and of columns of products together, their weights one after the other, and how
-- many these are.
local function pieces_of(rows, columns)
  local out, weights = {}, 0
  for _, row in ipairs(rows) do
    for _, column in ipairs(columns) do
      out[#out + 1] = { rows = row, columns = column, weights = weights }
      weights = weights + row.count * row.spans.count * column.count * column.spans.count
    end
  end
  return out, weights
end

-- Phase y of the first axis and x of the second together; `weights` are those of all before.
local function pair_of(plan, ws, y, x, weights)
  assert(x.ahead == 0, "columns begin in the same tile")
  local rows, columns = ranges_of(ws[1], y), x == ONE and ALONE or ranges_of(ws[2], x)
  local pieces, count = pieces_of(rows, columns)
  return {
    key = y.key .. "-" .. x.key, pieces = pieces, size = count, presence = { y.present, x.present },
    rows = { first = rows[1].first, last = rows[#rows].last },
    columns = { first = columns[1].first, last = columns[#columns].last },
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
      weights = weights + pair.size
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

--- The phases of an image (y and x) or a line (y); those with the same taps are alike.  A
--- phase has `rows` and `columns` of products (first and last), those that sum the same spans in
--- `pieces` (rows and columns with first, last, count and spans; the weights before), and the
--- `presence` of the taps of both axes; it lies at y, x, `ahead` (rows), `weights` (of all phases
--- before) and `kernel` (of the first taps).
---@param b ir.Builder
---@param plan upweave.plan.contract
---@param ws upweave.winograd.matrices[]   of every axis
---@return lower.contract.Parts   one part
function M.declare(b, plan, ws)
  return parts.new(b, "phase", { (pairs_of(plan, ws)) },
    { "y", "x", "ahead", "weights", "kernel" })
end

return M
