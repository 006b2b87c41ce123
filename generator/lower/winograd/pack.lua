-- PACKING FOR WINOGRAD
-- ====================
-- Transformed weights as the products read them: of each block of output channels
-- [product][ci][channel].

local frame = require "upweave.lower.contract.frame"
local transform = require "upweave.lower.contract.transform"

local M = {}

-- The weights of input channel c and output channel o of a block: product j goes to
-- packed[at + j·pitch].  The taps of transposed convolution run against its kernel.
local function pack_pair(k, p, s, c, o, at, pitch)
  local matrices, f = {}, k.frame
  for axis = 1, k.plan.rank do matrices[axis] = k.w.g end
  local place = frame.weight_index(k.plan, f.taps, s.g, s.channel + o, c, 0)
  transform.weights(p, matrices, function(i)
    return p:load(s.buffers.weight, place + (k.plan.transposed and f.taps - 1 - i or i), 1)
  end, function(j, u) p:store(s.buffers.packed, at + j * pitch, s.finish(u, o)) end)
end

--- The function that packs the weights of a block, as the frame wants it.
---@param k table
---@return fun(f: lower.contract.Frame, p: ir.Builder, s: lower.contract.Share)
function M.weights(k)
  return function(f, p, s)
    local ci, width = k.plan.ci, s.block.vectors * s.block.lanes
    p:each("o", 0, s.block.used, function(o)
      p:each("c", 0, ci, function(c)
        pack_pair(k, p, s, c, o, s.at + c * width + o, ci * width)
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
