-- BLEND
-- =====
-- Weighted sums of whole rows (or planes): the pass across rows.  Which rows and which weights is
-- in tables indexed by the output row, so the code of a row stands once however many rows there
-- are; weights become registers before the loop over the row.

local vector = require "upweave.lower.vector"

local M = {}

---@class lower.Blend
---@field taps integer   rows in a sum, at most
---@field copy boolean   every sum is one row with weight 1

--- The tables of an axis map: `entry(i)` is what stands for input row i (an offset).
---@param b ir.Builder
---@param map plan.Axis
---@param name string   prefix of the tables' names
---@param entry fun(i: integer): integer
---@return lower.Blend
function M.new(b, map, name, entry)
  local taps, copy = 0, map:is_copy()
  for _, t in ipairs(map.taps) do taps = math.max(taps, #t.index) end
  local rows, weights = {}, {}
  for _, t in ipairs(map.taps) do
    for k = 1, taps do
      -- a missing tap repeats the output's own last row with weight 0
      rows[#rows + 1] = entry(t.index[math.min(k, #t.index)])
      weights[#weights + 1] = t.weight[k] or 0
    end
  end
  return {
    taps = taps, copy = copy, rows = b:table(name .. "_row", "i32", rows),
    weights = not copy and b:table(name .. "_weight", "f32", weights) or nil,
  }
end

--- Pointers to the rows that output row `o` sums.
function M.sources(b, blend, base, o)
  local out = {}
  for k = 1, blend.taps do
    out[k] = b:view("r" .. k - 1, base, b:fetch(blend.rows, o * blend.taps + (k - 1)))
  end
  return out
end

--- Scalar weights of output row o (empty for copies).
function M.weights(b, blend, o)
  local out = {}
  if blend.copy then return out end
  for k = 1, blend.taps do
    out[k] = b:load(blend.weights, o * blend.taps + (k - 1), 1, "wy" .. k - 1)
  end
  return out
end

--- Scalar weights as vectors of `lanes`.
function M.splat(b, weights, lanes)
  local wide = {}
  for k, w in ipairs(weights) do wide[k] = b:splat(w, lanes) end
  return wide
end

--- Σ weights[k] · values[k]; a copy has no weights.
function M.sum(b, weights, values)
  return #weights == 0 and values[1] or b:dot(weights, values)
end

--- dst[0, n) = sums of rows; jobs = list of { at = offset in dst, weights = scalars }.  All jobs
--- read the same rows.
function M.emit(b, sources, dst, n, lanes, jobs, streaming)
  local width = vector.cover(n, lanes)[1].lanes
  local wide = {}
  for q, job in ipairs(jobs) do wide[q] = M.splat(b, job.weights, width) end
  vector.sweep_row(b, "j", n, lanes, 4, function(j)
    local values = {}
    for k, row in ipairs(sources) do values[k] = b:load(row, j, width, "v" .. k - 1) end
    for q, job in ipairs(jobs) do
      b:store(dst, j + job.at, M.sum(b, wide[q], values), streaming)
    end
  end)
end

return M
