-- SPDX-License-Identifier: MIT
-- The row pass: how long straight-line code may grow before tables take over, and what is refused
-- then.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local axis = require "upweave.plan.axis"
local row = require "upweave.lower.resample.row"
local lower = require "upweave.lower"
local targets = require "upweave.target"

-- A row of `vectors` vectors of 4 that never repeat, with `taps` taps each: gaps grow at random.
local function aperiodic(vectors, taps)
  local random, at, list = ir.random(9), 0, {}
  for o = 1, 4 * vectors do
    local index, weight = {}, {}
    for k = 1, taps do index[k], weight[k] = at + k - 1, 0.5 end
    list[o] = { index = index, weight = weight }
    at = at + random(3)
  end
  return axis.new { name = "w", input = at + taps, output = #list, taps = list }
end

-- pieces of a pass that is made of them: runs of one vector
local function pass_of(vectors, taps) return row.new(aperiodic(vectors, taps), 4) end
local pieces = 0
for _, run in ipairs(pass_of(100, 2).runs) do pieces = pieces + run.period end
tap.ok(pieces > 90, "rows that do not repeat are pieces: " .. pieces)
tap.is(pass_of(50, 2).straight, true, "100 operations are straight-line code")
tap.is(pass_of(300, 2).straight, false, "600 are tables")
tap.is(pass_of(10, 2).taps, 2, "taps of a vector")
tap.is(pass_of(10, 2).output, 40, "elements of a row")

-- the border itself: 384 operations
local last, first
for vectors = 185, 205 do
  local pass = pass_of(vectors, 2)
  local operations = 0
  for _, run in ipairs(pass.runs) do operations = operations + run.period * 2 end
  if pass.straight then last = math.max(last or 0, operations) end
  if not pass.straight then first = math.min(first or math.maxinteger, operations) end
end
tap.is(last, 384, "384 operations are straight-line code")
tap.is(first, 386, "386 are not")

-- a line that tables drive cannot be fused with the sum of its rows
local rows = axis.new { name = "h", input = 4, output = 2, taps = {
  { index = { 0, 1 }, weight = { 0.5, 0.5 } }, { index = { 2, 3 }, weight = { 0.5, 0.5 } } } }
local function plan(x)
  return { form = "resample", dtype = "f32", work = "f32", batch = 1, channels = 1, planar = true,
    rank = 2,
    axes = { rows, x }, terms = 4, copy = false, flops = 0, bytes_read = 0, bytes_written = 0 }
end
local generic = targets.find "generic"
local fused = { line = "fused", strips = 1, stores = "cached" }
tap.is(lower.find "blended".legal(plan(aperiodic(50, 2)), fused, generic), true,
  "a fused line of straight-line code")
local ok, reason = lower.find "blended".legal(plan(aperiodic(300, 2)), fused, generic)
tap.is(ok, nil, "a fused line of tables")
tap.is(reason, "the row pass is driven by tables, which need a buffered line", "why not")

tap.done()
