-- CONTRACT-PLANAR
-- ===============
-- contract: vectors run along the rows, every weight is a broadcast.  All phases of a vector are
-- summed together from the same loads and interleaved when they are stored.  The choice for wide
-- rows and few output channels of a group, depthwise convolutions of planar tensors among them.
--
-- Inputs are read as they lie, with shuffles at the borders, or staged: a task copies the rows that
-- it needs, and all blocks of its output channels read them from there.  Staged, tensors may be
-- interleaved, too, where all channels are one block: they are interleaved like the phases.
-- Tried and lost: passes over a task's outputs, of some input channels each, whose sums wait in
-- scratch; they gained in none of six shapes, not even where a row's inputs exceed the L1 cache.

local blocks = require "upweave.lower.contract.blocks"
local frame = require "upweave.lower.contract.frame"
local lines = require "upweave.lower.contract.lines"
local outer = require "upweave.lower.contract.outer"
local parts = require "upweave.lower.contract.parts"
local rows = require "upweave.lower.contract.rows"
local stage = require "upweave.lower.contract.stage"
local store = require "upweave.lower.contract.store"
local types = require "upweave.ir.types"
local vector = require "upweave.lower.vector"

local M = {
  name = "contract-planar", form = "contract",
  sums = "direct sums over rows of taps, then input channels, then taps",
}

-- Bytes of staged inputs at most.
local MAX_BYTES = 64 * 1024 * 1024

local CHANNELS = { 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28 }

--- Knobs: channels, vectors and rows of the register tile, strips, how inputs are read.
function M.knobs(plan)
  local all = 1
  while not plan.planar and CHANNELS[all] < plan.co and CHANNELS[all + 1] do all = all + 1 end
  return {
    {
      name = "channels", values = CHANNELS, default = CHANNELS[all],
      doc = "output channels of a register tile",
    },
    { name = "vectors", values = { 1, 2, 3, 4, 6, 8 }, default = 1, doc = "vectors along a row" },
    { name = "rows", values = { 1, 2, 3, 4 }, default = 1, doc = "rows of a register tile" },
    frame.strips_knob(plan),
    {
      name = "stage", values = { "rows", "aligned", "none" }, default = "rows",
      doc = "inputs are copied row by row (aligned: and shuffled, not loaded, from the middle of "
        .. "vectors), or read as they lie",
    },
  }
end

-- Pieces of the last axis and, where inputs are staged, how.
local function layout(plan, knobs, target)
  local last, lanes = plan.axes[plan.rank], frame.lanes(plan, target)
  local repetitions = (last.output + last.phases - 1) // last.phases
  local staged = knobs.stage ~= "none"
  local vectors = (staged and lines.beyond or lines.cover)(repetitions, lanes)
  local l = {}
  l.pieces = lines.pieces(vectors, knobs.vectors, plan.rank == 1 and knobs.strips or 1)
  l.positions, l.slots = lines.positions(last)
  l.parts = plan.rank == 1 and #l.pieces or math.min(knobs.strips, plan.axes[1].output)
  l.stage = staged and stage.layout(plan, l.positions, l.pieces, l.parts, lanes) or nil
  return l
end

local function fits(plan, knobs)
  if knobs.rows > 1 and plan.rank == 1 then return nil, "rows=1 is all there is of one axis" end
  if plan.planar then return true end
  if knobs.stage == "none" then return nil, "interleaved tensors need staged inputs" end
  if plan.groups > 1 or knobs.channels < plan.co then
    return nil, ("interleaved tensors need a block of all %d channels"):format(
      plan.co * plan.groups)
  end
  return true
end

-- Registers that Clang takes for inputs of later positions, which it loads with those of the first,
-- and for their weights: what 960 tiles of eight shapes need on icelake, x86-64-v3 and aarch64, or
-- up to 4 more.  On x86 four vectors of a row and more are not loaded ahead; where registers are
-- many, a single vector takes its weights from memory.
local function for_later(knobs, target)
  local many, ahead = target.registers > 16, target.ahead or 0
  if ahead > 0 then return ahead + 3 end
  if knobs.vectors * knobs.rows == 1 then return many and 0 or 7 end
  if knobs.vectors >= 4 then return 1 end
  return many and knobs.vectors > 1 and 6 or 5
end

local function loads_ahead(plan, knobs, target)
  if #lines.positions(plan.axes[plan.rank]) > 1 then return for_later(knobs, target) end
  local ahead = target.ahead or 0
  return ahead > 0 and ahead + 1 or 0
end

-- Registers of what inputs that are read as they lie are shuffled by.
local function constants_of(plan, knobs, target)
  local axis, lanes = plan.axes[plan.rank], frame.lanes(plan, target)
  local vectors = lines.cover((axis.output + axis.phases - 1) // axis.phases, lanes)
  return lines.constants(axis, (lines.positions(axis)), vectors, knobs.vectors)
end

-- Registers of a tile: the sums of all phases with one position's inputs, what these are shuffled
-- from or by, and a weight (without FMA one product, too), or with what interleaves them.
local function registers_of(plan, knobs, target)
  local phases, cells = plan.axes[plan.rank].phases, knobs.vectors * knobs.rows
  local channels = math.min(knobs.channels, plan.co)
  local sums, turns = phases * channels * cells, plan.planar and phases or phases * channels
  local windows = knobs.stage == "aligned" and cells + 2 * knobs.rows
    or knobs.stage == "none" and constants_of(plan, knobs, target) or 0
  return math.max(
    sums + cells + windows + loads_ahead(plan, knobs, target) + (target.fma and 1 or 2),
    sums - turns + lines.registers(turns))
end

--- Legal where the registers are enough, and the staged inputs not too many.
function M.legal(plan, knobs, target)
  local fine, why = fits(plan, knobs)
  if not fine then return nil, why end
  local need = registers_of(plan, knobs, target)
  if need > target.registers then
    return nil, ("channels=%d,vectors=%d,rows=%d need %d vector registers, %s has %d"):format(
      knobs.channels, knobs.vectors, knobs.rows, need, target.name, target.registers)
  end
  local l = layout(plan, knobs, target)
  local bytes = (l.stage and l.stage.size or 0) * types.element_bytes[plan.work]
  if bytes > MAX_BYTES then
    return nil, ("%d bytes of staged inputs, at most %d"):format(bytes, MAX_BYTES)
  end
  return true
end

-- building ------------------------------------------------------------------------------------

-- Vectors of a tile in all its rows.
local function cells_of(tile, row)
  local list = {}
  for j = 0, row.n - 1 do
    for i, v in ipairs(tile.vectors) do list[#list + 1] = { row = j, i = i, vector = v } end
  end
  return list
end

-- Lanes in the middle of two vectors; load(at) gives the one that begins at a multiple of `lanes`.
local function middle(b, load, at, lanes)
  local shift, picks = at % lanes, {}
  if shift == 0 then return load(at) end
  for l = 1, lanes do picks[l] = shift + l - 1 end
  return b:shuffle(load(at - shift), load(at - shift + lanes), picks)
end

-- fetch(cell, source) for the inputs of channel c: loads that begin vectors are kept.
local function fetch_of(k, t, input, c)
  local b, origin, kept = k.b, c * (k.stage or k.frame.from).c, {}
  return function(cell, source)
    local at, lanes = origin + cell.row * t.row.input, cell.vector.lanes
    if not k.aligned then return lines.fetch(b, input, at, source, lanes) end
    return middle(b, function(first)
      local key = ("%d %d %d"):format(cell.row, lanes, first)
      kept[key] = kept[key] or b:load(input, at + first, lanes, "x")
      return kept[key]
    end, source.low, lanes)
  end
end

-- Sums of a tile, acc[phase][channel][cell] in a row, over a row of taps.  Sums with a name keep
-- their order in C: else Clang has the inputs of all positions and their weights in registers, of
-- the last position, too: 56x56, 64 to 64 channels, tiles of 12x2: 1.51 → 1.43 ms.
local function reduce(k, t, acc, input, weights)
  local b, f, count, channels = k.b, k.frame, #t.cells, t.block.vectors
  return b:fold("c", 0, k.plan.ci, acc, function(c, sum)
    local out, fetch = table.move(sum, 1, #sum, 1, {}), fetch_of(k, t, input, c)
    for p, position in ipairs(k.positions) do
      local x = {}
      for i, cell in ipairs(t.cells) do
        local source = t.tile.sources[p][cell.i]
        x[i] = source and fetch(cell, source)
      end
      for _, tap in ipairs(position.taps) do
        for o = 0, channels - 1 do
          local w = b:load(weights, (tap.slot * f.slot + c * f.channel) * channels + o, 1)
          local first = ((tap.phase - 1) * channels + o) * count
          for i, cell in ipairs(t.cells) do
            if x[i] then
              local next = b:fma(b:splat(w, cell.vector.lanes), x[i], out[first + i])
              out[first + i] = b:named("sum", next)
            end
          end
        end
      end
    end
    return out
  end)
end

local function start(k, t)
  local b, f, acc = k.b, k.frame, {}
  for _ = 1, k.plan.axes[k.plan.rank].phases do
    for o = 0, t.block.vectors - 1 do
      local bias = f.bias and b:load(f.packed, k.channel + o + f.bias, 1)
        or b:const(k.plan.work, 1, 0)
      for _, cell in ipairs(t.cells) do acc[#acc + 1] = b:splat(bias, cell.vector.lanes) end
    end
  end
  return acc
end

-- A packed vector, the channels of a block by turns: `lanes` of them, the first is that of lane
-- `at`.
local function by_turns(k, channels, at, lanes, first)
  local list = {}
  for l = 1, lanes do list[l] = (at + l - 1) % channels end
  local width = math.min(lanes, vector.pow2_floor(channels))
  return vector.take(k.b, function(c, n, hint)
    return k.b:load(k.frame.packed, k.channel + first + c, n, hint)
  end, 0, list, vector.windows({ list }, width, channels), width)
end

-- Sums that are neighbours in y, interleaved and stored: `list` are vectors of the same lanes of q,
-- the first of channel `o`; `channels` take turns.
local function put(k, out, cell, list, o, channels)
  local v = cell.vector
  lines.interleave(k.b, list, function(j, value)
    local at = (j - 1) * v.lanes
    local used = math.min(v.lanes, v.count * channels - at)
    if used > 0 then
      store.finish(k, out + at, value, used, function(first)
        return by_turns(k, channels, at, v.lanes, first + o)
      end)
    end
  end)
end

-- Sums of a tile to y.
local function give(k, t, out, acc)
  local phases, count, all = k.plan.axes[k.plan.rank].phases, #t.cells, t.block.vectors
  local channels = k.plan.planar and 1 or all
  for o = 0, all - 1, channels do
    for i, cell in ipairs(t.cells) do
      local list = {}
      for r = 0, phases - 1 do
        for c = o, o + channels - 1 do list[#list + 1] = acc[(r * all + c) * count + i] end
      end
      local at = o * k.frame.to.c + cell.vector.q * phases * channels + cell.row * t.row.output
      put(k, out + at, cell, list, o, channels)
    end
  end
end

local function row_of_tiles(k, block, row, part)
  local b, f = k.b, k.frame
  local pixel = f.to.axes[k.plan.rank]
  k.tiles:each("tile", k.plan.rank == 1 and part or 0, function(tile)
    local t = { block = block, tile = tile, row = row, cells = cells_of(tile, row) }
    local acc = rows.reduce(k, row, start(k, t), function(input_row, kernel_row, sums)
      local input = b:view("in", k.stage and k.stage.buffer or k.source, input_row + tile.input)
      local step = #f.slots * k.plan.ci * block.vectors
      return reduce(k, t, sums, input, b:view("w", k.weights, kernel_row * step))
    end)
    give(k, t, k.image + rows.output(k, row) + tile.output * pixel, acc)
  end)
end

local function block_of_rows(k, block, part)
  rows.each(k, part, function(row) row_of_tiles(k, block, row, part) end)
end

-- Tasks of staged inputs: images x groups x parts.
local function staged_tasks(k)
  local b, f, plan = k.b, k.frame, k.plan
  b:tasks(plan.batch * plan.groups * k.parts, k.parts, function(task)
    local image, part = task // k.parts, task % k.parts
    local n, g = image // plan.groups, image % plan.groups
    k.source = b:view("src", f.x, n * f.from.n + g * f.from.g)
    stage.fill(k, part)
    for _, kind in ipairs(k.kinds) do
      b:each("block", kind.first, kind.first + kind.count, function(block)
        frame.enter(k, n, g, kind, block)
        block_of_rows(k, kind, part)
      end)
    end
  end)
end

-- Where a tile reads its inputs, if they are staged.
local function place_of(k)
  local step = k.plan.axes[k.plan.rank].step
  return k.stage and function(q, at) return stage.offset(k.stage, step, at, q) end
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local l = layout(plan, knobs, target)
  local f = frame.new(plan, target, 1, l.slots, true)
  local kinds, count = blocks.split(plan.co, 1, knobs.channels)
  local k = {
    b = f.b, plan = plan, frame = f, kinds = kinds, count = count, positions = l.positions,
    parts = l.parts, rows = knobs.rows, stage = l.stage, lanes = frame.lanes(plan, target),
    aligned = knobs.stage == "aligned",
  }
  outer.declare(k)
  local list = lines.list(plan.axes[plan.rank], l.positions, l.pieces, place_of(k), k.lanes)
  k.tiles = parts.new(f.b, "tile", list, { "input", "output" })
  if k.stage then
    stage.declare(k, l.pieces)
    staged_tasks(k)
  else
    frame.tasks(k, function(block, part) block_of_rows(k, block, part) end)
  end
  f.b.pack = frame.pack(f, kinds)
  return f.b
end

return M
