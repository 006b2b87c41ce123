-- SPDX-License-Identifier: MIT
-- The wire format of protocol buffers: what is read, and where what is wrong is found.

local tap = dofile "tests/lib/tap.lua"
local onnx = dofile "tests/lib/onnx.lua"
local protobuf = require "upweave.import.protobuf"

local inner = protobuf.schema { { 1, "n", "int" }, { 2, "s", "bytes" } }
inner.by_id[3] = { name = "again", kind = inner } -- a message that holds itself
local schema = protobuf.schema {
  { 1, "n", "int" }, { 2, "f", "float" }, { 3, "d", "double" }, { 4, "s", "bytes" },
  { 5, "raw", "slice" }, { 6, "here", "presence" }, { 7, "inner", inner },
  { 8, "ints", "int", "list" }, { 9, "floats", "float", "list" },
  { 10, "doubles", "double", "list" }, { 11, "strings", "bytes", "list" },
  { 12, "inners", inner, "list" },
}
local EMPTY <const> = { ints = {}, floats = {}, doubles = {}, strings = {}, inners = {} }

local function reads(bytes, want, name)
  local message, fault = protobuf.decode(bytes, schema)
  for key, value in pairs(EMPTY) do
    if want[key] == nil then want[key] = value end
  end
  if not tap.same(message, want, name) and fault then tap.diag(fault.reason) end
end

reads("", {}, "nothing: empty lists")
for _, n in ipairs { 0, 1, 127, 128, 300, 1 << 31, math.maxinteger, -1, math.mininteger } do
  reads(onnx.int(1, n), { n = n }, "the varint " .. n)
end
reads("\8\x80\x80\0", { n = 0 }, "a varint longer than needed")
reads(onnx.fixed32(2, string.pack("<f", -1.5)), { f = -1.5 }, "a float")
reads(onnx.fixed64(3, string.pack("<d", 0.1)), { d = 0.1 }, "a double")
reads(onnx.bytes(4, "a\0b"), { s = "a\0b" }, "a string of any bytes")
reads(onnx.bytes(4, ""), { s = "" }, "an empty string")
reads(onnx.bytes(5, "abc"), { raw = { first = 3, last = 5 } }, "a slice: positions")
reads(onnx.bytes(6, "x"), { here = true }, "presence of bytes")
reads(onnx.int(6, 0), { here = true }, "presence of a number")
reads(onnx.bytes(7, onnx.int(1, 5)), { inner = { n = 5 } }, "a message")
reads(onnx.bytes(7, onnx.int(1, 5)) .. onnx.bytes(7, onnx.bytes(2, "s")),
  { inner = { n = 5, s = "s" } }, "a message in two parts is merged")
reads(onnx.int(1, 5) .. onnx.int(1, 6), { n = 6 }, "the last of two numbers holds")
for _, packed in ipairs { true, false } do
  local how = packed and "packed" or "one by one"
  reads(onnx.numbers(8, { 1, -1, 300 }, packed), { ints = { 1, -1, 300 } }, "integers " .. how)
  reads(onnx.numbers(9, { 0.5, -2 }, packed, 5, function(n) return string.pack("<f", n) end),
    { floats = { 0.5, -2.0 } }, "floats " .. how)
  reads(onnx.numbers(10, { 0.1, 7 }, packed, 1, function(n) return string.pack("<d", n) end),
    { doubles = { 0.1, 7.0 } }, "doubles " .. how)
end
reads(onnx.numbers(8, { 1, 2 }, true) .. onnx.int(8, 3), { ints = { 1, 2, 3 } },
  "packed and single numbers may be mixed")
reads(onnx.bytes(8, ""), {}, "no packed numbers")
reads(onnx.bytes(11, "a") .. onnx.bytes(11, ""), { strings = { "a", "" } }, "strings")
reads(onnx.bytes(12, onnx.int(1, 1)) .. onnx.bytes(12, ""), { inners = { { n = 1 }, {} } },
  "messages in a list are not merged")
reads(onnx.int(100, 1) .. onnx.fixed32(101, "abcd") .. onnx.fixed64(102, "abcdefgh")
  .. onnx.bytes(103, "abc") .. onnx.int(1, 1), { n = 1 }, "unknown fields are passed over")
reads(onnx.int((1 << 29) - 1, 1), {}, "the largest field number")

local function fails(bytes, want, name, limits)
  local message, fault = protobuf.decode(bytes, schema, limits)
  tap.is(message, nil, name .. ": no message")
  tap.same(fault, want, name)
end

local function nested(depth)
  local bytes = ""
  for _ = 1, depth do bytes = onnx.bytes(3, bytes) end
  return onnx.bytes(7, bytes)
end

fails("\8", { reason = "a varint is cut off", at = 1, path = "" }, "no value")
fails("\8\xff", { reason = "a varint is cut off", at = 1, path = "" }, "a varint without its end")
fails("\8" .. ("\xff"):rep(10) .. "\0",
  { reason = "a varint has more than ten bytes", at = 1, path = "" }, "eleven bytes")
fails("\8" .. ("\xff"):rep(9) .. "\2",
  { reason = "a varint has more than 64 bits", at = 1, path = "" }, "65 bits")
fails("\0\0", { reason = "0 is no field number", at = 0, path = "" }, "field 0")
fails(onnx.varint(1 << 32) .. "\0", { reason = "536870912 is no field number", at = 0, path = "" },
  "a field number too large")
fails(onnx.varint(-8) .. "\0",
  { reason = "2305843009213693951 is no field number", at = 0, path = "" }, "a negative key")
fails("\11\12", { reason = "wire type 3 is a group, which is not read", at = 1, path = "" },
  "a group")
fails("\12", { reason = "wire type 4 is a group, which is not read", at = 1, path = "" },
  "the end of a group")
fails("\14", { reason = "wire type 6 does not exist", at = 1, path = "" }, "wire type 6")
fails("\34\5abc", { reason = "a value of 5 bytes is cut off: 3 are left", at = 1, path = "" },
  "a length beyond the end")
fails("\34" .. onnx.varint(-1), { path = "", at = 1,
  reason = "a value of 18446744073709551615 bytes is cut off: 0 are left" }, "a length of 2^64-1")
fails("\34", { reason = "a varint is cut off", at = 1, path = "" }, "no length")
fails("\21abc", { reason = "a value of 4 bytes is cut off: 3 are left", at = 1, path = "" },
  "a float cut off")
fails(onnx.bytes(1, "a"), { reason = "wire type 2 does not fit the field", at = 2, path = "n" },
  "bytes for a number")
fails(onnx.int(7, 1), { reason = "wire type 0 does not fit the field", at = 1, path = "inner" },
  "a number for a message")
fails(onnx.bytes(9, "abc"), { path = "floats[0]", at = 2,
  reason = "3 bytes of packed numbers are not a multiple of 4" }, "packed floats of three bytes")
fails(onnx.bytes(8, "\1\x80"), { reason = "a varint is cut off", at = 3, path = "ints[1]" },
  "packed numbers that end within one")
fails(onnx.bytes(12, "") .. onnx.bytes(12, onnx.bytes(3, "\8")),
  { reason = "a varint is cut off", at = 7, path = "inners[1].again" }, "the path of a fault")
fails(onnx.bytes(7, "\8\1\34\9") .. ("x"):rep(20), { path = "inner", at = 5,
  reason = "a value of 9 bytes is cut off: 0 are left" }, "a message does not reach out of itself")

fails(nested(40), { reason = "messages are nested more than 32 deep", at = 64, budget = true,
  path = "inner" .. (".again"):rep(31) }, "nested too deep")
tap.ok(protobuf.decode(nested(30), schema), "nested deep")
fails(nested(4), { reason = "messages are nested more than 3 deep", at = 6, budget = true,
  path = "inner.again.again" }, "a limit of its own", { deepest = 3 })

local function memory(bytes, path, at, name)
  fails(bytes, { reason = "the message needs more than 1000 bytes of memory", at = at, path = path,
    budget = true }, name, { memory = 1000 })
end
memory(onnx.bytes(8, ("\1"):rep(100)), "ints[62]", 2, "memory of packed numbers")
memory(onnx.bytes(4, ("a"):rep(1000)), "s", 3, "memory of a string")
memory(onnx.bytes(11, ""):rep(20), "strings[17]", 36, "memory of strings")
memory(onnx.bytes(12, ""):rep(2), "inners[1]", 4, "memory of messages")
memory(onnx.bytes(5, "abc"):rep(7), "raw", 32, "memory of slices")
memory(onnx.int(15, 1):rep(63), "", 124, "fields that are passed over count, too")
local ten = onnx.bytes(8, ("\1"):rep(10)) -- numbers of 16 bytes
tap.ok(protobuf.decode(ten, schema, { memory = 160 }), "all of the memory may be used")
fails(ten, { reason = "the message needs more than 159 bytes of memory", at = 2, path = "ints[9]",
  budget = true }, "not a byte more", { memory = 159 })
tap.ok(protobuf.decode(onnx.bytes(5, ("a"):rep(5000)), schema, { memory = 1000 }),
  "what a slice holds costs nothing")

-- Linear in the bytes: a million small fields.
local began = os.clock()
tap.ok(protobuf.decode(onnx.int(100, 1):rep(1000000), schema), "a million unknown fields")
tap.ok(os.clock() - began < 20, "in little time")

tap.done()
