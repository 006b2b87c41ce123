-- COLUMNS
-- =======
-- The pass along a row of pixels whose channels fill vectors: neighbouring output pixels that
-- read the same input pixels are computed together from the same loads.  Equal groups become
-- loops; weights are constants where every iteration has the same, else table entries.

local blend = require "upweave.lower.resample.blend"
local groups = require "upweave.lower.resample.groups"
local runs = require "upweave.plan.runs"
local vector = require "upweave.lower.vector"

local M = {}

-- Straight-line groups a row may hold, and the longest period looked for.
local MAX_PIECES, MAX_PERIOD = 24, 16
-- Vectors that a loop over taps carries, and registers that are not for the columns' weights.
local CARRIED, RESERVED = 4, 8

local function join(list) return table.concat(list, ",") end

-- Groups are alike if they have as many outputs and the same inputs relative to the first.
local function signature(g)
  g.relative = {}
  for k, i in ipairs(g.index) do g.relative[k] = i - g.index[1] end
  return #g.weights .. ":" .. join(g.relative)
end

-- Numbers are compared, not their text, which is shorter than an f64.
local function same_weights(a, b)
  for q, weights in ipairs(a.weights) do
    for k, w in ipairs(weights) do
      if w ~= b.weights[q][k] then return false end
    end
  end
  return true
end

-- Whether the members of a loop can have their weights in registers beside what Clang shares
-- between them: the blended pixels of each row.
local function fits(run, rows, registers)
  local need = 0
  for _, it in ipairs(run.items) do need = need + (#it.weights + rows) * #it.relative end
  return need <= registers - RESERVED
end

-- Weights are constants where every iteration has the same and all of a loop fit the registers;
-- else members get a place in a table, the result: loads do not spill.
local function table_weights(list, loops, rows, registers)
  local values = {}
  for _, run in ipairs(loops) do
    local constants = fits(run, rows, registers)
    for j, it in ipairs(run.items) do
      local constant = run.count == 1
        or constants and runs.constant(list, run, j, same_weights)
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
---@field groups lower.Groups?   where they repeat
---@field starts integer[]       first groups (by table: outputs) of the tiles, and the end
---@field sum lower.Blend?       one pixel at a time by table, where they do not

--- Prepare the pass; `most` output pixels of `rows` rows at a time, `channels` elements a pixel,
--- the row cut into `tiles`.
function M.new(b, map, channels, most, rows, tiles)
  local found = groups.new(map, most, MAX_PERIOD, signature, true)
  if runs.pieces(found.loops) > MAX_PIECES or blend.most_taps(map) > blend.STRAIGHT then
    local starts = {}
    for t = 0, tiles do starts[t + 1] = map.output * t // tiles end
    return {
      channels = channels, starts = starts,
      sum = blend.new(b, map, "column", function(i) return i * channels end),
    }
  end
  local values = table_weights(found.list, found.loops, rows, b.target.registers)
  return {
    groups = found, channels = channels, starts = groups.starts(found, tiles),
    weights = #values > 0 and b:table("column_weight", b.work, values, 1,
      "weights of the taps of each output pixel") or nil,
  }
end

--- The part of the row that a tile is: declared once, before the loops over rows.
function M.tile(b, pass, tile)
  if pass.groups then return groups.sections(b, pass.groups, "columns", pass.starts, tile) end
  local lo, hi = {}, {}
  for t = 1, #pass.starts - 1 do lo[t], hi[t] = pass.starts[t], pass.starts[t + 1] end
  local first, last = b:ranges("columns", lo, hi, "output pixels of each tile")(tile)
  return { first = first, last = last }
end

-- Weight vectors of output q of a group in iteration g.
local function weights(b, pass, it, g, q, lanes)
  local out, taps = {}, #it.relative
  for k = 1, taps do
    if it.place then
      local at = (g * #it.weights + (q - 1)) * taps + (it.place + k - 1)
      out[k] = b:splat(b:load(pass.weights, at, 1), lanes)
    else
      out[k] = b:const(b.work, lanes, it.weights[q][k])
    end
  end
  return out
end

local function emit_group(b, pass, run, it, g, rows, width, streaming)
  local first_out, first_in = g * run.stride[1] + it.pos[1], g * run.stride[2] + it.pos[2]
  local wide = {}
  for q = 1, #it.weights do wide[q] = weights(b, pass, it, g, q, width) end
  local copies = b.target.registers >= 32 and (b.paired and 2 or 4) or math.max(1, 2 // #rows)
  vector.sweep_row(b, "c", pass.channels, width, copies, function(c)
    for _, r in ipairs(rows) do
      local values = {}
      for k, i in ipairs(it.relative) do
        values[k] = r.pixel((first_in + i) * pass.channels + c, k - 1)
      end
      for q, w in ipairs(wide) do
        local at = (first_out + (q - 1)) * pass.channels + c
        b:store(r.out, at, b:dot(w, values), streaming)
      end
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
local function emit_by_table(b, pass, tile, r, width, streaming)
  local vectors = vector.cover(pass.channels, width)
  b:each("ox", tile.first, tile.last, function(ox)
    for first = 1, #vectors, CARRIED do
      local places = {}
      for i = first, math.min(#vectors, first + CARRIED - 1) do
        places[#places + 1] = vectors[i].at
      end
      local sums = tap(b, pass, r.pixel, ox, 0, places, width)
      sums = b:fold("k", 1, pass.sum.taps, sums, function(k, carried)
        return tap(b, pass, r.pixel, ox, k, places, width, carried)
      end)
      for i, c in ipairs(places) do b:store(r.out, ox * pass.channels + c, sums[i], streaming) end
    end
  end)
end

--- Emit the columns of a tile for some output rows: rows = list of { out, pixel }.  pixel(at, k)
--- is the vector of input elements from `at` on, of column tap k (from 0), blended across rows.
function M.emit(b, pass, tile, rows, width, streaming)
  if pass.sum then
    for _, r in ipairs(rows) do emit_by_table(b, pass, tile, r, width, streaming) end
    return
  end
  groups.each(b, pass.groups, "g", tile, function(group, run, g)
    emit_group(b, pass, run, group, g, rows, width, streaming)
  end)
end

return M
