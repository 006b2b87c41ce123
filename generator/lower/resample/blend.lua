-- BLEND
-- =====
-- Weighted sums of whole rows (or planes): the pass across rows.  Which rows and which weights is
-- in tables indexed by the output row, so the code of a row stands once however many rows there
-- are.  A few taps are straight-line with their weights in registers; many are a loop.

local vector = require "upweave.lower.vector"

local M = {}

-- Taps up to which a sum is straight-line: 8 weights, 8 values and the sum fit 16 registers.
M.STRAIGHT = 8
-- Vectors that a loop over taps carries: enough to hide the latency of an addition.
local CARRIED = 4

---@class lower.Blend
---@field taps integer   rows in a sum, at most
---@field rows table     offsets of the rows of each output
---@field copy boolean   every sum is one row with weight 1

--- The most taps an output of a map has.
---@param map plan.Axis
---@return integer
function M.most_taps(map)
  local taps = 0
  for _, t in ipairs(map.taps) do taps = math.max(taps, #t.index) end
  return taps
end

--- The rows that the outputs of an axis map read: `entry(i)` is what stands for input row i (an
--- offset).  A missing tap repeats the output's own last row.
---@param b ir.Builder
---@param map plan.Axis
---@param name string   prefix of the tables' names
---@param entry fun(i: integer): integer
---@return lower.Blend
function M.rows(b, map, name, entry)
  local taps, rows = M.most_taps(map), {}
  for _, t in ipairs(map.taps) do
    for k = 1, taps do rows[#rows + 1] = entry(t.index[math.min(k, #t.index)]) end
  end
  return {
    taps = taps, copy = map:is_copy(),
    rows = b:table(name .. "_offset", "i32", rows, taps, "where the inputs of each output are"),
  }
end

--- The same with their weights; a missing tap has weight 0.
function M.new(b, map, name, entry)
  local blend, weights = M.rows(b, map, name, entry), {}
  if blend.copy then return blend end
  for _, t in ipairs(map.taps) do
    for k = 1, blend.taps do weights[#weights + 1] = t.weight[k] or 0 end
  end
  blend.weights = b:table(name .. "_weight", b.work, weights, blend.taps,
    "the weight of each of them")
  return blend
end

--- Offset of tap k (from 0) of output row o.
function M.row(b, blend, o, k) return b:fetch(blend.rows, o * blend.taps + k) end

--- Pointer to the row of tap k (from 0) of output row o.
function M.source(b, blend, base, o, k)
  local number = type(k) == "number" and k or ""
  return b:view("r" .. number, base, M.row(b, blend, o, k))
end

--- Weight of tap k (from 0) of output row o in all lanes.
function M.weight(b, blend, o, k, lanes)
  local number = type(k) == "number" and k or ""
  return b:named("wy" .. number, b:splat(b:load(blend.weights, o * blend.taps + k, 1), lanes))
end

--- Weights of output row o as vectors; a copy has none.
function M.weights(b, blend, o, lanes)
  local out = {}
  for k = 1, blend.copy and 0 or blend.taps do out[k] = M.weight(b, blend, o, k - 1, lanes) end
  return out
end

--- Σ weights[k] · values[k]; a copy has no weights.
function M.sum(b, weights, values)
  return #weights == 0 and values[1] or b:dot(weights, values)
end

local function straight(b, blend, base, first, dst, n, lanes, rows, streaming)
  local sources, weights = {}, {}
  for q = 1, rows do weights[q] = M.weights(b, blend, first + (q - 1), lanes) end
  for k = 1, blend.taps do sources[k] = M.source(b, blend, base, first, k - 1) end
  vector.sweep_row(b, "v", n, lanes, 4, function(j)
    local values = {}
    for k, row in ipairs(sources) do values[k] = b:load(row, j, lanes, "v" .. k - 1) end
    for q, w in ipairs(weights) do
      b:store(dst, j + (q - 1) * n, M.sum(b, w, values), streaming)
    end
  end)
end

-- Several vectors of one row, a loop over taps around them.
local function looped(b, blend, base, o, dst, places, lanes, streaming)
  local function products(k, sums)
    local row = M.source(b, blend, base, o, k)
    local weight = M.weight(b, blend, o, k, lanes)
    local out = {}
    for i, at in ipairs(places) do
      local value = b:load(row, at, lanes)
      out[i] = sums and b:fma(weight, value, sums[i]) or b:mul(weight, value)
      b:named("acc" .. i - 1, out[i])
    end
    return out
  end
  local sums = b:fold("k", 1, blend.taps, products(0), products)
  for i, at in ipairs(places) do b:store(dst, at, sums[i], streaming) end
end

local function by_loops(b, blend, base, o, dst, n, lanes, streaming)
  local full, tail = n // lanes, n % lanes ~= 0 and n - lanes
  vector.sweep(b, "v", full // CARRIED, 1, function(j)
    local places = {}
    for i = 1, CARRIED do places[i] = (j * CARRIED + (i - 1)) * lanes end
    looped(b, blend, base, o, dst, places, lanes, streaming)
  end)
  local places = {}
  for v = full // CARRIED * CARRIED, full - 1 do places[#places + 1] = v * lanes end
  if tail then places[#places + 1] = tail end
  if #places > 0 then
    b:group(function() looped(b, blend, base, o, dst, places, lanes, streaming) end)
  end
end

--- dst[0, rows·n) = output rows `first` … of the blend of rows of n elements from `base`.  Rows
--- computed together read the same input rows.
function M.emit(b, blend, base, first, dst, n, width, rows, streaming)
  local lanes = vector.cover(n, width)[1].lanes
  if blend.taps <= M.STRAIGHT then
    straight(b, blend, base, first, dst, n, lanes, rows, streaming)
    return
  end
  for q = 0, rows - 1 do
    local out = q == 0 and dst or b:view("out" .. q, dst, q * n)
    by_loops(b, blend, base, first + q, out, n, lanes, streaming)
  end
end

return M
