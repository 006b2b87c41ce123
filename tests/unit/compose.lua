-- SPDX-License-Identifier: MIT
-- Axis maps out of axis maps, against what they mean on data.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local axis = require "upweave.plan.axis"
local compose = require "upweave.plan.compose"
local types = require "upweave.ir.types"

local function taps(...)
  local out = {}
  for i, t in ipairs { ... } do out[i] = { index = t[1], weight = t[2] } end
  return out
end
-- two inputs to three outputs, three inputs to two
local up = axis.new {
  name = "h", input = 2, output = 3,
  taps = taps({ { 0 }, { 1.0 } }, { { 0, 1 }, { 0.75, 0.25 } }, { { 1 }, { 2.0 } }),
}
local down = axis.new {
  name = "w", input = 3, output = 2,
  taps = taps({ { 0, 1 }, { 0.5, 0.5 } }, { { 0, 2 }, { -1.0, 4.0 } }),
}

local function apply(map, x) return table.concat(axis.apply(map, x), " ") end

-- product: first the inner axis along every row, then the outer one across rows
local both = compose.product(up, down, "f32")
tap.is(both.name, "hw", "the name of a product")
tap.is(both.input, 6, "its inputs")
tap.is(both.output, 6, "its outputs")
local x = { 1.0, 3.0, 5.0, 2.0, 4.0, 8.0 }
local rows = { axis.apply(down, { 1.0, 3.0, 5.0 }), axis.apply(down, { 2.0, 4.0, 8.0 }) }
local want = {}
for o = 1, 3 do
  for k = 1, 2 do
    want[(o - 1) * 2 + k] = axis.apply(up, { rows[1][k], rows[2][k] })[o]
  end
end
tap.is(apply(both, x), table.concat(want, " "), "a product is both axes, one after the other")
tap.same(both.taps[4], { index = { 0, 2, 3, 5 }, weight = { -0.75, 3.0, -0.25, 1.0 } },
  "the taps of one element")
local third = types.round("f32", 1 / 3)
local thin = axis.new { name = "w", input = 2, output = 1,
  taps = taps({ { 0, 1 }, { third, third } }) }
tap.is(compose.product(thin, thin, "f32").taps[1].weight[1], types.round("f32", third * third),
  "weights are rounded")
tap.is(compose.product(thin, thin, "f64").taps[1].weight[1], third * third, "to their type")

-- interleaved: every channel by itself
local three = compose.interleaved(up, 3)
tap.is(three.name, "hc", "the name of interleaved channels")
tap.is(three.input .. " " .. three.output, "6 9", "inputs and outputs")
local y = axis.apply(three, x)
for c = 1, 3 do
  local plane = axis.apply(up, { x[c], x[3 + c] })
  for o = 1, 3 do
    tap.is(y[(o - 1) * 3 + c], plane[o], ("output %d of channel %d"):format(o - 1, c - 1))
  end
end
tap.is(compose.interleaved(up, 1), up, "one channel is the axis itself")

-- repeated: copies one after another
local twice = compose.repeated(down, 2)
tap.is(twice.name, "w", "a repeated axis keeps its name")
tap.is(twice.input .. " " .. twice.output, "6 4", "inputs and outputs")
tap.is(apply(twice, x), apply(down, { 1.0, 3.0, 5.0 }) .. " " .. apply(down, { 2.0, 4.0, 8.0 }),
  "two rows")
tap.is(compose.repeated(down, 1), down, "once is the axis itself")

-- random maps: sums of products against a direct evaluation
local random = ir.random(5)
local function random_map(name)
  local input, list = 1 + random(5), {}
  for o = 1, 1 + random(5) do
    local index, weight = {}, {}
    for i = 0, input - 1 do
      if random(2) == 0 then
        index[#index + 1] = i
        weight[#weight + 1] = (1 + random(7)) / 4
      end
    end
    if #index == 0 then index, weight = { random(input) }, { 1.0 } end
    list[o] = { index = index, weight = weight }
  end
  return axis.new { name = name, input = input, output = #list, taps = list }
end
local function weight_of(map, o, i)
  for k, at in ipairs(map.taps[o + 1].index) do
    if at == i then return map.taps[o + 1].weight[k] end
  end
  return 0
end
-- fn(o, i) is the weight of input i in output o
local function is_map(map, fn)
  for o = 0, map.output - 1 do
    for i = 0, map.input - 1 do
      if weight_of(map, o, i) ~= fn(o, i) then return false end
    end
  end
  return true
end
local products, interleaved, repeated = true, true, true
for _ = 1, 30 do
  local a, b, n = random_map "a", random_map "b", 1 + random(3)
  products = products and is_map(compose.product(a, b, "f32"), function(o, i)
    return weight_of(a, o // b.output, i // b.input) * weight_of(b, o % b.output, i % b.input)
  end)
  interleaved = interleaved and is_map(compose.interleaved(a, n), function(o, i)
    return o % n == i % n and weight_of(a, o // n, i // n) or 0
  end)
  repeated = repeated and is_map(compose.repeated(a, n), function(o, i)
    return o // a.output == i // a.input and weight_of(a, o % a.output, i % a.input) or 0
  end)
end
tap.ok(products, "30 random products, element by element")
tap.ok(interleaved, "30 random interleaved axes")
tap.ok(repeated, "30 random repeated axes")

tap.done()
