-- SPDX-License-Identifier: MIT
-- sigmoid, tanh and gelu: errors against their values in double over dense samples, with fma and
-- without, below what docs/numerics.md states; limits, NaN, zeros, denormals, huge numbers.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local builder = require "upweave.ir.builder"
local eval = require "upweave.ir.eval"
local functions = require "upweave.lower.functions"
local prune = require "upweave.ir.prune"
local types = require "upweave.ir.types"
local verify = require "upweave.ir.verify"

local inf, nan = math.huge, 0 / 0

-- y = f(x) of a list, as a 0-based array
local function apply(name, elem, fma, list, lanes)
  local b = builder.new("kernel", { name = "test", fma = fma }, elem)
  local x, y = b:input("x", elem, #list), b:output("y", elem, #list)
  lanes = lanes or 4
  assert(#list % lanes == 0)
  b:each("i", 0, #list // lanes, function(i)
    b:store(y, i * lanes, functions[name](b, b:load(x, i * lanes, lanes)))
  end)
  verify.verify(prune.prune(b), 64)
  local memory = { x = ir.array(list), y = {} }
  eval.eval(b, memory)
  return memory.y
end

-- the functions in double -----------------------------------------------------------------------

local function expm1(x)
  if math.abs(x) > 0.5 then return math.exp(x) - 1 end
  local term, sum = x, x
  for k = 2, 20 do
    term = term * x / k
    sum = sum + term
  end
  return sum
end

-- Φ(v), to a few units of its own last digit: a series of positive terms, or a continued fraction.
local function normal(v)
  local z = math.abs(v)
  local density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
  if z < 3 then
    local term, sum, k = z, z, 1
    while term > sum * 1e-18 do
      k = k + 2
      term = term * z * z / k
      sum = sum + term
    end
    return 0.5 + (v < 0 and -density or density) * sum
  end
  local tail = 0
  for k = 120, 1, -1 do tail = k / (z + tail) end
  tail = density / (z + tail)
  return v < 0 and tail or 1 - tail
end

local reference = {
  sigmoid = function(v) return 1 / (1 + math.exp(-v)) end,
  tanh = function(v)
    local e = expm1(-2 * math.abs(v))
    local t = -e / (2 + e)
    return v < 0 and -t or t
  end,
  gelu = function(v) return v < -38 and -0.0 or v * normal(v) end,
  gelu_tanh = function(v)
    if v < -100 then return -0.0 end
    if v > 100 then return v end
    return v / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * (v + 0.044715 * v * v * v)))
  end,
}

-- samples ----------------------------------------------------------------------------------------

-- even steps in what matters, every binade, the places where formulas change; f32 numbers
local function samples(n)
  local list = {}
  local function add(v) list[#list + 1] = types.round("f32", v) end
  for i = 0, n do add(24 * i / n - 12) end
  for i = 0, n // 4 do add(180 * i / n * 4 - 90) end
  for e = -149, 127 do
    for k = 0, 3 do
      add((1 + k * 0.2890625) * 2.0 ^ e)
      add(-(1 + k * 0.2890625) * 2.0 ^ e)
    end
  end
  for _, v in ipairs { 9.024, 5.491, 10.06, 10, 88, 89, 87.5, 0x1.fffffep127, 2.0 ^ -149 } do
    for k = -2, 2 do
      add(v * (1 + k * 2.0 ^ -24))
      add(-v * (1 + k * 2.0 ^ -24))
    end
  end
  for _ = 1, -#list % 4 do add(1) end
  return list
end

-- the greatest of min(error in units of the result's last digit, error / (u · max(1, |v|)))
local function worst(name, list, got)
  local most, at = 0, 0
  for i, v in ipairs(list) do
    local want = reference[name](v)
    local exponent = -149
    if want ~= 0 and math.abs(want) < inf then
      exponent = math.max(-149, math.floor(math.log(math.abs(want), 2)) - 23)
    end
    local scale = name:find "gelu" and math.max(1, math.abs(v)) or 1
    local unit = math.max(2.0 ^ exponent, 2.0 ^ -24 * scale)
    local difference = got[i - 1] == want and 0 or math.abs(got[i - 1] - want)
    local e = difference / unit
    if not (e <= most) then most, at = e, v end
  end
  return most, at
end

-- the table of docs/numerics.md, in units of 2^-24 (or of the result's last digit, if that is more)
local stated = {
  { name = "sigmoid", most = 2, bounded = true }, { name = "tanh", most = 7, bounded = true },
  { name = "gelu", most = 4 }, { name = "gelu_tanh", most = 2 },
}

local list = samples(12000)

-- the greatest magnitude of f32 results
local function highest(list_of_results)
  local most = 0
  for i = 0, #list - 1 do most = math.max(most, math.abs(list_of_results[i])) end
  return most
end

local function check_f32(row, fma)
  local got = apply(row.name, "f32", fma, list)
  local title = ("%s%s"):format(row.name, fma and " with fma" or "")
  local most, at = worst(row.name, list, got)
  tap.ok(most <= row.most, ("%s: error %.2f at %.9g"):format(title, most, at))
  if row.bounded then tap.is(highest(got), 1.0, title .. ": never beyond 1") end
end

-- f64: the same structure; against double references, which have errors of their own
local few = {}
for i = 1, #list, 16 do few[#few + 1] = list[i] end
for _ = 1, -#few % 4 do few[#few + 1] = 0.5 end

local function check_f64(row, fma)
  local got, most = apply(row.name, "f64", fma, few), 0
  for i, v in ipairs(few) do
    local want = reference[row.name](v)
    local scale = row.name:find "gelu" and math.max(1, math.abs(v)) or 1
    local difference = got[i - 1] == want and 0 or math.abs(got[i - 1] - want)
    most = math.max(most, difference / scale)
  end
  tap.ok(most <= 2.0 ^ -50, ("%s of f64%s: error %.2g"):format(row.name,
    fma and " with fma" or "", most))
end

for _, row in ipairs(stated) do
  for _, fma in ipairs { true, false } do
    check_f32(row, fma)
    check_f64(row, fma)
  end
end

-- special values ---------------------------------------------------------------------------------

local largest = { f32 = 0x1.fffffep127, f64 = 0x1.fffffffffffffp1023 }
local least = { f32 = 2.0 ^ -149, f64 = 2.0 ^ -1074 }

local function same(got, want)
  return got ~= got and want ~= want or got == want and 1 / got == 1 / want
end

-- name(inputs) in vectors of all lengths, bit for bit
local function check_special(name, elem, inputs, expected)
  for _, fma in ipairs { true, false } do
    for _, lanes in ipairs { 1, 2, 4 } do
      local got, faults = apply(name, elem, fma, inputs, lanes), {}
      for i, want in ipairs(expected) do
        if not same(got[i - 1], want) then
          faults[#faults + 1] = ("f(%g) = %g, not %g"):format(inputs[i], got[i - 1], want)
        end
      end
      tap.ok(#faults == 0, ("%s of %s, %d lanes%s: special values"):format(name, elem, lanes,
        fma and ", fma" or ""))
      for _, fault in ipairs(faults) do tap.diag(fault) end
    end
  end
end

for _, elem in ipairs { "f32", "f64" } do
  local high, low = largest[elem], least[elem]
  local inputs = { nan, inf, -inf, 0.0, -0.0, high, -high, low, -low, high / 2, -high / 2, -1e30 }
  local gelu = { nan, inf, -0.0, 0.0, -0.0, high, -0.0, 0.0, -0.0, high / 2, -0.0, -0.0 }
  check_special("sigmoid", elem, inputs,
    { nan, 1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.0 })
  check_special("tanh", elem, inputs,
    { nan, 1.0, -1.0, 0.0, -0.0, 1.0, -1.0, low, -low, 1.0, -1.0, -1.0 })
  check_special("gelu", elem, inputs, gelu)
  check_special("gelu_tanh", elem, inputs, gelu)
end

-- numbers whose squares are near overflow
check_special("gelu_tanh", "f64", { 1e150, -1e150, 1e153, -1e200 }, { 1e150, -0.0, 1e153, -0.0 })

tap.done()
