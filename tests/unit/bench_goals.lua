-- SPDX-License-Identifier: MIT
-- The bench's goals: what a row should reach, beside the other layout of its workload.

local tap = dofile "tests/lib/tap.lua"
local goals = dofile "bench/goals.lua"

tap.is(goals.of("u2_planar", { u2_planar = 3 }), 70, "a row's own goal")
tap.is(goals.of("u2f16_planar", {}), nil, "a row without a goal")
tap.is(goals.of("t1a_strict_planar", { t1a_strict_planar = 80 }), 88, "one layout alone")
local strict = { t1a_strict_planar = 90, t1a_strict_interleaved = 95 }
tap.is(goals.of("t1a_strict_interleaved", strict), 88, "the better layout has the workload's goal")
tap.is(goals.of("t1a_strict_planar", strict), 81, "the other may lie 14 points behind it")
local equal = { c1_strict_planar = 90, c1_strict_interleaved = 90 }
tap.same({ goals.of("c1_strict_planar", equal), goals.of("c1_strict_interleaved", equal) },
  { 95, 95 }, "layouts that are equally fast")
local winograd = { c1_fast_planar = 250, c1_fast_interleaved = 300 }
tap.is(goals.of("c1_fast_planar", winograd), 240.0, "by Winograd 20 % of it")
tap.is(goals.of("t3_strict_planar", { t3_strict_planar = 1, t3_strict_interleaved = 99 }), 75,
  "layouts with goals of their own")

tap.done()
