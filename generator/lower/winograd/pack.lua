-- PACKING FOR WINOGRAD
-- ====================
-- Transformed weights as the products read them: of each block of output channels
-- [phase][piece][product][span][ci][channel].

local frame = require "upweave.lower.contract.frame"
local phases = require "upweave.lower.winograd.phases"
local transform = require "upweave.lower.contract.transform"

local M = {}

-- Whether tap i of a span of both axes is present, and how far its place in the kernel is from the
-- first's.
local function tap_of(k, phase, down, across, i)
  local plan, ws = k.plan, k.ws
  local _, _, outer = phases.of(plan.axes[1], ws[1])
  if plan.rank == 1 then
    local y = down * ws[1].r + i
    return phase.presence[1][y + 1], y * outer
  end
  local _, _, inner = phases.of(plan.axes[2], ws[2])
  local y, x = down * ws[1].r + i // ws[2].r, across * ws[2].r + i % ws[2].r
  return phase.presence[1][y + 1] and phase.presence[2][x + 1],
    y * outer * plan.axes[2].kernel + x * inner
end

local function contains(range, i) return i >= range.first and i <= range.last end

-- Where weight j of a span goes, among those of a phase that do not vanish.
local function place_of(k, phase, down, across, j)
  local n = k.products // k.ws[1].n
  for _, piece in ipairs(phase.pieces) do
    local rows, columns = piece.rows, piece.columns
    if contains(rows, j // n) and contains(columns, j % n) then
      local product = (j // n - rows.first) * columns.count + j % n - columns.first
      local row = product * rows.spans.count + down - rows.spans.first
      return piece.weights + row * columns.spans.count + across - columns.spans.first
    end
  end
end

-- The weights of input channel c and output channel o of a block for a span of a phase: those that
-- do not vanish go to packed[at], packed[at + pitch] ….
local function pack_span(k, p, s, phase, down, across, c, o, at, pitch)
  local matrices, f = {}, k.frame
  for axis, w in ipairs(k.ws) do matrices[axis] = w.g end
  transform.weights(p, matrices, function(i)
    local present, distance = tap_of(k, phase, down, across, i)
    if not present then return nil end
    local place = phase.kernel + distance
    return p:load(s.buffers.weight,
      frame.weight_index(k.plan, f.taps, s.g, s.channel + o, c, place), 1)
  end, function(j, u)
    if not u then return end
    p:store(s.buffers.packed, at + place_of(k, phase, down, across, j) * pitch, s.finish(u, o))
  end)
end

-- Those of all spans.
local function pack_pair(k, p, s, phase, ...)
  for down = 0, k.ws[1].spans - 1 do
    for across = 0, k.ws[2] and k.ws[2].spans - 1 or 0 do
      pack_span(k, p, s, phase, down, across, ...)
    end
  end
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
