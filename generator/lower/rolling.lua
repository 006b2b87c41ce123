-- ROLLING
-- =======
-- resample, rows: every input row goes through the row pass once, into a ring of rows in the L1
-- cache; output rows are blends of the ring.  The choice for enlarging: the row pass runs on the
-- few input rows, the many output rows cost one load a tap and a store.
--
-- Rows are written one at a time: two output streams at once lost up to 1.8x beyond the cache.
-- `rows` > 1 computes several output rows from the same ring rows in one sweep, which pays where
-- taps are many (bicubic 4x: 172 → 146 µs) and the image is small.

local blend = require "upweave.lower.resample.blend"
local builder = require "upweave.ir.builder"
local frame = require "upweave.lower.resample.frame"
local groups = require "upweave.lower.resample.groups"
local row = require "upweave.lower.resample.row"

local M = { name = "rolling", form = "resample" }

local function ring_depth(map)
  local depth = 1
  for _, t in ipairs(map.taps) do depth = math.max(depth, t.index[#t.index] - t.index[1] + 1) end
  return depth
end

-- For each strip, the input rows to have in the ring before its first group: those its groups
-- would otherwise expect from their predecessors.
local function preludes(list, starts)
  local lo, hi = {}, {}
  for s = 1, #starts - 1 do
    local first = list[starts[s] + 1]
    lo[s] = first and first.lowest or 0
    hi[s] = first and math.max(lo[s], first.from) or 0
  end
  return lo, hi
end

-- Rows each group has to add to the ring: [from, need + 1).  `lowest` is the first row that it or
-- a later group reads: an output that falls on an input reads that one alone, the next output
-- also the input before it.
local function mark_fills(list)
  local lowest, have = math.maxinteger, -1
  for i = #list, 1, -1 do
    lowest = math.min(lowest, list[i].index[1])
    list[i].lowest = lowest
  end
  for _, g in ipairs(list) do
    g.from, g.need = math.max(have + 1, g.lowest), g.index[#g.index]
    have = math.max(have, g.need)
  end
end

-- Tables and buffers of the vertical pass.
local function declare(b, geometry, list, depth, starts)
  local pitch = (geometry.x.output + 15) // 16 * 16
  local from, upto = {}, {}
  for i, g in ipairs(list) do from[i], upto[i] = g.from, math.max(g.from, g.need + 1) end
  local lo, hi = preludes(list, starts)
  return {
    pitch = pitch, depth = depth,
    ring = b:scratch("ring", "f32", depth * pitch),
    sum = blend.new(b, geometry.y, "ring", function(i) return i % depth * pitch end),
    fill = b:ranges("fill", from, upto, "input rows that enter the ring before each output row"),
    prelude = b:ranges("prelude", lo, hi, "input rows that enter it before each strip"),
  }
end

--- Knobs: rows (output rows in one sweep), strips (a plane's share of tasks), stores.
function M.knobs(plan, target)
  return {
    { name = "rows", values = { 1, 2, 3, 4, 8 }, default = 1, doc = "output rows in one sweep" },
    { name = "strips", values = { 1, 2, 4, 8 }, default = 1, doc = "tasks a plane is cut in" },
    frame.stores_knob(target, frame.row_elements(plan)),
  }
end

--- Legal where there are two spatial axes and the weights of all rows of a sweep, its loads and
--- its sum fit the register file: rows·taps + taps + 1.
function M.legal(plan, knobs, target)
  if plan.rank < 2 then return nil, "rolling needs rows: the tensor has one spatial axis" end
  local taps = blend.most_taps(plan.axes[plan.rank - 1])
  local need = knobs.rows * taps + taps + 1
  if knobs.rows > 1 and need > target.registers then
    return nil, ("rows=%d needs %d vector registers, %s has %d"):format(knobs.rows, need,
      target.name, target.registers)
  end
  if plan.rank == 3 and knobs.strips > 1 then
    return nil, "strips of a plane are for two spatial axes: three have a task an output plane"
  end
  return true
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local lanes, streaming = target.vector_bytes // 4, knobs.stores == "streaming"
  local b = builder.new("kernel", target)
  local geometry = frame.geometry(plan, true)
  local pass, found = row.new(geometry.x, lanes), groups.rows(geometry.y, knobs.rows)
  local starts, width = groups.starts(found, knobs.strips), geometry.x.output
  mark_fills(found.list)
  row.declare(b, pass)
  local row_pass = row.routine(b, pass)
  local v = declare(b, geometry, found.list, ring_depth(geometry.y), starts)
  frame.tasks(b, geometry, knobs.strips, lanes, function(src, dst, strip)
    local function fill(lo, hi)
      b:each("iy", lo, hi, function(iy)
        row_pass(src, iy * pass.input, v.ring, iy % v.depth * v.pitch)
      end)
    end
    local section = groups.sections(b, found, "run", starts, strip)
    fill(v.prelude(strip))
    groups.each(b, found, "g", section, function(group, run, g)
      local number = g * run.period + group.number
      local oy = g * run.stride[1] + group.pos[1]
      b:note("input rows that are new go through the row pass into the ring")
      fill(v.fill(number))
      b:note("output rows are blends of ring rows")
      local out = b:view("out", dst, oy * width)
      blend.emit(b, v.sum, v.ring, oy, out, width, lanes, #group.weights, streaming)
    end)
  end)
  return b
end

return M
