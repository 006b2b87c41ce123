-- SPDX-License-Identifier: MIT
-- More taps than an algorithm has, in spans: products, the tiles that are read, what is rounded
-- together, and in which numerics.  tests/unit/lower_contract.lua has the results.

local tap = dofile "tests/lib/tap.lua"
local contract = require "upweave.plan.contract"
local driver = require "upweave.driver"
local geometry = require "upweave.lower.winograd.geometry"
local list = require "upweave.util.list"
local make = dofile("tests/lib/problems.lua").make
local phases = require "upweave.lower.winograd.phases"
local winograd = require "upweave.plan.winograd"

local four = list.named(winograd.algorithms, "F(4,4)")

local function ordinary(kernel)
  return contract.conv_axis { name = "w", input = 64, output = 65 - kernel, kernel = kernel,
    stride = 1, dilation = 1, pad = 0 }
end

local function transposed(kernel, stride, pad)
  return contract.conv_transpose_axis { name = "w", input = 16, kernel = kernel, stride = stride,
    dilation = 1, pad = pad, output = 15 * stride - 2 * pad + kernel }
end

-- algorithms --------------------------------------------------------------------------------------

local takes = {}
for _, algorithm in ipairs(winograd.algorithms) do
  if winograd.takes(algorithm, 6) then takes[#takes + 1] = algorithm.name end
end
tap.is(table.concat(takes, " "), "F(4,4)", "only tiles as long as a span take more taps")
tap.ok(winograd.takes(four, 4) and not winograd.takes(four, 3), "at least those of one span")

-- products ----------------------------------------------------------------------------------------

-- Products of a tile, the tiles that one reads, and the inputs beyond those it needs.
local function facts(axis)
  local w = winograd.matrices(four, phases.taps(axis))
  return ("%d products, %d tiles, %d beyond"):format(
    phases.weights({ rank = 1, axes = { axis } }, { w }), geometry.inputs(axis, w, 1),
    phases.beyond(axis, w))
end

tap.is(facts(ordinary(4)), "7 products, 1 tiles, 0 beyond", "4 taps: one span")
tap.is(facts(ordinary(5)), "13 products, 2 tiles, 2 beyond", "5 taps: one in the second")
tap.is(facts(ordinary(6)), "13 products, 2 tiles, 1 beyond", "6 taps")
tap.is(facts(ordinary(7)), "13 products, 2 tiles, 0 beyond", "7: infinity alone reads one more")
tap.is(facts(ordinary(8)), "14 products, 2 tiles, 0 beyond", "8 taps: two whole spans")
tap.is(facts(ordinary(9)), "20 products, 3 tiles, 2 beyond", "9 taps")
tap.is(facts(ordinary(16)), "28 products, 4 tiles, 0 beyond", "16 taps: four")
tap.is(facts(transposed(16, 2, 0)), "28 products, 2 tiles, 0 beyond", "two phases of eight taps")
tap.is(facts(transposed(15, 2, 1)), "27 products, 2 tiles, 0 beyond", "of eight and seven")
tap.is(facts(transposed(15, 2, 0)), "28 products, 2 tiles, 1 beyond", "the first of eight absent")

-- A phase of the last axis has its own spans beside the taps of the first.
local function places(kernel)
  local y, x = ordinary(3), ordinary(kernel)
  local ws = { winograd.untransformed(3), winograd.matrices(four, kernel) }
  local plan = { rank = 2, axes = { y, x } }
  return ("%d products, %d tiles of %d spare"):format(phases.weights(plan, ws),
    geometry.columns(plan, ws))
end

tap.is(places(4), "21 products, 16 tiles of 0 spare", "three rows of 4 taps")
tap.is(places(7), "39 products, 16 tiles of 1 spare", "of 7: a tile at the end has inputs only")

-- kernels -----------------------------------------------------------------------------------------

local function compile(fields, schedule)
  local problem = make(fields)
  problem.schedule = "winograd:" .. schedule
  local r, faults = driver.compile(problem, { target = "icelake", stop_after = "ir" })
  return r and r.ir.algorithm, faults and faults[1]
end

local function line(kernel, numerics)
  return { op = "conv", x = { shape = { 1, 40, 16 }, layout = "NWC" }, out_channels = 16,
    kernel_size = kernel, numerics = numerics }
end

local five = compile(line(5, "fast"), "algorithm=4x4")
tap.is(five.text, "Winograd F(4,4) on 1 axes, taps in 2 blocks", "what it says of itself")
tap.is(("%d, %g"):format(five.tile[1], five.factor), "6, 5",
  "inputs that cancel are rounded: outputs that use them share the bound")
tap.is(compile(line(6), "algorithm=4x4").factor, 2, "6 taps are of the class default")
tap.is(compile(line(7), "algorithm=4x4").tile[1], 4, "none where infinity is the one to read them")

local function refused(fields, schedule, reason, name)
  local algorithm, fault = compile(fields, schedule)
  local text = fault and (fault.because or fault.message or tostring(fault)) or ""
  tap.ok(not algorithm and text:find(reason, 1, true), name)
  if not text:find(reason, 1, true) then tap.diag(text) end
end

refused(line(5), "algorithm=4x4", "needs numerics = fast", "5 taps only in fast")
refused(line(7, "strict"), "algorithm=4x4", "needs numerics = default", "not in strict")

tap.done()
