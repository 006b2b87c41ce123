-- SPDX-License-Identifier: MIT
-- Plans at their borders: where a stretch is just long enough to be a period, where an axis is a
-- copy or the identity, what a plan costs, on maps made by hand.

local tap = dofile "tests/lib/tap.lua"
local axis = require "upweave.plan.axis"
local resample = require "upweave.plan.resample"

-- A map from { first input, weights … } for every output.
local function map(input, ...)
  local taps = {}
  for o, t in ipairs { ... } do
    local index, weight = {}, {}
    for k = 2, #t do
      index[k - 1] = t[1] + k - 2
      weight[k - 1] = t[k]
    end
    taps[o] = { index = index, weight = weight }
  end
  return axis.new { name = "w", input = input, output = #taps, taps = taps }
end
local function copies(input, ...)
  local list = {}
  for o, i in ipairs { ... } do list[o] = { i, 1.0 } end
  return map(input, table.unpack(list))
end
local function period(m, what)
  local p = m:period(what)
  return p and ("%d/%d [%d..%d]"):format(p.outputs, p.inputs, p.first, p.last) or "none"
end

tap.is(period(copies(4, 0, 1, 2, 3)), "1/1 [0..3]", "every output one further")
tap.is(period(copies(4, 0, 0, 1, 1, 2, 2)), "2/1 [0..5]", "two outputs an input")
tap.is(period(copies(9, 0, 3, 6)), "1/3 [0..2]", "every third input")
tap.is(period(copies(9, 3, 3, 3)), "1/0 [0..2]", "the same input again and again")
tap.is(period(copies(9, 0)), "none", "one output has no period")
tap.is(period(copies(9, 0, 5)), "1/5 [0..1]", "two outputs have one")
-- the interior holds at least two periods …
tap.is(period(copies(20, 0, 9, 2, 3, 13, 5)), "none", "one and a half of three are none")
tap.is(period(copies(20, 0, 9, 2, 3, 12, 5)), "3/3 [0..5]", "two periods of three")
-- … and at least half of the outputs
tap.is(period(copies(30, 0, 7, 8, 20)), "1/1 [1..2]", "two of four outputs")
tap.is(period(copies(30, 0, 7, 8, 20, 22)), "none", "two of five are too few")
tap.is(period(map(6, { 0, 0.5, 0.5 }, { 1, 0.5, 0.5 }, { 2, 0.25, 0.75 }, { 3, 0.25, 0.75 }),
  "index"), "1/1 [0..3]", "positions alone")
tap.is(period(map(6, { 0, 0.5, 0.5 }, { 1, 0.25, 0.75 }, { 2, 0.5, 0.5 }, { 3, 0.25, 0.75 })),
  "2/2 [0..3]", "with weights")
tap.is(period(map(6, { 0, 0.5, 0.25 }, { 1, 0.75, 0.25 }, { 2, 0.5, 0.25 }, { 3, 0.75, 0.25 })),
  "2/2 [0..3]", "the first weight alone")
tap.is(period(copies(30, 0, 7, 1, 10, 11, 12, 13, 14)), "1/1 [3..7]", "around the middle")
tap.is(period(map(6, { 0, 1.0 }, { 0, 0.5, 0.5 }, { 1, 0.5, 0.5 }, { 2, 0.5, 0.5 },
  { 3, 0.5, 0.5 }, { 4, 1.0 })), "1/1 [1..4]", "edges with fewer taps are outside")

local function edges(m)
  local out = {}
  for i, e in ipairs(m:edges()) do out[i] = e.first .. ".." .. e.last end
  return table.concat(out, " ")
end
tap.is(edges(copies(4, 0, 1, 2, 3)), "", "no edges")
tap.is(edges(copies(30, 0, 7, 8, 20)), "0..0 3..3", "an edge on both sides")
tap.is(edges(copies(9, 0)), "0..0", "all is edge without a period")
tap.is(edges(copies(6, 0, 0, 1, 2, 3)), "0..0", "an edge before")
tap.is(edges(copies(6, 0, 1, 2, 3, 3)), "4..4", "an edge after")

-- copies and identities
local half = map(2, { 0, 0.5 }, { 1, 1.0 })
tap.ok(copies(3, 2, 0).is_copy(copies(3, 2, 0)), "one tap of weight 1 is a copy")
tap.ok(not half:is_copy(), "another weight is none")
tap.ok(not map(2, { 0, 0.5, 0.5 }):is_copy(), "nor are two taps")
tap.ok(copies(2, 0, 1):is_identity(), "every output its own input: the identity")
tap.ok(not copies(2, 1, 0):is_identity(), "not in another order")
tap.ok(not copies(3, 0, 1):is_identity(), "not of another size")
tap.ok(not half:is_identity(), "not with weights")

-- what an axis costs: taps, most taps, operations
local function cost(m)
  local c = m:cost()
  return ("%d %d %d"):format(c.taps, c.widest, c.flops)
end
tap.is(cost(copies(3, 0, 1, 2)), "3 1 0", "copies cost nothing")
tap.is(cost(map(3, { 0, 0.5 }, { 1, 2.0 })), "2 1 2", "a factor is an operation")
tap.is(cost(map(3, { 0, 0.5, 0.5 }, { 0, 0.25, 0.5, 0.25 }, { 2, 1.0 })), "6 3 8",
  "n taps are n products and n - 1 sums")

-- a plan: bytes, operations in the cheaper order, copies
local function plan(axes, more)
  local fields = { dtype = "f32", batch = 2, channels = 3, planar = true, axes = axes, terms = 4 }
  for _, key in ipairs { "batch", "channels" } do
    fields[key] = more and more[key] or fields[key]
  end
  return resample.new(fields)
end
local up = map(2, { 0, 1.0 }, { 0, 0.5, 0.5 }, { 1, 1.0 }, { 1, 0.25 })   -- 2 → 4, 4 operations
local down = map(4, { 0, 0.5, 0.5 }, { 2, 0.5, 0.5 })                     -- 4 → 2, 6 operations
local p = plan { up, down }
tap.is(p.rank, 2, "the rank of a plan")
tap.is(p.form, "resample", "its form")
tap.is(p.dtype, "f32", "its element type")
tap.is(p.batch .. " " .. p.channels, "2 3", "its images")
tap.is(p.planar, true, "its layout")
tap.is(p.axes[1], up, "its axes")
tap.is(p.terms, 4, "its terms")
tap.is(p.limit_flops, 0, "no arithmetic is unavoidable")
tap.is(p.bytes_read, 2 * 3 * 2 * 4 * 4, "bytes read")
tap.is(p.bytes_written, 2 * 3 * 4 * 2 * 4, "bytes written")
-- rows first: 2 rows · 6 + 2 columns · 4 = 20; columns first: 4 · 4 + 4 · 6 = 40
tap.is(p.flops, 6 * 20, "operations: the inner axis first")
tap.is(plan({ down, up }).flops, 6 * 20, "operations: the outer axis first")
tap.is(plan({ up }).flops, 6 * 4, "operations of one axis")
-- 2·2 lines · 4, 2·4 · 4, 4·4 · 4 in either order
tap.is(plan({ up, up, up }).flops, 6 * (16 + 32 + 64), "operations of three axes")
tap.ok(not p.copy, "a plan with weights is no copy")
tap.ok(plan({ copies(2, 1, 0), copies(2, 0, 0, 1) }).copy, "a plan of copies is one")
tap.ok(not plan({ copies(2, 1, 0), half }).copy, "one axis with weights is enough")
tap.is(plan({ up }, { batch = 0 }).bytes_read, 0, "an empty batch reads nothing")
tap.is(plan({ up }, { channels = 1 }).bytes_written, 2 * 4 * 4, "one channel")

-- phases: the taps of one period
local phases = copies(9, 0, 0, 1, 2, 2, 3, 4, 4, 5):phases()
tap.is(phases.outputs .. " " .. phases.inputs .. " " .. phases.first, "3 2 0", "phases of 2 to 3")
tap.same({ phases.taps[1].index, phases.taps[2].index, phases.taps[3].index },
  { { 0 }, { 0 }, { 1 } }, "counted from the smallest input in use")
tap.is(copies(9, 0):phases(), nil, "no phases without a period")

local late = copies(30, 0, 7, 1, 10, 11, 12, 13, 14):phases()
tap.is(late.first .. " " .. late.low .. " " .. late.taps[1].index[1], "3 10 0",
  "of an interior that begins later")
tap.is(copies(4, 3, 2, 1, 0):phases().low, 3, "the smallest input of one period only")
tap.is(axis.new { name = "w", input = 1, output = 1, sparse = true,
  taps = { { index = {}, weight = {} } } }:cost().widest, 0, "no tap at all")

-- the adjoint
local back = down:transpose()
tap.is(back.input .. " " .. back.output, "2 4", "the adjoint changes sides")
tap.same(back.taps[3], { index = { 1 }, weight = { 0.5 } }, "and keeps the weights")
tap.same(axis.apply(map(4, { 0, 0.5, 0.5 }, { 3, 2.0 }), { 1.0, 3.0, 5.0, 7.0 }), { 2.0, 14.0 },
  "a map applied to a line")

tap.done()
