-- CHANNELS
-- ========
-- resample, interleaved tensors with enough channels: vectors run along the channels, every
-- weight is a broadcast, nothing is shuffled and nothing is buffered.  Output rows are summed from
-- the input rows of all outer axes at once (rows of a volume: depth and height together).
--
-- `rows` computes output rows that read the same input rows in one sweep from the same loads;
-- `tiles` cuts rows so that the input rows of a tile stay in the L1 cache from one output row to
-- the next.

local blend = require "upweave.lower.resample.blend"
local columns = require "upweave.lower.resample.columns"
local compose = require "upweave.plan.compose"
local frame = require "upweave.lower.resample.frame"
local groups = require "upweave.lower.resample.groups"
local vector = require "upweave.lower.vector"

local M = { name = "channels", form = "resample" }

-- One image is rows of pixels: depth and height are one axis where their taps are few.
local function geometry(plan)
  local g = frame.geometry(plan, false)
  if g.d and plan.dtype == plan.work
    and blend.most_taps(g.d) * blend.most_taps(g.y) <= blend.STRAIGHT then
    g.y, g.d = compose.product(g.d, g.y, plan.work), nil
  end
  return g
end

-- Whether whole pairs of vectors make up the channels of a tensor that is converted: then all that
-- is between loads and stores may be in the order of the pairs, since no operation looks at it.
local function paired(plan, target)
  return target.twice and plan.dtype == "bf16" and plan.work == "f32"
    and plan.channels % (2 * frame.lanes(plan, target)) == 0
end

--- Knobs: rows and columns (output rows and pixels from the same loads), strips and tiles (an
--- image's share of tasks), stores.
function M.knobs(plan, target)
  return {
    { name = "rows", values = { 1, 2, 4 }, default = 1, doc = "output rows in one sweep" },
    { name = "columns", values = { 1, 2, 4, 8 }, default = 1, doc = "output pixels in one sweep" },
    frame.parts_knob(plan, "strips", 16, "parts of an image's rows"),
    frame.parts_knob(plan, "tiles", 8, "parts of a row"),
    frame.stores_knob(plan, target, plan.channels),
  }
end

--- Legal for interleaved tensors; the weights of all rows of a sweep, the values of a pixel and the
--- inputs that rows share fit the registers: rows·taps + taps of columns·(columns + 1) + 2, and
--- with several rows taps·taps of columns.
function M.legal(plan, knobs, target)
  if plan.planar then return nil, "channels needs an interleaved tensor (NWC, NHWC, NDHWC)" end
  local g = geometry(plan)
  if not g.y and knobs.strips * knobs.rows > 1 then
    return nil, "one spatial axis has no rows"
  end
  if g.d and knobs.strips > 1 then
    return nil, "strips cut rows; planes of many taps are tasks of their own"
  end
  local taps_x = blend.most_taps(g.x)
  local taps_y = g.y and blend.most_taps(g.y) or 0
  local shared = knobs.rows > 1 and taps_y * taps_x or 0
  local need = knobs.rows * taps_y + taps_x * (knobs.columns + 1) + 2 + shared
  if knobs.rows * knobs.columns > 1 and need > target.registers then
    return nil, ("rows=%d,columns=%d need %d vector registers, %s has %d"):format(knobs.rows,
      knobs.columns, need, target.name, target.registers)
  end
  return true
end

local function hint(k) return type(k) == "number" and "v" .. k or "v" end

-- What the pixels of output row oy are, across rows: pixel(at, k) for the columns.  Rows of a
-- group read the same input rows, `sources`.
local function row_pixel(b, v, src, oy, sources)
  local width = v.width
  if v.line then                       -- many rows: blend the whole line first
    blend.emit(b, v.sum, src, oy, v.line, v.pitch, width, 1)
    return function(at, k) return b:load(v.line, at, width, hint(k)) end
  end
  local weights = blend.weights(b, v.sum, oy, width)
  return function(at, k)
    local values = {}
    for j, r in ipairs(sources) do values[j] = b:load(r, at, width, "x" .. j - 1) end
    local sum = blend.sum(b, weights, values)
    return #weights > 0 and b:named(hint(k), sum) or sum
  end
end

local function declare(b, g, knobs, lanes)
  local v = {
    width = vector.cover(g.inner, lanes)[1].lanes, pitch = g.x.input * g.inner,
    pass = columns.new(b, g.x, g.inner, knobs.columns, knobs.rows, knobs.tiles),
  }
  if g.y then
    v.sum = blend.new(b, g.y, "row", function(i) return i * v.pitch end)
    if v.sum.taps > blend.STRAIGHT then v.line = b:scratch("line", b.work, v.pitch) end
    v.groups = groups.rows(g.y, v.line and 1 or knobs.rows)
    v.starts = groups.starts(v.groups, knobs.strips)
  end
  return v
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local g, streaming = geometry(plan), knobs.stores == "streaming"
  local f = frame.new(plan, target, g, paired(plan, target))
  local b, v = f.b, declare(f.b, g, knobs, f.lanes)
  frame.tasks(f, knobs.strips * knobs.tiles, function(src, dst, part)
    local tile = columns.tile(b, v.pass, part % knobs.tiles)
    if not g.y then
      local function pixel(at, k) return b:load(src, at, v.width, hint(k)) end
      columns.emit(b, v.pass, tile, { { out = dst, pixel = pixel } }, v.width, streaming)
      return
    end
    local strip = groups.sections(b, v.groups, "rows", v.starts, part // knobs.tiles)
    groups.each(b, v.groups, "oy", strip, function(group, run, i)
      local oy, rows, sources = i * run.stride[1] + group.pos[1], {}, {}
      for j = 1, v.line and 0 or v.sum.taps do
        sources[j] = blend.source(b, v.sum, src, oy, j - 1)
      end
      for q = 1, #group.weights do
        local out = b:view("out", dst, (oy + (q - 1)) * (g.x.output * g.inner))
        rows[q] = { out = out, pixel = row_pixel(b, v, src, oy + (q - 1), sources) }
      end
      columns.emit(b, v.pass, tile, rows, v.width, streaming)
    end)
  end)
  return b
end

return M
