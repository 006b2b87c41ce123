-- OUTPUTS
-- =======
-- M[product][tile][output channel] of a block of tiles to outputs: interleaved to y, planar to the
-- strip.  A tile whose outputs are all inside is stored from registers; of one that reaches beyond,
-- all go to a patch and those inside from there.

local blocks = require "upweave.lower.contract.blocks"
local geometry = require "upweave.lower.winograd.geometry"
local planes = require "upweave.lower.winograd.planes"
local store = require "upweave.lower.contract.store"
local transform = require "upweave.lower.contract.transform"

local M = {}

-- a tile --------------------------------------------------------------------------------------

local function inside(range, i) return i >= range.first and i <= range.last end

-- Products of a vector of channels by their number; those that vanish are nil.
local function product(k, phase, m, row, column, at, lanes)
  if not inside(phase.columns, column) then return nil end
  local number = row * (k.products // k.ws[1].n) + column
  return k.b:load(m, at + number * k.m_pitch, lanes, ("m%d"):format(column))
end

-- A transform that fits the registers: emit(q, x, sum) for output x of row q.
local function at_once(k, phase, m, at, lanes, emit)
  local rank, last, matrices = k.plan.rank, k.ws[k.plan.rank], {}
  for axis, w in ipairs(k.ws) do matrices[axis] = w.at end
  transform.apply(k.b, matrices, function(i)
    local row, column = i, 0
    if rank == 2 then row, column = i // last.n, i % last.n end
    return inside(phase.rows, row) and product(k, phase, m, row, column, at, lanes)
  end, function(i, sum)
    if rank == 2 then emit(i // last.m, i % last.m, sum) else emit(i, 0, sum) end
  end)
end

-- One that does not: the rows to scratch, the columns from there.
local function in_turn(k, phase, m, held, at, lanes, emit)
  local b, inner = k.b, k.ws[2]
  b:each("i", phase.rows.first, phase.rows.last + 1, function(i)
    local values = {}
    for j = 0, inner.n - 1 do values[j + 1] = product(k, phase, m, i, j, at, lanes) end
    for x, value in ipairs(transform.column(b, inner.at, values)) do
      b:store(held, (i * inner.m + (x - 1)) * lanes, value)
    end
  end)
  b:each("x", 0, inner.m, function(x)
    local values = {}
    for i = phase.rows.first, phase.rows.last do
      values[i + 1] = b:load(held, (x + i * inner.m) * lanes, lanes, "t" .. i)
    end
    for q, sum in ipairs(transform.column(b, k.ws[1].at, values)) do emit(q - 1, x, sum) end
  end)
end

-- fn(channel, used) for the vectors of a block of channels.
local function each_vector(k, kind, fn)
  local _, used = blocks.vector(kind, kind.vectors)
  local full = used == kind.lanes and kind.vectors or kind.vectors - 1
  k.b:each("vector", 0, full, function(v) fn(v * kind.lanes, kind.lanes) end)
  if full < kind.vectors then
    k.b:group(function() fn(full * kind.lanes, used) end)
  end
end

-- The outputs of a tile: emit(q, x, sum, channel, used).
local function each_output(k, phase, kind, m, held, emit)
  each_vector(k, kind, function(channel, used)
    local function put(q, x, sum) emit(q, x, sum, channel, used) end
    if held then return in_turn(k, phase, m, held, channel, kind.lanes, put) end
    at_once(k, phase, m, channel, kind.lanes, put)
  end)
end

-- routines ------------------------------------------------------------------------------------

-- A routine by its key: it is built where it is needed first.
local function routine(k, key, name, parameters, fn)
  if not k.routines[key] then
    k.named[name] = (k.named[name] or 0) + 1
    name = k.named[name] > 1 and ("%s_%d"):format(name, k.named[name]) or name
    k.routines[key] = k.b:routine(name, parameters, fn)
  end
  return k.routines[key]
end

local function key_of(name, phase, kind)
  return ("%s %d %d %d-%d %d-%d"):format(name, kind.vectors, kind.used, phase.rows.first,
    phase.rows.last, phase.columns.first, phase.columns.last)
end

-- Parameters of every routine: the products, and what a transform is held in.
local function parameters_of(k, kind, ...)
  local width = kind.vectors * kind.lanes
  local list = { { name = "m", like = k.m, size = (k.products - 1) * k.m_pitch + width } }
  if k.held then
    list[2] = { name = "held", like = k.held, size = k.held.size, written = true }
  end
  return table.move({ ... }, 1, select("#", ...), #list + 1, list)
end

local function arguments_of(k, kind, tile, ...)
  local list = { { k.m, tile * (kind.vectors * kind.lanes) }, k.held and { k.held, 0 } }
  return table.move({ ... }, 1, select("#", ...), #list + 1, list)
end

-- A sum with its bias; parameter(first) is a packed vector of its channels.
local function add_bias(k, sum, parameter)
  return k.frame.bias and k.b:add(sum, k.b:named("bias", parameter(k.frame.bias))) or sum
end

-- Elements from a tile's output to the next along each axis, in memory.
local function steps_of(k)
  local steps = {}
  for i, axis in ipairs(k.plan.axes) do steps[i] = axis.phases * k.frame.to.axes[i] end
  return steps[1], steps[2] or 0
end

-- From the first of a tile's outputs to the last, where neighbours are so far apart.
local function reach(k, down, across)
  return (k.ws[1].m - 1) * down + (k.ws[2] and (k.ws[2].m - 1) * across or 0)
end

-- The frame with pointers to the outputs of a tile in place of tensors.
local function tile_frame(k, y, residuals)
  return {
    b = k.b, plan = k.plan, streaming = k.streaming,
    frame = setmetatable({ y = y, residuals = residuals }, { __index = k.frame }),
  }
end

-- The routine that stores the outputs of a tile that is inside, where the image is interleaved.
local function finishing(k, phase, kind)
  local f, list = k.frame, {}
  local down, across = steps_of(k)
  local size = reach(k, down, across) + kind.used
  list[1] = { name = "y", like = f.y, size = size, written = true }
  for i, residual in ipairs(f.residuals) do
    list[i + 1] = { name = "residual", like = residual, size = size }
  end
  local last = f.vectors[#f.vectors] or f.bias
  if last then
    list[#list + 1] = {
      name = "packed", like = f.packed, size = last + kind.vectors * kind.lanes,
    }
  end
  local parameters = parameters_of(k, kind, table.unpack(list))
  return routine(k, key_of("finish", phase, kind), "outputs", parameters, function(m, ...)
    local rest = { ... }
    local held = k.held and table.remove(rest, 1)
    local y, packed = table.remove(rest, 1), last and table.remove(rest)
    local own = tile_frame(k, y, rest)
    each_output(k, phase, kind, m, held, function(q, x, sum, channel, used)
      local function parameter(first) return k.b:load(packed, channel + first, kind.lanes) end
      local at = x * across + channel + q * down
      store.finish(own, at, add_bias(k, sum, parameter), used, parameter)
    end)
  end)
end

-- The routine that keeps the sums of a tile in scratch, so far apart along each axis.
local function keeping(k, name, buffer, phase, kind, down, across)
  local width = kind.vectors * kind.lanes
  local list = {
    { name = "out", like = buffer, size = reach(k, down, across) + width, written = true },
  }
  if k.frame.bias then
    list[2] = { name = "packed", like = k.frame.packed, size = k.frame.bias + width }
  end
  local parameters = parameters_of(k, kind, table.unpack(list))
  return routine(k, key_of(name, phase, kind), name, parameters, function(m, ...)
    local rest = { ... }
    local held = k.held and table.remove(rest, 1)
    local out, packed = rest[1], rest[2]
    each_output(k, phase, kind, m, held, function(q, x, sum, channel)
      local function parameter(first) return k.b:load(packed, channel + first, kind.lanes) end
      k.b:store(out, x * across + channel + q * down, add_bias(k, sum, parameter))
    end)
  end)
end

-- tiles ---------------------------------------------------------------------------------------

-- The sums of a tile to scratch.
local function keep(k, phase, kind, tile, place)
  local buffer = place.buffer
  local keeps = keeping(k, buffer.name, buffer, phase, kind, place.down, place.across)
  k.b:call(keeps, arguments_of(k, kind, tile, { buffer, place.at },
    k.frame.bias and { k.frame.packed, k.channel } or nil))
end

-- The sums of a tile to the patch.
local function keep_patch(k, phase, kind, tile)
  local width = kind.vectors * kind.lanes
  local down, across = width, 0
  if k.plan.rank == 2 then down, across = k.ws[2].m * width, width end
  keep(k, phase, kind, tile, { buffer = k.output_patch, at = 0, down = down, across = across })
end

-- fn(q, x, sum, channel, used) for those sums of the patch that are inside, which count from 0.
local function each_inside(k, rows, columns, kind, fn)
  local b, width, across = k.b, kind.vectors * kind.lanes, k.ws[2] and k.ws[2].m or 1
  b:each("q", 0, rows.count, function(q)
    b:each("x", 0, columns.count, function(x)
      local pixel = (q + rows.from) * across + x + columns.from
      each_vector(k, kind, function(channel, used)
        local sum = b:load(k.output_patch, pixel * width + channel, kind.lanes, "sum")
        fn(q, x, sum, channel, used)
      end)
    end)
  end)
end

-- A tile that is inside, where the image is interleaved; its outputs begin at y[at].
local function finish_tile(k, phase, kind, tile, at)
  local f = k.frame
  local list = { { f.y, at } }
  for i, residual in ipairs(f.residuals) do list[i + 1] = { residual, at } end
  if f.bias or #f.vectors > 0 then list[#list + 1] = { f.packed, k.channel } end
  k.b:call(finishing(k, phase, kind), arguments_of(k, kind, tile, table.unpack(list)))
end

-- Those outputs of a tile that are inside.
local function finish_inside(k, phase, rows, columns, kind, tile, at)
  local down, across = steps_of(k)
  keep_patch(k, phase, kind, tile)
  each_inside(k, rows, columns, kind, function(q, x, sum, channel, used)
    store.finish(k, q * down + x * across + at + channel, sum, used, function(first)
      return k.b:load(k.frame.packed, k.channel + channel + first, kind.lanes)
    end)
  end)
end

-- Those sums of a tile that are inside, to the strip from `at` on.
local function keep_inside(k, phase, rows, columns, kind, tile, place)
  keep_patch(k, phase, kind, tile)
  each_inside(k, rows, columns, kind, function(q, x, sum, channel)
    k.b:store(k.strip, q * place.down + x * place.across + place.at + channel, sum)
  end)
end

-- blocks --------------------------------------------------------------------------------------

local function is_whole(w, like) return like.count == w.m end

local LINE <const> = { from = 0, count = 1 }

--- Declare what the routines need.
function M.declare(k)
  local outputs = k.ws[1].m * (k.ws[2] and k.ws[2].m or 1)
  local width = k.kinds[1].vectors * k.kinds[1].lanes
  k.output_patch = k.b:scratch("patch_out", k.plan.work, outputs * width)
  if k.plan.planar then planes.declare_outputs(k) end
end

local function interleaved(k, phase, block, kind)
  local axes = k.frame.to.axes
  k.rows:each("row", block, function(row)
    k.outputs:each("edge", phase.y * k.all + row.number, function(rows)
      geometry.each_column(k, k.output_columns, phase.x, row.tile, LINE, function(columns, x, tile)
        local at = k.image + rows.at * axes[1] + x * (axes[2] or 0)
        if is_whole(k.ws[1], rows) and (columns == LINE or is_whole(k.ws[2], columns)) then
          return finish_tile(k, phase, kind, tile, at)
        end
        finish_inside(k, phase, rows, columns, kind, tile, at)
      end)
    end)
  end)
end

-- Planar images: whole rows of tiles.
local function planar_image(k, phase, block, kind)
  local axes, width = k.plan.axes, kind.vectors * kind.lanes
  local down, across = axes[2].output * width, axes[2].phases * width
  local all = { from = 0, count = k.ws[1].m }
  k.rows:each("row", block, function(row)
    local from = (phase.y * k.strip_rows + row.row * k.ws[1].m) * down
    geometry.each_column(k, k.output_columns, phase.x, row.tile, LINE, function(columns, x, tile)
      local place = { buffer = k.strip, at = x * width + from, down = down, across = across }
      if is_whole(k.ws[2], columns) then return keep(k, phase, kind, tile, place) end
      keep_inside(k, phase, all, columns, kind, tile, place)
    end)
  end)
end

local function planar_line(k, phase, block, kind)
  local width = kind.vectors * kind.lanes
  k.rows:each("row", block, function(row)
    k.outputs:each("edge", phase.y * k.all + row.number, function(pixels)
      local place = {
        buffer = k.strip, at = pixels.kept * width, down = k.plan.axes[1].phases * width,
        across = 0,
      }
      if is_whole(k.ws[1], pixels) then return keep(k, phase, kind, row.tile, place) end
      keep_inside(k, phase, pixels, LINE, kind, row.tile, place)
    end)
  end)
end

--- The outputs of a phase, a block of tiles and a block of channels.
function M.transform(k, phase, block, kind)
  if not k.plan.planar then return interleaved(k, phase, block, kind) end
  local keeps = k.plan.rank == 2 and planar_image or planar_line
  keeps(k, phase, block, kind)
end

return M
