-- PATTERNS
-- ========
-- Weights and channels' parameters as the vectors of an expanded line want them: those of one
-- period of the line after another.

local frame = require "upweave.lower.contract.frame"
local vector = require "upweave.lower.vector"

local M = {}

--- What packs for each row of the kernel and tap the weights of the outputs of a period; then what
--- fills the last channel's share.
function M.packing(k)
  local s, last = k.shape, k.plan.axes[k.plan.rank]
  return function(f, p, share)
    local place, has, packed = {}, {}, share.buffers.packed
    for _, kernel in ipairs(s.expansion.lines.kernel) do
      for r = 1, last.phases do
        place[#place + 1], has[#has + 1] = kernel[r] or 0, kernel[r] and 1 or 0
      end
    end
    place = p:table("place", "i32", place, last.phases, "kernel positions by tap and phase")
    has = p:table("has", "i32", has)
    local rows = f.taps // last.kernel
    p:each("fill", rows * s.slots * s.period, f.places * share.block.used, function(m)
      p:store(packed, share.at + m, p:const(packed.work, 1, 0))
    end)
    p:each("row", 0, rows, function(row)
      p:each("tap", 0, s.slots, function(tap)
        p:each("m", 0, s.period, function(m)
          local at = share.at + row * (s.slots * s.period) + tap * s.period + m
          local pattern = tap * last.phases + m // s.inner % last.phases
          p:store(packed, at, p:const(packed.work, 1, 0))
          p:each("one", 0, p:fetch(has, pattern), function()
            local o = m % s.inner
            local from = frame.weight_index(k.plan, f.taps, share.g, share.channel + o, 0,
              row * last.kernel + p:fetch(place, pattern))
            p:store(packed, at, share.finish(p:load(share.buffers.weight, from, 1), o))
          end)
        end)
      end)
    end)
  end
end

--- Parameters of an interleaved tensor, repeated to the length of a period: k.pattern.
function M.declare(k)
  local f, s = k.frame, k.shape
  k.parameters = #f.vectors + (f.bias and 1 or 0)
  if k.plan.planar or k.parameters == 0 then return end
  k.parameter_pitch = (s.period + s.inner + s.lanes) // s.lanes * s.lanes
  k.pattern = k.b:scratch("pattern", k.plan.work, k.parameters * k.parameter_pitch)
end

--- Fill k.pattern.
function M.fill(k)
  if not k.pattern then return end
  local b, f, s = k.b, k.frame, k.shape
  local first = f.bias or f.vectors[1]
  b:each("parameter", 0, k.parameters, function(i)
    b:each("copy", 0, (s.period + s.inner - 1) // s.inner, function(copy)
      for _, v in ipairs(vector.cover(s.inner, s.lanes)) do
        b:store(k.pattern, i * k.parameter_pitch + copy * s.inner + v.at,
          b:load(f.packed, i * s.inner + first + v.at, v.lanes))
      end
    end)
  end)
end

--- The packed vector from element `first` of a vector of all channels, for the lanes of a block.
function M.parameter(k, first, at)
  local b, f, s = k.b, k.frame, k.shape
  if k.plan.planar then return b:splat(b:load(f.packed, k.channel + first, 1), s.lanes) end
  if not k.pattern then return b:load(f.packed, at + first, s.lanes) end
  local number = (first - (f.bias or f.vectors[1])) // s.inner
  return b:load(k.pattern, number * k.parameter_pitch + at, s.lanes)
end

return M
