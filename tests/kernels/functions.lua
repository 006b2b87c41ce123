-- SPDX-License-Identifier: MIT
-- sigmoid, tanh and gelu compiled, against the interpreter, bit for bit: f32 and f64, vectors and
-- scalars, with and without fma, at special values and ordinary ones.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local handmade = dofile("tests/lib/handmade.lua")(tap, compiled)
local functions = require "upweave.lower.functions"
local types = require "upweave.ir.types"

local input = {
  0 / 0, math.huge, -math.huge, 0.0, -0.0, 2.0 ^ -149, -2.0 ^ -149, 0x1.fffffep127,
  -0x1.fffffep127, 2.0 ^ -126, 1e30, -1e30, 88.0, -88.5, 89.0, -89.0, 10.06, -10.06, 9.024, -9.024,
  5.491, -5.491, 10.0, -10.0, 104.0, -104.0, 1.0, -1.0, 0.5, -0.5, 1e-5, -1e-5,
}
for k = #input + 1, handmade.SIZE do input[k] = (k * k % 61 - 30) * 0.2718 end
for k, v in ipairs(input) do input[k] = types.round("f32", v) end

local cases = {}
local function case(name, elem, lanes)
  cases[#cases + 1] = {
    name = ("%s of %s, %d lanes"):format(name, elem, lanes),
    fn = function(b, x, y)
      b:each("i", 0, handmade.SIZE // lanes, function(i)
        local v = b:convert(b:load(x, i * lanes, lanes), elem)
        b:store(y, i * lanes, b:convert(functions[name](b, v), "f32"))
      end)
    end,
  }
end
for _, name in ipairs { "sigmoid", "tanh", "gelu", "gelu_tanh" } do
  case(name, "f32", 4)
  case(name, "f32", 1)
  case(name, "f64", 2)
end

local here = compiled.runnable()
for _, target in ipairs(here) do handmade.check(19, target, cases, input) end
handmade.check(14, here[1], cases, input)
if #here > 1 then handmade.check(14, here[#here], cases, input) end

compiled.command.clean()
tap.done()
