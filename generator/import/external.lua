-- SPDX-License-Identifier: MIT
-- External data of ONNX tensors.
--
-- Purpose: the numbers of a tensor that its file keeps in another one. Invariants: only files below
-- the model's folder are opened (read/inside.lua); never more is read than the tensor needs.

local diagnostics = require "upweave.util.diagnostics"
local inside = require "upweave.read.inside"
local uv = require "luv"

local M = {}

local KEYS <const> = { location = true, offset = true, length = true, checksum = true }

local function fail(place, reason)
  return nil, { diagnostics.new("E072", { where = place, reason = reason }) }
end

local function entries_of(proto, place)
  local entries = {}
  for _, entry in ipairs(proto.external_data) do
    local key = entry.key or ""
    if not KEYS[key] or entries[key] then
      return fail(place, ("key %q is unknown or stands twice"):format(key))
    end
    entries[key] = entry.value or ""
  end
  return entries
end

-- A size as a decimal number, or its default.
local function size_of(text, default)
  if text == nil then
    return default
  end
  return text:find("^%d+$") and #text < 19 and math.tointeger(tonumber(text)) or nil
end

local function read_at(path, offset, size)
  local descriptor = uv.fs_open(path, "r", 0)
  local bytes = descriptor and uv.fs_read(descriptor, size, offset)
  if descriptor then
    uv.fs_close(descriptor)
  end
  return bytes and #bytes == size and bytes or nil
end

--- The bytes of a tensor with external data.
---@param proto table
---@param size integer bytes that its shape needs
---@param source upweave.OnnxSource
---@param place string for diagnostics
---@return string?
---@return upweave.Diagnostic[]? faults
function M.read(proto, size, source, place)
  local entries, faults = entries_of(proto, place)
  if not entries then
    return nil, faults
  end
  local location = entries.location or ""
  local offset, length = size_of(entries.offset, 0), size_of(entries.length, size)
  if not offset or length ~= size then
    return fail(place, ("its length is %s and its shape needs %d bytes; its offset is %s"):format(
      entries.length or "not given", size, entries.offset or "0"))
  end
  local folder = { path = source.folder, owner = "model", word = "location" }
  local path, room = inside.find(folder, location)
  if not path then
    return fail(place, room)
  elseif offset + size > room then
    return fail(place, ("%s has %d bytes and %d are needed"):format(location, room, offset + size))
  end
  local bytes = read_at(path, offset, size)
  if not bytes then
    return fail(place, location .. " cannot be read")
  end
  return bytes
end

return M
