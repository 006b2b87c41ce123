-- SPDX-License-Identifier: MIT
-- Tensors of ONNX: whatever the form, the same bytes; and external data, which stay in the folder.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local onnx = dofile "tests/lib/onnx.lua"
local import = require "upweave.import"
local tensors = require "upweave.import.tensor"
local uv = require "luv"

local BF16 <const>, F16 <const> = { 0x3f80, 0xc000, 0x7f80 }, { 0x3c00, 0xc000, 0x0001 }
local CASES <const> = {
  { "f32", "<fff", { 1.5, -0.0, 1 / 0 } }, { "f64", "<ddd", { 0.1, -1.0, 2.0 } },
  { "u8", "BBB", { 0, 128, 255 } }, { "i8", "bbb", { -128, 0, 127 } },
  { "i32", "<i4i4i4", { -1 << 31, -1, 5 } }, { "i64", "<i8i8i8", { math.mininteger, -1, 7 } },
  { "f16", "<I2I2I2", F16, { 1.0, -2.0, 2.0 ^ -24 } },
  { "bf16", "<I2I2I2", BF16, { 1.0, -2.0, 1 / 0 } },
}

for _, case in ipairs(CASES) do
  local dtype, format, values, numbers = table.unpack(case, 1, 4)
  for _, form in ipairs { { "raw" }, { "typed", typed = true },
    { "typed and packed", typed = true, packed = true } } do
    local bytes = onnx.tensor { name = "t", dtype = dtype, shape = { 3, 1 }, values = values,
      typed = form.typed, packed = form.packed }
    local tensor = import.tensor("t.pb", bytes)
    tap.same(tensor, { name = "t", dtype = dtype, shape = { 3, 1 },
      bytes = string.pack(format, table.unpack(values)) }, dtype .. ", " .. form[1])
    tap.same(tensors.values(tensor), numbers or values, dtype .. ", " .. form[1] .. ": numbers")
  end
end

local function one(fields)
  fields.dtype, fields.shape = fields.dtype or "f32", fields.shape or { 1 }
  return import.tensor("t.pb", onnx.tensor(fields))
end

tap.same(one { shape = {}, values = { 2.0 } }, { name = "", dtype = "f32", shape = {},
  bytes = string.pack("<f", 2) }, "a scalar")
tap.is(one({ shape = { 0, 5 }, values = {} }).bytes, "", "no elements")
local thousand, ones = {}, {}
for index = 1, 1000 do thousand[index] = index * 7 end
for axis = 1, 32 do ones[axis] = 1 end
tap.same(tensors.values(one { dtype = "i64", shape = { 1000 }, values = thousand, typed = true }),
  thousand, "more numbers than are packed at a time")
tap.is(#one({ shape = ones, values = { 1.0 } }).shape, 32, "32 axes")
tap.is(one({ shape = { 0 }, values = {}, typed = true }).bytes, "", "no elements in no field")
tap.is(one({ shape = { 300 }, values = F16 and (function()
  local list = {}
  for index = 1, 300 do list[index] = index end
  return list
end)(), typed = true }).bytes:sub(-4), string.pack("<f", 300), "more than are packed at a time")

local nan = tensors.values { dtype = "f16", bytes = "\1\x7c\0\xfc\0\x80", shape = { 3 }, name = "" }
tap.ok(nan[1] ~= nan[1], "f16: NaN")
tap.is(nan[2], -1 / 0, "f16: -infinity")
tap.is(1 / nan[3], -1 / 0, "f16: -0")

local function fails(fields, code, reason, name)
  local tensor, faults = one(fields)
  tap.is(tensor, nil, name .. ": no tensor")
  tap.is(faults and faults[1].code, code, name .. ": " .. code)
  tap.like(faults and faults[1].because, reason, name .. ": the reason")
end

fails({ values = { 1, 2 } }, "E071", "8 bytes and its shape needs 4", "too many raw bytes")
fails({ values = { 1, 2 }, typed = true }, "E071", "2 numbers and its shape needs 1",
  "too many numbers")
fails({ shape = { -1 }, values = {} }, "E071", "a size is -1", "a negative size")
fails({ values = { 1 }, extra = onnx.fixed32(4, "abcd") }, "E071", "in two fields", "two fields")
fails({ values = {}, typed = true, extra = onnx.int(5, 1) }, "E071",
  "f32 stands in float_data, not in int32_data", "the wrong field")
fails({ dtype = "u8", values = { 256 }, typed = true }, "E071", "number 0, 256, is no u8",
  "a number too large")
fails({ dtype = "f16", values = { -1 }, typed = true }, "E071", "is no f16", "no bits of f16")
fails({ values = { 1 }, extra = onnx.bytes(3, "") }, "E071", "segments", "segments")
fails({ values = { 1 }, extra = onnx.int(2, 8) }, "E110", "are read", "strings")
fails({ shape = { 1 << 40, 1 << 40 }, values = {} }, "E900", "bytes; 134217728 are read",
  "a size that would wrap round")
fails({ shape = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
  23, 24, 25, 26, 27, 28, 29, 30, 31, 32 }, values = {} }, "E071", "33 axes", "too many axes")

-- External data ---------------------------------------------------------------------------------

local outside = command.folder()
local folder = outside .. "/model"
local beside = folder .. "s" -- its name begins with that of the model's folder
for _, path in ipairs { folder, beside, folder .. "/deep" } do assert(uv.fs_mkdir(path, 448)) end
command.write(beside .. "/secret", "else")
command.write(outside .. "/secret", ("s"):rep(64))
command.write(folder .. "/data", ("d"):rep(8) .. string.pack("<f", 3) .. "rest")
command.write(folder .. "/deep/data", string.pack("<f", 4))
assert(uv.fs_symlink(outside .. "/secret", folder .. "/link"))
assert(uv.fs_symlink(outside, folder .. "/way"))
assert(uv.fs_symlink("data", folder .. "/inner"))
assert(uv.fs_symlink(beside .. "/secret", folder .. "/beside"))

local function external(entries)
  return import.tensor(folder .. "/m.onnx", onnx.tensor { name = "w", dtype = "f32", shape = { 1 },
    external = entries })
end

tap.is(external({ { "location", "data" }, { "offset", "8" }, { "length", "4" } }).bytes,
  string.pack("<f", 3), "external data")
tap.is(external({ { "location", "deep/data" } }).bytes, string.pack("<f", 4), "in a folder below")
tap.is(external({ { "location", "./inner" }, { "offset", "8" } }).bytes, string.pack("<f", 3),
  "by a link within")

local function refused(entries, reason, name)
  local tensor, faults = external(entries)
  tap.is(tensor, nil, name .. ": nothing is read")
  tap.is(faults and faults[1].code, "E072", name .. ": E072")
  tap.like(faults and faults[1].because, reason, name .. ": the reason")
end

refused({}, "empty", "no location")
refused({ { "location", "" } }, "empty", "an empty location")
refused({ { "location", outside .. "/secret" } }, "absolute", "an absolute path")
refused({ { "location", "../secret" } }, "leads out", "a path upwards")
refused({ { "location", "deep/../../secret" } }, "leads out", "a path up and down")
refused({ { "location", "link" } }, "symbolic link", "a link to a file outside")
refused({ { "location", "way/secret" } }, "symbolic link", "a link to a folder outside")
refused({ { "location", "beside" } }, "symbolic link", "a link to a folder with a longer name")
refused({ { "location", "data\0.txt" } }, "character", "a NUL")
refused({ { "location", "..\\secret" } }, "character", "a backslash")
refused({ { "location", "deep" } }, "not a plain file", "a folder")
refused({ { "location", "nothing" } }, "no such file", "no file")
refused({ { "location", "data" }, { "offset", "14" } }, "has 16 bytes and 18", "past the end")
refused({ { "location", "data" }, { "offset", "-1" } }, "offset", "a negative offset")
refused({ { "location", "data" }, { "offset", ("9"):rep(30) } }, "offset", "an offset too large")
refused({ { "location", "data" }, { "length", "8" } }, "its shape needs 4", "another length")
refused({ { "location", "data" }, { "location", "inner" } }, "twice", "two locations")
refused({ { "location", "data" }, { "what", "" } }, "unknown", "an unknown key")

command.clean()
tap.done()
