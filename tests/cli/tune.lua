-- SPDX-License-Identifier: MIT
-- tune, sweep, db: what is measured, kept, found by builds, and what a killed run loses.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local dkjson = require "dkjson"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local folder = command.folder()
local spec = command.write(folder .. "/one.lua", command.tiny("up"))
local db = folder .. "/deep/db.jsonl"

local function run(name, code, arguments)
  local result = command.run(arguments)
  if not tap.is(result.code, code, name .. ": exit " .. code) then tap.diag(result.stderr) end
  return result
end

local function json(name, arguments)
  arguments[#arguments + 1] = "--json"
  return dkjson.decode(run(name, 0, arguments).stdout) or {}
end

-- The schedules of a kind of record, sorted.
local function schedules(kind, path)
  local list = {}
  for _, record in ipairs(json("ls", { "db", "ls", "--db", path or db }).records) do
    if record.kind == kind then list[#list + 1] = record.schedule end
  end
  table.sort(list)
  return list
end

-- Tuning, and what builds make of it ----------------------------------------------------------

local tuned = json("tune", { "tune", spec, "--trials", "4", "--db", db }).results[1]
tap.is(tuned.kernel, "up", "tune says which kernel")
tap.is(tuned.trials, 4, "and of how many trials")
tap.ok(tuned.median_ns > 0, "and the time")
tap.is(#schedules("trial"), 4, "four trials are kept")
local again = json("tune again", { "tune", spec, "--trials", "4", "--db", db }).results[1]
tap.is(again.measured, 0, "known trials are not measured again")
run("tune --trials and --budget", 2, { "tune", spec, "--trials", "4", "--budget", "9s" })
run("tune --budget nonsense", 2, { "tune", spec, "--budget", "soon" })

local built = json("build", { "build", spec, "-o", folder .. "/out", "--db", db })
tap.ok(#built.files > 0, "a tuned kernel is built")
local metadata = dkjson.decode(command.read(folder .. "/out/up.json"))
tap.is(metadata.chosen_by, "database", "its JSON says who chose")
tap.is(metadata.schedule, again.schedule, "and the winner's schedule")
tap.like(command.read(folder .. "/out/up.c"), "database: tuned: ", "so does its head")
tap.like(command.read(folder .. "/out/up.c"), ", 4 trials", "with the number of trials")
local function chosen_by(...)
  return json("explain", { "explain", spec, ... }).kernels[1].chosen_by
end
tap.is(chosen_by("--db", db), "database", "explain takes the winner")
tap.is(chosen_by(), "heuristic", "not without the database")
tap.is(chosen_by("--db", db, "--schedule", tuned.schedule), "given", "a given schedule comes first")
tap.is(chosen_by("--db", db, "--target", "generic"), "heuristic", "another target has none")
run("gen", 0, { "gen", spec, "-o", folder .. "/gen", "--target", "native" })
tap.is(dkjson.decode(command.read(folder .. "/gen/up.json")).chosen_by, "heuristic",
  "gen looks into no database that is not named")
run("gen --db", 0, { "gen", spec, "-o", folder .. "/gen", "--target", "native", "--db", db })
tap.is(dkjson.decode(command.read(folder .. "/gen/up.json")).chosen_by, "database",
  "and takes the winner of a named one")
run("a database that is not there", 2, { "build", spec, "-o", folder .. "/out", "--db", db .. "x" })

-- A record of other C than the schedule gives today: made as a newer generator would leave it.
local record = require "upweave.tune.record"
local stale = {}
for line in command.read(db):gmatch("[^\n]+") do
  local one = record.read(line)
  one.c_sha256 = ("0"):rep(64)
  stale[#stale + 1] = record.line(one)
end
local old = command.write(folder .. "/old.jsonl", table.concat(stale, "\n") .. "\n")
local result = run("a stale winner", 0, { "explain", spec, "--db", old })
tap.like(result.stdout, "heuristic", "is not used")
tap.like(result.stderr, "was measured with other C: not used", "and reported")

-- Damage --------------------------------------------------------------------------------------

local whole = command.read(db)
local torn = command.write(folder .. "/torn.jsonl", whole:sub(1, -9))
result = run("a torn database", 0, { "build", spec, "-o", folder .. "/out", "--db", torn })
tap.like(result.stderr, "1 line skipped", "is counted on standard error")
result = run("db check of it", 8, { "db", "check", "--db", torn })
tap.like(result.stderr, "torn.jsonl:", "names the line")
run("db gc", 0, { "db", "gc", "--db", torn })
run("db check after gc", 0, { "db", "check", "--db", torn })
local noise = command.write(folder .. "/noise.jsonl", "not a database\n")
run("no readable line", 8, { "build", spec, "-o", folder .. "/out", "--db", noise })
run("db merge", 0, { "db", "merge", old, db, "--db", torn })
tap.is(#json("ls", { "db", "ls", "--db", torn }).records, select(2, whole:gsub("\n", "")) * 2,
  "merge adds each line once")
tap.is(#json("best", { "db", "best", "--db", db }).records, 1, "db best has one line a kernel")
run("db nothing", 2, { "db", "nothing" })
run("db", 2, { "db" })

-- Layouts -------------------------------------------------------------------------------------

local open = command.write(folder .. "/any.lua", 'kernel "any" { op = "interpolate", '
  .. 'x = tensor { 1, 8, 6, 6, layout = "any" }, scale_factor = 2 }\n')
local best = json("tune layouts", { "tune", open, "--trials", "4", "--db", db }).results[1]
result = run("explain layouts", 0, { "explain", open, "--db", db })
tap.like(result.stderr, ("layout %s, tuned"):format(best.layout), "the winner's layout is taken")
result = run("explain without", 0, { "explain", open })
tap.like(result.stderr, "layout NCHW, the default", "without one the default, and it is said")

-- Baked parameters: their numbers are not what is tuned ------------------------------------------

local function weigh(...)
  command.write(folder .. "/w.npy", command.npy({ 2, 1, 1, 1 }, { ... }))
end
weigh(1, 2)
local baked = command.write(folder .. "/baked.lua", 'kernel "baked" { op = "conv", bias = false, '
  .. 'x = tensor { 1, 1, 4, 4 }, out_channels = 2, kernel_size = 1, weight = npy "w.npy" }\n')
run("tune a baked kernel", 0, { "tune", baked, "--trials", "2", "--db", db })
weigh(3, 4)
result = run("explain it with other numbers", 0, { "explain", baked, "--db", db })
tap.like(result.stdout, "database: tuned: ", "the winner is that of all numbers")

-- Sweeps --------------------------------------------------------------------------------------

local swept = command.write(folder .. "/sweep.lua", command.tiny("up") .. [[
sweep { layout = { "NCHW", "NHWC" }, target = { "native", "riscv64" },
        schedule = { "blended", { strategy = "rolling", rows = { 1, 2, 99 } } } }
]])
local results = json("sweep", { "sweep", swept, "--db", db }).results
tap.is(#results, 2 * 2 * 4, "a line for each configuration")
local by_status = {}
for _, one in ipairs(results) do by_status[one.status] = (by_status[one.status] or 0) + 1 end
tap.same(by_status, { ok = 6, illegal = 2, ["cannot run"] = 8 }, "each with what became of it")
local lines = #schedules("sweep")
run("sweep again", 0, { "sweep", swept, "--db", db })
tap.is(#schedules("sweep"), lines, "a sweep goes on where it was")
local csv = run("sweep --csv", 0, { "sweep", swept, "--db", db, "--csv" }).stdout
tap.is(select(2, csv:gsub("\n", "")), 1 + 16, "CSV has a head and a line for each")
run("a spec without a sweep", 2, { "sweep", spec })
local function wrong_sweep(text, ...)
  local path = command.write(folder .. "/wrong.lua", command.tiny("up") .. text)
  local told = run(text, 3, { "sweep", path }).stderr
  for _, part in ipairs { ... } do tap.like(told, part, text .. " says " .. part) end
end
wrong_sweep("sweep { layouts = {} }", "sweep.layouts", "layout")
wrong_sweep("sweep { layout = {}, shape = { 3 } }", "sweep.layout", "sweep.shape")
wrong_sweep('sweep { layout = { "NCHW" } } sweep {}', "a second sweep")
local asjson = command.write(folder .. "/sweep.json", [[{"upweave": 1, "kernels": [{"name": "up",
  "op": "interpolate", "x": {"shape": [1,1,4,5]}, "mode": "bilinear", "scale_factor": 2}],
  "sweep": {"schedule": [{"strategy": "rolling", "rows": [1, 2]}]}}]])
tap.is(#json("sweep in JSON", { "sweep", asjson, "--db", db }).results, 2, "JSON sweeps, too")

-- Killed at any moment --------------------------------------------------------------------------

local trials = "10"
local calm, hunted = folder .. "/calm.jsonl", folder .. "/hunted.jsonl"
run("an undisturbed run", 0, { "tune", spec, "--trials", trials, "--db", calm })

local function start(path)
  return assert(process.start({ command.program, "tune", spec, "--trials", trials, "--db", path },
    { env = command.environment(), seconds = 120 }))
end

local function finish(child)
  while not child.done do process.step() end
  return process.result(child)
end

local function kill_after(milliseconds, signal)
  local child, timer = start(hunted), uv.new_timer()
  timer:start(milliseconds, 0, function() uv.kill(child.pid, signal) end)
  local ended = finish(child)
  timer:close()
  return ended
end

for round = 1, 4 do kill_after(150 * round, "sigkill") end
local interrupted = kill_after(300, "sigint")
tap.ok(interrupted.code == 130 or interrupted.code == 0, "Ctrl-C: exit 130")
run("the run that goes on", 0, { "tune", spec, "--trials", trials, "--db", hunted })
tap.same(schedules("trial", hunted), schedules("trial", calm), "has the trials of a calm one")

-- Four writers at a time.
local shared, children = folder .. "/shared.jsonl", {}
for index = 1, 4 do children[index] = start(shared) end
for index, child in ipairs(children) do
  tap.is(finish(child).code, 0, "writer " .. index .. " of one database")
end
run("db check of it", 0, { "db", "check", "--db", shared })
local seen = {}
for _, schedule in ipairs(schedules("trial", shared)) do seen[schedule] = true end
local complete = true
for _, schedule in ipairs(schedules("trial", calm)) do complete = complete and seen[schedule] end
tap.ok(complete, "no writer's trials are lost")

command.clean()
tap.done()
