-- SPDX-License-Identifier: MIT
-- The tuner without a compiler: its list of candidates, its rules, and recorded runs replayed.

local tap = dofile "tests/lib/tap.lua"
local candidates = require "upweave.tune.candidates"
local list = require "upweave.util.list"
local model = require "upweave.tune.model"
local read = require "upweave.read"
local schedules = require "upweave.schedule"
local driver = require "upweave.driver"
local targets = require "upweave.target"
local tune = require "upweave.tune"
local winners = require "upweave.tune.winner"

local target = targets.find("x86-64-v3")

local function problem_of(shape, layout, more)
  local document = assert(read.flags({ op = "interpolate", x = shape .. ":" .. layout,
    mode = "bilinear", scale_factor = "2", name = "k" }, more))
  return document.kernels[1], document
end

local planar = problem_of("1x1x6x40", "NCHW")
local interleaved = problem_of("1x6x5x8", "NHWC")

local function take(stream, count)
  local out = {}
  while #out < count do
    local one = stream()
    if not one then break end
    out[#out + 1] = one
  end
  return out
end

-- Candidates -----------------------------------------------------------------------------------

local first = take(candidates.each(planar, target), 1000)
local chosen = driver.compile(planar, { target = target, stop_after = "schedule" }).schedule
tap.is(first[1].schedule, schedules.text(chosen), "the heuristic's choice is first")
tap.ok(#first > 20, "there are many candidates")
tap.same(list.column(take(candidates.each(planar, target), 12), "schedule"),
  list.column(table.move(first, 1, 12, 1, {}), "schedule"), "a short list begins the long one")
local function check_list()
  local texts, code, ranks, crowded = {}, {}, true, 0
  for rank, one in ipairs(first) do
    tap.ok(not texts[one.schedule] and not code[one.c_sha256], one.schedule .. " is new")
    texts[one.schedule], code[one.c_sha256] = true, true
    ranks = ranks and one.rank == rank
    local result = driver.fingerprint(planar, target, one.schedule).result
    if rank > 1 and result.pressure > target.registers then crowded = crowded + 1 end
  end
  tap.ok(ranks, "ranks count from one")
  tap.is(crowded, 0, "none needs more registers than there are")
end
check_list()
local strategies = {}
for rank = 1, 12 do strategies[first[rank].schedule:match("^[%w-]+")] = true end
tap.ok(strategies.rolling and strategies.blended, "other strategies come early")
tap.ok(first[2].schedule:match("^[%w-]+") ~= first[1].schedule:match("^[%w-]+")
  and first[3].schedule:match("^[%w-]+") == first[1].schedule:match("^[%w-]+"),
  "by turns with its neighbours")
planar.schedule = "rolling:rows=2"
tap.is(take(candidates.each(planar, target), 1)[1].schedule, first[1].schedule,
  "a given schedule is set aside")
planar.schedule = nil

local both = take(candidates.each_of({ planar, interleaved }, target), 6)
tap.same({ both[1].problem.x.layout, both[2].problem.x.layout, both[3].problem.x.layout },
  { "NCHW", "NHWC", "NCHW" }, "layouts take turns")
tap.is(both[6].rank, 6, "and are ranked together")

local tiled = assert(read.flags({ op = "conv", x = "1x16x12x12", out_channels = "16",
  kernel_size = "3", numerics = "fast", name = "k" })).kernels[1]
local longest = 0
for _, one in ipairs(take(candidates.each(tiled, target), 60)) do
  longest = math.max(longest, tonumber(one.schedule:match("^winograd:algorithm=(%d)") or 0))
end
tap.is(longest, 4, "an algorithm beyond the classes of numerics is for schedules that name it")

-- The model ------------------------------------------------------------------------------------

tap.ok(model.level(1 << 10) < model.level(1 << 17) and model.level(1 << 17) < model.level(1 << 24),
  "a farther cache costs more")
tap.same({ model.level(24 << 10), model.level((24 << 10) + 1), model.level(384 << 10),
  model.level((384 << 10) + 1) }, { 1, 1.4, 1.4, 2.5 }, "from three quarters of one on")
local small = driver.compile(planar, { target = target, stop_after = "ir" })
local large = driver.compile(problem_of("1x1x24x80", "NCHW"),
  { target = target, stop_after = "ir" })
tap.ok(model.cost(small.ir) < model.cost(large.ir), "more work costs more")

-- Who wins -------------------------------------------------------------------------------------

local function trial(rank, relative, half, changes)
  local result = { status = "ok", relative = relative, low = relative - half,
    high = relative + half, median_ns = relative * 1000 }
  for key, value in pairs(changes or {}) do result[key] = value end
  return { rank = rank, result = result }
end

tap.is(winners.of({ trial(1, 1, 0), trial(2, 0.9, 0.02) }).rank, 2, "a clearly faster one wins")
tap.is(winners.of({ trial(1, 1, 0), trial(2, 0.97, 0.04) }).rank, 1,
  "within the noise the heuristic wins")
tap.is(winners.of({ trial(1, 1, 0), trial(3, 0.8, 0.02), trial(2, 0.81, 0.02) }).rank, 2,
  "within the noise of the best the earlier rank wins")
tap.is(winners.of({ trial(3, 0.8, 0.02), trial(2, 0.81, 0.02), trial(1, 1, 0) }).rank, 2,
  "in whatever order they stand")
tap.is(winners.of({ trial(1, 1, 0), trial(2, 0.8, 0.02), trial(3, 0.81, 0.02) }).rank, 2,
  "which may be the best itself")
tap.is(winners.of({ trial(1, 1, 0), { rank = 2, result = { status = "wrong" } } }).rank, 1,
  "a wrong one never wins")
local many = { trial(1, 1, 0) }
for rank = 2, 12 do many[rank] = trial(rank, 1 - rank / 100, 0.001) end
many[12].result.early = true
local last = winners.finalists(many)
tap.is(last[1].rank, 1, "the heuristic's choice meets the finalists")
tap.same(list.column(last, "rank"), { 1, 11, 10, 9, 8, 7 }, "the five fastest that were measured")

-- A recorded run -------------------------------------------------------------------------------

-- The list, made once: it does not depend on what is measured.
local function replayed()
  local at = 0
  return function()
    at = at + 1
    return first[at]
  end
end
candidates.each_of = replayed

-- Times that depend on the schedule alone, as a recording would give them.
local function recorded(schedule)
  local hash = 7
  for at = 1, #schedule do hash = (hash * 31 + schedule:byte(at)) % 9973 end
  local relative = 0.6 + hash / 9973
  return { status = hash % 11 == 0 and "wrong" or "ok", relative = relative,
    low = relative - 0.01, high = relative + 0.01, median_ns = relative * 1e4 }
end

local function run(memory, options)
  local measured, clock = {}, 0
  local found, faults = tune.run {
    problems = { planar }, target = target, trials = options.trials,
    seconds = options.seconds,
    known = function(candidate) return memory[candidate.schedule] end,
    measure = function(batch)
      clock = clock + 1
      if options.stop == clock then error("stop", 0) end
      local results = {}
      for index, candidate in ipairs(batch) do
        results[index] = recorded(candidate.schedule)
        if index == 1 then
          results[1] = { status = "ok", relative = 1, low = 1, high = 1, median_ns = 1e4 }
        end
      end
      return results
    end,
    keep = function(candidate, result)
      measured[#measured + 1] = candidate.schedule
      memory[candidate.schedule] = result
      return true
    end,
    clock = function() return clock end, watch = function() end,
  }
  return found, measured, faults
end

local undisturbed = {}
local found, measured = run(undisturbed, { trials = 20 })
tap.is(#measured, 20, "as many trials as were asked for")
tap.is(#found.trials, 20, "are told")
local again
again, measured = run(undisturbed, { trials = 20 })
tap.is(#measured, 0, "what is known is not measured again")
tap.is(again.winner.candidate.schedule, found.winner.candidate.schedule,
  "recorded times give the same winner")
again, measured = run(undisturbed, { trials = 24 })
tap.is(#measured, 4, "more trials measure only what is new")
tap.is(#again.trials, 24, "and see all of them")

-- Ended at every batch in turn, then taken up again.
local disturbed = {}
for stop = 1, 3 do
  local ok, fault = pcall(run, disturbed, { trials = 20, stop = stop })
  tap.ok(not ok and fault == "stop", "ended in batch " .. stop)
end
again = run(disturbed, { trials = 20 })
local function sorted_keys(memory)
  local keys = {}
  for key in pairs(memory) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end
local short = {}
run(short, { trials = 20 })
tap.same(sorted_keys(disturbed), sorted_keys(short), "an ended run ends with the same trials")
tap.is(again.winner.candidate.schedule, found.winner.candidate.schedule, "and the same winner")

found = run({}, { seconds = 4 })
tap.ok(#found.trials >= 8 and #found.trials <= 40, "a budget of time ends the search")
found = run(undisturbed, { seconds = 0 })
tap.is(#found.trials, 1, "not before there is one to take")
local failing, faults = tune.run {
  problems = { planar }, target = target, trials = 3, known = function() end,
  measure = function() return { { status = "wrong", reason = "7 elements" } } end,
  keep = function() return true end, clock = function() return 0 end, watch = function() end,
}
tap.is(failing, nil, "without an anchor nothing is compared")
tap.like(faults[1].because, "wrong, 7 elements", "and it is said why")

tap.done()
