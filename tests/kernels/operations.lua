-- SPDX-License-Identifier: MIT
-- Operations on floats against the interpreter, for all pairs of unusual numbers: comparisons,
-- quotients, roots, signs, conversions, powers of two made of bits. On all targets that this
-- machine runs and in emulators, by both compilers; no target calls a library for any of them.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local elf = dofile "tests/lib/elf.lua"
local handmade = dofile("tests/lib/handmade.lua")(tap, compiled)
local machines = dofile "tests/lib/machines.lua"
local cross = require "upweave.toolchain.cross"
local targets = require "upweave.target"

-- The first eight are paired with each other; RISC-V gives NaN a positive sign when it converts.
local input = { -(0 / 0), math.huge, -math.huge, 0.0, -0.0, 1.5, -2.0 ^ -149, 0x1.fffffep127 }
for k = #input + 1, handmade.SIZE do input[k] = k * k % 37 - 18.0 end

local cases = {}
local function case(name, fn) cases[#cases + 1] = { name = name, fn = fn } end

-- y[8i + j] = fn(x[i], x[j]), calculated with `lanes` of `elem`
-- in a loop: of all pairs side by side Clang 19 makes vectors of 64 bytes with lanes mixed up
local function pairs_of(elem, lanes, fn)
  return function(b, x, y)
    b:each("i", 0, 8, function(i)
      local p = b:convert(b:splat(b:load(x, i), lanes), elem)
      for j = 0, 7, lanes do
        local value = fn(b, p, b:convert(b:load(x, j, lanes), elem))
        b:store(y, i * 8 + j, b:convert(value, "f32"))
      end
    end)
  end
end

local function everywhere(name, fn)
  case(name, pairs_of("f32", 4, fn))
  case(name .. ", eight lanes", function(b, x, y)
    pairs_of("f32", b.target.vector_bytes < 32 and 4 or 8, fn)(b, x, y)
  end)
  case(name .. ", f64", pairs_of("f64", 2, fn))
end
local function also_scalar(name, fn)
  everywhere(name, fn)
  case(name .. ", scalar", pairs_of("f32", 1, fn))
  case(name .. ", scalar f64", pairs_of("f64", 1, fn))
end

also_scalar("max", function(b, p, q) return b:max(p, q) end)
also_scalar("min", function(b, p, q) return b:min(p, q) end)
also_scalar("lt", function(b, p, q) return b:lt(p, q, b:add(p, q), q) end)
also_scalar("div", function(b, p, q) return b:div(p, q) end)
also_scalar("sub", function(b, p, q) return b:sub(p, q) end)
also_scalar("sqrt", function(b, p, q) return b:sqrt(b:mul(p, q)) end)
everywhere("abs", function(b, p, q) return b:abs(b:sub(p, q)) end)
everywhere("neg", function(b, p, q) return b:neg(b:add(p, q)) end)
everywhere("with_sign", function(b, p, q) return b:with_sign(b:abs(p), q) end)
case("lt that chooses integers", pairs_of("f32", 4, function(b, p, q)
  local function words(v) return b:const("i32", 4, v) end
  return b:convert(b:lt(p, q, words { 1, 2, 3, 4 }, words(-7)), "f32")
end))
case("lt of integers", pairs_of("f32", 4, function(b, p, q)
  return b:lt(b:cast(p, "i32"), b:cast(q, "i32"), p, q)
end))
case("clamp", pairs_of("f32", 4, function(b, p, q)
  local function all(v) return b:const("f32", 4, v) end
  return b:min(all(6), b:max(all(0), b:add(p, q)))
end))
case("shifts", pairs_of("f32", 4, function(b, p, q)
  local bits = b:bxor(b:cast(p, "u32"), b:cast(q, "u32"))
  local left = b:shift(b:band(bits, b:const("u32", 4, 0xff0fff)), -11)
  return b:cast(b:bxor(b:shift(bits, 5), left), "f32")
end))
case("signed shifts", pairs_of("f32", 4, function(b, p, q)
  local bits = b:bxor(b:cast(p, "i32"), b:cast(q, "i32"))
  return b:cast(b:bxor(b:shift(bits, 5), b:shift(bits, -7)), "f32")
end))
case("powers of two", function(b, x, y)
  for i = 8, handmade.SIZE - 8, 4 do
    local n = b:to_integer(b:load(x, i, 4))
    local bits = b:shift(b:add(n, b:const("i32", 4, 127)), -23)
    b:store(y, i, b:add(b:cast(bits, "f32"), b:convert(n, "f32")))
  end
end)
case("powers of two of f64", function(b, x, y)
  for i = 8, handmade.SIZE - 8, 2 do
    local t = b:add(b:convert(b:load(x, i, 2), "f64"), b:const("f64", 2, 0x1.8p52 + 1023))
    local words = b:cast(t, "u32")
    local high = b:shuffle(words, b:const("u32", 4, 0), { 4, 0, 4, 2 })
    b:store(y, i, b:convert(b:cast(b:shift(high, -20), "f64"), "f32"))
  end
end)

-- results ---------------------------------------------------------------------------------------

for _, target in ipairs(compiled.runnable()) do handmade.check(19, target, cases, input) end
local here = compiled.runnable()
handmade.check(14, here[1], cases, input)
if #here > 1 then handmade.check(14, here[#here], cases, input) end

local compiler = compiled.any_compiler()
for _, machine in ipairs(compiler and machines.others(compiler) or {}) do
  if machine.lacks then
    tap.skip("operations on " .. machine.arch, machine.lacks)
  else
    local target = machine.runs[#machine.runs]
    handmade.compare(compiled.any_compiler(), target, cases, input, machine.runner)
  end
end

-- no function from outside ----------------------------------------------------------------------

local function check_symbols(major, target)
  local with = compiled.compiler(major)
  local name = ("clang-%d, %s: no function from outside"):format(major, target.name)
  if not with then return tap.skip(name, "it is not installed") end
  local faults = {}
  local units = handmade.units(target, cases)
  for i, result in ipairs(compiled.compile(with, units)) do
    local names = result.ok and elf.undefined(result.object) or result.stderr
    if names ~= "" then faults[#faults + 1] = units[i].name .. ": " .. names end
  end
  tap.ok(#faults == 0, name)
  for _, fault in ipairs(faults) do tap.diag(fault) end
end

for _, target in ipairs(targets.list()) do
  if #cross.missing(compiler, target) == 0 then
    check_symbols(19, target)
    check_symbols(14, target)
  end
end

compiled.command.clean()
tap.done()
