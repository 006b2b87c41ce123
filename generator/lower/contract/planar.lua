-- CONTRACT-PLANAR
-- ===============
-- contract, planar tensors: vectors run along the rows, every weight is a broadcast.  All phases of
-- a vector are summed together from the same loads and interleaved when they are stored.  The
-- choice for wide rows and few channels of a group, depthwise convolutions among them.

local blocks = require "upweave.lower.contract.blocks"
local frame = require "upweave.lower.contract.frame"
local lines = require "upweave.lower.contract.lines"
local outer = require "upweave.lower.contract.outer"
local rows = require "upweave.lower.contract.rows"
local store = require "upweave.lower.contract.store"
local tiles = require "upweave.lower.contract.tiles"

local M = { name = "contract-planar", form = "contract" }

--- Knobs: channels and vectors of the register tile, strips.
function M.knobs(plan)
  return {
    {
      name = "channels", values = { 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16 }, default = 1,
      doc = "output channels of a register tile",
    },
    { name = "vectors", values = { 1, 2, 3, 4, 6, 8 }, default = 1, doc = "vectors along a row" },
    frame.strips_knob(plan),
  }
end

--- Legal for planar tensors; the sums of all phases, one position's inputs and a weight (without
--- FMA one product, too) fit the registers.
function M.legal(plan, knobs, target)
  if not plan.planar then
    return nil, "contract-planar needs a planar tensor (NCW, NCHW, NCDHW)"
  end
  local phases = plan.axes[plan.rank].phases
  local need = (phases * knobs.channels + 1) * knobs.vectors + (target.fma and 1 or 2)
  if need > target.registers then
    return nil, ("channels=%d,vectors=%d of %d phases need %d vector registers, %s has %d"):format(
      knobs.channels, knobs.vectors, phases, need, target.name, target.registers)
  end
  return true
end

-- Sums of a tile, acc[phase][channel][vector] in a row, over a row of taps.
local function reduce(k, block, class, acc, input, weights)
  local b, f, count = k.b, k.frame, #class.vectors
  return b:fold("c", 0, k.plan.ci, acc, function(c, sum)
    local out = table.move(sum, 1, #sum, 1, {})
    for p, position in ipairs(k.positions) do
      local x = {}
      for i, source in ipairs(class.sources[p]) do
        if source then
          x[i] = lines.fetch(b, input, c * f.from.c, source, class.vectors[i].lanes)
        end
      end
      for _, tap in ipairs(position.taps) do
        for o = 0, block.vectors - 1 do
          local at = (tap.slot * f.slot + c * f.channel) * block.vectors + o
          local w = b:load(weights, at, 1)
          local first = ((tap.phase - 1) * block.vectors + o) * count
          for i = 1, count do
            if x[i] then
              local weight = b:splat(w, class.vectors[i].lanes)
              out[first + i] = b:fma(weight, x[i], out[first + i])
            end
          end
        end
      end
    end
    return out
  end)
end

local function start(k, block, class)
  local b, f, acc = k.b, k.frame, {}
  for _ = 1, k.plan.axes[k.plan.rank].phases do
    for o = 0, block.vectors - 1 do
      local bias = f.bias and b:load(f.packed, k.channel + o + f.bias, 1)
        or b:const(k.plan.work, 1, 0)
      for _, v in ipairs(class.vectors) do acc[#acc + 1] = b:splat(bias, v.lanes) end
    end
  end
  return acc
end

local function finish(k, block, class, out, acc)
  local b, f = k.b, k.frame
  local phases, count = k.plan.axes[k.plan.rank].phases, #class.vectors
  for o = 0, block.vectors - 1 do
    for i, v in ipairs(class.vectors) do
      local list = {}
      for r = 1, phases do list[r] = acc[((r - 1) * block.vectors + o) * count + i] end
      for j, value in ipairs(lines.interleave(b, list)) do
        local at = (j - 1) * v.lanes
        local used = math.min(v.lanes, v.count - at)
        store.finish(k, out + (o * f.to.c + v.q * phases + at), value, used, function(first)
          return b:splat(b:load(f.packed, k.channel + o + first, 1), v.lanes)
        end)
      end
    end
  end
end

local function row_of_tiles(k, block, row, part)
  local b, f = k.b, k.frame
  for _, class in ipairs(k.classes) do
    local from, to = class.tiles(k.plan.rank == 1 and part or 0)
    b:each("tile", from, to, function(i)
      local acc, at = start(k, block, class), class.place.input(i)
      acc = rows.reduce(k, row, acc, function(input_row, kernel_row, sums)
        local input = b:view("in", k.source, input_row + at)
        local step = #f.slots * k.plan.ci * block.vectors
        return reduce(k, block, class, sums, input, b:view("w", k.weights, kernel_row * step))
      end)
      finish(k, block, class, k.image + rows.output(k, row) + class.place.output(i), acc)
    end)
  end
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local last = plan.axes[plan.rank]
  local positions, slots = lines.positions(last)
  local f = frame.new(plan, target, 1, slots, true)
  local kinds, count = blocks.split(plan.co, 1, knobs.channels)
  local k = {
    b = f.b, plan = plan, frame = f, kinds = kinds, count = count, positions = positions,
  }
  local pieces = plan.rank == 1 and knobs.strips or 1
  k.classes, pieces = lines.classes(last, positions, frame.lanes(plan, target), knobs.vectors,
    pieces)
  k.parts = plan.rank == 1 and pieces or math.min(knobs.strips, plan.axes[1].output)
  outer.declare(k)
  tiles.place(f.b, k.classes, pieces, { "input", "output" })
  frame.tasks(k, function(block, part)
    rows.each(k, part, function(row) row_of_tiles(k, block, row, part) end)
  end)
  f.b.pack = frame.pack(f, kinds)
  return f.b
end

return M
