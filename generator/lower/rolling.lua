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
  local f = frame.new(plan, target, frame.geometry(plan, true))
  local b, y, pass = f.b, f.geometry.y, row.new(f.geometry.x, f.lanes)
  row.declare(b, pass)
  local window = ring.new(b, groups.rows(y, knobs.rows), knobs.strips, "input rows")
  local pitch = (pass.output + 15) // 16 * 16
  local rows = b:scratch("ring", b.work, window.depth * pitch)
  local sum = blend.new(b, y, "ring", function(i) return i % window.depth * pitch end)
  local row_pass = row.routine(b, pass, f.source, rows)
  ring.tasks(f, window, "iy", function(src, iy)
    row_pass(src, iy * pass.input, rows, iy % window.depth * pitch)
  end, function(dst, group, oy)
    local out = b:view("out", dst, oy * pass.output)
    blend.emit(b, sum, rows, oy, out, pass.output, f.lanes, #group.weights,
      knobs.stores == "streaming")
  end)
  return b
end

return M
