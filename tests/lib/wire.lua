-- SPDX-License-Identifier: MIT
-- Protocol buffers as trees without a schema, for tests that change what a valid file says.
--
-- Purpose: bytes to a list of fields and back. What can be read as a message is taken for one, down
-- to the last level; the bytes that come back are those that were read.

local M = {}

local DEEPEST <const> = 12

local function varint(bytes, at)
  local n = 0
  for shift = 0, 63, 7 do
    local byte = bytes:byte(at)
    if not byte then return nil end
    n, at = n | (byte & 0x7f) << shift, at + 1
    if byte < 0x80 then return n, at end
  end
end

local FIXED <const> = { [1] = 8, [5] = 4 }

-- The field at a position and the position after it.
local function field_at(bytes, at, depth)
  local key, first = varint(bytes, at)
  if not key or key >> 3 == 0 then return nil end
  local field = { id = key >> 3, wire = key & 7 }
  local size = FIXED[field.wire]
  if field.wire == 0 then
    field.value, first = varint(bytes, first)
    return field.value and field, first
  elseif field.wire == 2 then
    size, first = varint(bytes, first)
  end
  if not size or size < 0 or first + size - 1 > #bytes then return nil end
  local content = bytes:sub(first, first + size - 1)
  field.value = field.wire == 2 and depth < DEEPEST and M.parse(content, depth + 1) or content
  return field, first + size
end

--- The fields of a message; nil if the bytes are none.
---@param bytes string
---@param depth integer?
---@return table[]? { id, wire, value }: a number, a string, or fields
function M.parse(bytes, depth)
  local fields, at = {}, 1
  while at <= #bytes do
    fields[#fields + 1], at = field_at(bytes, at, depth or 1)
    if not at then return nil end
  end
  return #fields > 0 and fields or nil
end

local function write_varint(n)
  local bytes = {}
  repeat
    local low = n & 0x7f
    n = n >> 7
    bytes[#bytes + 1] = string.char(n ~= 0 and low | 0x80 or low)
  until n == 0
  return table.concat(bytes)
end

--- The bytes of fields.
---@param fields table[]
---@return string
function M.write(fields)
  local parts = {}
  for index, field in ipairs(fields) do
    local key, value = write_varint(field.id << 3 | field.wire), field.value
    if field.wire == 0 then
      value = write_varint(value)
    elseif field.wire == 2 then
      value = type(value) == "table" and M.write(value) or value
      value = write_varint(#value) .. value
    end
    parts[index] = key .. value
  end
  return table.concat(parts)
end

--- All fields of a tree, each with the list that it stands in: { list, index }.
---@param fields table[]
---@param all table[]?
---@return table[]
function M.all(fields, all)
  all = all or {}
  for index, field in ipairs(fields) do
    all[#all + 1] = { list = fields, index = index }
    if type(field.value) == "table" then M.all(field.value, all) end
  end
  return all
end

return M
