-- PATCH
-- =====
-- What a tile of an image is between the transforms along its two axes, a vector of channels at a
-- time.  Where the registers are enough, it is in them, and loops over it are unrolled (F(2,3), C1:
-- 720 → 688 us); else it is in memory, and each loop has one matrix and fits the registers.

local M = {}

-- Registers for what a transform calculates with beside the patch.
local OTHERS <const> = 12

---@class lower.winograd.Patch
---@field straight boolean   in registers: what is put in a loop is there only inside of it
---@field each fun(name: string, lo: integer, hi: integer, fn: fun(i: integer|ir.Index))
---@field put fun(i: integer|ir.Index, v: table)
---@field get fun(i: integer|ir.Index, hint: string): table?   nil if nothing was put

local function in_registers()
  local values = {}
  return {
    straight = true,
    each = function(_, lo, hi, fn)
      for i = lo, hi - 1 do fn(i) end
    end,
    put = function(i, v) values[i] = v end,
    get = function(i) return values[i] end,
  }
end

local function in_memory(k, lanes)
  return {
    straight = false,
    each = function(name, lo, hi, fn) k.b:each(name, lo, hi, fn) end,
    put = function(i, v) k.b:store(k.patch, i * lanes, v) end,
    get = function(i, hint) return k.b:load(k.patch, i * lanes, lanes, hint) end,
  }
end

--- Sets k.patch, the memory of patches, where registers are not enough.
---@param k table
function M.declare(k)
  local n <const> = k.w.n
  if k.plan.rank == 2 and n * n + OTHERS > k.b.target.registers then
    k.patch = k.b:scratch("patch", k.plan.work, n * n * k.lanes)
  end
end

--- The patch of a tile.
---@param k table
---@param lanes integer
---@return lower.winograd.Patch
function M.new(k, lanes) return k.patch and in_memory(k, lanes) or in_registers() end

return M
