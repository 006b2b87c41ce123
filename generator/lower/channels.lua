-- CHANNELS
-- ========
-- resample, interleaved tensors with enough channels: vectors run along the channels, every
-- weight is a broadcast, nothing is shuffled and nothing is buffered.

local blend = require "upweave.lower.resample.blend"
local builder = require "upweave.ir.builder"
local columns = require "upweave.lower.resample.columns"
local frame = require "upweave.lower.resample.frame"
local vector = require "upweave.lower.vector"

local M = { name = "channels", form = "resample" }

--- Knobs: columns (output pixels from the same loads), strips, stores.
function M.knobs(plan, target)
  local stores = { "cached" }
  if target.fence and plan.channels % (target.vector_bytes // 4) == 0 then
    stores[2] = "streaming"
  end
  return {
    { name = "columns", values = { 1, 2, 4, 8 }, default = 4, doc = "output pixels in one sweep" },
    { name = "strips", values = { 1, 2, 4, 8, 16 }, default = 1, doc = "tasks an image is cut in" },
    { name = "stores", values = stores, default = "cached", doc = "streaming bypasses the cache" },
  }
end

--- Legal for interleaved tensors.
function M.legal(plan, knobs)
  if plan.planar then return nil, "channels needs an interleaved tensor (NWC, NHWC, NDHWC)" end
  if plan.rank ~= 2 and knobs.strips > 1 then
    return nil, "strips cut the rows of two spatial axes, the tensor has " .. plan.rank
  end
  return true
end

local function hint(k) return type(k) == "number" and "v" .. k or "v" end

-- What a pixel of output row o is, across rows: pixel(at, k) for the columns.
local function row_pixel(b, v, src, o)
  local n, width = v.pitch, v.width
  if v.line then                       -- many rows: blend the whole line first
    blend.emit(b, v.sum, src, o, v.line, n, width, 1)
    return function(at, k) return b:load(v.line, at, width, hint(k)) end
  end
  local rows, weights = {}, blend.weights(b, v.sum, o, width)
  for j = 1, v.sum.taps do rows[j] = blend.source(b, v.sum, src, o, j - 1) end
  return function(at, k)
    local values = {}
    for j, r in ipairs(rows) do values[j] = b:load(r, at, width) end
    return b:named(hint(k), blend.sum(b, weights, values))
  end
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local lanes, streaming = target.vector_bytes // 4, knobs.stores == "streaming"
  local b = builder.new("kernel", target)
  local g = frame.geometry(plan, false)
  local v = {
    width = vector.cover(g.inner, lanes)[1].lanes, pitch = g.x.input * g.inner,
    pass = columns.new(b, g.x, g.inner, knobs.columns),
  }
  if g.y then
    v.sum = blend.new(b, g.y, "row", function(i) return i * v.pitch end)
    if v.sum.taps > blend.STRAIGHT then v.line = b:scratch("line", "f32", v.pitch) end
  end
  frame.tasks(b, g, knobs.strips, lanes, function(src, dst, strip)
    if not g.y then
      local function pixel(at, k) return b:load(src, at, v.width, hint(k)) end
      columns.emit(b, v.pass, pixel, dst, v.width, streaming)
      return
    end
    local lo, hi = frame.bounds(b, "strip", g.y.output, knobs.strips, strip)
    b:each("oy", lo, hi, function(o)
      local out = b:view("out", dst, o * g.x.output * g.inner)
      columns.emit(b, v.pass, row_pixel(b, v, src, o), out, v.width, streaming)
    end)
  end)
  return b
end

return M
