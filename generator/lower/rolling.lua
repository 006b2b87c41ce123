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
local frame = require "upweave.lower.resample.frame"
local groups = require "upweave.lower.resample.groups"
local ring = require "upweave.lower.resample.ring"
local row = require "upweave.lower.resample.row"

local M = { name = "rolling", form = "resample" }

-- Buffers and tables of the vertical pass.
local function declare(b, geometry, list, starts)
  local pitch = (geometry.x.output + 15) // 16 * 16
  local window = ring.new(b, list, starts, "input rows", function(g)
    return g.index[1], g.index[#g.index]
  end)
  return {
    pitch = pitch, window = window,
    rows = b:scratch("ring", b.work, window.depth * pitch),
    sum = blend.new(b, geometry.y, "ring", function(i) return i % window.depth * pitch end),
  }
end

--- Knobs: rows (output rows in one sweep), strips (a plane's share of tasks), stores.
function M.knobs(plan, target)
  return {
    { name = "rows", values = { 1, 2, 3, 4, 8 }, default = 1, doc = "output rows in one sweep" },
    frame.parts_knob(plan, "strips", 8, "tasks a plane is cut in"),
    frame.stores_knob(plan, target, frame.row_elements(plan)),
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
  local streaming = knobs.stores == "streaming"
  local geometry = frame.geometry(plan, true)
  local f = frame.new(plan, target, geometry)
  local b, lanes = f.b, f.lanes
  local pass, found = row.new(geometry.x, lanes), groups.rows(geometry.y, knobs.rows)
  local starts, width = groups.starts(found, knobs.strips), geometry.x.output
  row.declare(b, pass)
  local v = declare(b, geometry, found.list, starts)
  local row_pass = row.routine(b, pass, f.source, v.rows)
  frame.tasks(f, knobs.strips, function(src, dst, strip)
    local function fill(lo, hi)
      b:each("iy", lo, hi, function(iy)
        row_pass(src, iy * pass.input, v.rows, iy % v.window.depth * v.pitch)
      end)
    end
    local section = groups.sections(b, found, "run", starts, strip)
    fill(v.window.prelude(strip))
    groups.each(b, found, "g", section, function(group, run, g)
      local number = g * run.period + group.number
      local oy = g * run.stride[1] + group.pos[1]
      b:note("input rows that are new go through the row pass into the ring")
      fill(v.window.fill(number))
      b:note("output rows are blends of ring rows")
      local out = b:view("out", dst, oy * width)
      blend.emit(b, v.sum, v.rows, oy, out, width, lanes, #group.weights, streaming)
    end)
  end)
  return b
end

return M
