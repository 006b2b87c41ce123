-- SPDX-License-Identifier: MIT
-- The interpreter: rounding of every operation (fma once), NaN and signs, places of memory, loops
-- and views, what is undefined.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local eval = require "upweave.ir.eval"
local types = require "upweave.ir.types"

local inf = math.huge
local nan = 0 / 0
local function f32(v) return types.round("f32", v) end

-- fma: a·b + c rounded once ----------------------------------------------------------------------

local function is_fma(a, b, c, want, name) tap.is(eval.fma(a, b, c), want, "fma: " .. name) end
is_fma(2.0, 3.0, 4.0, 10.0, "small integers")
-- (1 + 2^-12)² = 1 + 2^-11 + 2^-24: a tie of floats, kept or broken by c
local e = 1 + 2.0 ^ -12
is_fma(e, e, 0.0, 1 + 2.0 ^ -11, "a tie goes to even")
is_fma(e, e, 2.0 ^ -60, 1 + 2.0 ^ -11 + 2.0 ^ -23, "a tie broken upwards far below double")
is_fma(e, e, -2.0 ^ -60, 1 + 2.0 ^ -11, "a tie broken downwards far below double")
is_fma(-e, e, -2.0 ^ -60, -(1 + 2.0 ^ -11 + 2.0 ^ -23), "negative: broken away from 0")
is_fma(-e, e, 2.0 ^ -60, -(1 + 2.0 ^ -11), "negative: broken towards 0")
-- the same far from 1, on both sides of it
for _, scale in ipairs { 2.0 ^ -10, 2.0 ^ 10 } do
  local up = scale * (1 + 2.0 ^ -11 + 2.0 ^ -23)
  is_fma(scale * e, e, scale * 2.0 ^ -60, up, ("a tie of %g broken upwards"):format(scale))
  is_fma(-scale * e, e, -scale * 2.0 ^ -60, -up, ("and of %g"):format(-scale))
end
-- the sum's tie needs more than 53 bits: 1 + 2^-24 + 2^-80
is_fma(2.0 ^ -40, 2.0 ^ -40, 1.0, 1.0, "a tiny product changes nothing")
local odd = f32(1 + 2.0 ^ -23)
is_fma(2.0 ^ -12, 2.0 ^ -12, 1.0, 1.0, "half a unit above an even number stays")
is_fma(2.0 ^ -12, 2.0 ^ -12, odd, f32(1 + 2.0 ^ -22), "half a unit above an odd number rises")
is_fma(f32(2.0 ^ -12 * (1 + 2.0 ^ -23)), 2.0 ^ -12, 1.0, odd, "a bit more than half a unit rises")
is_fma(f32(2.0 ^ -12 * (1 - 2.0 ^ -24)), 2.0 ^ -12, odd, odd, "a bit less than half does not")
-- cancellation: the product's low bits survive
is_fma(e, e, -(1 + 2.0 ^ -11), 2.0 ^ -24, "the product is exact")
is_fma(f32(0.1), 10.0, -1.0, 2.0 ^ -26, "0.1 · 10 - 1 in floats")
-- borders of binades, where bits are subtracted from a power of two
is_fma(2.0 ^ -30, -2.0 ^ -30, 1.0, 1.0, "a little less than 1 is 1")
is_fma(2.0 ^ -13, -2.0 ^ -12, 1.0, 1.0, "half a unit below 1 goes to even")

-- in f64, zeros keep the signs that one rounding gives them
local function signed(a, b, c) return ("%a"):format(eval.fma64(a, b, c)) end
tap.is(signed(0.5, -0.0, -0.0), "-0x0p+0", "fma of f64: a sum of negative zeros")
tap.is(signed(0.5, -0.0, 0.0), "0x0p+0", "fma of f64: of zeros of both signs")
tap.is(signed(2.0 ^ -600, -2.0 ^ -600, 0.0), "-0x0p+0", "fma of f64: a product that vanishes")
tap.is(signed(0.5, -3.0, 0.0), "-0x1.8p+0", "fma of f64: a product and zero")
tap.is(signed(2.0, -3.0, 6.0), "0x0p+0", "fma of f64: a difference that vanishes")
is_fma(2.0 ^ -13, -f32(2.0 ^ -12 * (1 + 2.0 ^ -20)), 1.0, f32(1 - 2.0 ^ -24),
  "a bit more than half a unit below 1")
-- denormal results
is_fma(2.0 ^ -75, 2.0 ^ -75, 0.0, 0.0, "half the smallest number is 0")
is_fma(2.0 ^ -75, f32(2.0 ^ -75 * (1 + 2.0 ^ -20)), 0.0, 2.0 ^ -149, "more is the smallest number")
is_fma(2.0 ^ -100, 2.0 ^ -49, 2.0 ^ -149, 2.0 ^ -148, "sums of denormals")
-- overflow, infinities, NaN, zeros
local huge = f32(0x1.fffffep127)
is_fma(huge, 1.0, 2.0 ^ 102, huge, "just below overflow")
is_fma(huge, 1.0, 2.0 ^ 103, inf, "half a unit above the largest is infinite")
is_fma(huge, huge, -huge, inf, "overflow")
is_fma(huge, -huge, huge, -inf, "negative overflow")
is_fma(huge, huge, -inf, -inf, "an infinite addend")
is_fma(inf, 0.0, 1.0, nan, "infinity times 0")
is_fma(inf, 1.0, -inf, nan, "infinity less infinity")
is_fma(nan, 1.0, 1.0, nan, "NaN")
tap.is(1 / eval.fma(-1.0, 0.0, -0.0), -inf, "fma: -0 + -0 is -0")
tap.is(1 / eval.fma(1.0, 1.0, -1.0), inf, "fma: a difference of 0 is +0")

-- against exact arithmetic on integers: m = a·b·2^k + c, rounded to 24 bits by hand
local function rounded(m)
  local sign, bits = m < 0 and -1 or 1, 0
  m = math.abs(m)
  while m >> bits >= 1 << 24 do bits = bits + 1 end
  local q, r = m >> bits, m & ((1 << bits) - 1)
  local half = bits > 0 and 1 << (bits - 1) or 0
  if bits > 0 and (r > half or (r == half and q & 1 == 1)) then q = q + 1 end
  return sign * q * 2.0 ^ bits
end
local random = ir.random(7)
local wrong
for _ = 1, 4000 do
  local a, b = random(1 << 24) - (1 << 23), random(1 << 22) - (1 << 21)
  local shift = random(22)
  local c = (random(1 << 24) - (1 << 23)) << shift
  local m = a * b + c
  local got = eval.fma(a + 0.0, b + 0.0, c + 0.0)
  if got ~= rounded(m) then wrong = ("%d * %d + %d = %.17g"):format(a, b, c, got) end
end
tap.ok(not wrong, "fma: 4000 sums of 46 bits against integers")
if wrong then tap.diag(wrong) end

-- modules ----------------------------------------------------------------------------------------

-- the first n elements of y after running what fn builds, x = values
local function run(values, n, fn, fma)
  local b = ir.new(fma)
  local x, y = b:input("x", "f32", #values), b:output("y", "f32", n)
  fn(b, x, y)
  local memory = { x = ir.array(values), y = {} }
  eval.eval(b, memory)
  return memory.y, b
end
local function gives(want, name, values, fn, fma)
  local y = run(values, #want, fn, fma)
  local same = true
  for i, v in ipairs(want) do same = same and ir.bits(v) == ir.bits(y[i - 1]) end
  if not tap.ok(same, name) then tap.diag(table.concat(y, " ", 0, #want - 1)) end
end
local function two(op)
  return function(b, x, y) b:store(y, 0, b[op](b, b:load(x, 0, 4), b:load(x, 4, 4))) end
end
gives({ 3.0, f32(f32(0.1) + f32(0.2)), -0.0, inf }, "a sum is rounded",
  { 1.0, f32(0.1), -0.0, huge, 2.0, f32(0.2), -0.0, huge }, two "add")
gives({ 2.0, f32(f32(0.1) * f32(0.3)), -0.0, 0.0 }, "a product is rounded",
  { 1.0, f32(0.1), -0.0, 2.0 ^ -149, 2.0, f32(0.3), 5.0, 0.25 }, two "mul")
local function multiply_add(b, x, y)
  b:store(y, 0, b:fma(b:load(x, 0, 2), b:load(x, 2, 2), b:load(x, 4, 2)))
end
local sample = { e, e, e, e, -(1 + 2.0 ^ -11), 0.0 }
gives({ 2.0 ^ -24, 1 + 2.0 ^ -11 }, "fma is rounded once", sample, multiply_add, true)
gives({ 0.0, 1 + 2.0 ^ -11 }, "without FMA it is rounded twice", sample, multiply_add, false)
gives({ 7.0, 7.0, 7.0, 7.0 }, "a splat", { 5.0, 7.0 }, function(b, x, y)
  b:store(y, 0, b:splat(b:load(x, 1), 4))
end)
gives({ 2.0, 5.0, 3.0, 8.0 }, "a shuffle of two", { 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0 },
  function(b, x, y) b:store(y, 0, b:shuffle(b:load(x, 0, 4), b:load(x, 4, 4), { 1, 4, 2, 7 })) end)
gives({ 3.0, 2.0, 4.0, 1.0 }, "a shuffle of one that widens", { 1.0, 2.0, 3.0, 4.0 },
  function(b, x, y)
    local v = b:load(x, 0, 2)
    b:store(y, 0, b:shuffle(b:shuffle(v, b:load(x, 2, 2), { 2, 1, 3, 0 }), b:load(x, 0, 4),
      { 0, 1, 2, 3 }))
  end)
local unknown = run({ 1.0, 2.0 }, 2, function(b, x, y)
  local v = b:load(x, 0, 2)
  b:store(y, 0, b:shuffle(v, v, { -1, 0 }))
end)
tap.ok(unknown[0] ~= unknown[0], "a lane that may be anything is NaN, so that its use is seen")
gives({ 8.0, 6.0, 7.0, 5.0 }, "a gather", { 5.0, 6.0, 7.0, 8.0 }, function(b, x, y)
  local t = b:table("t", "i32", { 9, 4, 2, 3, 1 })
  b:store(y, 0, b:gather(b:view("v", x, 1), -2, t, 1, 4))
end)
gives({ 1.5, 2.5 }, "a table of floats", { 1.0 }, function(b, _, y)
  b:store(y, 0, b:load(b:table("w", "f32", { 0, 1.5, 2.5 }), 1, 2))
end)
gives({ 4.0, 3.0, 2.0, 1.0 }, "a loop that runs backwards in memory", { 1.0, 2.0, 3.0, 4.0 },
  function(b, x, y) b:each("i", 0, 4, function(i) b:store(y, 3 - i, b:load(x, i)) end) end)
gives({ 3.0, 4.0, 3.0, 4.0 }, "views of views", { 1.0, 2.0, 3.0, 4.0 }, function(b, x, y)
  b:each("i", 0, 2, function(i)
    local outer = b:view("o", y, i * 2)
    b:each("j", 0, 2, function(j)
      b:store(b:view("p", outer, j), 0, b:load(b:view("q", x, 1), j + 1))
    end)
  end)
end)
gives({ 1.0, 2.0 }, "scratch keeps what is stored", { 1.0, 2.0 }, function(b, x, y)
  local s = b:scratch("s", "f32", 8)
  b:store(s, 5, b:load(x, 0, 2))
  b:store(y, 0, b:load(s, 5, 2))
end)
gives({ 2.0 }, "a later store wins", { 1.0, 2.0 }, function(b, x, y)
  b:store(y, 0, b:load(x, 0))
  b:group(function() b:store(y, 0, b:load(x, 1)) end)
end)
gives({ 5.0 }, "a loop whose bounds come from tables", { 5.0 }, function(b, x, y)
  local t = b:table("t", "i32", { 0, 0, 1 })
  b:each("g", 0, 2, function(g)
    b:each("r", b:fetch(t, g), b:fetch(t, g + 1), function(r) b:store(y, r, b:load(x, r)) end)
  end)
end)

-- what is undefined is an error
local function undefined(part, name, values, n, fn)
  ir.fails(function() run(values, n, fn) end, part, name)
end
undefined("undefined element 3 of s is read", "scratch that was never written", { 1.0 }, 1,
  function(b, x, y)
    local s = b:scratch("s", "f32", 8)
    b:store(s, 2, b:load(x, 0))
    b:store(y, 0, b:shuffle(b:load(s, 2, 2), b:load(s, 2, 2), { 0 }))
  end)
undefined("undefined element 4 of x is read", "a load past the end", { 1.0, 2.0, 3.0, 4.0 }, 2,
  function(b, x, y) b:store(y, 0, b:load(x, 3, 2)) end)
undefined("undefined element -1 of x is read", "a load before the beginning", { 1.0 }, 1,
  function(b, x, y) b:store(y, 0, b:load(x, -1)) end)
undefined("undefined element 2 of x is read", "a gather past the end", { 1.0, 2.0 }, 2,
  function(b, x, y) b:store(y, 0, b:gather(x, 0, b:table("t", "i32", { 1, 2 }), 0, 2)) end)
undefined("element 1 of y is never written", "an output with a hole", { 1.0 }, 3,
  function(b, x, y)
    b:store(y, 0, b:load(x, 0))
    b:store(y, 2, b:load(x, 0))
  end)
undefined("element 0 of y is never written", "an output that starts late", { 1.0, 2.0 }, 2,
  function(b, x, y) b:store(y, 1, b:load(x, 0)) end)
undefined("element 2 of y is never written", "an output that ends early", { 1.0, 2.0 }, 3,
  function(b, x, y) b:store(y, 0, b:load(x, 0, 2)) end)

-- tasks: a range of them runs, and then outputs may have holes
local b = ir.new(true)
local x, y = b:input("x", "f32", 6), b:output("y", "f32", 6)
b:tasks(6, 1, function(i) b:store(y, i, b:load(x, i)) end)
local function written(first, last)
  local memory = { x = ir.array { 0.0, 1.0, 2.0, 3.0, 4.0, 5.0 }, y = {} }
  eval.eval(b, memory, first, last)
  local out = {}
  for i = 0, 5 do out[i + 1] = memory.y[i] and "x" or "." end
  return table.concat(out)
end
tap.is(written(), "xxxxxx", "all tasks")
tap.is(written(2, 4), "..xx..", "tasks 2 and 3")
tap.is(written(0, 1), "x.....", "the first task")
tap.is(written(5, 6), ".....x", "the last task")
tap.is(written(3, 3), "......", "no task")
tap.is(written(4), "....xx", "from a task to the last")

tap.done()
