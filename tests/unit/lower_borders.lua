-- SPDX-License-Identifier: MIT
-- Lowerings at their borders: how many pieces may be straight-line, how long periods may be, when
-- a loop is cut in parts, on axis maps made by hand.

local tap = dofile "tests/lib/tap.lua"
local axis = require "upweave.plan.axis"
local blend = require "upweave.lower.resample.blend"
local builder = require "upweave.ir.builder"
local columns = require "upweave.lower.resample.columns"
local groups = require "upweave.lower.resample.groups"
local row = require "upweave.lower.resample.row"
local runs = require "upweave.plan.runs"

local function machine(registers)
  return builder.new("kernel", { name = "made-up", fma = true, registers = registers }, "f32")
end
local function map_of(taps, input)
  return axis.new { name = "w", input = input, output = #taps, taps = taps }
end

-- Groups of 1 … n outputs that read an input each, all of it `times` times.
local function growing(n, times)
  local taps, input = {}, 0
  for _ = 1, times do
    for size = 1, n do
      for _ = 1, size do taps[#taps + 1] = { index = { input }, weight = { 0.5 } } end
      input = input + 1
    end
  end
  return map_of(taps, input)
end

-- groups of rows
local function shape(found)
  return ("%d groups, %d loops"):format(#found.list, #found.loops)
end
tap.is(shape(groups.rows(growing(12, 1), 99)), "12 groups, 12 loops", "12 pieces are groups")
tap.is(shape(groups.rows(growing(13, 1), 99)), "91 groups, 1 loops", "13 are rows one by one")
tap.is(shape(groups.rows(growing(8, 2), 99)), "16 groups, 1 loops", "a period of 8 groups")
tap.is(shape(groups.rows(growing(9, 2), 99)), "90 groups, 1 loops", "one of 9 is none")
tap.is(shape(groups.rows(growing(3, 1), 2)), "4 groups, 3 loops", "groups of two at most")
for number, group in ipairs(groups.rows(growing(3, 1), 2).list) do
  tap.is(group.number, number - 1, "groups are numbered from 0: " .. number)
end

-- sections begin where an iteration does
local function starts(times, sections)
  return table.concat(groups.starts(groups.rows(growing(3, times), 9), sections), " ")
end
tap.is(starts(7, 1), "0 21", "one section is all groups")
tap.is(starts(7, 2), "0 9 21", "two sections of iterations of three")
tap.is(starts(8, 2), "0 12 24", "where they divide evenly")
tap.is(starts(7, 5), "0 3 6 12 15 21", "five sections")

-- groups of columns
local function pass_of(map, most)
  local pass = columns.new(machine(16), map, 4, most, 1, 1)
  return pass.groups and shape(pass.groups) or "by table"
end
tap.is(pass_of(growing(24, 1), 99), "24 groups, 24 loops", "24 pieces of a row of pixels")
tap.is(pass_of(growing(25, 1), 99), "by table", "25 are a table")
tap.is(pass_of(growing(16, 2), 99), "32 groups, 1 loops", "a period of 16 pixels")
tap.is(pass_of(growing(17, 2), 99), "by table", "one of 17 is none")
local function sums(taps)
  local t = { index = {}, weight = {} }
  for k = 1, taps do t.index[k], t.weight[k] = k - 1, 0.5 end
  return map_of({ t, t, t }, taps)
end
tap.is(pass_of(sums(8), 1), "3 groups, 1 loops", "pixels of 8 taps")
tap.is(pass_of(sums(9), 1), "by table", "pixels of 9")
tap.is(blend.STRAIGHT, 8, "straight-line sums")

-- Loops of a routine's body, how many iterations each.
local function loops(b, list)
  list = list or {}
  for _, n in ipairs(b.body or b) do
    if n.op == "for" then list[#list + 1] = tostring(n.hi.c - n.lo.c) end
    if n.body then loops(n.body, list) end
  end
  return table.concat(list, " ")
end

-- columns: members of a loop that do not fit the registers together
local quarters = { { 0, 1, 0.75, 0.25 }, { 0, 1, 0.5, 0.5 }, { 0, 1, 0.25, 0.75 },
  { 0, 1, 0.125, 0.875 } }
local function enlarged(n)
  local taps = {}
  for o = 0, 4 * n - 1 do
    local i, t = o // 4, quarters[o % 4 + 1]
    taps[o + 1] = { index = { i, i + 1 }, weight = { t[3], t[4] } }
  end
  return map_of(taps, n + 1)
end
local function column_loops(registers)
  local b = machine(registers)
  local x, y = b:input("x", "f32", 999), b:output("y", "f32", 999)
  local pass = columns.new(b, enlarged(9), 4, 1, 1, 1)
  local tile = columns.tile(b, pass, 0)
  local function pixel(at) return b:load(x, at, 4) end
  columns.emit(b, pass, tile, { { out = y, pixel = pixel } }, 4, false)
  return loops(b)
end
tap.is(column_loops(24), "9", "columns: one loop, however many registers there are")
tap.is(column_loops(15), "9", "or few")

-- two weights and two pixels of each row for each of four outputs, and 8 registers for the rest:
-- more than that are weights from a table
local function tabled(registers, rows)
  local b = machine(registers)
  columns.new(b, enlarged(9), 4, 1, rows, 1)
  return #b.buffers > 0
end
tap.ok(not tabled(24, 1), "columns: 16 values are constants in 24 registers")
tap.ok(tabled(23, 1), "in 23 the weights are a table")
tap.ok(tabled(24, 2), "a second row needs its pixels, too")
tap.ok(not tabled(32, 2), "24 values in 32")

-- rows: vectors of 4 elements that differ, `period` of them, `times` times
local function vectors(period, times, taps)
  local list = {}
  for v = 0, period * times - 1 do
    local digits = v % period
    for lane = 0, 3 do
      local offset = lane == 0 and 0 or digits // 4 ^ (lane - 1) % 4
      local t = { index = {}, weight = {} }
      for k = 1, taps or 1 do
        t.index[k], t.weight[k] = math.tointeger(4 * v + offset + k - 1), 0.5
      end
      list[#list + 1] = t
    end
  end
  return map_of(list, 4 * period * times + 4)
end
local function run_shape(map)
  local out = {}
  for i, run in ipairs(row.new(map, 4).runs) do out[i] = run.period .. "x" .. run.count end
  return table.concat(out, " ")
end
tap.is(run_shape(vectors(32, 2)), "32x2", "a period of 32 vectors")
tap.is(#row.new(vectors(33, 2), 4).runs > 60, true, "one of 33 is none")

local function row_loops(map, registers, streaming)
  local b = machine(registers or 64)
  local x, y = b:input("x", "f32", map.input), b:output("y", "f32", map.output)
  local pass = row.new(map, 4)
  row.declare(b, pass)
  row.emit(b, pass, x, y, streaming)
  return loops(b)
end
tap.is(row_loops(vectors(4, 3)), "", "three iterations are straight-line code")
tap.is(row_loops(vectors(4, 4)), "4", "four of many members are a loop")
tap.is(row_loops(vectors(1, 8)), "2", "a loop of one member gets four copies")
tap.is(row_loops(vectors(2, 8)), "4", "one of two members two")
tap.is(row_loops(vectors(3, 8)), "8", "one of three none")
tap.is(row_loops(vectors(1, 8), 64, true), "4", "two copies where memory is waited for")
tap.is(row_loops(vectors(2, 8), 64, true), "8", "none of two members")
-- two taps are a permutation and a weight each: 4 of 4 members are 16 constants, 6 are reserved
tap.is(row_loops(vectors(4, 9, 2), 22), "9", "16 constants in 22 registers")
tap.is(row_loops(vectors(4, 9, 2), 21), "9 9", "in 21 they are two loops")
tap.is(row_loops(vectors(4, 9, 2), 14), "9 9", "8 and 8 in 14")
tap.is(row_loops(vectors(4, 9, 2), 13), "9 9 9 9", "4 each in 13")

-- one vector of many taps: 400 products are a loop over tables
local function mean(taps)
  local t = { index = {}, weight = {} }
  for k = 1, taps do t.index[k], t.weight[k] = k - 1, 0.5 end
  return map_of({ t, t, t, t }, taps)
end
tap.is(row_loops(mean(400)), "399", "one vector by tables")
tap.is(row_loops(mean(384)), "", "384 products are straight-line code")

-- constants: a permutation a window and a weight for each tap, of 4 elements
tap.is(row.constants(row.new(vectors(1, 8), 4)), 2 * 4, "constants of one tap")
tap.is(row.constants(row.new(vectors(4, 9, 2), 4)), 4 * 2 * 2 * 4, "of two taps")

-- elements of 10, the last among them: windows end with the row, not begin with the first element
local function apart(first)
  local t = { index = { first, 9 }, weight = { 0.5, 0.5 } }
  return row.constants(row.new(map_of({ t, t, t, t }, 10), 4))
end
tap.is(apart(1), 2 * 3 * 4, "eight elements apart are two windows more")
tap.is(apart(3), 2 * 2 * 4, "six are one more")
tap.is(apart(6), 2 * 2 * 4, "three apart are one")

-- tables of weights and places are printed number by number
local function tables(map, emit)
  local b, list = machine(64), {}
  emit(b, map)
  for _, buf in ipairs(b.buffers) do list[#list + 1] = buf.name .. ":" .. buf.columns end
  return table.concat(list, " ")
end
local function slanted(n)
  local taps = {}
  for o = 0, n - 1 do
    taps[o + 1] = { index = { o, o + 1 }, weight = { 0.5, (o + 1) / 1024 } }
  end
  return map_of(taps, n + 1)
end
tap.is(tables(slanted(40), function(b, map) row.declare(b, row.new(map, 4)) end),
  "column_weight:1", "weights of a row")
tap.is(tables(slanted(40), function(b, map) columns.new(b, map, 4, 1, 1, 1) end),
  "column_weight:1", "weights of pixels")
tap.is(tables(vectors(33, 9), function(b, map) row.declare(b, row.new(map, 4)) end),
  "", "constants have no table")
tap.is(tables(vectors(60, 9, 2), function(b, map) row.declare(b, row.new(map, 4)) end),
  "column_weight:1 column_element:1", "a row by tables")

-- members of a loop in parts
local function parts(needs, budget)
  local out = {}
  local run = { items = needs }
  for i, part in ipairs(runs.parts(run, function(n) return n end, budget)) do
    out[i] = table.concat(part, "+")
  end
  return table.concat(out, " ")
end
tap.is(parts({ 2, 3, 4 }, 9), "2+3+4", "all members fit")
tap.is(parts({ 2, 3, 4 }, 8), "2+3 4", "the last does not")
tap.is(parts({ 2, 3, 4 }, 5), "2+3 4", "two fit exactly")
tap.is(parts({ 2, 3, 4 }, 4), "2 3 4", "each by itself")
tap.is(parts({ 9, 1, 9 }, 4), "9 1 9", "members beyond the budget")
tap.is(parts({ 3, 1, 1, 1 }, 4), "3+1 1+1", "room is counted anew")
tap.is(parts({ 0, 2 }, 4), "0+2", "a member that needs nothing")
tap.is(parts({}, 4), "", "no members")

tap.done()
