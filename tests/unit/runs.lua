-- SPDX-License-Identifier: MIT
-- Runs: lists of nearly identical items become loops, each item exactly once; periods, strides,
-- edges; random periodic lists with what disturbs them.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local runs = require "upweave.plan.runs"

-- Items from text: each letter is a signature, positions advance by `step`.
local function items(text, step)
  local list, at = {}, 0
  for c in text:gmatch "." do
    list[#list + 1] = { sig = c, pos = { at, 100 - at } }
    at = at + (step or 1)
  end
  return list
end

-- "first:period*count+stride" of every run
local function shape(list)
  local out = {}
  for i, r in ipairs(list) do
    out[i] = ("%d:%dx%d+%s"):format(r.first, r.period, r.count, table.concat(r.stride, ","))
  end
  return table.concat(out, " ")
end

local function is(text, period, want, name, step)
  tap.is(shape(runs.runs(items(text, step), period)), want, name)
end

is("", 4, "", "no items")
is("a", 4, "1:1x1+0,0", "one item: a run of one, which does not move")
is("aaaa", 4, "1:1x4+1,-1", "equal items are one loop")
is("aaaa", 1, "1:1x4+1,-1", "period 1 is enough for them")
is("aaaa", 4, "1:1x4+2,-2", "with their stride", 2)
is("abab", 4, "1:2x2+2,-2", "a period of two")
is("ababab", 4, "1:2x3+2,-2", "three times")
is("ababa", 4, "1:2x2+2,-2 5:1x1+0,0", "a rest is a run of its own")
is("ab", 4, "1:1x1+0,0 2:1x1+0,0", "two different items")
is("aa", 4, "1:1x2+1,-1", "two equal items")
is("xabababy", 4, "1:1x1+0,0 2:2x3+2,-2 8:1x1+0,0", "edges on both sides")
is("abcabc", 3, "1:3x2+3,-3", "the longest period allowed")
is("abcabc", 2, "1:1x1+0,0 2:1x1+0,0 3:1x1+0,0 4:1x1+0,0 5:1x1+0,0 6:1x1+0,0",
  "one more is not")
is("aabaab", 4, "1:3x2+3,-3", "the longer cover wins over the shorter period")
is("aaaab", 4, "1:1x4+1,-1 5:1x1+0,0", "a shorter period where covers are equal")
is("aaaa", 2, "1:1x4+1,-1", "not period 2")
is("aabb", 2, "1:1x2+1,-1 3:1x2+1,-1", "one loop after the other")

is("ababaababa" .. "baab", 7, "1:7x2+7,-7", "14 items of period 7 win over 10 of period 5")

-- a stride that changes ends a run
local uneven = items "aaaaaa"
for i = 4, 6 do uneven[i].pos[1] = uneven[i].pos[1] + 1 end
tap.is(shape(runs.runs(uneven, 4)), "1:3x2+4,-3", "a jump in one coordinate is in a longer period")
tap.is(shape(runs.runs(uneven, 2)), "1:1x3+1,-1 4:1x3+1,-1", "or the end of a run")
uneven = items "aaaaaa"
for i = 5, 6 do uneven[i].pos[2] = uneven[i].pos[2] - 1 end
tap.is(shape(runs.runs(uneven, 4)), "1:1x4+1,-1 5:1x2+1,-1", "or in the other")
local doubled = {}
for i = 0, 7 do doubled[i + 1] = { sig = "a", pos = { i // 2 } } end
tap.is(shape(runs.runs(doubled, 4)), "1:2x4+1", "equal signatures that move every other item")

-- members
local list = items "abab"
local r = runs.runs(list, 4)[1]
tap.is(#r.items, 2, "the items of the first iteration")
tap.is(r.items[2], list[2], "in order")
tap.is(runs.item(list, r, 0, 1), list[1], "iteration 0, member 1")
tap.is(runs.item(list, r, 1, 1), list[3], "iteration 1, member 1")
tap.is(runs.item(list, r, 1, 2), list[4], "iteration 1, member 2")
r = runs.runs(items "xabab", 4)[2]
tap.is(runs.item(items "xabab", r, 1, 2).sig, "b", "of a run that starts later")
tap.is(runs.pieces(runs.runs(items "xabababy", 4)), 4, "straight-line pieces: 1 + 2 + 1")
tap.is(runs.pieces {}, 0, "of nothing")

-- random periodic lists: whatever comes out covers every item once and predicts it
local random = ir.random(11)
local function random_list()
  local out, at = {}, 0
  for _ = 1, 1 + random(4) do
    local period, text = 1 + random(5), {}
    for k = 1, period do text[k] = { sig = "" .. random(3), step = random(4) } end
    for k = 0, random(30) do
      local part = text[k % period + 1]
      out[#out + 1] = { sig = part.sig, pos = { at, #out * 8 } }
      at = at + part.step
    end
  end
  return out
end

-- what is wrong with item `at` of the list, said to be a member of an iteration of a run
local function item_fault(all, run, iteration, member, at)
  local it, model = runs.item(all, run, iteration, member), run.items[member]
  if it ~= all[at] then return "another item at " .. at end
  if it.sig ~= model.sig then return "another signature at " .. at end
  for k, p in ipairs(model.pos) do
    if it.pos[k] ~= p + iteration * run.stride[k] then return "elsewhere at " .. at end
  end
end

local function run_fault(all, run, most)
  if run.period > most then return "a period of " .. run.period end
  if run.count < 1 or #run.items ~= run.period then return "no items" end
  if run.count == 1 and run.period ~= 1 then return "straight-line code called a period" end
  local at, fault = run.first, nil
  for iteration = 0, run.count - 1 do
    for member = 1, run.period do
      fault = fault or item_fault(all, run, iteration, member, at)
      at = at + 1
    end
  end
  return fault
end

local function fault_of(all, result, most)
  local following, fault = 1, nil
  for _, run in ipairs(result) do
    if run.first ~= following then return "a gap or an overlap at " .. following end
    fault = fault or run_fault(all, run, most)
    following = following + run.period * run.count
  end
  return fault or (following ~= #all + 1 and "items are left over" or nil)
end

local fault
for _ = 1, 400 do
  local all, most = random_list(), 1 + random(6)
  fault = fault or fault_of(all, runs.runs(all, most), most)
end
tap.ok(not fault, "400 random lists: every item once, where its run says")
if fault then tap.diag(fault) end

-- a long periodic list is one loop, whatever period it has
for period = 1, 8 do
  local all = {}
  for i = 0, 10 * period - 1 do
    all[i + 1] = { sig = "" .. i % period, pos = { i // period * 7 + i % period } }
  end
  tap.is(shape(runs.runs(all, 8)), ("1:%dx10+7"):format(period), "period " .. period)
end

tap.done()
