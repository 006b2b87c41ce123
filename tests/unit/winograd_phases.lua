-- SPDX-License-Identifier: MIT
-- Phases of transposed convolutions in tiles of one input: each output reads what the plan says,
-- every output lies in a tile, and products of absent taps are left out.

local tap = dofile "tests/lib/tap.lua"
local contract = require "upweave.plan.contract"
local geometry = require "upweave.lower.winograd.geometry"
local list = require "upweave.util.list"
local phases = require "upweave.lower.winograd.phases"
local winograd = require "upweave.plan.winograd"

local function axis_of(input, kernel, stride, pad, more, dilation)
  return contract.conv_transpose_axis {
    name = "w", input = input, kernel = kernel, stride = stride, pad = pad,
    dilation = dilation or 1,
    output = (input - 1) * stride - 2 * pad + (dilation or 1) * (kernel - 1) + 1 + (more or 0),
  }
end

-- What is wrong with a phase of an axis, or nil: output q is number q + shift counted from tile 0,
-- whose number i takes tap k of input base + i + k, or of as many tiles later as it is `ahead`.
local function wrong(axis, w, phase, base, step)
  for q = 0, phase.outputs - 1 do
    local count = 0
    for k, present in ipairs(phase.present) do
      if present then
        count = count + 1
        local want = axis.taps[phase.number + 1][count]
        local position = phase.kernel + (k - 1) * step
        local at = base + phase.shift + phase.ahead * w.m + k - 1
        if not want or want.k ~= position or want.at ~= at then
          return ("phase %d, output %d, tap %d"):format(phase.number, q, k - 1)
        end
      end
    end
    if count ~= #axis.taps[phase.number + 1] then return "taps are missing" end
  end
end

local function check(name, axis, w)
  local of, base, step = phases.of(axis, w)
  local fault, last
  for _, phase in ipairs(of) do
    fault = fault or wrong(axis, w, phase, base, step) or phase.shift < 0 and "a negative shift"
    last = math.max(last or 0, phase.outputs + phase.shift)
  end
  tap.ok(not fault, name .. ": reads what the plan says")
  if fault then tap.diag(fault) end
  local tiles = geometry.tiles(axis, w)
  tap.ok(tiles * w.m >= last and (tiles - 1) * w.m < last, name .. ": as many tiles as needed")
end

for _, case in ipairs {
  { 8, 4, 2, 1 }, { 8, 4, 2, 0 }, { 7, 4, 2, 2 }, { 9, 4, 2, 3 }, { 8, 3, 2, 1, 1 }, { 8, 3, 2, 0 },
  { 5, 16, 8, 4 }, { 5, 13, 8, 3, 7 }, { 6, 5, 3, 1, 1 }, { 6, 7, 2, 3, 1 }, { 1, 4, 2, 1 },
  { 5, 2, 1, 1 }, { 1, 5, 4, 2 },
} do
  local axis = axis_of(table.unpack(case))
  tap.ok(phases.dense(axis), table.concat(case, " ") .. " has taps on neighbours")
  local taps = phases.taps(axis)
  check(table.concat(case, " "), axis, { m = 3, r = taps, spans = 1 })
  check(table.concat(case, " ") .. ", in spans", axis, { m = 2, r = 2, spans = (taps + 1) // 2 })
  local as_it_is = winograd.untransformed(taps)
  check(table.concat(case, " ") .. ", not transformed", axis, as_it_is)
  local outputs = (axis.output + axis.phases - 1) // axis.phases
  tap.is(geometry.tiles(axis, as_it_is), outputs, "a row for each output of a phase")
end
local function ordinary(stride)
  return contract.conv_axis { name = "w", input = 9, output = (9 - 3) // stride + 1, kernel = 3,
    stride = stride, dilation = 1, pad = 0 }
end
check("ordinary", ordinary(1), { m = 2, r = 3, spans = 1 })

tap.ok(not phases.dense(axis_of(5, 2, 3, 0)), "a phase without taps")
tap.ok(not phases.dense(axis_of(5, 4, 3, 0, 0, 2)), "taps that are not neighbours")
tap.ok(not phases.dense(ordinary(2)), "outputs that step over inputs")

local function products(name, ...)
  local axis = axis_of(...)
  local w = winograd.matrices(list.named(winograd.algorithms, name))
  return phases.weights({ rank = 2, axes = { axis, axis } }, { w, w })
end

tap.is(products("F(3,2)", 8, 4, 2, 1), 64, "four phases of four taps")
tap.is(products("F(3,2)", 8, 3, 2, 1, 1), 49, "one, two, two and four taps")
tap.is(products("F(3,2)", 8, 3, 2, 0), 49, "the same, and the tap that is absent the first one")
tap.is(products("F(5,2)", 8, 3, 2, 1, 1), 121, "in larger tiles")

local function rows(...)
  local axis, w = axis_of(...), winograd.untransformed(2)
  local plan = { rank = 2, axes = { axis, axis } }
  local weights = phases.weights(plan, { w, winograd.matrices(winograd.algorithms[2]) })
  return ("%d weights, %d rows"):format(weights, geometry.inputs(axis, w, 8))
end

tap.is(rows(8, 4, 2, 1), "32 weights, 10 rows", "the last axis only: two taps of the other")
tap.is(rows(8, 3, 2, 1, 1), "21 weights, 9 rows", "the last axis only: one and two taps")

tap.done()
