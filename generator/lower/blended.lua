-- BLENDED
-- =======
-- resample, rows: the input rows of an output row are blended into one line first, then the line
-- goes through the row pass.  The choice for shrinking (the row pass runs once an output row, not
-- once an input row) and for one spatial axis, where there is nothing to blend.  The line is
-- `buffered` in scratch, or `fused`: blended in registers wherever the row pass reads a window of
-- it, which computes overlapping parts twice but saves a store and a load.

local blend = require "upweave.lower.resample.blend"
local frame = require "upweave.lower.resample.frame"
local row = require "upweave.lower.resample.row"
local vector = require "upweave.lower.vector"

local M = { name = "blended", form = "resample" }

--- Knobs: strips (a plane's share of tasks), stores.
function M.knobs(plan, target)
  return {
    { name = "line", values = { "buffered", "fused" }, default = "buffered",
      doc = "where the blended line is" },
    frame.parts_knob(plan, "strips", 16, "tasks a plane is cut in"),
    frame.stores_knob(plan, target, frame.row_elements(plan)),
  }
end

--- Legal for every plan; strips need rows to cut, a fused line few taps across rows.
function M.legal(plan, knobs, target)
  if plan.rank ~= 2 and knobs.strips > 1 then
    return nil, "strips cut the rows of two spatial axes, the tensor has " .. plan.rank
  end
  if knobs.line == "buffered" then return true end
  if plan.rank == 1 then return nil, "one spatial axis has no line to fuse" end
  if blend.most_taps(plan.axes[plan.rank - 1]) > blend.STRAIGHT then
    return nil, ("a fused line sums at most %d rows"):format(blend.STRAIGHT)
  end
  local g = frame.geometry(plan, true)
  if not row.new(g.x, frame.lanes(plan, target)).straight then
    return nil, "the row pass is driven by tables, which need a buffered line"
  end
  return true
end

-- The row pass over a line that it blends where it reads it, as a routine: pointers to the rows
-- and to their weights.  Returns call(src, o, out).
local function fused_row(f, v, width, streaming)
  local b, parameters, n = f.b, {}, v.sum.taps
  for k = 1, n do
    parameters[k] = { name = "r" .. k - 1, like = f.source, size = v.pass.input }
  end
  parameters[n + 1] = { name = "wy", like = v.sum.weights, size = n }
  parameters[n + 2] = { name = "out", like = f.y, size = v.pass.output, written = true }
  local routine = b:routine("row", parameters, function(...)
    local pointers = { ... }
    local function weights(lanes)
      local list = {}
      for k = 1, n do
        list[k] = b:named("w" .. k - 1, b:splat(b:load(pointers[n + 1], k - 1, 1), lanes))
      end
      return list
    end
    weights(width)                     -- once here, shared by all windows below
    local function fetch(at, lanes, hint)
      local values = {}
      for k = 1, n do values[k] = b:load(pointers[k], at, lanes) end
      return b:named(hint or "v", b:dot(weights(lanes), values))
    end
    row.emit_fetched(b, v.pass, fetch, pointers[n + 2], streaming)
  end)
  return function(src, o, out)
    local arguments = {}
    for k = 1, n do arguments[k] = { src, blend.row(b, v.sum, o, k - 1) } end
    arguments[n + 1] = { v.sum.weights, o * n }
    arguments[n + 2] = { out, 0 }
    b:call(routine, arguments)
  end
end

-- One output row: src is the input plane, out the row.
local function emit_row(b, v, src, out, o, lanes, streaming)
  local n = v.pass.input
  if v.sum.copy then
    row.emit(b, v.pass, blend.source(b, v.sum, src, o, 0), out, streaming)
  elseif v.fused then
    v.fused(src, o, out)
  elseif v.line then
    b:note("the line: a blend of input rows")
    blend.emit(b, v.sum, src, o, v.line, n, lanes, 1)
    b:note("the row pass over the line")
    v.row(v.line, 0, out, 0)
  else
    blend.emit(b, v.sum, src, o, out, n, lanes, 1, streaming)
  end
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local streaming = knobs.stores == "streaming"
  local g = frame.geometry(plan, true)
  local f = frame.new(plan, target, g)
  local b, lanes = f.b, f.lanes
  local copies = not g.y or g.y:is_copy()
  local v = { pass = row.new(g.x, lanes) }
  local fused = knobs.line == "fused" and not copies
  row.declare(b, v.pass)
  if g.y then
    v.sum = blend.new(b, g.y, "row", function(i) return i * g.x.input end)
    -- rows that pass unchanged are blended straight into the output
    if fused then
      v.fused = fused_row(f, v, vector.cover(g.x.output, lanes)[1].lanes, streaming)
    elseif not (copies or g.x:is_identity()) then
      v.line = b:scratch("line", b.work, g.x.input)
      v.row = row.routine(b, v.pass, v.line, f.y, streaming)
    end
  end
  frame.tasks(f, knobs.strips, function(src, dst, strip)
    if not g.y then
      row.emit(b, v.pass, src, dst, streaming)
      return
    end
    local lo, hi = frame.bounds(b, "row", g.y.output, knobs.strips, strip)
    b:each("oy", lo, hi, function(o)
      emit_row(b, v, src, b:view("out", dst, o * g.x.output), o, lanes, streaming)
    end)
  end)
  return b
end

return M
