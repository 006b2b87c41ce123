-- SPDX-License-Identifier: MIT
-- Measuring, with a compiler and a program that only say what they are told to: what is compiled,
-- what the program is asked, whose fault it is when it ends early.

local tap = dofile "tests/lib/tap.lua"
local cache = require "upweave.toolchain.cache"
local files = require "upweave.toolchain.files"
local harness = require "upweave.toolchain.harness"
local jobs = require "upweave.toolchain.jobs"
local measure = require "upweave.tune.measure"
local uv = require "luv"

local folder = assert(uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/upweave-test-XXXXXX"))
local pattern = folder:gsub("%p", "%%%0")
local compiler = { command = { "cc", "-x" }, cflags = { "-g" }, jobs = 3, seconds = 9 }
local commands, options, released, built = {}, {}, 0, nil

function cache.work() return folder, function() released = released + 1 end end

function harness.build_tuner(_, problems)
  built = problems
  return "program"
end

-- Jobs of schedules that are named so fail.
function jobs.run(list, given)
  local done = {}
  options = given
  for i, job in ipairs(list) do
    commands[#commands + 1] = job.command
    local result = { ok = true, code = 0, signal = 0 }
    if job.name == "broken" then result = { code = 1, signal = 0 } end
    if job.name == "slow" then result = { timed_out = true, signal = 9, seconds = 9 } end
    done[i] = job.name ~= "lost" and result or nil
  end
  return done
end

local problems = { { x = { layout = "NCHW" } }, { x = { layout = "NHWC" } } }

local function candidate(schedule, changes)
  local one = { schedule = schedule, c_sha256 = schedule, problem = problems[1],
    files = { { name = "candidate.c", text = schedule }, { name = "k.json", text = "{}" } } }
  for key, value in pairs(changes or {}) do one[key] = value end
  return one
end

-- Measures candidates; the program says the lines of `runs` one after the other, each
-- { lines, result }.
local function run(kit, batch, runs)
  local asked, at = {}, 0
  function harness.run(_, arguments, what)
    at = at + 1
    asked[at] = table.concat(arguments, " "):gsub(pattern, "DIR") .. " of " .. what.total
    return runs[at][1], runs[at][3] or "ended", runs[at][2] or {}
  end
  local results, faults = kit:run(batch, 15, "test")
  return results, asked, faults
end

local function began(number) return { kernel = tostring(number), begun = true } end
local function ok(number, median)
  return { kernel = tostring(number), ok = true, median_ns = median, min_ns = median - 1,
    spread = 0, relative = 1, low = 1, high = 2, rounds = 15, early = median > 90 }
end
local function bad(number)
  return { kernel = tostring(number), kind = "wrong", reason = "7 of 9" }
end

local function words(results)
  local out = {}
  for i, result in ipairs(results) do
    out[i] = result.status .. (result.median_ns and " " .. result.median_ns or "")
  end
  return table.concat(out, ", ")
end

local tools = { compiler = compiler, store = {} }
local kit = assert(measure.new(tools, problems, { flags = { "-m" } }, 7))
tap.is(built[1].name .. built[2].name .. built[2].x.layout, "case1case2NHWC",
  "the problems are cases of one program")

-- a batch -----------------------------------------------------------------------------------------

local results, asked = run(kit, {
  candidate "a", candidate("b", { problem = problems[2], tile = { 2, 3 }, factor = 2.5 }),
  candidate "broken", candidate "slow", candidate "lost", candidate "c",
}, { { { began(0), began(1), began(2), bad(1), ok(0, 5), ok(2, 99) } } })
tap.is(words(results), "ok 5, wrong, compile, slow compile, compile, ok 99",
  "each candidate has its own result")
tap.is(results[1].min_ns .. " " .. results[1].high .. " " .. results[1].rounds, "4 2 15",
  "with all times")
tap.is(tostring(results[1].early) .. " " .. tostring(results[6].early), "nil true",
  "and whether rounds were cut")
tap.is(results[2].reason, "7 of 9", "or a reason")
tap.like(results[3].reason, "exit code 1", "which may be the compiler's")
tap.like(results[4].reason, "time limit (9.0 s)", "or its time")
tap.is(results[5].reason, "not started", "or that it was not there")

local command = table.concat(commands[1], " ")
tap.like(command, "cc -x ", "the compiler's command comes first")
tap.like(command, "-m -g -shared candidate.c -o candidate.so", "then the flags of builds")
tap.is(options.parallel .. " " .. tostring(options.all), "3 true", "all CPUs compile, and go on")
tap.is(files.read(folder .. "/1/candidate.c"), "a", "a candidate's C has a folder")
tap.is(files.read(folder .. "/2/candidate.c"), "b", "of its own")
tap.is(files.read(folder .. "/1/k.json"), nil, "what describes it is not needed")
tap.same(asked, { "--expected DIR --seed 7 --rounds 15 0:0,0,0,0:DIR/1/candidate.so "
  .. "1:2,3,0,2.5:DIR/2/candidate.so 0:0,0,0,0:DIR/6/candidate.so of 6" },
  "the program is asked for those that compiled: case, tile, factor, library")

-- the program ends early ----------------------------------------------------------------------

local before = #commands
results, asked = run(kit, { candidate "a", candidate "d", candidate "e", candidate "c" }, {
  { { began(0), began(1) }, { timed_out = true }, "was stopped" },
  { { began(0), began(1) }, {}, "ended by signal 9" },
  { { began(0), began(1), ok(0, 5), ok(1, 6) } },
})
tap.is(#commands - before, 2, "what was compiled is not compiled again")
tap.is(words(results), "ok 5, hang, crash, ok 6", "the one that had begun last is to blame")
tap.is(results[2].reason .. ", " .. results[3].reason, "was stopped, ended by signal 9",
  "with how the program ended")
tap.is(asked[3]:match("rounds 15 (.*)$"), "0:0,0,0,0:DIR/1/candidate.so "
  .. "0:0,0,0,0:DIR/6/candidate.so of 4", "and the others are asked for again")

local none, _, faults = run(kit, { candidate "a" }, { { {}, {}, "ended with exit code 9" } })
tap.ok(none == nil and faults[1].code == "E600", "a program that begins nothing is at fault itself")
tap.like(faults[1].because, "exit code 9", "and says how it ended")
results = run(kit, { candidate "a" }, { { { { kernel = "?" }, began(0), ok(0, 5) } } })
tap.is(words(results), "ok 5", "lines of nobody are not taken")
results, asked = run(kit, { candidate "broken" }, {})
tap.is(words(results) .. " " .. #asked, "compile 0", "where nothing compiles nothing runs")

kit.close()
tap.is(released, 1, "the folder is given back")
function harness.build_tuner() return nil, { "none" } end
tap.is(measure.new(tools, problems, { flags = {} }, 7), nil,
  "without a program there is no measuring")

files.remove_tree(folder)
tap.done()
