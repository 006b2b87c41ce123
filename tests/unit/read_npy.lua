-- SPDX-License-Identifier: MIT
-- .npy files in Lua: what is written is read back, what is broken has a reason.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local npy = require "upweave.read.npy"

for _, case in ipairs { { "f32", "<f4", 4 }, { "f64", "<f8", 8 }, { "f16", "<f2", 2 },
  { "bf16", "<u2", 2 }, { "u8", "|u1", 1 }, { "i64", "<i8", 8 } } do
  local dtype, descr, size = table.unpack(case)
  for _, shape in ipairs { {}, { 3 }, { 2, 3 }, { 0, 7 } } do
    local count = 1
    for _, n in ipairs(shape) do count = count * n end
    local data = ("d"):rep(count * size)
    local bytes = npy.encode(dtype, shape, data)
    tap.same(npy.decode(bytes), { descr = descr, dtype = dtype, shape = shape,
      bytes = data },
      dtype .. " {" .. table.concat(shape, ",") .. "}")
    tap.is((#bytes - #data) % 64, 0, "the data are aligned")
  end
  tap.is(npy.descr(dtype), descr, dtype .. ": its name in NumPy")
end
tap.same(npy.decode(command.npy({ 2, 1 }, { 1.5, -2 })), { descr = "<f4", dtype = "f32",
  shape = { 2, 1 },
  bytes = string.pack("<ff", 1.5, -2) }, "a file of another writer")

local good = npy.encode("f32", { 2 }, "abcdefgh")
local function fails(bytes, reason, name)
  local array, why = npy.decode(bytes)
  tap.is(array, nil, name .. ": no array")
  tap.like(why, reason, name .. ": the reason")
end
fails("", "no .npy file", "an empty file")
fails("\x93NUMPZ" .. good:sub(7), "no .npy file", "another beginning")
fails(good:sub(1, 6) .. "\3" .. good:sub(8), "no .npy file", "a later version")
fails(good:sub(1, 9), "cut off", "no header")
fails(good:sub(1, 40), "cut off", "half a header")
fails(good:sub(1, -2), "size that its header says", "a byte too few")
fails(good .. "x", "size that its header says", "a byte too many")
local function edited(from, to)
  local at, stop = good:find(from, 1, true)
  return good:sub(1, at - 1) .. to .. good:sub(stop + 1)
end
fails(edited("<f4", ">f4"), "dtype '>f4' is not read", "big-endian data")
fails(edited("False", "True "), "in Fortran order", "Fortran's order")
fails(edited("False", "Never"), "says no order", "no order")
fails(edited("(2,), }", "(2,)}x "), "no plain array", "text behind the header")
fails(edited("'shape': (2,), ", "'descr': '<f4' "), "no plain array", "a key twice")
fails(edited("2,", "x,"), "no plain array", "a size that is no number")
fails(edited("'descr'", "'descx'"), "no plain array", "no dtype")
fails(edited("2,", ("9"):rep(9)), "size that its header says", "a size that is not there")
fails(good:sub(1, 8) .. "\xff\xff" .. good:sub(11), "too long", "a header that never ends")

-- Version 2 has a longer length.
local head = good:sub(11, 128)
tap.same(npy.decode("\x93NUMPY\2\0" .. string.pack("<s4", head) .. "abcdefgh"),
  { descr = "<f4", dtype = "f32", shape = { 2 }, bytes = "abcdefgh" }, "version 2")

math.randomseed(1)
for _ = 1, 2000 do
  local at = math.random(#good)
  local bytes = good:sub(1, at - 1) .. string.char(math.random(0, 255)) .. good:sub(at + 1)
  local array, why = npy.decode(bytes:sub(1, math.random(10) == 1 and math.random(#bytes) or -1))
  if not array and type(why) ~= "string" then tap.ok(false, "a mutation has a reason") end
end
tap.ok(true, "2,000 mutations are read or have a reason")

tap.done()
