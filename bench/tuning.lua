-- SPDX-License-Identifier: MIT
-- How good the heuristic is, and how soon the tuner finds better: the bench workloads, tuned.
--
-- usage: lua5.4 bench/tuning.lua [--trials N] [--db FILE] [--only PATTERN]…   (`make bench-tuning`)
-- Tunes bench/workloads.json with N candidates a kernel (40) and prints a line for each: times of
-- the heuristic's schedule and of the winner from the final, where both ran in one process; how
-- many candidates it took to come within 3 % of the best trial; candidates a second, verified and
-- timed.
-- Invariant: with a database of before only what is new is measured; the final always is.

dofile("generator/searcher.lua")(".")
local dkjson = require "dkjson"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local CLOSE <const>, TIME_LIMIT <const> = 1.03, 4 * 3600
local OUT <const> = "build/bench"

local function read_arguments()
  local options, passed, at = { trials = "40", db = OUT .. "/tuning.jsonl" }, {}, 1
  while arg[at] do
    local name = arg[at]:match("^%-%-(%w+)$")
    if options[name] then
      options[name] = arg[at + 1]
    else
      table.move(arg, at, at + 1, #passed + 1, passed)
    end
    at = at + 2
  end
  return options, passed
end

local function run(command)
  local result = process.run(command, { seconds = TIME_LIMIT, limit = 1 << 26 })
  if not result.ok then
    io.stderr:write(result.stderr, table.concat(command, " "), " ", process.describe(result), "\n")
    os.exit(result.code ~= 0 and result.code or 1)
  end
  return assert(dkjson.decode(result.stdout))
end

-- The trials of a final, in the order of the list.
local function trials_of(records, final)
  local list = {}
  for _, one in ipairs(records) do
    local same = one.kind == "trial" and one.spec == final.spec and one.target == final.target
      and one.anchor == final.anchor and one.machine == final.machine
    if same and one.rank <= final.trials then list[#list + 1] = one end
  end
  table.sort(list, function(a, b) return a.rank < b.rank end)
  return list
end

local function until_close(trials)
  local best = math.huge
  for _, one in ipairs(trials) do
    if one.status == "ok" then best = math.min(best, one.relative) end
  end
  for _, one in ipairs(trials) do
    if one.status == "ok" and one.relative <= best * CLOSE then return one.rank end
  end
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

local options, passed = read_arguments()
assert(uv.fs_stat("build") or uv.fs_mkdir("build", 493))
assert(uv.fs_stat(OUT) or uv.fs_mkdir(OUT, 493))
local command = { "bin/upweave", "tune", "bench/workloads.json", "--json", "-q", "--trials",
  options.trials, "--db", options.db }
local finals = run(table.move(passed, 1, #passed, #command + 1, command)).results
local records = run({ "bin/upweave", "db", "ls", "--json", "--db", options.db }).records

print(("%-26s %10s %10s %6s %6s %7s  %s"):format("kernel", "heuristic", "tuned", "gain", "close",
  "per s", "schedule"))
local product, worst, close, speed = 1, 1, {}, {}
for _, final in ipairs(finals) do
  local first = until_close(trials_of(records, final)) or final.trials
  close[#close + 1], speed[#speed + 1] = first, final.per_second
  product, worst = product * final.times_first, math.max(worst, final.times_first)
  print(("%-26s %7.1f us %7.1f us %6.2f %6d %7.2f  %s"):format(final.kernel,
    final.median_ns * final.times_first / 1e3, final.median_ns / 1e3, final.times_first, first,
    final.per_second, final.schedule))
end
print(("the heuristic's time over the tuned one: geometric mean %.3f, worst %.2f")
  :format(product ^ (1 / #finals), worst))
print(("trials to within 3 %% of the best: median %d; candidates a second: median %.2f")
  :format(median(close), median(speed)))
