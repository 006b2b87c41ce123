-- SPDX-License-Identifier: MIT
-- What an object file needs from outside.

local M = {}

--- Undefined symbols of a 64-bit ELF object, sorted.
---@param bytes string
---@return string names
function M.undefined(bytes)
  local function number(at, size) return (string.unpack("<I" .. size, bytes, at + 1)) end
  local sections, size, count = number(0x28, 8), number(0x3a, 2), number(0x3c, 2)
  local names = {}
  for i = 0, count - 1 do
    local at = sections + i * size
    if number(at + 4, 4) == 2 then -- a table of symbols
      local strings = number(sections + number(at + 0x28, 4) * size + 0x18, 8)
      local from, length = number(at + 0x18, 8), number(at + 0x20, 8)
      for symbol = from + 24, from + length - 24, 24 do
        if number(symbol + 6, 2) == 0 then
          names[#names + 1] = bytes:match("^%Z*", strings + number(symbol, 4) + 1)
        end
      end
    end
  end
  table.sort(names)
  return table.concat(names, " ")
end

return M
