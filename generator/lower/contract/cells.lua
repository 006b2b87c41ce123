-- CELLS
-- =====
-- The vectors of a band of rows: where each is, which weights it meets, and its sums.

local index = require "upweave.ir.index"
local patterns = require "upweave.lower.contract.patterns"
local store = require "upweave.lower.contract.store"

local M = {}

local function weight(k, t, id, slot, at)
  return k.b:load(t.weights[id], (slot - 1) * k.shape.pitch + at, k.shape.lanes, "w")
end

-- Sums of a chunk's sites in all rows of a band, by input rows and positions: { rows of sites }.
local function sums_of(k, t, chunk, block, from)
  local b, band, acc = k.b, t.class.like, {}
  for i = 1, band.n do
    acc[i] = {}
    for s in ipairs(chunk.sites) do acc[i][s] = block.start() end
  end
  for j in ipairs(band.rows) do
    for p, position in ipairs(chunk.positions) do
      local x = b:load(t.inputs[j], from + position.at, k.shape.lanes, "x")
      for i = 1, band.n do
        local id = band.taps[i][j]
        for _, tap in ipairs(id and chunk.taps[p] or {}) do
          acc[i][tap.site] = b:fma(weight(k, t, id, tap.slot, block.weights), x, acc[i][tap.site])
        end
      end
    end
  end
  return acc
end

-- One repetition of a chunk: `from` and `to` are its places in the row that is read and in y.
local function cell(k, t, chunk, block, from, to, used)
  local acc = sums_of(k, t, chunk, block, from)
  for i, sums in ipairs(acc) do
    for s, site in ipairs(chunk.sites) do
      store.finish(t.own, (i - 1) * t.row + site.at + to, sums[s], used, function(first)
        return patterns.parameter(k, first, block.parameters)
      end)
    end
  end
end

-- Block number v: places of its weights and parameters, and its first sum.
local function block_of(k, v)
  local f, s, start = k.frame, k.shape, nil
  v = index.of(v)
  local function make()
    return f.bias and k.b:named("acc", patterns.parameter(k, f.bias, v * s.lanes))
      or k.b:const(k.plan.work, s.lanes, 0)
  end
  return {
    weights = v * s.block, parameters = v * s.lanes,
    keep = function() start = make() end,
    start = function() return start or make() end,
  }
end

-- A block whose weights stay in registers.
local function keep(k, t, block)
  for id in ipairs(t.class.like.kernel) do
    for slot = 1, k.shape.slots do weight(k, t, id, slot, block.weights) end
  end
  block.keep()
end

-- What is left of a line's vectors.
local function rest(k, t)
  local s = k.shape
  if s.rest == 0 then return end
  k.b:group(function()
    local at = s.vectors * s.lanes
    local block = block_of(k, s.vectors % s.blocks)
    cell(k, t, s.chunks[1], block, index.of(at), index.of(at), s.rest)
  end)
end

--- A band of a line: all vectors, those of a block of weights together.
function M.by_blocks(k, t)
  local b, s = k.b, k.shape
  local more = s.vectors % s.blocks
  local function blocks_of(from, to, count)
    if count == 0 then return end
    b:each("block", from, to, function(v)
      local block = block_of(k, v)
      keep(k, t, block)
      b:each("v", 0, count, function(g)
        local at = g * s.period + v * s.lanes
        cell(k, t, s.chunks[1], block, at, at, s.lanes)
      end)
    end)
  end
  blocks_of(0, more, s.vectors // s.blocks + 1)
  blocks_of(more, s.blocks, s.vectors // s.blocks)
  rest(k, t)
end

--- The same from the line's begin to its end.
function M.by_line(k, t)
  local b, s = k.b, k.shape
  local function vectors_of(from, to, count)
    b:each("period", from, to, function(g)
      b:each("v", 0, count, function(v)
        local at = g * s.period + v * s.lanes
        cell(k, t, s.chunks[1], block_of(k, v), at, at, s.lanes)
      end)
    end)
  end
  local periods = s.vectors // s.blocks
  vectors_of(0, periods, s.blocks)
  vectors_of(periods, periods + 1, s.vectors % s.blocks)
  rest(k, t)
end

--- A band of pixels.
function M.by_pixels(k, t)
  local b, s = k.b, k.shape
  local function each_block(fn)
    b:each("block", 0, s.blocks, function(v) fn(k.channel_at(v), block_of(k, v)) end)
  end
  local function each_pixel(fn)
    for _, chunk in ipairs(s.chunks) do
      b:group(function()
        b:each("q", chunk.from, chunk.to, function(q) fn(chunk, q) end)
      end)
    end
  end
  local function one(chunk, q, at, block)
    cell(k, t, chunk, block, q * chunk.input + at, q * chunk.output + at, s.lanes)
  end
  if k.order == "blocks" then
    each_block(function(at, block)
      keep(k, t, block)
      each_pixel(function(chunk, q) one(chunk, q, at, block) end)
    end)
  else
    each_pixel(function(chunk, q)
      each_block(function(at, block) one(chunk, q, at, block) end)
    end)
  end
end

return M
