-- COLUMNS
-- =======
-- The pass along a row of pixels whose channels fill vectors: neighbouring output pixels that
-- read the same input pixels are computed together from the same loads.  Equal groups become
-- loops; weights are constants where every iteration has the same, else table entries.

local blend = require "upweave.lower.resample.blend"
local runs = require "upweave.plan.runs"
local vector = require "upweave.lower.vector"

local M = {}

-- Straight-line groups a row may hold, and the longest period looked for.
local MAX_PIECES, MAX_PERIOD = 24, 16
-- Vectors that a loop over taps carries.
local CARRIED = 4

local function join(list) return table.concat(list, ",") end

-- Groups of output pixels with the same input pixels: pos = { first input, first output }.
local function groups(map, most)
  local out = {}
  for o, t in ipairs(map.taps) do
    local key, last = join(t.index), out[#out]
    if last and last.key == key and #last.weights < most then
      last.weights[#last.weights + 1] = t.weight
    else
      out[#out + 1] = {
        key = key, pos = { t.index[1], o - 1 }, index = t.index, weights = { t.weight },
      }
    end
  end
  for _, g in ipairs(out) do
    local relative = {}
    for k, i in ipairs(g.index) do relative[k] = i - g.pos[1] end
    g.relative = relative
    g.sig = #g.weights .. ":" .. join(relative)
  end
  return out
end

local function same_weights(a, b)
  for q, w in ipairs(a.weights) do
    if join(w) ~= join(b.weights[q]) then return false end
  end
  return true
end

-- Members of a run whose weights change from iteration to iteration get a place in a table, the
-- result; those of the others are constants.
local function table_weights(list, loops)
  local values = {}
  for _, run in ipairs(loops) do
    for j, it in ipairs(run.items) do
      local constant = true
      for g = 1, run.count - 1 do
        constant = constant and same_weights(it, runs.item(list, run, g, j))
      end
      it.place = not constant and #values or nil
      for g = 0, constant and -1 or run.count - 1 do
        for _, w in ipairs(runs.item(list, run, g, j).weights) do
          table.move(w, 1, #w, #values + 1, values)
        end
      end
    end
  end
  return values
end

---@class lower.Columns
---@field list table[]?      groups, where they repeat
---@field loops plan.Run[]?
---@field sum lower.Blend?   one pixel at a time by table, where they do not

--- Prepare the pass; `most` output pixels at a time, `channels` elements a pixel.
function M.new(b, map, channels, most)
  local list = groups(map, most)
  local loops = runs.runs(list, MAX_PERIOD)
  if runs.pieces(loops) > MAX_PIECES or blend.most_taps(map) > blend.STRAIGHT then
    return {
      output = map.output, channels = channels,
      sum = blend.new(b, map, "column", function(i) return i * channels end),
    }
  end
  local values = table_weights(list, loops)
  return {
    list = list, loops = loops, channels = channels,
    weights = #values > 0 and b:table("column_weight", "f32", values, 1,
      "weights of the taps of each output pixel") or nil,
  }
end

-- Weight vectors of output q of a group in iteration g.
local function weights(b, pass, it, g, q, lanes)
  local out, taps = {}, #it.relative
  for k = 1, taps do
    if it.place then
      local at = (g * #it.weights + (q - 1)) * taps + (it.place + k - 1)
      out[k] = b:splat(b:load(pass.weights, at, 1), lanes)
    else
      out[k] = b:const("f32", lanes, it.weights[q][k])
    end
  end
  return out
end

local function emit_group(b, pass, run, it, g, pixel, dst, width, streaming)
  local first_in, first_out = g * run.stride[1] + it.pos[1], g * run.stride[2] + it.pos[2]
  local wide = {}
  for q = 1, #it.weights do wide[q] = weights(b, pass, it, g, q, width) end
  vector.sweep_row(b, "c", pass.channels, width, 4, function(c)
    local values = {}
    for k, i in ipairs(it.relative) do
      values[k] = pixel((first_in + i) * pass.channels + c, k - 1)
    end
    for q, w in ipairs(wide) do
      local at = (first_out + (q - 1)) * pass.channels + c
      b:store(dst, at, b:dot(w, values), streaming)
    end
  end)
end

-- Products of tap k, added to the sums of the taps before it where there are any.
local function tap(b, pass, pixel, o, k, places, width, sums)
  local weight = not pass.sum.copy and blend.weight(b, pass.sum, o, k, width)
  local at, out = blend.row(b, pass.sum, o, k), {}
  for i, c in ipairs(places) do
    local value = pixel(at + c, k)
    if sums then out[i] = b:fma(weight, value, sums[i])
    else out[i] = weight and b:mul(weight, value) or value end
  end
  return out
end

-- One output pixel at a time, a loop over its taps.
local function emit_by_table(b, pass, pixel, dst, width, streaming)
  local vectors = vector.cover(pass.channels, width)
  b:each("ox", 0, pass.output, function(o)
    for first = 1, #vectors, CARRIED do
      local places = {}
      for i = first, math.min(#vectors, first + CARRIED - 1) do
        places[#places + 1] = vectors[i].at
      end
      local sums = tap(b, pass, pixel, o, 0, places, width)
      sums = b:fold("k", 1, pass.sum.taps, sums, function(k, carried)
        return tap(b, pass, pixel, o, k, places, width, carried)
      end)
      for i, c in ipairs(places) do b:store(dst, o * pass.channels + c, sums[i], streaming) end
    end
  end)
end

--- Emit one output row.  pixel(at, k) is the vector of input elements from `at` on in a row, of
--- column tap k (from 0), already blended across rows.
function M.emit(b, pass, pixel, dst, width, streaming)
  if pass.sum then return emit_by_table(b, pass, pixel, dst, width, streaming) end
  for _, run in ipairs(pass.loops) do
    b:each("g", 0, run.count, function(g)
      for _, it in ipairs(run.items) do
        b:group(function() emit_group(b, pass, run, it, g, pixel, dst, width, streaming) end)
      end
    end)
  end
end

return M
