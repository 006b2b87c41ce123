-- SPDX-License-Identifier: MIT
-- Which schedules of convolutions are legal: how many registers tiles need, and what else each
-- strategy refuses.

local tap = dofile "tests/lib/tap.lua"
local driver = require "upweave.driver"
local lower = require "upweave.lower"
local make = dofile("tests/lib/problems.lua").make
local ops = require "upweave.ops"
local targets = require "upweave.target"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

local function problem_of(op, x, out_channels, kernel_size, more)
  local fields = { op = op, x = x, out_channels = out_channels, kernel_size = kernel_size }
  for key, value in pairs(more or {}) do fields[key] = value end
  return make(fields)
end

local function machine(changes)
  local target = setmetatable({ registers = 32, fma = true, ahead = 0 },
    { __index = targets.find "x86-64-v3" })
  for key, value in pairs(changes or {}) do target[key] = value end
  return target
end

-- A strategy's knobs: those given, the others at their defaults.
local function with_defaults(strategy, plan, given)
  local knobs, parts = {}, {}
  for i, knob in ipairs(strategy.knobs(plan, machine())) do
    local value = given[knob.name] or knob.default
    knobs[knob.name], parts[i] = value, knob.name .. "=" .. value
  end
  return knobs, strategy.name .. ":" .. table.concat(parts, ",")
end

local function least(strategy, plan, knobs, changes)
  for registers = 1, 64 do
    changes.registers = registers
    if strategy.legal(plan, knobs, machine(changes)) then return registers end
  end
end

-- The least registers of a tile with fma, without, and on a machine where operands come ahead.
local function registers(name, problem, given, want, without, ahead)
  local strategy, plan = lower.find(name), ops.find(problem.op).plan(problem)
  local knobs, text = with_defaults(strategy, plan, given)
  tap.is(least(strategy, plan, knobs, {}), want, text)
  tap.is(least(strategy, plan, knobs, { fma = false }), without, text .. " without fma")
  if ahead then tap.is(least(strategy, plan, knobs, { ahead = 3 }), ahead, text .. " ahead") end
end

-- Whether a schedule is legal; "" or a part of the reason why not.
local function legal(name, problem, given, why, title)
  local strategy, plan = lower.find(name), ops.find(problem.op).plan(problem)
  local ok, reason = strategy.legal(plan, (with_defaults(strategy, plan, given)), machine())
  if why == "" then return tap.is(reason, nil, title) end
  tap.ok(not ok, title)
  tap.like(reason or "", why, title .. ": why")
end

-- registers --------------------------------------------------------------------------------------

local pixels = problem_of("conv", tensor("NHWC", 1, 9, 8, 10), 24, 3, { padding = 1 })
registers("contract-channels", pixels, { pixels = 4, vectors = 2 }, 11, 12, 14)
registers("contract-channels", pixels, { pixels = 2, vectors = 3, rows = 2 }, 16, 17)
local single = problem_of("conv", tensor("NCHW", 1, 10, 8, 9), 10, 3, { groups = 10 })
registers("contract-channels", single, { pixels = 4, vectors = 1 }, 10, 11)
local each = problem_of("conv", tensor("NHWC", 1, 9, 8, 10), 10, 3, { groups = 10 })
registers("contract-depthwise", each, { rows = 2, pixels = 2 }, 17, 18)
registers("contract-depthwise", each, { read = "expanded" }, 14, 15)
registers("contract-depthwise", each, { read = "expanded", order = "line" }, 6, 7)

-- Along rows: what one more channel of a tile costs is a sum for each of its vectors and phases.
local function channel_costs(problem, given, want)
  local strategy, plan = lower.find "contract-planar", ops.find(problem.op).plan(problem)
  local function with(channels)
    given.channels = channels
    return least(strategy, plan, (with_defaults(strategy, plan, given)), {}) or 0
  end
  local text = select(2, with_defaults(strategy, plan, given))
  tap.is(with(7) - with(6), want, text .. ": a channel more")
end

local planes = problem_of("conv", tensor("NCHW", 1, 5, 9, 40), 7, 3, { padding = 1 })
for _, stage in ipairs { "rows", "aligned", "none" } do
  channel_costs(planes, { vectors = 2, stage = stage }, 2)
  channel_costs(planes, { rows = 3, stage = stage }, 3)
end
channel_costs(problem_of("conv_transpose", tensor("NCHW", 1, 3, 5, 40), 7, 4, { stride = 2 }),
  { vectors = 3 }, 6)

-- shapes -----------------------------------------------------------------------------------------

legal("contract-depthwise", pixels, {}, "several input channels", "depthwise has groups of one")
legal("contract-depthwise", problem_of("conv", tensor("NHWC", 1, 5, 5, 3), 6, 3, { groups = 3 }),
  {}, "several outputs", "interleaved, it has one output a group")
legal("contract-depthwise", problem_of("conv", tensor("NCHW", 1, 3, 5, 5), 6, 3, { groups = 3 }),
  {}, "", "planar, it may have two")
legal("contract-depthwise", each, { read = "expanded", pixels = 2 }, "read=direct",
  "pixels are of direct reading")
legal("contract-depthwise", problem_of("conv", tensor("NHWC", 1, 9, 8, 9), 9, 3, { groups = 9 }),
  { stores = "streaming" }, "not aligned",
  "vectors that lap over are not streamed")
legal("contract-depthwise", problem_of("conv", tensor("NHWC", 1, 9, 8, 16), 16, 3,
  { groups = 16 }), { stores = "streaming" }, "", "others are")
local function long(columns)
  return problem_of("conv", tensor("NHWC", 1, 64, 40, 10), 10, { 64, columns }, { groups = 10 })
end
legal("contract-depthwise", long(32), { read = "expanded", order = "line" }, "", "2048 products")
legal("contract-depthwise", long(33), { read = "expanded", order = "line" }, "at most 2048",
  "and more")

legal("contract-planar", pixels, { channels = 24, stage = "none" }, "staged",
  "interleaved tensors are staged")
local three = problem_of("conv", tensor("NHWC", 1, 9, 8, 4), 3, 3)
legal("contract-planar", three, { channels = 3 }, "", "with all channels in a block")
legal("contract-planar", three, { channels = 2 }, "all 3 channels", "not fewer")
legal("contract-planar", problem_of("conv", tensor("NHWC", 1, 9, 8, 4), 4, 3, { groups = 2 }),
  { channels = 4 }, "all 4 channels", "nor of several groups")
local line = problem_of("conv", tensor("NCW", 1, 4, 40), 4, 3)
legal("contract-planar", line, { rows = 2 }, "one axis", "a line has one row")
legal("contract-planar", line, { rows = 1, channels = 4 }, "", "and that is enough")
legal("contract-planar", problem_of("conv", tensor("NCW", 1, 2048, 8180), 4, 3),
  { channels = 4 }, "", "64 MB of staged inputs")
legal("contract-planar", problem_of("conv", tensor("NCW", 1, 2048, 8300), 4, 3),
  { channels = 4 }, "at most 67108864", "and more")

-- winograd ---------------------------------------------------------------------------------------

local function square(numerics, kernel_size, more)
  local fields = { padding = 1, numerics = numerics }
  for key, value in pairs(more or {}) do fields[key] = value end
  return problem_of("conv", tensor("NHWC", 1, 12, 12, 16), 16, kernel_size, fields)
end
local function tiles(problem, given, why, title) legal("winograd", problem, given, why, title) end

tiles(square("default", 3), { algorithm = "2x3" }, "", "F(2,3) by default")
tiles(square("strict", 3), { algorithm = "2x3" }, "numerics = default", "not of strict numerics")
tiles(square("default", 3), { algorithm = "4x3" }, "numerics = fast", "F(4,3) is not")
tiles(square("default", 3), { algorithm = "4x3", axes = "last" }, "", "but on one axis")
tiles(square("fast", 3), { algorithm = "4x3" }, "", "and in fast numerics")
tiles(square("default", 3), { algorithm = "6x3", axes = "last" }, "numerics = fast",
  "nor F(6,3) on one")
tiles(square("fast", 3), { algorithm = "6x3" }, "", "which fast numerics may name")
tiles(square("fast", 1), {}, "no algorithm for 1 taps", "one tap has none")
tiles(square("fast", 7), {}, "one axis only", "seven taps are not cut on two axes")
tiles(square("fast", 7), { axes = "last" }, "", "but on one")
tiles(square("fast", { 2, 3 }), {}, "as many taps", "as many taps along both axes")
tiles(square("fast", { 2, 3 }), { axes = "last" }, "", "unless the last is all")
tiles(square("fast", 3, { stride = 2 }), {}, "neighbouring", "no stride")
tiles(square("fast", 3, { dilation = { 2, 1 } }), { axes = "last" }, "neighbouring",
  "no dilation of either")
tiles(problem_of("conv", tensor("NDHWC", 1, 5, 5, 5, 16), 16, 3), {}, "one or two axes",
  "no volumes")
tiles(square("fast", 3), { algorithm = "4x3", rows = 3 }, "", "as many rows as there are")
tiles(square("fast", 3), { algorithm = "4x3", rows = 4 }, "rows=4 of 3", "not more")
local large = problem_of("conv", tensor("NHWC", 1, 512, 512, 64), 64, 3)
tiles(large, { rows = 0 }, "at most 67108864", "not all of a large image")
tiles(large, { rows = 32 }, "", "but parts of it")

-- What a kernel says of its results: the outputs that are rounded together, the factor of the
-- bound, its name.
local function told(schedule, want)
  local problem = square("fast", 3)
  problem.schedule = "winograd:" .. schedule
  local r = assert(driver.compile(problem, { target = "x86-64-v3", stop_after = "ir" }))
  local a = r.ir.algorithm
  tap.is(("%s: %s, %g"):format(a.text, table.concat(a.tile, "x"), a.factor), want, schedule)
end

told("algorithm=2x3", "Winograd F(2,3) on 2 axes: 2x2, 2")
told("algorithm=4x3", "Winograd F(4,3) on 2 axes: 4x4, 5")
told("algorithm=4x3,axes=last", "Winograd F(4,3) on the last axis: 1x4, 2")
told("algorithm=6x3", "Winograd F(6,3) on 2 axes: 6x6, 16")

tap.done()
