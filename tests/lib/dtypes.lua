-- SPDX-License-Identifier: MIT
-- Element types in tests: how .npy files name and hold them, numbers to bytes and back.

local literal = require "upweave.emit.literal"

local M = {}

-- A number from the bits of a 16-bit format with `digits` of fraction, least exponent `lowest`.
local function number(bits, digits, lowest)
  local sign = bits & 0x8000 ~= 0 and -1.0 or 1.0
  local exponent, fraction = bits >> digits & (0x7fff >> digits), bits & (1 << digits) - 1
  if exponent == 0x7fff >> digits then return fraction == 0 and sign * math.huge or 0 / 0 end
  if exponent == 0 then return sign * fraction * 2.0 ^ (lowest - digits) end
  return sign * (fraction | 1 << digits) * 2.0 ^ (exponent - 1 + lowest - digits)
end

local function short(dtype, descr, digits, lowest)
  return {
    descr = descr, bytes = 2,
    pack = function(v) return string.pack("<I2", math.tointeger(literal.number(dtype, v))) end,
    unpack = function(text, at) return number(string.unpack("<I2", text, at), digits, lowest) end,
  }
end

local function plain(descr, bytes, format)
  return {
    descr = descr, bytes = bytes,
    pack = function(v) return string.pack(format, v) end,
    unpack = function(text, at) return (string.unpack(format, text, at)) end,
  }
end

--- By name: { descr, bytes, pack(number), unpack(text, at) }.
M.of = {
  f32 = plain("<f4", 4, "<f"), f64 = plain("<f8", 8, "<d"), u8 = plain("|u1", 1, "<I1"),
  f16 = short("f16", "<f2", 10, -14), bf16 = short("bf16", "<u2", 7, -126),
}

--- The bytes of an element; every NaN is one.
function M.bits(dtype, v) return v ~= v and "NaN" or M.of[dtype].pack(v) end

return M
