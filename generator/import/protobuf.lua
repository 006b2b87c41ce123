-- SPDX-License-Identifier: MIT
-- Protocol buffers: the wire format.
--
-- Purpose: from the bytes of a message and a schema, which is data, to a plain table. It knows no
-- message of ONNX.
-- Invariants: the bytes may be hostile. Every length is checked against what is left before it is
-- used, nothing is read twice, levels and memory are limited: the time is linear in the bytes. What
-- is wrong comes back as a fault with the byte, counted from 0, and the field it belongs to.
--
-- A schema maps field numbers to { name, kind, list }. A kind is "int" (any varint, as 64 bits:
-- negative numbers come out right), "float", "double", "bytes" (a string), "slice" ({ first, last }
-- in the text: nothing is copied), "presence" (true, the value is passed over), or the schema of a
-- message. Numbers of a list may be packed or not. A single field that occurs again
-- replaces the first, a message is merged, as the format wants. Unknown fields are passed over.

local M = {}

local VARINT <const>, FIXED64 <const>, LENGTH <const>, FIXED32 <const> = 0, 1, 2, 5
local LARGEST_FIELD <const> = (1 << 29) - 1
local DEEPEST <const> = 32
local MEMORY <const> = 64 << 20

-- What the tables cost in memory, roughly. A field that is passed over costs time.
local COST <const> = { number = 16, string = 56, slice = 160, message = 640, unknown = 16 }

local WIRE_OF <const> = { int = VARINT, float = FIXED32, double = FIXED64 }
local FIXED <const> = {
  [FIXED32] = { size = 4, format = "<f" },
  [FIXED64] = { size = 8, format = "<d" },
}

---@class upweave.ProtobufFault
---@field reason string
---@field at integer byte, counted from 0
---@field path string the field: `graph.node[3].name`; "" for the message itself
---@field budget boolean? a limit was exceeded; the message may be fine

---@class upweave.ProtobufReader
---@field text string
---@field left integer bytes of memory that may still be used
---@field deepest integer
---@field fault upweave.ProtobufFault?

local function fail(reader, at, reason, budget)
  reader.fault = reader.fault or { reason = reason, at = at - 1, path = "", budget = budget }
  return nil
end

-- Whether there is memory for a value.
local function spend(reader, at, amount)
  reader.left = reader.left - amount
  if reader.left >= 0 then
    return true
  end
  return fail(reader, at, ("the message needs more than %d bytes of memory"):format(reader.memory),
    true)
end

-- The varint at `at` and the position after it.
local function varint(reader, at, stop)
  local value, shift = 0, 0
  for position = at, stop - 1 do
    local byte = reader.text:byte(position)
    value = value | (byte & 0x7f) << shift
    if byte < 0x80 then
      if shift == 63 and byte > 1 then
        return fail(reader, at, "a varint has more than 64 bits")
      end
      return value, position + 1
    end
    shift = shift + 7
    if shift > 63 then
      return fail(reader, at, "a varint has more than ten bytes")
    end
  end
  return fail(reader, at, "a varint is cut off")
end

-- Where the content of a value begins, and the position after it.
local function extent(reader, wire, at, stop)
  if wire == VARINT then
    local _, after = varint(reader, at, stop)
    return at, after
  end
  local size = FIXED[wire] and FIXED[wire].size
  local first = at
  if wire == LENGTH then
    size, first = varint(reader, at, stop)
    if not size then
      return nil
    end
  elseif not size then
    local group = wire == 3 or wire == 4
    return fail(reader, at, ("wire type %d %s"):format(wire,
      group and "is a group, which is not read" or "does not exist"))
  end
  if size < 0 or size > stop - first then
    return fail(reader, at, ("a value of %u bytes is cut off: %d are left"):format(size,
      stop - first))
  end
  return first, first + size
end

-- The number at `first` and the position after it.
local function number(reader, kind, first, last)
  if kind == "int" then
    return varint(reader, first, last)
  end
  return string.unpack(FIXED[WIRE_OF[kind]].format, reader.text, first)
end

-- Packed numbers, added to a list.
local function unpack_into(reader, list, kind, first, last)
  local fixed = FIXED[WIRE_OF[kind]]
  if fixed and (last - first) % fixed.size ~= 0 then
    return fail(reader, first, ("%d bytes of packed numbers are not a multiple of %d"):format(
      last - first, fixed.size))
  end
  local at = first
  while at < last do
    local value
    value, at = number(reader, kind, at, last)
    if not value or not spend(reader, first, COST.number) then
      return nil
    end
    list[#list + 1] = value
  end
  return true
end

local decode_into -- forward: messages hold messages

local function message_of(reader, field, known, first, last, depth)
  if depth == reader.deepest then
    return fail(reader, first, ("messages are nested more than %d deep"):format(depth), true)
  elseif not known and not spend(reader, first, COST.message) then
    return nil
  end
  local message = known or {}
  return decode_into(reader, field.kind, message, first, last, depth + 1) and message
end

-- One value that is no packed list. `known` is the message that it continues, if there is one.
local function value_of(reader, field, known, first, last, depth)
  local kind = field.kind
  if type(kind) == "table" then
    return message_of(reader, field, known, first, last, depth)
  elseif kind == "presence" then
    return true
  elseif kind == "slice" then
    return spend(reader, first, COST.slice) and { first = first, last = last - 1 }
  elseif kind == "bytes" then
    return spend(reader, first, COST.string + last - first) and reader.text:sub(first, last - 1)
  end
  return spend(reader, first, COST.number) and (number(reader, kind, first, last))
end

-- The path of a fault, from the inside out.
local function under(reader, field, list)
  local fault = reader.fault
  local label = list and ("%s[%d]"):format(field.name, #list) or field.name
  fault.path = label .. (fault.path ~= "" and "." .. fault.path or "")
  return nil
end

local function is_packed(field, wire)
  return field.list and wire == LENGTH and WIRE_OF[field.kind] ~= nil
end

local function wire_fits(field, wire)
  local wanted = WIRE_OF[field.kind] or LENGTH
  return field.kind == "presence" or wire == wanted or is_packed(field, wire)
end

local function store(reader, field, message, wire, first, last, depth)
  local list = field.list and message[field.name]
  if not wire_fits(field, wire) then
    fail(reader, first, ("wire type %d does not fit the field"):format(wire))
    return under(reader, field, list)
  elseif is_packed(field, wire) then
    return unpack_into(reader, list, field.kind, first, last) or under(reader, field, list)
  end
  -- A message that is there already is continued.
  local known = not list and type(field.kind) == "table" and message[field.name] or nil
  local value = value_of(reader, field, known, first, last, depth)
  if reader.fault then
    return under(reader, field, list)
  end
  if list then
    list[#list + 1] = value
  else
    message[field.name] = value
  end
  return true
end

-- The lists of a message exist even when they are empty.
local function add_lists(schema, message)
  for _, field in ipairs(schema) do
    if field.list and not message[field.name] then
      message[field.name] = {}
    end
  end
end

function decode_into(reader, schema, message, at, stop, depth)
  add_lists(schema, message)
  while at < stop do
    local key, after = varint(reader, at, stop)
    if not key then
      return nil
    end
    local id = key >> 3
    if id < 1 or id > LARGEST_FIELD then
      return fail(reader, at, ("%u is no field number"):format(id))
    end
    local first, last = extent(reader, key & 7, after, stop)
    if not last then
      return nil
    end
    local field = schema.by_id[id]
    local done = field and store(reader, field, message, key & 7, first, last, depth)
      or not field and spend(reader, at, COST.unknown)
    if not done then
      return nil
    end
    at = last
  end
  return true
end

--- A schema from rows { number, name, kind, "list" or nil }.
---@param rows table[]
---@return table
function M.schema(rows)
  local schema = { by_id = {} }
  for index, row in ipairs(rows) do
    local field = { name = row[2], kind = row[3], list = row[4] == "list" }
    schema[index], schema.by_id[row[1]] = field, field
  end
  return schema
end

--- The message in a text.
---@param text string
---@param schema table from M.schema
---@param limits? {memory: integer?, deepest: integer?}
---@return table? message
---@return upweave.ProtobufFault? fault
function M.decode(text, schema, limits)
  local memory = limits and limits.memory or MEMORY
  local reader = { text = text, left = memory, memory = memory,
    deepest = limits and limits.deepest or DEEPEST, fault = nil }
  local message = {}
  if decode_into(reader, schema, message, 1, #text + 1, 1) then
    return message
  end
  return nil, reader.fault
end

return M
