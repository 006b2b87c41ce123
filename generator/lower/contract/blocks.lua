-- BLOCKS
-- ======
-- Output channels of a group as vectors, and vectors as blocks that are accumulated together.  The
-- packed channels are padded to whole vectors; what is stored is not.  Where inputs are vectors of
-- channels, too, the last vector moves back instead: nothing beyond the channels may be read.

local vector = require "upweave.lower.vector"

local M = {}

---@class lower.contract.Block
---@field vectors integer
---@field lanes integer     of a vector
---@field used integer      channels in use
---@field last_at integer   channel of the last vector, from the block's first
---@field first integer     its first block of this kind, among all of a group
---@field count integer     blocks alike in a row
---@field channel integer   channel at which the first begins

--- Lanes of a vector: a register, or no more than the channels need; with `overlapping` no more
--- than there are.
---@param channels integer
---@param most integer
---@param overlapping boolean?
---@return integer
function M.lanes(channels, most, overlapping)
  local lanes = vector.pow2_floor(channels)
  if lanes < channels and not overlapping then lanes = 2 * lanes end
  return math.min(lanes, most)
end

--- Channels padded to whole vectors.
function M.padded(channels, lanes) return (channels + lanes - 1) // lanes * lanes end

--- Blocks of at most `most` vectors, as even as can be, alike ones counted together; the last one
--- stands alone where its last vector is not full.  With `overlapping` that vector moves back.
---@param channels integer
---@param lanes integer
---@param most integer
---@param overlapping boolean?
---@return lower.contract.Block[] kinds
---@return integer count   of all blocks
function M.split(channels, lanes, most, overlapping)
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
        last_at = overlapping and used - lanes or (n - 1) * lanes,
      }
    end
    at = at + used
  end
  return kinds, count
end

--- First channel of a block's vector, from the block's first, and how many of its lanes are in use.
---@param block lower.contract.Block
---@param v integer   from 1
---@return integer at
---@return integer used
function M.vector(block, v)
  if v < block.vectors then return (v - 1) * block.lanes, block.lanes end
  return block.last_at, math.min(block.lanes, block.used - block.last_at)
end

return M
