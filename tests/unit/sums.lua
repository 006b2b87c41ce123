-- SPDX-License-Identifier: MIT
-- Direct sums of convolutions are taken in the order that docs/numerics.md states, bit for bit.
--
-- Inputs have 16 bits, so that a product and a float add up in a double without rounding: one
-- rounding behind it is a fused multiply-add.  What is asked for is the order: with another one
-- some outputs differ.

local tap = dofile "tests/lib/tap.lua"
local floats = dofile "tests/lib/reference/floats.lua"
local interpreted = dofile "tests/lib/interpreted.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local driver = require "upweave.driver"
local make = dofile("tests/lib/problems.lua").make
local ops = require "upweave.ops"

local CHANNELS <const>, SIZE <const> = 6, 7
local round = floats.f32

local function short(seed, count)
  local list = ir.noise(count, seed)
  for i, v in ipairs(list) do list[i] = math.floor(v * 2 ^ 15) / 2 ^ 15 end
  return list
end

-- Taps of an output of an axis that lie inside: { kernel position, input position }, ascending.
local function taps_of(axis, o)
  local list = {}
  for _, t in ipairs(axis.taps[o % axis.phases + 1]) do
    local at = o // axis.phases * axis.step + t.at
    if at >= 0 and at < axis.input then list[#list + 1] = { k = t.k, at = at } end
  end
  return list
end

-- The places of x and weight that an output of channel `o` adds up, in the order of a strategy.
local function terms(case, o, h, w)
  local list, plan, k = {}, case.plan, case.problem.kernel_size
  local columns = taps_of(plan.axes[2], w)
  local function add(row, column, c)
    local i = plan.groups > 1 and o or c
    local pixel, plane = row.at * SIZE + column.at, SIZE * SIZE
    local pair = plan.groups > 1 and o or plan.transposed and c * plan.co + o or o * plan.ci + c
    list[#list + 1] = {
      x = 1 + (plan.planar and i * plane + pixel or pixel * CHANNELS + i),
      weight = 1 + (pair * k[1] + row.k) * k[2] + column.k,
    }
  end
  for _, row in ipairs(taps_of(plan.axes[1], h)) do
    if case.channels_first then
      for c = 0, plan.ci - 1 do
        for _, column in ipairs(columns) do add(row, column, c) end
      end
    else
      for _, column in ipairs(columns) do
        for c = 0, plan.ci - 1 do add(row, column, c) end
      end
    end
  end
  return list
end

-- How many outputs are not those sums.
local function differing(case, y)
  local plan, count = case.plan, 0
  local rows, columns, all = plan.axes[1].output, plan.axes[2].output, plan.co * plan.groups
  for o = 0, all - 1 do
    for h = 0, rows - 1 do
      for w = 0, columns - 1 do
        local sum = case.memory.bias[o + 1]
        for _, t in ipairs(terms(case, o, h, w)) do
          sum = round(case.memory.x[t.x] * case.memory.weight[t.weight] + sum)
        end
        local pixel = h * columns + w
        local at = plan.planar and o * rows * columns + pixel or pixel * all + o
        if y[at] ~= sum then count = count + 1 end
      end
    end
  end
  return count
end

local function check(op, layout, strategy, groups)
  local shape = layout == "NCHW" and { 1, CHANNELS, SIZE, SIZE } or { 1, SIZE, SIZE, CHANNELS }
  local problem = make {
    op = op, x = { shape = shape, layout = layout }, out_channels = CHANNELS, kernel_size = 4,
    stride = op == "conv" and 1 or 2, padding = 1, groups = groups, numerics = "strict",
  }
  problem.schedule = strategy
  local case = { problem = problem, plan = ops.find(op).plan(problem) }
  case.memory = {
    x = short(1, CHANNELS * SIZE * SIZE), bias = short(2, CHANNELS),
    weight = short(3, CHANNELS * CHANNELS // groups * 16),
  }
  local r = assert(driver.compile(problem, { target = "icelake", stop_after = "ir" }))
  local y = interpreted.run(r.ir, case.memory, ops.find(op).tensors(problem)[2].elems)
  case.channels_first = strategy == "contract-planar"
  local name = ("%s %s, %d groups: %s"):format(op, layout, groups, strategy)
  tap.is(differing(case, y), 0, name)
  if groups == 1 then
    case.channels_first = not case.channels_first
    tap.ok(differing(case, y) > 0, name .. ": another order is another result")
  end
end

for _, op in ipairs { "conv", "conv_transpose" } do
  for _, layout in ipairs { "NCHW", "NHWC" } do
    check(op, layout, "contract-channels", 1)
    check(op, layout, "contract-planar", 1)
    check(op, layout, "contract-channels", CHANNELS)
    check(op, layout, "contract-depthwise", CHANNELS)
  end
end
check("conv_transpose", "NHWC", "contract-depthwise:read=expanded", CHANNELS)
tap.done()
