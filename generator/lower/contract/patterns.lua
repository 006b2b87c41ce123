-- PATTERNS
-- ========
-- Weights and channels' parameters as the vectors of an expanded line want them: those of one
-- period of the line after another.

local blocks = require "upweave.lower.contract.blocks"
local frame = require "upweave.lower.contract.frame"
local vector = require "upweave.lower.vector"

local M = {}

-- The kernel positions of all taps by phase and, if some phase lacks some tap, which there are.
local function tables_of(p, kernel, phases)
  local place, used, whole = {}, {}, true
  for _, tap in ipairs(kernel) do
    for r = 1, phases do
      place[#place + 1], used[#used + 1] = tap[r] or 0, tap[r] and 1 or 0
      whole = whole and tap[r] ~= nil
    end
  end
  return {
    kernel = p:table("place", "i32", place, phases, "kernel positions by tap and phase"),
    used = not whole and p:table("used", "i32", used, phases, "whether a phase has the tap") or nil,
  }
end

--- What packs for each row of the kernel and tap the weights of the outputs of a period; then what
--- fills the last channel's share.
function M.packing(k)
  local s, last = k.shape, k.plan.axes[k.plan.rank]
  local each = s.slots * s.period
  return function(f, p, share)
    local rows, packed, zero = f.taps // last.kernel, share.buffers.packed, p:const(p.work, 1, 0)
    local place = tables_of(p, s.expansion.lines.kernel, last.phases)
    p:each("row", 0, rows, function(row)
      p:each("m", 0, each, function(m)
        local at, pattern = row * each + m, m // s.period * last.phases
        local o = m % s.period % s.inner
        pattern = pattern + m % s.period // s.inner % last.phases
        local function pack()
          local from = frame.weight_index(k.plan, f.taps, share.g, share.channel + o, 0,
            row * last.kernel + p:fetch(place.kernel, pattern))
          p:store(packed, share.at + at, share.finish(p:load(share.buffers.weight, from, 1), o))
        end
        if not place.used then return pack() end
        p:store(packed, share.at + at, zero)
        p:each("one", 0, p:fetch(place.used, pattern), pack)
      end)
    end)
    local size = f.places * blocks.padded(share.block.used, share.block.lanes)
    p:each("fill", rows * each, size, function(m) p:store(packed, share.at + m, zero) end)
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
          b:load(f.packed, i * f.padded + first + v.at, v.lanes))
      end
    end)
  end)
end

--- The packed vector from element `first` of a vector of all channels, for the lanes of a block.
function M.parameter(k, first, at)
  local b, f, s = k.b, k.frame, k.shape
  if k.plan.planar then return b:splat(b:load(f.packed, k.channel + first, 1), s.lanes) end
  if not k.pattern then return b:load(f.packed, at + first, s.lanes) end
  local number = (first - (f.bias or f.vectors[1])) // f.padded
  return b:load(k.pattern, number * k.parameter_pitch + at, s.lanes)
end

return M
