-- SPDX-License-Identifier: MIT
-- Packing by the interpreter: bytes of numbers, of the module's output.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local dtypes = dofile "tests/lib/dtypes.lua"
local builder = require "upweave.ir.builder"
local pack = require "upweave.ir.pack"
local types = require "upweave.ir.types"

-- Bytes of an element type against string.pack, around the number that are made at once.
local function check_bytes(elem, format, value)
  for _, count in ipairs { 0, 1, 127, 128, 129, 256, 300 } do
    local array, want = {}, {}
    for i = 0, count - 1 do
      array[i] = value(i)
      want[i + 1] = string.pack(format, array[i])
    end
    array[count] = "no number"
    tap.ok(types.bytes(elem, array, count) == table.concat(want), ("%d of %s"):format(count, elem))
  end
end
check_bytes("f32", "<f", function(i) return i / 8 - 3 end)
check_bytes("f64", "<d", function(i) return i / 7 end)
check_bytes("i8", "<i1", function(i) return i % 256 - 128 end)

-- Numbers of bytes, the other way round; the short types from all their bits.
tap.same(types.numbers("f64", string.pack("<ddd", 0.1, -0.0, math.huge)),
  { [0] = 0.1, -0.0, math.huge }, "numbers of f64")
tap.same(types.numbers("i8", "\x80\x7f"), { [0] = -128, 127 }, "numbers of i8")
tap.same(types.numbers("f32", ""), {}, "no numbers")
for _, elem in ipairs { "f16", "bf16" } do
  local bits = {}
  for i = 0, 0xffff do bits[i + 1] = string.pack("<I2", i) end
  local numbers, want, wrong = types.numbers(elem, table.concat(bits)), dtypes.of[elem], 0
  for i = 0, 0xffff do
    local value = numbers[i]
    local right = value ~= value or want.pack(value) == bits[i + 1]
    local exponent = elem == "f16" and 0x7c00 or 0x7f80
    local is_nan = i & 0x7fff > exponent
    if not right or (value ~= value) ~= is_nan then wrong = wrong + 1 end
  end
  tap.is(wrong, 0, "all numbers of " .. elem)
end

-- weight and bias interleaved, the bias folded in double precision
local function module_of(work)
  local b = builder.new("pack", { name = "test", fma = false }, work)
  local weight, bias = b:input("weight", "f32", 6, work), b:input("bias", "f32", 2, work)
  local packed = b:output("packed", work, 8)
  b:each("o", 0, 2, function(o)
    b:each("i", 0, 3, function(i) b:store(packed, i * 2 + o, b:load(weight, o * 3 + i)) end)
    local wide = b:convert(b:load(bias, o), "f64")
    local third = b:div(wide, b:const("f64", 1, 3))
    b:store(packed, o + 6, b:convert(third, work))
  end)
  return b
end
local parameters = {
  weight = ir.array { 1.0, 2.0, 3.0, 4.0, 5.0, 6.0 }, bias = ir.array { 1.0, -0.0 },
}
tap.is(pack.pack(module_of "f32", parameters),
  string.pack("<ffffffff", 1, 4, 2, 5, 3, 6, 1 / 3, -0.0), "packed f32")
tap.is(pack.pack(module_of "f64", parameters),
  string.pack("<dddddddd", 1, 4, 2, 5, 3, 6, 1 / 3, -0.0), "packed f64")
tap.is(parameters.weight[5], 6.0, "the parameters are as they were")
ir.fails(function() pack.pack(module_of "f32", { weight = parameters.weight }) end,
  "a parameter is missing", "without the bias")

tap.done()
