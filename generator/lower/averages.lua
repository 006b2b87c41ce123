-- AVERAGES
-- ========
-- resample, fixed point, bytes: where every weight is a multiple of 1/16 and an output has two taps
-- at most, the weighted sum is a chain of averages of two bytes each, which processors do on whole
-- vectors of bytes.  Each input row goes through such a chain into a ring of rows; output rows that
-- read the same two rows of the ring share the chain's beginning.
--
-- The chain: floor((s + c)/2) of s = floor(t/2^j) is floor((t + 2^j c)/2^(j+1)).  So the binary
-- digits of the heavier tap's weight, lowest first, say which tap is added next; the lighter one is
-- the start, and has one more than the digits give it.  The last average rounds up: that is the
-- half that the rule adds.

local blend = require "upweave.lower.resample.blend"
local frame = require "upweave.lower.resample.frame"
local groups = require "upweave.lower.resample.groups"
local ring = require "upweave.lower.resample.ring"
local row = require "upweave.lower.resample.row"
local runs = require "upweave.plan.runs"
local vector = require "upweave.lower.vector"

local M = { name = "averages", form = "resample", fixed = true }

-- Digits of a weight, and straight-line groups of rows, at most.
local MOST_DIGITS, MAX_PIECES, MAX_PERIOD = 4, 12, 8

-- The inputs of an output in the order of its chain.
local function chain(t, digits)
  if #t.index == 1 then t = { index = { t.index[1], t.index[1] }, weight = { 0, 1 << digits } } end
  local heavy = t.weight[2] >= t.weight[1] and 2 or 1
  local out = { t.index[3 - heavy] }
  for j = 0, digits - 1 do
    out[j + 2] = t.weight[heavy] >> j & 1 == 1 and t.index[heavy] or t.index[3 - heavy]
  end
  return out
end

-- The chain of values.
local function averaged(b, values)
  local sum = values[1]
  for k = 2, #values - 1 do sum = b:floor_average(sum, values[k]) end
  return #values > 1 and b:average(sum, values[#values]) or sum
end

local CHAIN = { working = 6, combine = function(b, _, values) return averaged(b, values) end }

function CHAIN.expand(map, at, lanes)
  local from = {}
  for k = 1, map.precision + 1 do from[k] = {} end
  for l = 1, lanes do
    for k, i in ipairs(chain(map.taps[at + l], map.precision)) do from[k][l] = i end
  end
  return from, {}
end

-- Why an axis is no chain, or nil.
local function unfit(map)
  if map.precision > MOST_DIGITS then
    return ("weights have %d binary digits, at most %d"):format(map.precision, MOST_DIGITS)
  end
  for _, t in ipairs(map.taps) do
    local positive = t.weight[1] > 0 and (t.weight[2] or 1) > 0
    if #t.index > 2 or not positive or t.weight[1] + (t.weight[2] or 0) ~= 1 << map.precision then
      return "an output is a mean of two inputs at most"
    end
  end
end

local function rows_of(map, most)
  return groups.new(map, most, MAX_PERIOD, function(g)
    local text = {}
    for q, weights in ipairs(g.weights) do text[q] = table.concat(weights, ",") end
    return table.concat(text, ";")
  end)
end

--- Knobs: rows (output rows in one sweep), strips (a plane's share of tasks), stores.
function M.knobs(plan, target)
  return {
    { name = "rows", values = { 1, 2, 4 }, default = 2, doc = "output rows in one sweep" },
    frame.parts_knob(plan, "strips", 16, "tasks a plane is cut in"),
    frame.stores_knob(plan, target, frame.row_elements(plan)),
  }
end

--- Legal for fixed-point plans whose weights are short, and whose rows repeat.
function M.legal(plan, knobs, target)
  if not plan.fixed then return nil, "averages are of 8-bit pixels in fixed point" end
  local g = frame.geometry(plan, true)
  if g.x.output == 1 then return nil, "a row of one element is no vector" end
  local reason = unfit(g.x) or unfit(g.y)
  if reason then return nil, reason end
  if not row.new(g.x, frame.lanes(plan, target), CHAIN).straight then
    return nil, "the columns follow no period"
  end
  if runs.pieces(rows_of(g.y, knobs.rows).loops) > MAX_PIECES then
    return nil, "the rows follow no period"
  end
  return true
end

-- Output rows of a group from their rows of the ring.
local function emit_rows(f, v, group, oy, out, streaming)
  local b, width, sources = f.b, v.pass.output, {}
  for k, i in ipairs(group.index) do sources[i] = blend.source(b, v.sum, v.rows, oy, k - 1) end
  vector.sweep_row(b, "v", width, f.lanes, 2, function(j, lanes)
    local values = {}
    for k, i in ipairs(group.index) do values[i] = b:load(sources[i], j, lanes, "v" .. k - 1) end
    for q, weights in ipairs(group.weights) do
      local operands = {}
      local t = { index = group.index, weight = weights }
      for k, i in ipairs(chain(t, v.digits)) do operands[k] = values[i] end
      b:store(out, j + (q - 1) * width, averaged(b, operands), streaming)
    end
  end)
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local f = frame.new(plan, target, frame.geometry(plan, true))
  local b, g, pass = f.b, f.geometry, row.new(f.geometry.x, f.lanes, CHAIN)
  row.declare(b, pass)
  local window = ring.new(b, rows_of(g.y, knobs.rows), knobs.strips, "input rows")
  local pitch = (pass.output + 63) // 64 * 64
  local rows = b:scratch("ring", b.work, window.depth * pitch)
  local row_pass = row.routine(b, pass, f.source, rows)
  local v = {
    pass = pass, rows = rows, digits = g.y.precision,
    sum = blend.rows(b, g.y, "ring", function(i) return i % window.depth * pitch end),
  }
  ring.tasks(f, window, "iy", function(src, iy)
    row_pass(src, iy * pass.input, rows, iy % window.depth * pitch)
  end, function(dst, group, oy)
    emit_rows(f, v, group, oy, b:view("out", dst, oy * pass.output), knobs.stores == "streaming")
  end)
  return b
end

return M
