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

local function most_taps(map)
  local taps = 0
  for _, t in ipairs(map.taps) do taps = math.max(taps, #t.index) end
  return taps
end

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

--- Legal for interleaved tensors; the weights across rows stay in registers beside a pixel's
--- values: rows' taps + columns' taps + 2.
function M.legal(plan, knobs, target)
  if plan.planar then return nil, "channels needs an interleaved tensor (NWC, NHWC, NDHWC)" end
  local map = plan.axes[plan.rank]
  local need = most_taps(map) + (plan.rank > 1 and most_taps(plan.axes[plan.rank - 1]) or 0) + 2
  if need > target.registers then
    return nil, ("%d taps need more than the %d vector registers of %s"):format(need - 2,
      target.registers, target.name)
  end
  if plan.rank ~= 2 and knobs.strips > 1 then
    return nil, "strips cut the rows of two spatial axes, the tensor has " .. plan.rank
  end
  return true
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local lanes, streaming = target.vector_bytes // 4, knobs.stores == "streaming"
  local b = builder.new("kernel", target)
  local g = frame.geometry(plan, false)
  local width = vector.cover(g.inner, lanes)[1].lanes
  local pitch = g.x.input * g.inner
  local pass = columns.new(b, g.x, g.inner, knobs.columns)
  local sum = g.y and blend.new(b, g.y, "row", function(i) return i * pitch end)
  frame.tasks(b, g, knobs.strips, lanes, function(src, dst, strip)
    if not g.y then
      columns.emit(b, pass, function(at, k) return b:load(src, at, width, "v" .. k - 1) end, dst,
        width, streaming)
      return
    end
    local lo, hi = frame.bounds(b, "strip", g.y.output, knobs.strips, strip)
    b:each("o", lo, hi, function(o)
      local rows = blend.sources(b, sum, src, o)
      local wide = blend.splat(b, blend.weights(b, sum, o), width)
      local function pixel(at, k)
        local values = {}
        for j, r in ipairs(rows) do values[j] = b:load(r, at, width) end
        return b:named("v" .. k - 1, blend.sum(b, wide, values))
      end
      columns.emit(b, pass, pixel, b:view("out", dst, o * g.x.output * g.inner), width, streaming)
    end)
  end)
  return b
end

return M
