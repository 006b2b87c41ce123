-- FRAME
-- =====
-- What all strategies of the resample form share: the buffers, the loop over tasks, and the
-- outermost axis of three.  A task is one strip of output rows of one output plane.  Depth comes
-- first: the input planes of an output plane are summed into a scratch plane, which is then a
-- two-dimensional problem; summing the small input planes costs less than the large output ones.

local blend = require "upweave.lower.resample.blend"
local builder = require "upweave.ir.builder"
local compose = require "upweave.plan.compose"

local types = require "upweave.ir.types"

local M = {}

--- Elements of the plan's arithmetic in a register of the target.
---@param plan table
---@param target Target
---@return integer
function M.lanes(plan, target) return target.vector_bytes // types.element_bytes[plan.work] end

---@class lower.Geometry
---@field planes integer   independent images
---@field inner integer    interleaved channels that stay together (1 where flattened or planar)
---@field x plan.Axis      axis of a row
---@field y plan.Axis?     axis across rows
---@field d plan.Axis?     axis across planes

--- The loops of a plan.  With `flatten`, interleaved channels become part of the row's axis.
---@param plan table
---@param flatten boolean
---@return lower.Geometry
function M.geometry(plan, flatten)
  local axes, rank = plan.axes, plan.rank
  local channels = plan.planar and 1 or plan.channels
  return {
    planes = plan.batch * (plan.planar and plan.channels or 1),
    inner = flatten and 1 or channels,
    x = flatten and compose.interleaved(axes[rank], channels) or axes[rank],
    y = axes[rank - 1], d = axes[rank - 2],
  }
end

--- Output elements of a row with its interleaved channels.
function M.row_elements(plan)
  return plan.axes[plan.rank].output * (plan.planar and 1 or plan.channels)
end

--- The knob `stores`: streaming (past the cache) where a row of `elements` keeps its vectors
--- aligned and the target has such stores.
function M.stores_knob(plan, target, elements)
  local values = { "cached" }
  if target.fence and elements % M.lanes(plan, target) == 0 then values[2] = "streaming" end
  return {
    name = "stores", values = values, default = "cached", doc = "streaming bypasses the cache",
  }
end

--- The knob of so many parts of a plane as tasks; a plane with values from outside is whole.
function M.parts_knob(plan, name, most, doc)
  local values = { 1 }
  while not plan.fill and values[#values] < most do values[#values + 1] = 2 * values[#values] end
  return { name = name, values = values, default = 1, doc = doc }
end

--- Elements of one input and one output plane.
function M.plane_sizes(geometry)
  local g = geometry
  local rows_in, rows_out = g.y and g.y.input or 1, g.y and g.y.output or 1
  return rows_in * g.x.input * g.inner, rows_out * g.x.output * g.inner
end

-- The source plane of output plane `od` of image `image`.
local function depth_source(f, image, od)
  local b, size, depth = f.b, M.plane_sizes(f.geometry), f.geometry.d
  if not depth then return b:view("src", f.x, image * size) end
  local image_view = b:view("image", f.x, image * (depth.input * size))
  if f.depth.copy then return blend.source(b, f.depth, image_view, od, 0) end
  blend.emit(b, f.depth, image_view, od, f.source, size, f.lanes, 1)
  return f.source
end

-- For each output row of an image, where its elements from inside begin and end; both are the end
-- of a row that has none.
local function inside(plan, elements)
  local fill, from, to = plan.fill, {}, {}
  local pixel = elements // plan.axes[plan.rank].output
  local function row(axis, within)
    if axis == plan.rank then
      from[#from + 1] = within and fill.lo[axis] * pixel or elements
      to[#to + 1] = within and fill.hi[axis] * pixel or elements
      return
    end
    for o = 0, plan.axes[axis].output - 1 do
      row(axis + 1, within and o >= fill.lo[axis] and o < fill.hi[axis])
    end
  end
  row(1, true)
  return from, to
end

-- The tables of what lies outside: nil where nothing does.
local function outside(b, plan)
  if not plan.fill then return nil end
  local elements = M.row_elements(plan)
  local from, to = inside(plan, elements)
  return {
    elements = elements, rows = #from, value = b:const(plan.work, 1, plan.fill.value),
    from = b:table("inside_from", "i32", from, 1, "elements of each output row from inside"),
    to = b:table("inside_to", "i32", to),
  }
end

-- Put the value of what lies outside into the `size` elements of a task.
local function fill_outside(f, dst, size, task)
  local b, o = f.b, f.outside
  local rows = size // o.elements
  b:note("outputs from outside the input")
  b:each("oy", 0, rows, function(oy)
    local out, number = b:view("out", dst, oy * o.elements), (task * rows + oy) % o.rows
    local function put(i) b:store(out, i, o.value) end
    b:each("i", 0, b:fetch(o.from, number), put)
    b:each("i", b:fetch(o.to, number), o.elements, put)
  end)
end

---@class lower.Frame
---@field b ir.Builder
---@field geometry lower.Geometry
---@field x table        buffer
---@field y table        buffer
---@field lanes integer  elements of the arithmetic in a register
---@field depth lower.Blend?   the sum across planes
---@field outside table?       where outputs lie outside the input, and their value
---@field source table   a buffer with elements like those that a task reads: x or a summed plane

--- A new kernel for a plan: its buffers.
---@param plan table
---@param target Target
---@param geometry lower.Geometry
---@param paired boolean?   elements are converted by pairs, and two registers are a vector
---@return lower.Frame
function M.new(plan, target, geometry, paired)
  local b, g = builder.new("kernel", target, plan.work), geometry
  local size_in, size_out = M.plane_sizes(g)
  local depth_in, depth_out = g.d and g.d.input or 1, g.d and g.d.output or 1
  local f = {
    b = b, geometry = g, lanes = M.lanes(plan, target) * (paired and 2 or 1),
    x = b:input("x", plan.dtype, g.planes * depth_in * size_in, plan.work),
    y = b:output("y", plan.dtype, g.planes * depth_out * size_out, plan.work),
    outside = outside(b, plan),
  }
  b.paired, f.x.paired, f.y.paired = paired, paired, paired
  f.source = f.x
  if g.d then
    f.depth = blend.new(b, g.d, "plane", function(i) return i * size_in end)
    if not f.depth.copy then f.source = b:scratch("plane", b.work, size_in) end
  end
  return f
end

--- The task loop; body(src, dst, strip) fills one strip of one output plane.
---@param f lower.Frame
---@param strips integer
---@param body fun(src: table, dst: table, strip: ir.Index)
function M.tasks(f, strips, body)
  local b, g = f.b, f.geometry
  local size_out = select(2, M.plane_sizes(g))
  local depth_out = g.d and g.d.output or 1
  b:tasks(g.planes * depth_out * strips, strips, function(task)
    local strip, plane = task % strips, task // strips
    local src = depth_source(f, plane // depth_out, plane % depth_out)
    local dst = b:view("dst", f.y, plane * size_out)
    body(src, dst, strip)
    if f.outside then fill_outside(f, dst, size_out, plane) end
  end)
end

--- Bounds of strip s of n: items [n·s/strips, n·(s+1)/strips), as index expressions.
function M.bounds(b, name, n, strips, strip)
  if strips == 1 then return 0, n end
  local lo, hi = {}, {}
  for s = 0, strips - 1 do
    lo[s + 1], hi[s + 1] = n * s // strips, n * (s + 1) // strips
  end
  return b:ranges(name, lo, hi, "output rows of each strip")(strip)
end

return M
