-- SPDX-License-Identifier: MIT
-- Mutation test: are the tests good enough to see a small fault in the generator?
--
-- usage: lua5.4 tools/mutate.lua [--count N] [--seed N] [--jobs N] TEST.lua…     (`make mutate`)
-- Plants N faults in generator/{lower,plan,resample,ir,ops,import,draw,schedule,tune}/, one at a
-- time, in scratch copies of the tree below build/mutate/, and runs the tests given (those of `make
-- check-fast`) until one fails. What generator/emit/ writes is for a compiler to see: `make check`
-- covers it.
-- A fault that all tests let pass has survived; those of tests/mutants-equivalent.txt change
-- nothing that can be seen and do not count. Fails if fewer than 90 % of the rest are seen.
-- Invariants: the same seed and sources give the same faults; the checkout itself is only read.

package.path = "tools/lib/?.lua;" .. package.path
local files = require "files"
local mutations = require "mutations"
local uv = require "luv"

local FOLDERS <const> = { "lower", "plan", "resample", "ir", "ops", "import", "draw",
  "schedule", "tune" }
local TREE <const> = { "bin", "generator", "templates", "runtime", "tests", "tools", "bench",
  "examples", "generated", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
  "LICENSE.MIT-0", "Makefile", ".ci" }
local EQUIVALENT <const> = "tests/mutants-equivalent.txt"
local SCRATCH <const> = "build/mutate"
local SHARE_WANTED <const> = 0.90
local MEMORY_KB <const> = 2000000

local options = { count = 120, seed = 1, jobs = 2, tests = {} }

local function read_arguments()
  local at = 1
  while arg[at] do
    local name = arg[at]:match("^%-%-(%l+)$")
    if name and math.type(options[name]) == "integer" then
      options[name] = math.tointeger(tonumber(arg[at + 1])) or error("bad value of " .. arg[at], 0)
      at = at + 1
    else
      options.tests[#options.tests + 1] = arg[at]
    end
    at = at + 1
  end
  if #options.tests == 0 then error("usage: mutate.lua [--count N] [--seed N] TEST.lua…", 0) end
end

--- Read what a test prints, and call when it reports a failure.
local function watch(pipe, failed)
  local rest = "\n"
  pipe:read_start(function(_, chunk)
    if not chunk then return pipe:close() end
    rest = rest .. chunk
    if rest:find("\nnot ok", 1, true) then failed() end
    rest = rest:sub(-8)
  end)
end

--- Run a program; done(exit code or nil if it took too long, seconds). A program that reports a
--- failed test is not waited for: it ends with code 1.
local function run(folder, arguments, seconds, done)
  local started, timer, pipe = uv.hrtime(), uv.new_timer(), uv.new_pipe()
  local verdict, handle, pid
  local function stop(why)
    verdict = verdict or why
    uv.kill(-pid, "sigkill")
  end
  handle, pid = uv.spawn("/bin/sh", {
    args = { "-c", "ulimit -v " .. MEMORY_KB .. '; exec "$@"', "sh", table.unpack(arguments) },
    cwd = folder, stdio = { nil, pipe, nil }, detached = true,
  }, function(code, signal)
    timer:close()
    handle:close()
    local ended = signal ~= 0 and 128 + signal or code
    if verdict == "failed" then ended = 1 elseif verdict == "late" then ended = nil end
    done(ended, (uv.hrtime() - started) / 1e9)
  end)
  if not handle then error("cannot start " .. arguments[1] .. ": " .. tostring(pid), 0) end
  watch(pipe, function() stop("failed") end)
  timer:start(math.floor(seconds * 1000), 0, function() stop("late") end)
end

local function copy_tree(folder)
  files.make_folder(folder)
  for _, name in ipairs(TREE) do
    if files.exists(name) then
      local status
      run(".", { "cp", "-R", name, folder .. "/" }, 60, function(code) status = code end)
      uv.run()
      if status ~= 0 then error("cannot copy " .. name, 0) end
    end
  end
end

--- Blocks of: path, "- line", "+ line", "= reason".
local function read_equivalent()
  local known, entries = {}, {}
  if not files.exists(EQUIVALENT) then return known, entries end
  for block in (files.read(EQUIVALENT) .. "\n"):gmatch("(.-)\n\n+") do
    block = ("\n" .. block):gsub("\n#[^\n]*", "")
    local path, before, after, reason = block:match("\n(%S+)\n%- ([^\n]*)\n%+ ?([^\n]*)\n= (.+)")
    if path then
      entries[#entries + 1] = { path = path, before = before, reason = reason }
      known[path .. "\n" .. before .. "\n" .. after] = reason
    end
  end
  return known, entries
end

local function describe(mutant)
  local source = mutant.source
  mutant.before = mutations.line_text(source, mutant.line)
  mutant.after = mutations.line_text(mutations.apply(source, mutant), mutant.line)
  mutant.key = mutant.path .. "\n" .. mutant.before .. "\n" .. mutant.after
  return mutant
end

local function shuffle(list)
  for at = #list, 2, -1 do
    local other = math.random(at)
    list[at], list[other] = list[other], list[at]
  end
  return list
end

--- The faults to plant: folders take turns, so that a large one does not crowd out the others.
local function choose(known)
  math.randomseed(options.seed, 0)
  local pools = {}
  for _, folder in ipairs(FOLDERS) do
    local pool = {}
    for _, path in ipairs(files.list("generator/" .. folder, "%.lua$")) do
      local source = files.read(path)
      for _, mutant in ipairs(mutations.all(path, source)) do
        mutant.source = source
        pool[#pool + 1] = mutant
      end
    end
    pools[#pools + 1] = shuffle(pool)
  end
  local chosen, seen, equivalent, turn, empty = {}, {}, {}, 0, 0
  while #chosen < options.count and empty < #pools do
    local pool = pools[turn % #pools + 1]
    turn = turn + 1
    local mutant = table.remove(pool)
    empty = mutant and 0 or empty + 1
    if mutant and not seen[describe(mutant).key] then
      seen[mutant.key] = true
      local list = known[mutant.key] and equivalent or chosen
      list[#list + 1] = mutant
    end
  end
  return chosen, equivalent
end

-- Tests in the order in which they are tried: those that see most faults in a second first.
local tests = {}

local function order()
  local function rate(test) return (test.kills + 1) / (test.seconds + 0.1) end
  table.sort(tests, function(a, b)
    if rate(a) ~= rate(b) then return rate(a) > rate(b) end
    return a.path < b.path
  end)
end

local function lua_test(test) return { os.getenv("LUA") or "lua5.4", test.path } end

--- All tests on the tree as it is: they must pass, and tell how long they take.
local function baseline()
  local next_one, failed = 0, {}
  local function worker(folder)
    next_one = next_one + 1
    local path = options.tests[next_one]
    if not path then return end
    local test = { path = path, kills = 0 }
    run(folder, lua_test(test), 240, function(code, seconds)
      if code ~= 0 then failed[#failed + 1] = path end
      test.seconds = seconds
      test.limit = math.max(5, 6 * seconds)
      tests[#tests + 1] = test
      worker(folder)
    end)
  end
  for job = 1, options.jobs do worker(SCRATCH .. "/" .. job) end
  uv.run()
  if #failed > 0 then
    print("mutate: these fail without any fault planted: " .. table.concat(failed, " "))
    os.exit(2)
  end
  order()
end

local function report(mutant, number, total)
  local verdict = mutant.killer and "killed  " or "SURVIVED"
  print(string.format("%s %3d/%d %s:%d (%s)%s", verdict, number, total, mutant.path, mutant.line,
    mutant.kind, mutant.killer and " by " .. mutant.killer or ""))
  if not mutant.killer then print("  - " .. mutant.before .. "\n  + " .. mutant.after) end
  io.stdout:flush()
end

--- Run the tests one after the other; done() after the first that fails, or the last.
local function try(mutant, folder, done)
  local list = table.move(tests, 1, #tests, 1, {})
  local function step(at)
    local test = list[at]
    if not test then return done() end
    run(folder, lua_test(test), test.limit, function(code)
      if code == 0 then return step(at + 1) end
      mutant.killer = test.path .. (code and "" or " (time)")
      test.kills = test.kills + 1
      order()
      done()
    end)
  end
  step(1)
end

local function run_all(mutants)
  local next_one, finished = 0, 0
  local function worker(folder)
    next_one = next_one + 1
    local mutant = mutants[next_one]
    if not mutant then return end
    local path = folder .. "/" .. mutant.path
    files.write(path, mutations.apply(mutant.source, mutant))
    try(mutant, folder, function()
      files.write(path, mutant.source)
      finished = finished + 1
      report(mutant, finished, #mutants)
      worker(folder)
    end)
  end
  for job = 1, options.jobs do worker(SCRATCH .. "/" .. job) end
  uv.run()
end

local function stale(entries)
  local count = 0
  for _, entry in ipairs(entries) do
    local found = files.exists(entry.path)
      and files.read(entry.path):find(entry.before, 1, true)
    if not found then
      count = count + 1
      print("mutate: stale entry in " .. EQUIVALENT .. ": " .. entry.path .. ": " .. entry.before)
    end
  end
  return count
end

local function main()
  read_arguments()
  local started = uv.hrtime()
  local known, entries = read_equivalent()
  local outdated = stale(entries)
  local mutants, equivalent = choose(known)
  run(".", { "rm", "-rf", SCRATCH }, 60, function() end)
  uv.run()
  for job = 1, options.jobs do copy_tree(SCRATCH .. "/" .. job) end
  baseline()
  print(string.format("mutate: %d faults, seed %d, %d test files", #mutants, options.seed, #tests))
  run_all(mutants)
  local killed = 0
  for _, mutant in ipairs(mutants) do killed = killed + (mutant.killer and 1 or 0) end
  local share = killed / math.max(1, #mutants)
  print(string.format("mutate: %d of %d faults seen (%.1f %%), %d listed as equivalent left out, "
    .. "%.0f s", killed, #mutants, 100 * share, #equivalent, (uv.hrtime() - started) / 1e9))
  os.exit(share >= SHARE_WANTED and outdated == 0 and #mutants >= math.min(100, options.count))
end

main()
