-- SPDX-License-Identifier: MIT
-- The bench workloads on this machine, as a table.
--
-- usage: lua5.4 bench/run.lua [--runs N] [--target T]... [--only PATTERN]...     (`make bench`)
-- Runs `bin/upweave bench` on bench/workloads.json N times (default 3) and keeps of every kernel
-- the run with the best median. Prints the table; build/bench/ gets it as table.md and all runs as
-- runs.jsonl.
-- Invariants: what stands in one line was measured in one process, kernel and limits interleaved.
-- GFLOP/s are those of the direct algorithm, given where they are the limit.

dofile("generator/searcher.lua")(".")
local goals = dofile "bench/goals.lua"
local host = require "upweave.toolchain.host"
local json = require "dkjson"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local OUT <const> = "build/bench"
local TIME_LIMIT <const> = 1800

local function read_arguments()
  local runs, passed, at = 3, {}, 1
  while arg[at] do
    if arg[at] == "--runs" then
      at = at + 1
      runs = math.tointeger(tonumber(arg[at])) or error("--runs wants a number", 0)
    else
      passed[#passed + 1] = arg[at]
    end
    at = at + 1
  end
  return runs, passed
end

local function write(name, text)
  local file = assert(io.open(OUT .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function measure(passed)
  -- the heuristic's schedules: a database of winners would be this user's own
  local command = {
    "bin/upweave", "bench", "bench/workloads.json", "--json", "-q", "--db", "/dev/null",
  }
  table.move(passed, 1, #passed, #command + 1, command)
  local result = process.run(command, { seconds = TIME_LIMIT, limit = 1 << 24 })
  if not result.ok then
    io.stderr:write(result.stderr, "bench: ", process.describe(result), "\n")
    os.exit(result.code ~= 0 and result.code or 1)
  end
  return result.stdout
end

--- Best run of each kernel, in the order of the workloads.
local function collect(text, best, order)
  for _, record in ipairs(json.decode(text).results) do
    local known = best[record.kernel]
    if not known then order[#order + 1] = record.kernel end
    if not known or record.median_ns < known.median_ns then best[record.kernel] = record end
  end
end

local function percent(value) return value and string.format("%.0f", 100 * value) or "–" end

local function goal_text(record, percents)
  local goal = goals.of(record.kernel, percents)
  if not goal then return "–" end
  local reached = (percents[record.kernel] or 0) >= goal
  return string.format("%.0f %s", goal, reached and "met" or "**missed**")
end

local function row(record, percents)
  return string.format(
    "| %s | %s | %.1f | %.1f | %.1f %% | %.1f | %s | %s | %s | %s | %.0f | %.0f |",
    record.kernel, record.numerics or "–", record.median_ns / 1e3, record.min_ns / 1e3,
    100 * (record.spread or 0), record.limit_ns / 1e3, percent(record.share),
    goal_text(record, percents),
    record.times_generic and string.format("%.1f", record.times_generic) or "–",
    record.limited_by == "arithmetic" and string.format("%.0f", record.gflops) or "–",
    record.read_gbs or 0, record.write_gbs or 0)
end

local function table_text(best, order, runs)
  local machine = host.describe()
  local lines = {
    string.format("%s; best of %d runs' medians; one thread, warm.", machine.model, runs), "",
    "| workload | class | median µs | min µs | spread | limit µs | % of limit | goal | "
      .. "× generic C | GFLOP/s | read GB/s | write GB/s |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
  }
  local percents = {}
  for _, name in ipairs(order) do
    percents[name] = best[name].share and 100 * best[name].share
  end
  for _, name in ipairs(order) do lines[#lines + 1] = row(best[name], percents) end
  return table.concat(lines, "\n") .. "\n"
end

local function main()
  local runs, passed = read_arguments()
  uv.fs_mkdir("build", 493)
  uv.fs_mkdir(OUT, 493)
  local best, order, texts = {}, {}, {}
  for at = 1, runs do
    io.stderr:write(string.format("  BENCH    run %d of %d\n", at, runs))
    texts[at] = measure(passed)
    collect(texts[at], best, order)
  end
  local text = table_text(best, order, runs)
  write("runs.jsonl", table.concat(texts))
  write("table.md", text)
  io.stdout:write(text)
  io.stderr:write("  written: ", OUT, "/table.md\n")
end

main()
