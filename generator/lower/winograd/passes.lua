-- PASSES
-- ======
-- What is before and after the products of a block of tiles: inputs to V[product][tile][input
-- channel], M[product][tile][output channel] to outputs.
--
-- Both transforms of an image's tile go through a patch, a vector of channels at a time: along one
-- axis to it, along the other from it.  A tile of a line needs none.  (Whole rows of tiles at a time
-- would share the columns that tiles have in common, but read the input a vector of channels after
-- the other: twice the time.)

local blocks = require "upweave.lower.contract.blocks"
local patch = require "upweave.lower.winograd.patch"
local store = require "upweave.lower.contract.store"
local transform = require "upweave.lower.contract.transform"
local vector = require "upweave.lower.vector"

local M = {}

-- fn(row, its first tile) for the rows of tiles of a block.
local function each_row(k, block, fn)
  local from, to = k.rows.range(block)
  k.b:each("row", from, to, function(row) fn(row, k.rows.place.tile(row)) end)
end

-- fn(class, thing) for the one class that has a thing for this row of tiles.
local function each_class(k, classes, row, fn)
  for _, class in ipairs(classes) do
    local from, to = class.range(row)
    k.b:each("edge", from, to, function(i) fn(class, i) end)
  end
end

-- inputs --------------------------------------------------------------------------------------

-- A tile's inputs along an axis, transformed: load(j) is number j of those inside, put(j, value)
-- stores product j.
local function transformed(k, class, lanes, load, put)
  local values = {}
  for j = class.like.from, class.like.to do values[j + 1] = load(j - class.like.from) end
  local out = transform.column(k.b, k.w.bt, values)
  for j = 1, k.w.n do put(j - 1, out[j] or k.b:const(k.plan.work, lanes, 0)) end
end

-- Along the columns of one tile: to the patch or, of a line, to V, where the tile is number `tile`.
local function columns_in(k, tiled, class, i, column, tile, c, lanes)
  local b, axes = k.b, k.frame.from.axes
  local row = b:view("in", k.source, class.place.at(i) * axes[1] + column.at * (axes[2] or 0) + c)
  if k.plan.rank == 1 then
    return transformed(k, class, lanes,
      function(j) return b:load(row, j * axes[1], lanes, "x" .. j) end,
      function(j, v) b:store(k.v, tile * k.plan.ci + c + j * k.v_pitch, v) end)
  end
  local first, last = column.class.like.from, column.class.like.to
  tiled.each("x", 0, last - first + 1, function(x)
    transformed(k, class, lanes,
      function(j) return b:load(row, x * axes[2] + j * axes[1], lanes, "x" .. j) end,
      function(j, v) tiled.put(x + (first + j * k.w.n), v) end)
  end)
end

-- Along the rows, from the patch to V.
local function rows_in(k, tiled, column, tile, c, lanes)
  local b, n = k.b, k.w.n
  tiled.each("i", 0, n, function(i)
    local out, first = i * (n * k.v_pitch) + tile * k.plan.ci + c, column.class.like.from
    transformed(k, column.class, lanes,
      function(j) return tiled.get(i * n + (first + j), "d" .. j) end,
      function(j, v) b:store(k.v, out + j * k.v_pitch, v) end)
  end)
end

-- fn(column, tile) for the tiles of a part of a row of tiles that begins at `tile`: all for inputs,
-- those of a phase for outputs.
local function each_tile(k, classes, part, tile, fn)
  if k.plan.rank == 1 then return fn({ at = 0 }, tile) end
  for _, class in ipairs(classes) do
    local from, to = class.range(part)
    k.b:each("t", from, to, function(t)
      fn({ class = class, at = class.place.at(t) }, tile + class.place.tile(t))
    end)
  end
end

-- One vector of input channels of a tile.
local function vector_in(k, row, column, tile, c, lanes)
  local tiled, image = patch.new(k, lanes), k.plan.rank == 2
  each_class(k, k.inputs, row, function(class, i)
    columns_in(k, tiled, class, i, column, tile, c, lanes)
    if image and tiled.straight then rows_in(k, tiled, column, tile, c, lanes) end
  end)
  if image and not tiled.straight then rows_in(k, tiled, column, tile, c, lanes) end
end

--- V of a block.
function M.inputs(k, block)
  each_row(k, block, function(row, first)
    each_tile(k, k.input_columns, 0, first, function(column, tile)
      vector.sweep_row(k.b, "c", k.plan.ci, k.lanes, 1, function(c, lanes)
        vector_in(k, row, column, tile, c, lanes)
      end)
    end)
  end)
end

-- outputs -------------------------------------------------------------------------------------

-- The products of a tile along an axis by their number; those that vanish are nil.
local function products_of(range, load)
  local values = {}
  for j = range.first, range.last do values[j + 1] = load(j) end
  return values
end

-- Along the rows of one tile, from M to the patch.
local function rows_out(k, tiled, phase, tile, kind, at)
  local b, n, m, lanes = k.b, k.w.n, k.w.m, kind.lanes
  tiled.each("i", phase.rows.first, phase.rows.last + 1, function(i)
    local from = i * (n * k.m_pitch) + tile * (kind.vectors * lanes) + at
    local values = products_of(phase.columns, function(j)
      return b:load(k.m, from + j * k.m_pitch, lanes, "m" .. j)
    end)
    for q, v in ipairs(transform.column(b, k.w.at, values)) do
      tiled.put(i * m + (q - 1), v)
    end
  end)
end

-- Along the columns of one tile: its outputs, from the patch or, of a line, from M.
local function columns_out(k, tiled, phase, class, i, column, tile, kind, at, used)
  local b, axes, lanes, plan = k.b, k.frame.to.axes, kind.lanes, k.plan
  local out = k.image + class.place.at(i) * axes[1] + column.at * (axes[2] or 0) + at
  local function parameter(first) return b:load(k.frame.packed, k.channel + at + first, lanes) end
  local bias = k.frame.bias and b:named("bias", parameter(k.frame.bias))
  local function pixel(load, place)
    local sums = transform.column(b, k.w.at, products_of(phase.rows, load))
    for q = 0, class.like.count - 1 do
      local sum = sums[class.like.from + q + 1]
      sum = bias and b:add(sum, bias) or sum
      store.finish(k, out + place + q * (plan.axes[1].phases * axes[1]), sum, used, parameter)
    end
  end
  if plan.rank == 1 then
    local from = tile * (kind.vectors * lanes) + at
    return pixel(function(j) return b:load(k.m, from + j * k.m_pitch, lanes, "m" .. j) end, 0)
  end
  local first = column.class.like.from
  tiled.each("x", 0, column.class.like.count, function(x)
    pixel(function(j) return tiled.get(x + (first + j * k.w.m), "m" .. j) end,
      x * (plan.axes[2].phases * axes[2]))
  end)
end

-- One vector of a block of output channels.
local function vector_out(k, phase, row, column, tile, kind, at, used)
  local tiled = patch.new(k, kind.lanes)
  if k.plan.rank == 2 then rows_out(k, tiled, phase, tile, kind, at) end
  each_class(k, k.outputs, phase.y * k.all + row, function(class, i)
    columns_out(k, tiled, phase, class, i, column, tile, kind, at, used)
  end)
end

--- The outputs of a phase, a block of tiles and a block of channels.
function M.outputs(k, phase, block, kind)
  local _, used = blocks.vector(kind, kind.vectors)
  local full = used == kind.lanes and kind.vectors or kind.vectors - 1
  each_row(k, block, function(row, first)
    each_tile(k, k.output_columns, phase.x, first, function(column, tile)
      k.b:each("vector", 0, full, function(v)
        vector_out(k, phase, row, column, tile, kind, v * kind.lanes, kind.lanes)
      end)
      if full < kind.vectors then
        vector_out(k, phase, row, column, tile, kind, full * kind.lanes, used)
      end
    end)
  end)
end

return M
