-- BLOCKS
-- ======
-- Output channels of a group as vectors, and vectors as blocks that are accumulated together.  The
-- packed channels are padded to whole vectors; what is stored is not.

local vector = require "upweave.lower.vector"

local M = {}

---@class lower.contract.Block
---@field vectors integer
---@field lanes integer     of a vector
---@field used integer      channels in use, from the first lane on
---@field first integer     its first block of this kind, among all of a group
---@field count integer     blocks alike in a row
---@field channel integer   channel at which the first begins

--- Lanes of a vector: a register, or no more than the channels need.
---@param channels integer
---@param most integer
---@return integer
function M.lanes(channels, most)
  local lanes = vector.pow2_floor(channels)
  if lanes < channels then lanes = 2 * lanes end
  return math.min(lanes, most)
end

--- Channels padded to whole vectors.
function M.padded(channels, lanes) return (channels + lanes - 1) // lanes * lanes end

--- Blocks of at most `most` vectors, as even as can be, alike ones counted together; the last one
--- stands alone where its last vector is not full.
---@param channels integer
---@param lanes integer
---@param most integer
---@return lower.contract.Block[] kinds
---@return integer count   of all blocks
function M.split(channels, lanes, most)
  local vectors = M.padded(channels, lanes) // lanes
  local count = (vectors + most - 1) // most
  local kinds, at = {}, 0
  for i = 0, count - 1 do
    local n = vectors // count + (i < vectors % count and 1 or 0)
    local used = math.min(n * lanes, channels - at)
    local last = kinds[#kinds]
    if last and last.vectors == n and last.used == used then
      last.count = last.count + 1
    else
      kinds[#kinds + 1] = {
        vectors = n, lanes = lanes, used = used, first = i, count = 1, channel = at,
      }
    end
    at = at + used
  end
  return kinds, count
end

return M
