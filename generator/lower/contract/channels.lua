-- CONTRACT-CHANNELS
-- =================
-- contract: vectors run along the output channels, a register tile of pixels x vectors is summed
-- over taps and input channels, each input is a broadcast.  Interleaved tensors are stored from the
-- tile; of planar ones a row of tiles is kept and transposed.
--
-- Small groups of interleaved tensors, depthwise convolution among them, stand side by side in a
-- vector: in place of broadcasts are vectors of their inputs, shuffled to the lanes that use them.
--
-- The reduction stays a loop: without one Clang shares broadcasts between taps and spills.  Taps
-- whose inputs follow each other in memory are one loop over both.

local blocks = require "upweave.lower.contract.blocks"
local frame = require "upweave.lower.contract.frame"
local outer = require "upweave.lower.contract.outer"
local parts = require "upweave.lower.contract.parts"
local rows = require "upweave.lower.contract.rows"
local store = require "upweave.lower.contract.store"
local tiles = require "upweave.lower.contract.tiles"

local M = {
  name = "contract-channels", form = "contract",
  sums = "direct sums over taps, then input channels",
}

-- Elements of a row of tiles that is kept to be transposed: half an L1 cache.
local LINE_ELEMENTS = 4096
-- Input channels of groups that stand side by side: each is a shuffle.
local MOST_CHANNELS = 8
-- Inputs that Clang keeps from tap to tap where a reduction is two or three taps of one channel.
local SHARED = 4

--- Knobs: pixels of rows and vectors of the register tile, strips (an image's share of tasks), how
--- far ahead weights are asked for, order of tasks, stores.
function M.knobs(plan, target)
  return {
    {
      name = "pixels", values = { 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 16, 20, 24, 28 },
      default = 4, doc = "pixels of a register tile",
    },
    {
      name = "rows", values = plan.rank > 1 and { 1, 2, 3, 4, 6, 7 } or { 1 }, default = 1,
      doc = "rows of a register tile",
    },
    { name = "vectors", values = { 1, 2, 3, 4, 6, 8 }, default = 1, doc = "vectors of a pixel" },
    frame.strips_knob(plan),
    {
      name = "prefetch", values = { 0, 1024, 4096, 8192 }, default = 0,
      doc = "elements ahead at which weights are asked for; 0: not",
    },
    frame.order_knob(),
    frame.stores_knob(plan, target),
  }
end

--- The plan as the strategy sees it: small groups of interleaved channels stand side by side in a
--- vector, where it holds whole groups and their inputs are a shorter or equal one.
---@param plan upweave.plan.contract
---@param target Target
---@return table
function M.view(plan, target)
  local lanes = blocks.lanes(plan.groups * plan.co, frame.lanes(plan, target), true)
  local inputs = lanes // plan.co * plan.ci
  local small = plan.groups > 1 and plan.co < lanes and lanes % plan.co == 0
    and plan.ci <= MOST_CHANNELS and inputs <= lanes and inputs & (inputs - 1) == 0
  if plan.planar or not small then return plan end
  return frame.elementwise(plan)
end

--- Legal where the sums of a tile, its weights and one input (without FMA one product, too) fit the
--- registers, with the inputs that come ahead.
function M.legal(plan, knobs, target)
  local inputs, weights = (target.fma and 1 or 2) + (target.ahead or 0), 1
  if plan.ci == 1 and plan.co == 1 then inputs = inputs + SHARED end
  if plan.ci > 1 and M.view(plan, target) ~= plan then inputs, weights = inputs + 1, plan.ci end
  local need = (knobs.rows * knobs.pixels + weights) * knobs.vectors + inputs
  if need > target.registers then
    return nil, ("pixels=%d,rows=%d,vectors=%d need %d vector registers, %s has %d"):format(
      knobs.pixels, knobs.rows, knobs.vectors, need, target.name, target.registers)
  end
  return true
end

-- Runs of inputs that one loop sums, { at, slot, count, apart }: taps x channels where they are
-- neighbours in memory, the taps of a single channel, else a tap's channels.  Each is a loop: in
-- straight-line code taps would share inputs, and those registers.
local function runs_of(k, span)
  local plan, from = k.plan, k.frame.from
  local apart = plan.planar and from.c or 1
  if plan.ci == 1 or plan.elementwise then
    local stride = span.stride * from.axes[plan.rank]
    return { { at = span.at, slot = span.slot, count = span.taps, apart = stride } }
  elseif not plan.planar and plan.groups == 1 and span.stride == 1 then
    return { { at = span.at, slot = span.slot, count = span.taps * plan.ci, apart = apart } }
  end
  local out = {}
  for t = 0, span.taps - 1 do
    out[t + 1] = {
      at = span.at + t * span.stride, slot = span.slot + t, count = plan.ci, apart = apart,
    }
  end
  return out
end

-- Weights of a step for all vectors of a block.
local function load_weights(k, block, weights, step)
  local b, lanes, w = k.b, block.lanes, {}
  for v = 1, block.vectors do
    local at = step * (block.vectors * lanes) + (v - 1) * lanes
    w[v] = b:load(weights, at, lanes, "w" .. v - 1)
    if k.prefetch > 0 then b:prefetch(weights, at + k.prefetch) end
  end
  return w
end

-- One step of a run's reduction: a product for each sum of pixels `list`, { at, first sum } each.
local function broadcast_step(k, block, run, list, c, sum, input, weights)
  local b, out = k.b, {}
  local w = load_weights(k, block, weights, c + run.slot * k.plan.ci)
  local origin = c * run.apart + run.at * k.frame.from.axes[k.plan.rank]
  for j, place in ipairs(list) do
    local x = b:named("x" .. j - 1, b:splat(b:load(input, origin + place.at, 1), block.lanes))
    for v = 1, block.vectors do out[#out + 1] = b:fma(w[v], x, sum[(j - 1) * block.vectors + v]) end
  end
  return out
end

-- Input channel c of the groups in a vector, for each of its lanes.
local function spread(b, x, each, lanes, c)
  local picks = {}
  for l = 0, lanes - 1 do picks[l + 1] = l // each.co * each.ci + c end
  return b:shuffle(x, nil, picks)
end

-- The same for groups side by side: tap t, all their channels.
local function elementwise_step(k, block, run, list, t, sum, input, weights)
  local b, plan, w, out = k.b, k.plan, {}, {}
  local each, lanes = plan.elementwise, block.lanes
  for c = 0, plan.ci - 1 do
    w[c] = load_weights(k, block, weights, t * plan.ci + run.slot * plan.ci + c)
  end
  local origin = t * run.apart + run.at * k.frame.from.axes[plan.rank]
  for j, place in ipairs(list) do
    for v = 1, block.vectors do
      local first = frame.input_channel(plan, (blocks.vector(block, v)))
      local x = b:load(input, origin + place.at + first, frame.input_channel(plan, lanes))
      local acc = sum[(j - 1) * block.vectors + v]
      for c = 0, plan.ci - 1 do acc = b:fma(w[c][v], spread(b, x, each, lanes, c), acc) end
      out[#out + 1] = acc
    end
  end
  return out
end

-- The pixels of all rows for which a span is inside.
local function pixels_of(k, tile, span, row)
  local list, apart = {}, k.plan.axes[k.plan.rank].step * k.frame.from.axes[k.plan.rank]
  for r = 0, row.n - 1 do
    for j = span.first, span.last do
      list[#list + 1] = {
        at = r * row.input + (j - span.first) * apart, number = r * tile.pixels + j,
      }
    end
  end
  return list
end

-- Sums of a tile over a row of taps: acc[row][pixel][vector].
local function reduce(k, block, tile, row, acc, input, weights)
  local n, step = block.vectors, k.plan.elementwise and elementwise_step or broadcast_step
  for _, span in ipairs(tile.spans) do
    local list = pixels_of(k, tile, span, row)
    for _, run in ipairs(runs_of(k, span)) do
      local inits = {}
      for j, place in ipairs(list) do
        table.move(acc, place.number * n + 1, (place.number + 1) * n, (j - 1) * n + 1, inits)
      end
      local sums = k.b:fold("c", 0, run.count, inits, function(c, sum)
        return step(k, block, run, list, c, sum, input, weights)
      end)
      for j, place in ipairs(list) do
        table.move(sums, (j - 1) * n + 1, j * n, place.number * n + 1, acc)
      end
    end
  end
  return acc
end

-- One tile in the rows of a turn: its sums.
local function tile_sums(k, block, tile, row)
  local b, plan = k.b, k.plan
  local per_slot = plan.ci * block.vectors * block.lanes
  local acc = store.start(k, block, row.n * tile.pixels)
  if #tile.spans == 0 then return acc end
  local x, w = tile.input * k.frame.from.axes[plan.rank], tile.slot * per_slot
  local inner = k.frame.kernel[plan.rank]
  return rows.reduce(k, row, acc, function(input_row, kernel_row, sums)
    local input = b:view("in", k.source, input_row + x)
    local weights = b:view("w", k.weights, kernel_row * (inner * per_slot) + w)
    return reduce(k, block, tile, row, sums, input, weights)
  end)
end

local function interleaved(k, block, part)
  k.tiles:each("tile", k.plan.rank == 1 and part or 0, function(tile)
    rows.each(k, part, function(row)
      store.direct(k, block, tile, row, tile_sums(k, block, tile, row))
    end)
  end)
end

local function planar(k, block, part)
  rows.each(k, part, function(row)
    local function piece(p)
      k.tiles:each("tile", p, function(tile)
        store.keep(k, block, tile, row, tile_sums(k, block, tile, row))
      end)
      store.transposed(k, block, p, row)
    end
    if k.plan.rank == 1 then piece(part) else k.b:each("piece", 0, #k.cuts - 1, piece) end
  end)
end

local function declare(plan, knobs, target)
  plan = M.view(plan, target)
  local lanes = blocks.lanes(plan.co, frame.lanes(plan, target), plan.elementwise)
  local last = plan.axes[plan.rank]
  local f = frame.new(plan, target, lanes, (tiles.slots(last)), false)
  local kinds, count = blocks.split(plan.co, lanes, knobs.vectors, plan.elementwise)
  local b, pieces = f.b, 1
  if plan.planar then
    pieces = math.max(1, knobs.rows * last.output * kinds[1].vectors * lanes // LINE_ELEMENTS)
  end
  if plan.rank == 1 then pieces = math.max(pieces, knobs.strips) end
  local cuts = tiles.pieces(last, pieces, plan.planar and lanes or 1)
  local k = {
    b = b, plan = plan, frame = f, kinds = kinds, count = count, cuts = cuts,
    rows = knobs.rows, prefetch = knobs.prefetch, order = knobs.order,
    streaming = knobs.stores == "streaming",
    parts = plan.rank == 1 and #cuts - 1 or math.min(knobs.strips, plan.axes[1].output),
  }
  outer.declare(k)
  k.tiles = parts.new(b, "tile", tiles.list(last, knobs.pixels, cuts),
    { "input", "slot", plan.planar and "within" or "output" })
  store.declare(k)
  return k
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local k = declare(plan, knobs, target)
  local each = plan.planar and planar or interleaved
  frame.tasks(k, function(block, part) each(k, block, part) end)
  k.b.pack = frame.pack(k.frame, k.kinds)
  return k.b
end

return M
