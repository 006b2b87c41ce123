-- SPDX-License-Identifier: MIT
-- Tensors of ONNX.
--
-- Purpose: from a TensorProto to { name, shape, dtype, bytes }: one form, whatever field the file
-- keeps the numbers in. The bytes are those of .npy: little-endian, in the order of the shape.
-- Invariants: a size is checked before it is used; what is too large is a budget, not a crash.
-- Nothing outside the model's folder is ever opened (import/external.lua).

local diagnostics = require "upweave.util.diagnostics"
local external = require "upweave.import.external"

local M = {}

local MOST_AXES <const> = 32
local MOST_BYTES <const> = 128 << 20
local EXTERNAL <const> = 1
local BATCH <const> = 128 -- numbers packed at a time

---@class upweave.OnnxDtype
---@field name string as specs say it, where they can
---@field bytes integer
---@field field string the typed field
---@field format string of string.pack, for a number as the typed field holds it
---@field min integer?
---@field max integer?

-- By the number that onnx.proto gives the data type.
---@type table<integer, upweave.OnnxDtype>
local DTYPES <const> = {
  [1] = { name = "f32", bytes = 4, field = "float_data", format = "f" },
  [2] = { name = "u8", bytes = 1, field = "int32_data", format = "B", min = 0, max = 255 },
  [3] = { name = "i8", bytes = 1, field = "int32_data", format = "b", min = -128, max = 127 },
  [6] = { name = "i32", bytes = 4, field = "int32_data", format = "i4", min = -1 << 31,
    max = (1 << 31) - 1 },
  [7] = { name = "i64", bytes = 8, field = "int64_data", format = "i8" },
  [10] = { name = "f16", bytes = 2, field = "int32_data", format = "I2", min = 0, max = 65535 },
  [11] = { name = "f64", bytes = 8, field = "double_data", format = "d" },
  [16] = { name = "bf16", bytes = 2, field = "int32_data", format = "I2", min = 0, max = 65535 },
}
local TYPED <const> = { "float_data", "int32_data", "int64_data", "double_data" }

local by_name = {}
for id = 1, 16 do
  local dtype = DTYPES[id]
  if dtype then
    by_name[dtype.name] = dtype
  end
end

---@class upweave.OnnxTensor
---@field name string
---@field shape integer[]
---@field dtype string
---@field bytes string

--- The dtype with this number in ONNX; nil if Upweave has none like it.
---@param id integer?
---@return string?
function M.dtype(id)
  return DTYPES[id] and DTYPES[id].name
end

local function fault(place, code, fields)
  fields.where = place
  return nil, { diagnostics.new(code, fields) }
end

local function invalid(place, reason)
  return fault(place, "E071", { reason = reason })
end

local function check_dims(dims, place)
  if #dims > MOST_AXES then
    return invalid(place, ("it has %d axes; %d are possible"):format(#dims, MOST_AXES))
  end
  for _, n in ipairs(dims) do
    if n < 0 then
      return invalid(place, ("a size is %d"):format(n))
    end
  end
  return true
end

-- The number of elements; a float, so that it cannot wrap round.
local function elements(dims)
  local count = 1.0
  for _, n in ipairs(dims) do
    count = count * n
  end
  return count
end

local function pack(numbers, dtype, place)
  local parts = {}
  for first = 1, #numbers, BATCH do
    local last = math.min(first + BATCH - 1, #numbers)
    for index = first, last do
      local n = numbers[index]
      if dtype.min and (n < dtype.min or n > dtype.max) then
        return invalid(place, ("number %d, %d, is no %s"):format(index - 1, n, dtype.name))
      end
    end
    local format = "<" .. dtype.format:rep(last - first + 1)
    parts[#parts + 1] = string.pack(format, table.unpack(numbers, first, last))
  end
  return table.concat(parts)
end

-- The one typed field that holds numbers, or nil; a second one is a fault.
local function typed_field(proto, dtype, place)
  for _, name in ipairs(TYPED) do
    if #proto[name] > 0 and name ~= dtype.field then
      return invalid(place, ("%s stands in %s, not in %s"):format(dtype.name, dtype.field, name))
    end
  end
  return proto[dtype.field]
end

local function inner_bytes(proto, dtype, size, source, place)
  local numbers, faults = typed_field(proto, dtype, place)
  local raw = proto.raw_data
  if not numbers then
    return nil, faults
  elseif raw and #numbers > 0 then
    return invalid(place, "its numbers stand in two fields")
  elseif not raw and #numbers * dtype.bytes ~= size then
    return invalid(place, ("it has %d numbers and its shape needs %d"):format(#numbers,
      size // dtype.bytes))
  elseif not raw then
    return pack(numbers, dtype, place)
  elseif raw.last - raw.first + 1 ~= size then
    return invalid(place, ("it has %d bytes and its shape needs %d"):format(
      raw.last - raw.first + 1, size))
  end
  return source.text:sub(raw.first, raw.last)
end

---@class upweave.OnnxSource
---@field path string for the places
---@field folder string of the file: where external data may lie
---@field text string

--- The tensor of a TensorProto.
---@param proto table
---@param source upweave.OnnxSource
---@return upweave.OnnxTensor?
---@return upweave.Diagnostic[]? faults
function M.read(proto, source)
  local place = ("%s tensor `%s`"):format(source.path, proto.name or "")
  local dtype = DTYPES[proto.data_type]
  if not dtype then
    return fault(place, "E110", { what = "a tensor of ONNX's data type " .. (proto.data_type or 0),
      reason = "f32, f64, f16, bf16, u8, i8, i32 and i64 are read", hint = false })
  elseif proto.segment then
    return invalid(place, "segments of tensors were never part of ONNX files")
  end
  local ok, faults = check_dims(proto.dims, place)
  if not ok then
    return nil, faults
  end
  local size = elements(proto.dims) * dtype.bytes
  if size > MOST_BYTES then
    return fault(place, "E900", { hint = false,
      reason = ("a tensor has %.0f bytes; %d are read"):format(size, MOST_BYTES) })
  end
  local bytes
  size = math.tointeger(size)
  if proto.data_location == EXTERNAL then
    bytes, faults = external.read(proto, size, source, place)
  else
    bytes, faults = inner_bytes(proto, dtype, size, source, place)
  end
  if not bytes then
    return nil, faults
  end
  return { name = proto.name or "", shape = proto.dims, dtype = dtype.name, bytes = bytes }
end

--- The number whose bits are those of a 16-bit float with so many bits of mantissa.
local function widen(bits, mantissa)
  local exponents = 15 - mantissa
  local bias = (1 << (exponents - 1)) - 1
  local exponent = bits >> mantissa & (1 << exponents) - 1
  local fraction = (bits & (1 << mantissa) - 1) / (1 << mantissa)
  local value = exponent == 0 and fraction * 2.0 ^ (1 - bias)
    or (1 + fraction) * 2.0 ^ (exponent - bias)
  if exponent == (1 << exponents) - 1 then
    value = fraction == 0 and math.huge or 0 / 0
  end
  return bits >> 15 == 1 and -value or value
end

local WIDEN <const> = { f16 = 10, bf16 = 7 }

--- The numbers in bytes: an iterator over index, value.
---@param bytes string
---@param name string dtype
---@return fun(): integer?, number?
function M.numbers(bytes, name)
  local dtype, mantissa = by_name[name], WIDEN[name]
  local format, index, at = "<" .. dtype.format, 0, 1
  return function()
    if at > #bytes then
      return nil
    end
    local value = string.unpack(format, bytes, at)
    index, at = index + 1, at + dtype.bytes
    return index, mantissa and widen(value, mantissa) or value
  end
end

--- The numbers of a small tensor.
---@param tensor upweave.OnnxTensor
---@return number[]
function M.values(tensor)
  local values = {}
  for index, value in M.numbers(tensor.bytes, tensor.dtype) do
    values[index] = value
  end
  return values
end

--- A tensor from numbers.
---@param name string dtype
---@param numbers number[]
---@param shape integer[]
---@return upweave.OnnxTensor
function M.of(name, numbers, shape)
  return { name = "", shape = shape, dtype = name, bytes = pack(numbers, by_name[name], "") }
end

return M
