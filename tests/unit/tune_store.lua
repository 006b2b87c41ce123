-- SPDX-License-Identifier: MIT
-- What the tuner keeps: where the database is, who a trial is, what is known, which winner a build
-- takes.

local tap = dofile "tests/lib/tap.lua"
local database = require "upweave.tune.database"
local driver = require "upweave.driver"
local host = require "upweave.toolchain.host"
local list = require "upweave.util.list"
local make = dofile("tests/lib/problems.lua").make
local spec = require "upweave.spec"
local store = require "upweave.tune.store"
local targets = require "upweave.target"
local uv = require "luv"

-- Where it is -----------------------------------------------------------------------------------

local function path_with(given, cache, home, temporary)
  local values = { UPWEAVE_DB = given, XDG_CACHE_HOME = cache, HOME = home, TMPDIR = temporary }
  local names, before = { "UPWEAVE_DB", "XDG_CACHE_HOME", "HOME", "TMPDIR" }, {}
  for _, name in ipairs(names) do
    before[name] = os.getenv(name)
    uv.os_setenv(name, values[name] or "")
  end
  local path, named = database.default_path()
  for _, name in ipairs(names) do
    if before[name] then uv.os_setenv(name, before[name]) else uv.os_unsetenv(name) end
  end
  return path .. (named and " named" or "")
end

tap.is(path_with("db", "/c", "/h"), "db named", "UPWEAVE_DB names the database")
tap.is(path_with(nil, "/c", "/h"), "/c/upweave/tuning.jsonl", "else it is in the user's cache")
tap.is(path_with(nil, "c", "/h"), "/h/.cache/upweave/tuning.jsonl", "unless that is no place")
tap.is(path_with(nil, nil, nil, "/t"), ("/t/upweave-%d/tuning.jsonl"):format(uv.getuid()),
  "without a home it is the user's own among temporary files")

-- Who a trial is --------------------------------------------------------------------------------

local problem = make { op = "conv", x = { shape = { 1, 4, 5, 6 }, layout = "NCHW" },
  out_channels = 3, kernel_size = 3 }
local target = targets.find "x86-64-v3"
local compiler = { id = "clang 14", cflags = {} }

local function session(changes)
  local one = { kind = "trial", target = target, compiler = compiler, seed = 7, kernel = "k",
    anchor = "aa" }
  for key, value in pairs(changes or {}) do one[key] = value end
  return one
end

local function candidate(changes)
  local one = { problem = problem, schedule = "s:a=1", c_sha256 = "cc", rank = 3 }
  for key, value in pairs(changes or {}) do one[key] = value end
  return one
end

tap.is(store.compiler(compiler), "clang 14", "a compiler without flags")
tap.is(store.compiler { id = "c", cflags = { "-g", "-O1" } }, "c -g -O1", "with the user's flags")
tap.is(store.shape(problem), "1x4x5x6 NCHW f32", "a shape for people")
tap.is(store.identity(problem), spec.identity(problem), "a kernel is its spec's")

local record = store.record(session(), candidate(), { status = "ok", median_ns = 5, low = 1,
  high = 2, relative = 1.5, min_ns = 4, spread = 0.1, rounds = 15, early = true, reason = "r" })
tap.is(record.generator .. " " .. record.machine, driver.VERSION .. " " .. host.machine(),
  "a record is of this version and processor")
tap.same({ record.kind, record.target, record.compiler, record.schedule, record.layout,
  record.kernel, record.shape, record.rank, record.seed, record.anchor, record.c_sha256 },
  { "trial", "x86-64-v3", "clang 14", "s:a=1", "NCHW", "k", "1x4x5x6 NCHW f32", 3, 7, "aa", "cc" },
  "and of the session and the candidate")
tap.same({ record.status, record.median_ns, record.min_ns, record.spread, record.relative,
  record.low, record.high, record.rounds, record.early, record.reason },
  { "ok", 5, 4, 0.1, 1.5, 1, 2, 15, true, "r" }, "with all that was measured")
tap.ok(math.abs(record.at - os.time()) < 60, "and when")

local known = store.known { record }
tap.is(known(session(), candidate()), record, "the same trial is known")
tap.is(known(session { seed = 8, kernel = "other" }, candidate { rank = 9 }), record,
  "whatever it is called")
for name, other in pairs { kind = "final", target = targets.find "generic", anchor = "bb",
  compiler = { id = "clang 15", cflags = {} } } do
  tap.is(known(session { [name] = other }, candidate()), nil, "not with another " .. name)
end
for name, other in pairs { schedule = "s:a=2", c_sha256 = "dd",
  problem = setmetatable({ out_channels = 4 }, { __index = problem }) } do
  tap.is(known(session(), candidate { [name] = other }), nil, "nor of another " .. name)
end

-- What a build takes ----------------------------------------------------------------------------

local function final(schedule, at, median, changes)
  local one = store.record(session { kind = "final" }, candidate { schedule = schedule },
    { status = "ok", median_ns = median })
  one.at = at
  for key, value in pairs(changes or {}) do one[key] = value end
  return one
end

local found = store.winners({
  final("old", 1, 1), final("slow", 5, 2500, { trials = 12 }), final("fast", 5, 200),
  final("b", 5, 2500), final("elsewhere", 9, 1, { machine = "other" }),
  final("unlike", 9, 1, { spec = "other" }), final("aim", 9, 1, { target = "generic" }),
  final("wrong", 9, 1, { status = "wrong" }), final("trial", 9, 1, { kind = "trial" }),
}, problem, target)
tap.same(list.column(found, "schedule"), { "fast", "b", "slow", "old" },
  "finals of the kernel, the target and this processor: the newest, then the fastest")
tap.is(found[3].why, "tuned: 2.5 us, 12 trials", "with how they came to be")
tap.is(found[3].c_sha256, "cc", "and their C")
tap.is(found[1].why, "tuned: 200 ns, 0 trials", "even where that is not known")

for _, case in ipairs { { 999, "999 ns" }, { 1000, "1 us" }, { 123456, "123.5 us" },
  { 1e6, "1 ms" }, { 1e9, "1 s" }, { 2.5e10, "25 s" } } do
  tap.is(store.time(case[1]), case[2], ("%d nanoseconds"):format(case[1]))
end

-- What is kept ----------------------------------------------------------------------------------

local line = require("upweave.tune.record").line
local newer = final("s", 8, 3, { c_sha256 = "new" })
local others = { final("s", 9, 3, { spec = "p" }), final("s", 9, 3, { target = "p" }),
  final("s", 9, 3, { machine = "p" }), final("s", 9, 3, { compiler = "p" }),
  final("s", 9, 3, { any = "p" }), final("s2", 9, 3), final("s", 9, 3, { kind = "trial" }) }
local lines = { line(final("s", 7, 3)), line(newer) }
for _, one in ipairs(others) do lines[#lines + 1] = line(one) end
tap.same(store.useful(lines, driver.VERSION), table.move(lines, 2, #lines, 1, {}),
  "only the same measurement of other C is replaced")
tap.same(store.useful({ lines[2], lines[1] }, driver.VERSION), { lines[2] }, "in any order")
tap.is(store.complaint { path = "p", faults = { {}, {} } },
  "p: 2 lines skipped: `upweave db check` says why", "what is wrong with a file")

tap.done()
