-- INPUTS
-- ======
-- Inputs of a block of tiles, transformed: V[product][tile][input channel].  A tile inside the
-- image is read where it is; one that reaches beyond goes through a patch with zeros around what
-- there is, so that there is one transform, a routine: it has the registers for itself.

local geometry = require "upweave.lower.winograd.geometry"
local planes = require "upweave.lower.winograd.planes"
local transform = require "upweave.lower.contract.transform"
local vector = require "upweave.lower.vector"

local M = {}

-- A product of a vector of channels to V.  The next vector's line is asked for: stores to 16 places
-- or more by turns wait for their lines (C1, F(2,3): 84 → 73 us).
local function put(k, v, at, value)
  k.b:prefetch(v, at + k.lanes)
  k.b:store(v, at, value)
end

-- A transform that fits the registers.
local function at_once(k, x, v, c, lanes, strides)
  local n, matrices = k.ws[#k.ws].n, {}
  for axis, w in ipairs(k.ws) do matrices[axis] = w.bt end
  transform.apply(k.b, matrices, function(i)
    local at = strides[2] and i // n * strides[1] + i % n * strides[2] or i * strides[1]
    return k.b:load(x, c + at, lanes, "x" .. i)
  end, function(i, value) put(k, v, c + i * k.v_pitch, value) end)
end

-- One that does not: the columns to scratch, the rows from there.
local function in_turn(k, x, v, held, c, lanes, strides)
  local b, outer, inner = k.b, k.ws[1], k.ws[2]
  b:each("x", 0, inner.n, function(column)
    local values = {}
    for j = 0, outer.n - 1 do
      values[j + 1] = b:load(x, column * strides[2] + c + j * strides[1], lanes, "x" .. j)
    end
    for j, value in ipairs(transform.column(b, outer.bt, values)) do
      b:store(held, (column + (j - 1) * inner.n) * lanes, value)
    end
  end)
  b:each("y", 0, outer.n, function(row)
    local values, first = {}, row * inner.n
    for j = 0, inner.n - 1 do values[j + 1] = b:load(held, (first + j) * lanes, lanes, "d" .. j) end
    for j, value in ipairs(transform.column(b, inner.bt, values)) do
      put(k, v, (first + j - 1) * k.v_pitch + c, value)
    end
  end)
end

-- The routine that transforms a tile whose inputs are `strides` apart along each axis: a function
-- of the tile's first input and its first place in V.
local function routine(k, name, like, strides)
  local b, ci, reach = k.b, k.plan.ci, k.plan.ci
  for axis, stride in ipairs(strides) do reach = reach + (k.ws[axis].n - 1) * stride end
  local parameters = {
    { name = "x", like = like, size = reach },
    { name = "v", like = k.v, size = (k.products - 1) * k.v_pitch + ci, written = true },
  }
  if k.held then
    parameters[3] = { name = "held", like = k.held, size = k.held.size, written = true }
  end
  local transforms = b:routine(name, parameters, function(x, v, held)
    vector.sweep_row(b, "c", ci, k.lanes, 1, function(c, lanes)
      if held then return in_turn(k, x, v, held, c, lanes, strides) end
      at_once(k, x, v, c, lanes, strides)
    end)
  end)
  return function(base, at, tile)
    b:call(transforms, { { base, at }, { k.v, tile * k.v_tile }, k.held and { k.held, 0 } })
  end
end

-- the patch -----------------------------------------------------------------------------------

-- Zeros in the patch, `count` pixels from the one at `at` on.
local function zeros(k, at, count)
  if count == 0 then return end
  local ci = k.plan.ci
  vector.sweep_row(k.b, "zero", count * ci, k.lanes, 1, function(c, lanes)
    k.b:store(k.patch, at * ci + c, k.b:const(k.plan.work, lanes, 0))
  end)
end

-- `count` pixels of the input from x[from] on to the patch, at pixel `to`.
local function pixels(k, to, from, count)
  local b, ci, apart = k.b, k.plan.ci, k.frame.from.axes[k.plan.rank]
  local length = ci
  if apart == ci then count, length = math.min(count, 1), count * ci end
  b:each("pixel", 0, count, function(i)
    vector.sweep_row(b, "c", length, k.lanes, 1, function(c, lanes)
      b:store(k.patch, (to + i) * ci + c, b:load(k.source, from + i * apart + c, lanes))
    end)
  end)
end

-- The patch of a tile whose inputs inside begin at x[at].
local function fill(k, rows, columns, at)
  local n, across = k.ws[1].n, k.ws[2] and k.ws[2].n or 1
  zeros(k, 0, rows.from * across)
  k.b:each("row", rows.from, rows.to + 1, function(row)
    zeros(k, row * across, columns.from)
    pixels(k, row * across + columns.from, (row - rows.from) * k.frame.from.axes[1] + at,
      columns.to + 1 - columns.from)
    zeros(k, row * across + columns.to + 1, across - 1 - columns.to)
  end)
  zeros(k, (rows.to + 1) * across, (n - 1 - rows.to) * across)
end

-- blocks --------------------------------------------------------------------------------------

local function is_whole(like, w) return like.from == 0 and like.to == w.n - 1 end

local LINE <const> = { from = 0, to = 0 }

--- Declare the routines and what they need.
function M.declare(k)
  local ci, axes = k.plan.ci, k.frame.from.axes
  if k.plan.planar then
    planes.declare_inputs(k)
    k.inside = routine(k, "transform", k.stage, k.stage_steps)
    return
  end
  k.inside = routine(k, "transform", k.frame.x, axes)
  k.patch = k.b:scratch("patch", k.plan.work, k.products * ci)
  k.outside = routine(k, "transform_patch", k.patch, k.ws[2] and { k.ws[2].n * ci, ci } or { ci })
end

local function interleaved(k, block)
  local axes, ws = k.frame.from.axes, k.ws
  k.input_rows:each("row", block, function(row)
    k.inputs:each("edge", row.number, function(rows)
      geometry.each_column(k, k.input_columns, 0, row.tile, LINE, function(columns, x, tile)
        local at = rows.at * axes[1] + x * (axes[2] or 0)
        if is_whole(rows, ws[1]) and (columns == LINE or is_whole(columns, ws[2])) then
          return k.inside(k.source, at, tile)
        end
        fill(k, rows, columns, at)
        k.outside(k.patch, 0, tile)
      end)
    end)
  end)
end

local function planar(k, block)
  planes.fill(k, block)
  local steps = {}
  for axis, w in ipairs(k.ws) do steps[axis] = w.m * k.stage_steps[axis] end
  k.input_rows:each("row", block, function(row)
    k.b:each("t", 0, k.columns, function(t)
      k.inside(k.stage, row.row * steps[1] + t * (steps[2] or 0), row.tile + t)
    end)
  end)
end

--- V of a block.
function M.transform(k, block)
  if k.plan.planar then planar(k, block) else interleaved(k, block) end
end

return M
