-- SPDX-License-Identifier: MIT
-- The text of an axis map: where long lists are cut, and that what is shown and hidden adds up.

local tap = dofile "tests/lib/tap.lua"
local axis = require "upweave.plan.axis"

--- An axis of `inputs` blocks of `period` outputs, each with a weight of its own in the block.
local function blocks(inputs, period)
  local taps = {}
  for o = 0, inputs * period - 1 do
    taps[o + 1] = { index = { o // period }, weight = { 1 + o % period / 32 } }
  end
  return axis.new { name = "w", input = inputs, output = inputs * period, taps = taps }
end

--- An axis without any period: all outputs are listed.
local function listed(outputs)
  local taps = {}
  for o = 0, outputs - 1 do
    taps[o + 1] = { index = { o * o // outputs }, weight = { 1 + o / 64 } }
  end
  return axis.new { name = "w", input = outputs, output = outputs, taps = taps }
end

--- How many lines begin so, and the number of those that are said to be hidden.
local function count(text, start)
  local shown, hidden, places = 0, 0, {}
  for line in text:gmatch("[^\n]+") do
    local place = line:match("^  " .. start .. "(%d+)")
    if place then
      shown = shown + 1
      places[#places + 1] = math.tointeger(place)
    end
    hidden = hidden + (math.tointeger(line:match("^  … (%d+) more$")) or 0)
  end
  return shown, hidden, places
end

for _, period in ipairs { 23, 24, 25, 26, 40 } do
  local shown, hidden, places = count(tostring(blocks(4, period)), "phase ")
  local name = "a period of " .. period
  tap.is(shown, math.min(period, 24), name .. ": phases shown")
  tap.is(shown + hidden, period, name .. ": shown and hidden are all")
  tap.is(places[1], 0, name .. ": from the first")
  tap.is(places[#places], period - 1, name .. ": to the last")
  tap.is(places[12], 11, name .. ": twelve from the front")
end

for _, outputs in ipairs { 24, 25, 26, 60 } do
  local shown, hidden, places = count(tostring(listed(outputs)), "y%[")
  local name = outputs .. " outputs"
  -- One hidden output would take as much room as the line that says so.
  tap.is(shown, outputs <= 25 and outputs or 24, name .. ": shown")
  tap.is(shown + hidden, outputs, name .. ": shown and hidden are all")
  tap.is(places[12], 11, name .. ": twelve from the front")
  tap.is(places[#places], outputs - 1, name .. ": to the last")
end

-- an edge at the end: interior of 40 outputs, 28 irregular ones
local function ends_irregularly()
  local taps = {}
  for o = 0, 67 do
    local i = o < 40 and o or 40 + (o * o) % 29
    taps[o + 1] = { index = { i }, weight = { o < 40 and 1.0 or 1 + o / 64 } }
  end
  return axis.new { name = "w", input = 80, output = 68, taps = taps }
end
local map = ends_irregularly()
tap.same(map:edges(), { { first = 40, last = 67 } }, "an edge at the end")
local shown, hidden, places = count(tostring(map), "y%[")
tap.is(shown .. " " .. hidden, "24 4", "its outputs, shown and hidden")
tap.is(places[1] .. " " .. places[12] .. " " .. places[13] .. " " .. places[24], "40 51 56 67",
  "from its first to its last")
tap.like(tostring(map), " edge y[40..67]:", "said before them")
tap.like(tostring(map), "y[n + 0 + phase]", "a period of one output")
tap.is(tostring(listed(30)):match("[^\n]*"), "axis w: 30 -> 30, 30 taps, at most 1, no period",
  "the first line says that there is no period")
tap.like(tostring(map), "y[40] = x[", "outputs of an edge by their numbers")
tap.done()
