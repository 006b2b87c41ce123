-- SPDX-License-Identifier: MIT
-- Ctrl-C, and faults of Upweave itself: children die, nothing is left but what helps a report.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local folder = command.folder()
local spec = command.write(folder .. "/two.lua", command.tiny("a") .. command.tiny("b"))
local cache = folder .. "/cache"

local function script(name, text)
  local path = command.write(folder .. "/" .. name, "#!/bin/sh\n" .. text)
  assert(uv.fs_chmod(path, 448))
  return path
end

local function alive(pid)
  return uv.kill(pid, 0) == 0
end

local function pause(milliseconds)
  local timer, over = uv.new_timer(), false
  timer:start(milliseconds, 0, function() over = true end)
  while not over do uv.run("once") end
  timer:close()
end

--- The process ids in a file, once there are as many as wanted: after compiling, which takes long
--- on a machine that others use.
local function pids_in(path, count)
  for _ = 1, 1000 do
    local list = {}
    for pid in (command.read(path) or ""):gmatch("(%d+)\n") do
      list[#list + 1] = math.tointeger(tonumber(pid))
    end
    if #list >= count then return list end
    pause(50)
  end
  return {}
end

local pids = folder .. "/pids"
-- The child has a child of its own, as a compiler's driver has.
local sleeper = 'sleep 77 & echo $! >> "' .. pids .. '"; echo $$ >> "' .. pids .. '"; wait'

local function interrupts(name, signal, code, arguments)
  os.remove(pids)
  local child = assert(process.start(table.move(arguments, 1, #arguments, 2, { command.program }),
    { env = command.environment { UPWEAVE_CACHE = cache }, seconds = 90 }))
  local started = pids_in(pids, 2)
  tap.ok(#started >= 2, name .. ": the children run")
  uv.kill(child.pid, signal)
  while not child.done do process.step() end
  local result = process.result(child)
  tap.is(result.code, code, name .. ": exit " .. code)
  tap.like(result.stderr, "interrupted", name .. ": says so")
  local survivors = 0
  for _ = 1, 40 do
    survivors = 0
    for _, pid in ipairs(started) do survivors = survivors + (alive(pid) and 1 or 0) end
    if survivors == 0 then break end
    pause(50)
  end
  tap.is(survivors, 0, name .. ": children and their children are dead")
  tap.same(command.list(cache .. "/work"), {}, name .. ": no work is left behind")
end

local compiler = script("clang", 'case "$*" in *--version*) echo clang version 19.9.9;; *) '
  .. sleeper .. ";; esac\n")
local build = { "build", spec, "-o", folder .. "/out", "--cc", compiler, "-j", "1" }
interrupts("Ctrl-C while compiling", "sigint", 130, build)
interrupts("a request to end while compiling", "sigterm", 143, build)
tap.ok(not uv.fs_stat(folder .. "/out"), "nothing was written")
interrupts("Ctrl-C while measuring", "sigint", 130,
  { "bench", spec, "--runner", script("emulator", sleeper .. "\n") })

-- A home whose driver breaks.
local home = folder .. "/home"
for _, path in ipairs { home, home .. "/bin", home .. "/generator" } do
  assert(uv.fs_mkdir(path, 448))
end
for _, name in ipairs(command.list(command.root .. "/generator")) do
  if name ~= "driver.lua" then
    assert(uv.fs_symlink(command.root .. "/generator/" .. name, home .. "/generator/" .. name))
  end
end
for _, name in ipairs { "templates", "runtime" } do
  assert(uv.fs_symlink(command.root .. "/" .. name, home .. "/" .. name))
end
assert(uv.fs_copyfile(command.program, home .. "/bin/upweave"))

local function breaks(name, text)
  command.write(home .. "/generator/driver.lua", text)
  local result = command.run({ "gen", spec, "-o", folder .. "/out" },
    { program = home .. "/bin/upweave", env = { TMPDIR = folder } })
  tap.is(result.code, 1, name .. ": exit 1")
  tap.like(result.stderr, "error[E990]: internal fault", name .. ": says whose fault it is")
  local later = text:find("library", 1, true)
  tap.is(result.stderr:find('kernel "a", target generic', 1, true) ~= nil, later ~= nil,
    name .. ": names the kernel")
  local report = result.stderr:match("(/%S*upweave%-report%-%w+)")
  tap.ok(report, name .. ": names a folder to report")
  local said = command.read((report or "") .. "/report.txt") or ""
  tap.like(said, "boom", name .. ": the report has the fault")
  tap.like(said, "stack traceback", name .. ": and where it was")
  tap.like(said, "command: upweave gen ", name .. ": and the command")
  tap.ok(command.read((report or "") .. "/1-two.lua") == command.read(spec),
    name .. ": and the spec")
  tap.ok(not uv.fs_stat(folder .. "/out"), name .. ": nothing was written")
end

breaks("a module that cannot be loaded", 'error("boom")')
breaks("a stage that raises", 'return { VERSION = "0", STAGES = {}, '
  .. 'library = function() error { boom = 1 } end }')
breaks("a value that is nil", 'return { VERSION = "0", STAGES = {}, '
  .. 'library = function() local boom; return boom.x end }')

command.clean()
tap.done()
