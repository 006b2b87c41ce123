-- SPDX-License-Identifier: MIT
-- Tuning and sweeps killed twenty times at random moments, against undisturbed ones; databases
-- damaged at random. A seed in UPWEAVE_TEST_SEED repeats the moments.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local database = require "upweave.tune.database"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local KILLS <const>, TRIALS <const> = 20, "40"

local folder = command.folder()
local seed = math.tointeger(tonumber(os.getenv("UPWEAVE_TEST_SEED")))
  or select(2, uv.gettimeofday())
math.randomseed(seed)
tap.diag("UPWEAVE_TEST_SEED=" .. seed)

local function write(name, text) return command.write(folder .. "/" .. name, text) end

local function run(name, arguments, code)
  local result = command.run(arguments, { seconds = 900 })
  if not tap.is(result.code, code or 0, name) then tap.diag(result.stderr) end
  return result
end

-- Start a command and kill it after so long, unless it is over by then.
local function killed(arguments, milliseconds)
  local child = assert(process.start(table.move(arguments, 1, #arguments, 2, { command.program }),
    { env = command.environment(), seconds = 900 }))
  local timer = uv.new_timer()
  timer:start(milliseconds, 0, function() uv.kill(child.pid, "sigkill") end)
  while not child.done do process.step() end
  timer:close()
  return process.result(child)
end

-- What was measured, each once, whatever the times.
local function measured(path, kind)
  local list, seen = {}, {}
  for _, one in ipairs(database.records(assert(database.read(path)))) do
    local key = table.concat({ one.spec, one.layout, one.schedule, one.c_sha256 }, " ")
    if one.kind == kind and not seen[key] then
      list[#list + 1], seen[key] = key, true
    end
  end
  table.sort(list)
  return list
end

-- The arguments of a verb with a database of its own.
local function with_database(arguments, path)
  local all = table.move(arguments, 1, #arguments, 1, {})
  all[#all + 1], all[#all + 2] = "--db", path
  return all
end

local function survives(name, arguments, kind)
  local calm, hunted = folder .. "/" .. kind .. "-calm", folder .. "/" .. kind .. "-hunted"
  local begun = uv.hrtime()
  run(name .. ": undisturbed", with_database(arguments, calm))
  local milliseconds = (uv.hrtime() - begun) // 1000000
  local kills = 0
  for _ = 1, KILLS do
    local moment = 50 + math.random(0, milliseconds // 3)
    local result = killed(with_database(arguments, hunted), moment)
    kills = kills + (result.signal == 9 and 1 or 0)
  end
  tap.ok(kills > 0, ("%s: killed %d times in its work"):format(name, kills))
  run(name .. ": the last call", with_database(arguments, hunted))
  run(name .. ": db check", { "db", "check", "--db", hunted })
  tap.same(measured(hunted, kind), measured(calm, kind), name .. ": the same has been measured")
  return calm
end

local spec = write("tune.lua", 'kernel "up" { op = "interpolate", '
  .. 'x = tensor { 1, 16, 20, 20, layout = "any" }, mode = "bilinear", scale_factor = 2 }\n')
local calm = survives("tune", { "tune", spec, "--trials", TRIALS }, "trial")
tap.is(#measured(calm, "trial"), 40, "tune: as many as were asked for")

-- 2 layouts x 2 shapes x 50 schedules.
local sweep = write("sweep.lua", 'kernel "up" { op = "interpolate", x = tensor { 1, 8, 10, 10 }, '
  .. 'mode = "bilinear", scale_factor = 2 }\n' .. [[
sweep {
  layout = { "NCHW", "NHWC" }, shape = { { 1, 8, 10, 10 }, { 1, 16, 12, 12 } },
  schedule = {
    { strategy = "rolling", rows = { 1, 2, 3, 4, 8 }, strips = { 1, 2, 4, 8 },
      stores = { "cached", "streaming" } },
    { strategy = "blended", line = { "buffered", "fused" }, strips = { 1, 2, 4, 8, 16 } },
  },
}
]])
survives("sweep", { "sweep", sweep }, "sweep")
local lines = run("sweep: 200 lines", { "sweep", sweep, "--csv", "--db", folder .. "/sweep-calm" })
tap.is(select(2, lines.stdout:gsub("\n", "")), 201, "sweep: a head and 200 configurations")

-- Random damage: no command fails but where nothing can be read, no record is made up.
local whole = command.read(calm)
local sound = {}
for line in whole:gmatch("[^\n]+") do sound[line] = true end
local function damaged(bytes)
  local at = math.random(1, #bytes)
  local kind = math.random(3)
  if kind == 1 then return bytes:sub(1, at) end
  if kind == 2 then
    local bit = 1 << math.random(0, 7)
    return bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ bit) .. bytes:sub(at + 1)
  end
  return bytes:sub(1, at) .. bytes:sub(at + math.random(1, 300))
end

local function check_damage()
  local invented, unread = 0, 0
  for _ = 1, 300 do
    local path = write("damaged.jsonl", damaged(damaged(whole)))
    local contents = database.read(path)
    unread = unread + (contents and 0 or 1)
    for _, line in ipairs(contents and contents.lines or {}) do
      invented = invented + (sound[line] and 0 or 1)
    end
  end
  tap.is(invented, 0, "damage: 300 files yield only what was written")
  tap.diag(("%d of them had no readable line"):format(unread))
  for round = 1, 5 do
    local path = write("damaged.jsonl", damaged(whole))
    local code = command.run({ "explain", spec, "--db", path }).code
    tap.ok(code == 0 or code == 8, "damage: a build is well or exits 8, round " .. round)
  end
end
check_damage()

command.clean()
tap.done()
