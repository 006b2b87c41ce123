-- SPDX-License-Identifier: MIT
-- Winograd's algorithms: the identity in fractions, transforms as code against the matrices, and
-- what they cost.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local builder = require "upweave.ir.builder"
local count = require "upweave.ir.count"
local eval = require "upweave.ir.eval"
local fraction = require "upweave.util.fraction"
local list = require "upweave.util.list"
local prune = require "upweave.ir.prune"
local transform = require "upweave.lower.contract.transform"
local winograd = require "upweave.plan.winograd"

local function q(num, den) return fraction.new(num, den) end

-- fractions -----------------------------------------------------------------------------------

tap.ok(q(1, 2) + q(1, 3) == q(5, 6) and q(1, 2) - q(1, 3) == q(1, 6), "sums of fractions")
tap.ok(q(2, 3) * q(3, 4) == q(1, 2) and q(2, 3) / q(-4, 3) == q(-1, 2), "products, quotients")
tap.ok(-q(1, -2) == q(1, 2), "the denominator is positive")
tap.is(q(3, -4):number(), -0.75, "a fraction as a number")
tap.ok(q(0):is_zero() and not q(1):is_zero(), "zero")
tap.ok(q(-1):is_unit() and not q(1, 2):is_unit() and not q(2):is_unit(), "units")
tap.ok(q(5, 8):is_dyadic() and not q(5, 3):is_dyadic(), "what a float holds")
tap.ok(not q(1 << 24):is_dyadic(), "a float holds 24 digits")
ir.fails(function() return q(1 << 31) end, "large", "a numerator that could overflow")
ir.fails(function() return q(1, 1 << 31) end, "large", "a denominator that could overflow")
ir.fails(function() return q(1, 0) end, "zero", "no fraction over zero")

-- matrices ------------------------------------------------------------------------------------

local function named(name) return winograd.matrices(list.named(winograd.algorithms, name)) end

local function rows_text(matrix)
  local rows = {}
  for i, row in ipairs(matrix) do
    local cells = {}
    for k, v in ipairs(row) do cells[k] = ("%g"):format(v:number()) end
    rows[i] = table.concat(cells, " ")
  end
  return table.concat(rows, "; ")
end

tap.is(rows_text(named("F(2,3)").bt), "-1 0 1 0; 0 1 1 0; 0 -1 1 0; 0 -1 0 1", "F(2,3): Bt")
tap.is(rows_text(named("F(2,3)").g), "-1 0 0; 0.5 0.5 0.5; 0.5 -0.5 0.5; 0 0 1", "F(2,3): G")
tap.is(rows_text(named("F(2,3)").at), "1 1 1 0; 0 1 -1 1", "F(2,3): At")
tap.is(rows_text(named("F(3,2)").at), "1 1 1 0; 0 1 -1 0; 0 1 1 1", "F(3,2): At")

local function check_algorithm(algorithm)
  local name, w = algorithm.name, winograd.matrices(algorithm)
  tap.is(name, ("F(%d,%d)"):format(w.m, w.r), name .. " is named by what it computes")
  tap.is(w.n, w.m + w.r - 1, name .. ": products")
  local dyadic = true
  for _, matrix in ipairs { w.at, w.bt } do
    for _, row in ipairs(matrix) do
      for _, v in ipairs(row) do dyadic = dyadic and v:is_dyadic() end
    end
  end
  tap.ok(dyadic, name .. ": floats hold At and Bt exactly")
  for _, class in ipairs(algorithm.class) do
    tap.ok(list.contains({ "default", "fast", "named" }, class), name .. " has a class")
  end
  w.g[2][1] = w.g[2][1] + q(1, 64)
  ir.fails(function() winograd.check(w) end, "identity", name .. ": a wrong weight is seen")
end
for _, algorithm in ipairs(winograd.algorithms) do check_algorithm(algorithm) end
ir.fails(function() winograd.matrices { m = 2, r = 3, points = { q(0), q(1) } } end, "points",
  "too few points")

local function flags(v)
  local text = {}
  for i, flag in ipairs(v) do text[i] = flag and "0" or "x" end
  return table.concat(text)
end
tap.is(flags(winograd.vanishing(named "F(3,2)", { true, false })), "xxx0",
  "without the last tap the product at infinity is 0")
tap.is(flags(winograd.vanishing(named "F(3,2)", { false, true })), "0xxx",
  "without the first tap the product at 0 is 0")
tap.is(flags(winograd.vanishing(named "F(4,4)", { true, true, true, false })), "xxxxxx0",
  "F(4,4) has no point 0")
tap.is(flags(winograd.vanishing(named "F(4,3)", { true, true, true })), "xxxxxx", "all taps")

-- The most that rounding of a tile's values grows to in an output: the sum of the sizes of all
-- products over those of the taps.  Points are chosen for it.
local function growth(w)
  local most = 0
  for i = 1, w.m do
    local sum = 0
    for j = 1, w.n do
      local weight, input = 0, 0
      for k = 1, w.r do weight = weight + math.abs(w.g[j][k]:number()) end
      for l = 1, w.n do input = input + math.abs(w.bt[j][l]:number()) end
      sum = sum + math.abs(w.at[i][j]:number()) * weight * input
    end
    most = math.max(most, sum)
  end
  return ("%.4g"):format(most / w.r)
end

local grown = {}
for i, algorithm in ipairs(winograd.algorithms) do
  grown[i] = algorithm.name .. " " .. growth(winograd.matrices(algorithm))
end
tap.is(table.concat(grown, ", "), "F(2,3) 2.667, F(3,2) 3, F(2,5) 7.828, F(4,3) 9.139, "
  .. "F(5,2) 10.71, F(4,4) 16.7, F(4,5) 17.36, F(6,3) 22.56", "how much rounding may grow")

-- transforms ----------------------------------------------------------------------------------

-- Matrix · values along every axis of an array, exactly; values are fractions.
local function product(matrices, values)
  local shape, array = {}, values
  for a, matrix in ipairs(matrices) do shape[a] = #matrix[1] end
  for a, matrix in ipairs(matrices) do
    local inner, outer, out = 1, 1, {}
    for k = a + 1, #shape do inner = inner * shape[k] end
    for k = 1, a - 1 do outer = outer * shape[k] end
    for o = 0, outer - 1 do
      for i, row in ipairs(matrix) do
        for j = 0, inner - 1 do
          local sum = q(0)
          for k, c in ipairs(row) do
            sum = sum + c * array[(o * shape[a] + k - 1) * inner + j]
          end
          out[(o * #matrix + i - 1) * inner + j] = sum
        end
      end
    end
    shape[a], array = #matrix, out
  end
  return array
end

local function sizes(matrices)
  local inputs, outputs = 1, 1
  for _, matrix in ipairs(matrices) do
    inputs, outputs = inputs * #matrix[1], outputs * #matrix
  end
  return inputs, outputs
end

-- The transform as a module on vectors of two lanes; inputs of `absent` are known zeros.
local function compiled(matrices, fma, absent)
  local b = builder.new("t", { name = "test", fma = fma }, "f64")
  local inputs, outputs = sizes(matrices)
  local x, y = b:input("x", "f64", 2 * inputs), b:output("y", "f64", 2 * outputs)
  transform.apply(b, matrices,
    function(i) return not absent[i] and b:load(x, 2 * i, 2) or nil end,
    function(i, v) b:store(y, 2 * i, v or b:const("f64", 2, 0)) end)
  return prune.prune(b)
end

-- Small integers: in double every intermediate result is exact, and so must the last be.
local function values_of(n, absent, random)
  local values, memory = {}, {}
  for i = 0, n - 1 do
    values[i] = q(absent[i] and 0 or random(15) - 7)
    memory[2 * i], memory[2 * i + 1] = values[i]:number(), -values[i]:number()
  end
  return values, memory
end

local function agree(matrices, fma, absent, random)
  local inputs, outputs = sizes(matrices)
  local values, memory = values_of(inputs, absent, random)
  local y, want = {}, product(matrices, values)
  eval.eval(compiled(matrices, fma, absent), { x = memory, y = y })
  for i = 0, outputs - 1 do
    local v = want[i]:number()
    if y[2 * i] ~= v or y[2 * i + 1] ~= -v then return false end
  end
  return true
end

local function some_absent(n, random)
  local absent = {}
  for i = 0, n - 1 do absent[i] = random(3) == 0 end
  return absent
end

local random = ir.random(7)
local function check_transforms(algorithm)
  local w, good = winograd.matrices(algorithm), true
  for _, matrices in ipairs { { w.bt }, { w.bt, w.bt }, { w.at }, { w.at, w.at } } do
    local inputs = sizes(matrices)
    for _, fma in ipairs { true, false } do
      good = good and agree(matrices, fma, {}, random)
      for _ = 1, 4 do
        good = good and agree(matrices, fma, some_absent(inputs, random), random)
      end
    end
  end
  tap.ok(good, algorithm.name .. ": transforms are the products with the matrices")
end
for _, algorithm in ipairs(winograd.algorithms) do check_transforms(algorithm) end
local mixed = { named("F(2,3)").bt, named("F(4,3)").bt, named("F(3,2)").bt }
tap.ok(agree(mixed, true, {}, random), "other algorithms on other axes, three of them")

local nothing = {}
transform.apply(ir.new(true), { named("F(4,3)").bt }, function() return nil end,
  function(i, v) nothing[i + 1] = v or "nil" end)
tap.is(table.concat(nothing, " "), "nil nil nil nil nil nil", "of zeros nothing is left")

-- weights -------------------------------------------------------------------------------------

local function weights(w, absent)
  local b, matrices = ir.new(true), { w.g, w.g }
  local x, y = b:input("x", "f32", w.r * w.r), b:output("y", "f32", w.n * w.n)
  transform.weights(b, matrices,
    function(i) return not absent[i % w.r] and b:load(x, i) or nil end,
    function(i, v) b:store(y, i, v and b:convert(v, "f32") or b:const("f32", 1, 0)) end)
  return b, matrices
end

-- Whether f is v, a double that is exact but for its last digits, rounded to a float.
local function rounded(f, v) return math.abs(f - v) <= 0x1.001p-24 * math.abs(v) + 0x1p-50 end

local function check_weights(algorithm)
  local w, good = winograd.matrices(algorithm), true
  for _, absent in ipairs { {}, { [w.r - 1] = true } } do
    local b, matrices = weights(w, absent)
    local x, y, exact = {}, {}, {}
    for i = 0, w.r * w.r - 1 do
      exact[i] = q(absent[i % w.r] and 0 or random(31) - 15, 16)
      x[i] = exact[i]:number()
    end
    eval.eval(prune.prune(b), { x = x, y = y })
    exact = product(matrices, exact)
    for i = 0, w.n * w.n - 1 do good = good and rounded(y[i], exact[i]:number()) end
  end
  tap.ok(good, algorithm.name .. ": weights are rounded once")
end
for _, algorithm in ipairs(winograd.algorithms) do check_weights(algorithm) end

-- cost ----------------------------------------------------------------------------------------

local COSTS <const> = {
  { "F(2,3)", 32, 24 }, { "F(3,2)", 32, 28 }, { "F(2,5)", 144, 64 }, { "F(4,3)", 144, 120 },
  { "F(5,2)", 144, 154 }, { "F(4,4)", 294, 165 }, { "F(4,5)", 384, 192 }, { "F(6,3)", 384, 280 },
}
for _, cost in ipairs(COSTS) do
  local name, input, output = table.unpack(cost)
  local w = named(name)
  local function operations(matrix)
    return count.count(compiled({ matrix, matrix }, true, {})).arithmetic
  end
  tap.is(operations(w.bt), input, name .. ": operations of a tile's inputs")
  tap.is(operations(w.at), output, name .. ": operations of a tile's outputs")
end

tap.done()
