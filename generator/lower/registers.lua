-- REGISTERS
-- =========
-- resample, small images: a whole plane is straight-line code.  Every input row goes through the
-- row pass once and stays in registers until the last output row that reads it; every weight is a
-- literal, nothing is buffered.  Where rows are a few vectors, loops over rows cost more than the
-- rows (14x14 → 28x28: 2.3x the rolling buffer).

local blend = require "upweave.lower.resample.blend"
local frame = require "upweave.lower.resample.frame"
local row = require "upweave.lower.resample.row"
local vector = require "upweave.lower.vector"

local M = { name = "registers", form = "resample" }

-- Vector operations of a plane at most: about 24 KB of code.
local MAX_OPERATIONS = 1536

-- Input rows between the first and the last that an output row reads.
local function most_span(map)
  local span = 0
  for _, t in ipairs(map.taps) do span = math.max(span, t.index[#t.index] - t.index[1] + 1) end
  return span
end

--- Knobs: stores.
function M.knobs(plan, target)
  return { frame.stores_knob(plan, target, frame.row_elements(plan)) }
end

--- Legal while the rows in use fit the registers (span·vectors + 3) and the code stays small.
function M.legal(plan, _, target)
  if plan.rank == 1 then return nil, "one spatial axis has no rows to keep" end
  local g = frame.geometry(plan, true)
  local vectors = #vector.cover(g.x.output, frame.lanes(plan, target))
  local taps_x, taps_y, span = blend.most_taps(g.x), blend.most_taps(g.y), most_span(g.y)
  local need = span * vectors + 3
  if need > target.registers then
    return nil, ("%d rows of %d vectors need %d registers, %s has %d"):format(span, vectors, need,
      target.name, target.registers)
  end
  local operations = vectors * (g.y.input * 2 * taps_x + g.y.output * (taps_y + 1))
  if operations > MAX_OPERATIONS then
    return nil, ("%d vector operations in a row, at most %d"):format(operations, MAX_OPERATIONS)
  end
  return true
end

-- Input row i through the row pass, as named values.
local function input_row(b, pass, src, i)
  b:note("input row %d", i)
  local values = row.values(b, pass, b:view("in" .. i, src, i * pass.input))
  for v, value in ipairs(values) do
    value.hint = nil                   -- windows and rows may be the same vector
    b:named(("row%d_%d"):format(i, v - 1), value)
  end
  return values
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local streaming = knobs.stores == "streaming"
  local g = frame.geometry(plan, true)
  local f = frame.new(plan, target, g)
  local b, pass, vectors = f.b, row.new(g.x, f.lanes), vector.cover(g.x.output, f.lanes)
  row.declare(b, pass)
  frame.tasks(f, 1, function(src, dst)
    local rows = {}
    for o, t in ipairs(g.y.taps) do
      for _, i in ipairs(t.index) do
        rows[i] = rows[i] or input_row(b, pass, src, i)
      end
      b:note("output row %d", o - 1)
      for v, place in ipairs(vectors) do
        local weights, values = {}, {}
        for k, i in ipairs(t.index) do
          weights[k] = b:const(b.work, place.lanes, t.weight[k])
          values[k] = rows[i][v]
        end
        b:store(dst, (o - 1) * g.x.output + place.at, b:dot(weights, values), streaming)
      end
    end
  end)
  return b
end

return M
