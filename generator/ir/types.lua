-- TYPES
-- =====
-- The value types of the kernel IR: an element type and a number of lanes, interned, so that two
-- equal types are the same table.  f16 and bf16 are storage: they are moved, permuted and
-- converted, never calculated with.

local M = {}

---@class ir.Type
---@field elem string     element type: a key of element_bytes
---@field lanes integer   1 for a scalar
---@field name string     "f32", "f32x16", …
---@field bytes integer   size of the whole value

--- Bytes of one element.
M.element_bytes = {
  f64 = 8, f32 = 4, f16 = 2, bf16 = 2, i32 = 4, u32 = 4, i16 = 2, u16 = 2, i8 = 1, u8 = 1,
}

--- Whether an element type has fractions.
---@param elem string
---@return boolean
function M.fractional(elem) return elem:find("f", 1, true) ~= nil end

local interned = {}

--- The type of `lanes` elements of type `elem`.
---@param elem string
---@param lanes integer
---@return ir.Type
function M.of(elem, lanes)
  local name = lanes == 1 and elem or elem .. "x" .. lanes
  local ty = interned[name]
  if not ty then
    local size = M.element_bytes[elem] or error("unknown element type " .. tostring(elem))
    assert(lanes >= 1 and lanes & (lanes - 1) == 0, "lanes must be a power of two")
    ty = { elem = elem, lanes = lanes, name = name, bytes = size * lanes }
    interned[name] = ty
  end
  return ty
end

local pack, unpack = string.pack, string.unpack

-- The nearest multiple of a power of two, ties to even.
local function to_multiple(v, unit)
  local magic = 0x1.8p52 * unit
  return v + magic - magic
end

-- A double to a format of `digits` binary digits, least exponent `lowest` and largest finite
-- number `largest`.  What is given has been rounded to f32 before: this is a conversion.
local function short(digits, lowest, largest)
  return function(v)
    if v ~= v or v == 0 or v - v ~= 0 then return v end
    local exponent = (unpack("<i8", pack("<d", v)) >> 52 & 0x7ff) - 1023
    local rounded = to_multiple(v, 2.0 ^ (math.max(exponent, lowest) - digits + 1))
    if math.abs(rounded) > largest then return v > 0 and math.huge or -math.huge end
    return rounded == 0 and v < 0 and -0.0 or rounded
  end
end

local ranges = {
  i32 = { -0x80000000, 0x7fffffff }, u32 = { 0, 0xffffffff }, i16 = { -0x8000, 0x7fff },
  u16 = { 0, 0xffff }, i8 = { -0x80, 0x7f }, u8 = { 0, 0xff },
}

--- The least and the greatest number of an integer type.
---@param elem string
---@return integer?
---@return integer?
function M.range(elem)
  local range = ranges[elem]
  if range then return range[1], range[2] end
end

--- An integer's lower bits as a number of an integer type.
---@param elem string
---@param n integer
---@return integer
function M.wrap(elem, n)
  local lowest, highest = M.range(elem)
  return (n - lowest) % (highest - lowest + 1) + lowest
end

local function integer(elem)
  local lowest, highest = M.range(elem)
  return function(v)
    local n = math.tointeger(v)
    assert(n and n >= lowest and n <= highest, "an integer of its type")
    return n
  end
end

local rounding = {
  f64 = function(v) return v * 1.0 end,         -- keeps the sign of zero, which + 0.0 does not
  f32 = function(v) return (unpack("<f", pack("<f", v))) end,
  f16 = short(11, -14, 65504),
  bf16 = short(8, -126, 0x1.fep127),
  i32 = integer "i32", u32 = integer "u32", i16 = integer "i16", u16 = integer "u16",
  i8 = integer "i8", u8 = integer "u8",
}

-- How string.pack writes an element; f16 and bf16 have no such form, and are only read.
local formats = {
  f64 = "<d", f32 = "<f", i32 = "<i4", u32 = "<I4", i16 = "<i2", u16 = "<I2", i8 = "<i1",
  u8 = "<I1",
}

--- The same bits as elements of another type.
---@param values number[]
---@param from string
---@param to string
---@return number[]
function M.reinterpret(values, from, to)
  local bytes, out = {}, {}
  for i, v in ipairs(values) do bytes[i] = pack(formats[from], v) end
  local text, size = table.concat(bytes), M.element_bytes[to]
  for at = 1, #text, size do out[#out + 1] = unpack(formats[to], text, at) end
  return out
end

-- Numbers that are made bytes at once.
local BATCH <const> = 128

--- The bytes of `count` numbers in memory, the least significant first.
---@param elem string
---@param array number[]   0-based
---@param count integer
---@return string
function M.bytes(elem, array, count)
  local format, out = formats[elem]:sub(2), {}
  local batch, whole = "<" .. format:rep(BATCH), count // BATCH * BATCH
  for at = 0, whole - 1, BATCH do
    out[#out + 1] = pack(batch, table.unpack(array, at, at + BATCH - 1))
  end
  for at = whole, count - 1 do out[#out + 1] = pack("<" .. format, array[at]) end
  return table.concat(out)
end

-- An f16 or a bf16 from its bits.
local from_bits = {
  f16 = function(bits)
    local sign, exponent, fraction = bits >> 15 == 0 and 1.0 or -1.0, bits >> 10 & 31, bits & 1023
    if exponent == 0 then return sign * fraction * 2.0 ^ -24 end
    if exponent == 31 then return fraction == 0 and sign * math.huge or 0.0 / 0.0 end
    return sign * (1024 + fraction) * 2.0 ^ (exponent - 25)
  end,
  bf16 = function(bits) return (unpack("<f", pack("<I4", bits << 16))) end,
}

--- The numbers whose bytes these are, the other way round; of f16 and bf16, too.
---@param elem string
---@param bytes string
---@return number[] array   0-based
function M.numbers(elem, bytes)
  local array, convert, at = {}, from_bits[elem], 1
  local format = "<" .. (convert and "I2" or formats[elem]:sub(2))
  for i = 0, #bytes // M.element_bytes[elem] - 1 do
    local value
    value, at = unpack(format, bytes, at)
    array[i] = convert and convert(value) or value
  end
  return array
end

--- The function that rounds numbers to the precision of an element type.
---@param elem string
---@return fun(value: number): number
function M.rounder(elem) return rounding[elem] end

--- Round a number to the precision of an element type.
---@param elem string
---@param value number
---@return number
function M.round(elem, value) return rounding[elem](value) end

return M
