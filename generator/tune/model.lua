-- SPDX-License-Identifier: MIT
-- What a candidate should cost, without compiling it.
--
-- Purpose: a number by which candidates of one problem are put in order before any is measured.
-- It is modest on purpose: the machine decides, the model only says whom it sees first. It counts
-- the vector instructions of a run (ir/count.lua) by the units that carry them out, times what the
-- cache level costs in which the kernel's own buffers lie: rings, planes and blocks that are
-- written once and read for every reuse. Invariants: pure; the same kernel has the same cost.

local count = require "upweave.ir.count"
local types = require "upweave.ir.types"

local M = {}

local KB <const> = 1024
-- Caches of the smaller machines of the last ten years, of which data may take three quarters: the
-- rest is for what streams through.
local LEVELS <const> = {
  { bytes = 32 * KB * 3 // 4, factor = 1 },
  { bytes = 512 * KB * 3 // 4, factor = 1.4 },
}
local BEYOND <const> = 2.5
-- Instructions a cycle: two loads, one store, two of arithmetic, one shuffle.
local LOADS <const>, STORES <const>, ARITHMETIC <const>, SHUFFLES <const> = 2, 1, 2, 1

-- Bytes of the buffers that a kernel keeps for itself.
local function own_bytes(module)
  local total = 0
  for _, buffer in ipairs(module.buffers) do
    if buffer.mode == "scratch" then
      total = total + buffer.size * types.element_bytes[buffer.elem]
    end
  end
  return total
end

--- The factor of the cache level that so many bytes fit.
---@param bytes integer
---@return number
function M.level(bytes)
  for _, level in ipairs(LEVELS) do
    if bytes <= level.bytes then return level.factor end
  end
  return BEYOND
end

--- The cost of a kernel, in cycles of an idealised core.
---@param module ir.Builder
---@return number
function M.cost(module)
  local totals = count.count(module)
  local reach = (totals.loads / LOADS + totals.stores / STORES) * M.level(own_bytes(module))
  local work = math.max(totals.arithmetic / ARITHMETIC, totals.shuffles / SHUFFLES)
  -- Both overlap, but never wholly.
  return math.max(reach, work) + math.min(reach, work) / 4
end

return M
