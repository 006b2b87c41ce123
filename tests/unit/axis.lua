-- SPDX-License-Identifier: MIT
-- Axis maps: what the constructor refuses, periods, edges, adjoint, printing.

local tap = dofile "tests/lib/tap.lua"
local axis_map = require "upweave.plan.axis"
local build = require "upweave.resample.build"
local list = require "upweave.util.list"
local modes = require "upweave.resample.modes"
local f32 = require "upweave.resample.arithmetic.f32"

local function refuses(fields, name, text)
  local fine, fault = pcall(axis_map.new, fields)
  tap.ok(not fine, name)
  tap.like(tostring(fault), text, name .. ": message")
end

local function one(index, weight)
  return { name = "w", input = 4, output = 1, taps = { { index = index, weight = weight } } }
end

tap.is(axis_map.new(one({ 0, 3 }, { 0.5, 0.5 })).input, 4, "a valid map")
refuses(one({ 4 }, { 1.0 }), "index out of range", "axis w: output 0: index 4 after -1 of 4")
refuses(one({ -1 }, { 1.0 }), "negative index", "index -1")
refuses(one({ 1, 1 }, { 0.5, 0.5 }), "repeated index", "index 1 after 1")
refuses(one({ 2, 1 }, { 0.5, 0.5 }), "descending index", "index 1 after 2")
refuses(one({ 1.0 }, { 1.0 }), "an index that is no integer", "index 1.0")
refuses(one({ 1 }, { 0.0 }), "weight 0", "weight 0.0")
refuses(one({ 1 }, { 1 / 0 }), "weight infinity", "weight inf")
refuses(one({ 1 }, { 0 / 0 }), "weight NaN", "nan")
refuses(one({}, {}), "an output without taps", "without taps")
refuses(one({ 1, 2 }, { 1.0 }), "a missing weight", "as many")
refuses({ name = "w", input = 4, output = 2, taps = {} }, "missing outputs", "sizes")
tap.is(axis_map.new(one({ 0 }, { 2.0 ^ -149 })).output, 1, "the smallest float is a weight")

local function axis(mode, input, output, more)
  local m = list.named(modes.list, mode)
  more = more or {}
  local filter = more.antialias and m.smooth or m.sharp
  return (build.axis { name = "h", input = input, output = output, scale = more.scale,
    filter = filter, copies_equal_sizes = filter.copies_equal_sizes,
    coordinates = more.aligned and m.aligned or m.coordinates, arithmetic = f32,
    work = "f32", stretch = require "upweave.resample.stretch.cut" })
end

-- ---- period, phases, edges

local up2 = axis("bilinear", 6, 12)
tap.same(up2:period(), { outputs = 2, inputs = 1, first = 1, last = 10 }, "period of 2x")
tap.same(up2:edges(), { { first = 0, last = 0 }, { first = 11, last = 11 } }, "edges of 2x")
tap.same(up2:phases(), { outputs = 2, inputs = 1, first = 1, low = 0, taps = {
  { index = { 0, 1 }, weight = { 0.75, 0.25 } }, { index = { 0, 1 }, weight = { 0.25, 0.75 } },
} }, "phases of 2x")
tap.same(axis("bicubic", 8, 16):period(), { outputs = 2, inputs = 1, first = 3, last = 12 },
  "period of bicubic 2x")
tap.same(axis("nearest", 7, 10):period(), { outputs = 3, inputs = 2, first = 0, last = 9 },
  "the shorter of two periods that fit 10 outputs")
tap.is(axis("nearest", 70, 100):period().outputs, 10, "10 outputs of 7 inputs")
tap.is(axis("area", 12, 4):period().inputs, 3, "area by 3 reads 3 inputs an output")
tap.same(axis("area", 12, 4):edges(), {}, "and has no edges")
local third = axis("bilinear", 8, 24)
tap.is(third:period(), nil, "float weights of 3x do not repeat")
tap.same(third:period("index"), { outputs = 3, inputs = 1, first = 2, last = 22 },
  "their positions do")
tap.is(third:phases(), nil, "so there are no phases")
tap.same(third:edges(), { { first = 0, last = 23 } }, "and all of it is edge")
tap.is(axis("nearest", 1, 5):period().inputs, 0, "a single input does not move")
tap.is(axis("bilinear", 2, 3):period(), nil, "three different outputs")
tap.is(axis("bilinear", 5, 1):period(), nil, "one output")

-- ---- cost, copies

tap.same(up2:cost(), { taps = 22, widest = 2, flops = 30 }, "cost of 2x")
tap.same(axis("nearest", 4, 8):cost(), { taps = 8, widest = 1, flops = 0 }, "copying is free")
tap.is(axis("area", 4, 2):cost().flops, 6, "a mean of two: two products and a sum")
tap.ok(axis("nearest", 4, 8):is_copy(), "nearest is a copy")
tap.ok(not up2:is_copy(), "linear is not")
tap.ok(axis("bilinear", 5, 5, { scale = 1.1 }):is_identity(), "linear of equal sizes is identity")
tap.ok(not axis("bicubic", 5, 5, { scale = 1.1 }):is_identity(), "bicubic with a scale is not")
tap.ok(axis("bicubic", 5, 5):is_identity(), "bicubic with ratio 1 is")
tap.ok(not axis("nearest", 5, 5, { scale = 1.1 }):is_identity(), "nearest follows its scale")
tap.ok(not axis("nearest", 4, 8):is_identity(), "other sizes are no identity")

-- ---- adjoint

local adjoint = axis("nearest", 4, 2):transpose()
tap.is(adjoint.output, 4, "sizes change places")
tap.same(adjoint.taps[2], { index = {}, weight = {} }, "an unused input has no taps")
tap.same(adjoint.taps[3], { index = { 1 }, weight = { 1.0 } }, "a used one has")
tap.same(up2:transpose():transpose().taps, up2.taps, "the adjoint of the adjoint")
tap.same(up2:apply { 0, 4, 8, 12, 16, 20 }, { 0, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 20 },
  "a map applied to a ramp")

-- ---- text

tap.is(tostring(up2), [[
axis h: 6 -> 12, 22 taps, at most 2, period 2 outputs = 1 inputs
 interior y[1..10]: y[2n + 1 + phase], x counted from 0:
  phase 0: x[n]*0.75 + x[n+1]*0.25
  phase 1: x[n]*0.25 + x[n+1]*0.75
 edge y[0..0]:
  y[0] = x[0]*1
 edge y[11..11]:
  y[11] = x[5]*1]], "text of a periodic map")
tap.like(tostring(axis("nearest", 4, 2)), "phase 0: x[2n]*1", "text of a stride")
tap.like(tostring(axis("nearest", 1, 4)), "phase 0: x[0]*1", "text of a constant position")
tap.like(tostring(third), "positions repeat every 3 outputs = 1 inputs, weights do not",
  "text without period of weights")
tap.like(tostring(axis("bilinear", 2, 3)), ", no period", "text without any")
tap.like(tostring(axis("bilinear", 101, 211)), "… 187 more", "long lists are cut")
tap.like(tostring(axis("nearest", 4, 2):transpose()), "y[1] = 0", "text of an adjoint")

tap.done()
