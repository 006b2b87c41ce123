-- SPDX-License-Identifier: MIT
-- Sizes in an ELF object file.
--
-- Purpose: how many bytes of code and of constants an object holds, without an external program.
-- Invariant: 64-bit little-endian objects, which all targets have; anything else, or a damaged
-- file, gives nil.

local M = {}

local MAGIC <const> = "\127ELF\2\1"
local EXECUTABLE <const>, ALLOCATED <const>, WRITABLE <const> = 4, 2, 1
local NO_BYTES <const> = 8 -- section type of .bss
local UNWIND <const> = ".eh_frame"

local function constant(kind, flags)
  return flags & ALLOCATED ~= 0 and flags & WRITABLE == 0 and kind ~= NO_BYTES
end

--- Bytes of machine code and of constants.
---@param bytes string an object file
---@return integer|nil code
---@return integer|nil constants
function M.sizes(bytes)
  if bytes:sub(1, #MAGIC) ~= MAGIC or #bytes < 64 then return nil end
  local offset = string.unpack("<I8", bytes, 0x28 + 1)
  local size, count, last = string.unpack("<I2I2I2", bytes, 0x3a + 1)
  if size < 64 or offset < 0 or offset + size * count > #bytes or last >= count then return nil end
  local names = string.unpack("<I8", bytes, offset + size * last + 0x18 + 1)
  local code, constants = 0, 0
  for index = 0, count - 1 do
    local at = offset + index * size + 1
    local name, kind, flags = string.unpack("<I4I4I8", bytes, at)
    local length = string.unpack("<I8", bytes, at + 0x20)
    if flags & EXECUTABLE ~= 0 then
      code = code + length
    elseif constant(kind, flags) and bytes:match("^%Z*", names + name + 1) ~= UNWIND then
      constants = constants + length
    end
  end
  return code, constants
end

return M
