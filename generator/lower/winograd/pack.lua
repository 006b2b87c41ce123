-- PACKING FOR WINOGRAD
-- ====================
-- Transformed weights as the products read them: of each block of output channels
-- [phase][product][summed tap][ci][channel].

local frame = require "upweave.lower.contract.frame"
local phases = require "upweave.lower.winograd.phases"
local transform = require "upweave.lower.contract.transform"

local M = {}

-- Whether tap i of both axes is present, and how far its place in the kernel is from the first's.
local function tap_of(k, phase, i)
  local last = k.plan.axes[k.plan.rank]
  local _, _, inner = phases.of(last, k.ws[k.plan.rank])
  if k.plan.rank == 1 then return phase.presence[1][i + 1], i * inner end
  local _, _, outer = phases.of(k.plan.axes[1], k.ws[1])
  local y, x = i // k.ws[2].r, i % k.ws[2].r
  return phase.presence[1][y + 1] and phase.presence[2][x + 1], y * outer * last.kernel + x * inner
end

-- Where weight j of a phase goes, among those that do not vanish.
local function place_of(k, phase, j)
  local across = k.plan.rank == 2 and #k.ws[2].g or 1
  local first = j // across - phase.rows.first - phase.taps.first
  local row, tap = first, 0
  if k.ws[1].summed then row, tap = 0, first end
  return (row * phase.columns.count + j % across - phase.columns.first) * phase.taps.count + tap
end

-- The weights of input channel c and output channel o of a block for a phase: those that do not
-- vanish go to packed[at], packed[at + pitch] ….
local function pack_pair(k, p, s, phase, c, o, at, pitch)
  local matrices, f = {}, k.frame
  for axis, w in ipairs(k.ws) do matrices[axis] = w.g end
  transform.weights(p, matrices, function(i)
    local present, distance = tap_of(k, phase, i)
    if not present then return nil end
    local place = phase.kernel + distance
    return p:load(s.buffers.weight,
      frame.weight_index(k.plan, f.taps, s.g, s.channel + o, c, place), 1)
  end, function(j, u)
    if u then p:store(s.buffers.packed, at + place_of(k, phase, j) * pitch, s.finish(u, o)) end
  end)
end

--- The function that packs the weights of a block, as the frame wants it.
---@param k table
---@return fun(f: lower.contract.Frame, p: ir.Builder, s: lower.contract.Share)
function M.weights(k)
  local all
  return function(f, p, s)
    local ci, width = k.plan.ci, s.block.vectors * s.block.lanes
    all = all or phases.declare(p, k.plan, k.ws)
    p:each("o", 0, s.block.used, function(o)
      p:each("c", 0, ci, function(c)
        all:each("phase", 0, function(phase)
          local at = s.at + phase.weights * (ci * width) + c * width + o
          pack_pair(k, p, s, phase, c, o, at, ci * width)
        end)
      end)
    end)
    p:each("o", s.block.used, width, function(o)
      p:each("i", 0, f.places * ci, function(i)
        p:store(s.buffers.packed, s.at + i * width + o, p:const(f.plan.work, 1, 0))
      end)
    end)
  end
end

return M
