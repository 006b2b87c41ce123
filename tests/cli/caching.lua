-- SPDX-License-Identifier: MIT
-- The build cache: hits, misses, damage, several processes, places where it cannot be.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local folder = command.folder()
local spec = command.write(folder .. "/two.lua", command.tiny("a") .. command.tiny("b"))
local cache = folder .. "/cache"

--- A build; the result and how many compilations it did.
local function build(options, ...)
  options = options or {}
  options.env = options.env or { UPWEAVE_CACHE = cache }
  local result = command.run({ "build", spec, "-o", folder .. "/out", ... }, options)
  local _, count = result.stderr:gsub("compile %w+%.c %(", "")
  return result, count
end

local function compiles(want, name, ...)
  local result, count = build(nil, ...)
  if not tap.is(result.code, 0, name .. ": exit 0") then tap.diag(result.stderr) end
  tap.is(count, want, name .. ": compilations")
end

compiles(2, "an empty cache")
compiles(0, "a full one")
compiles(2, "other flags", "--cflags=-DX")
compiles(0, "those flags again", "--cflags=-DX")
compiles(2, "another target", "--target", "generic")
command.write(spec, command.tiny("a") .. command.tiny("c"))
compiles(1, "one kernel is new")

local function entries(name)
  local list = {}
  for _, first in ipairs(command.list(cache .. "/entries")) do
    for _, key in ipairs(command.list(cache .. "/entries/" .. first)) do
      local path = string.format("%s/entries/%s/%s/%s", cache, first, key, name)
      if uv.fs_stat(path) then list[#list + 1] = path end
    end
  end
  return list
end

--- Do something to a file of every entry; the build must come out as before.
local before
local function damage(name, want, file, action)
  for _, path in ipairs(entries(file)) do action(path) end
  compiles(want, name)
  tap.ok(command.read(folder .. "/out/a.o") == before, name .. ": the object is as before")
end

before = command.read(folder .. "/out/a.o")
local function flip(path)
  local bytes = command.read(path)
  local middle = #bytes // 2
  command.write(path, bytes:sub(1, middle) .. string.char(bytes:byte(middle + 1) ~ 1)
    .. bytes:sub(middle + 2))
end
damage("one bit is wrong", 2, "object.o", flip)
damage("files are cut off", 2, "object.o", function(path) command.write(path, "") end)
damage("files are gone", 2, "object.o", os.remove)
damage("manifests are cut off", 2, "MANIFEST", function(path)
  command.write(path, command.read(path):sub(1, 30))
end)
damage("manifests name others' files", 2, "MANIFEST", function(path)
  command.write(path, command.read(path):gsub("object.o", "../../x"))
end)
damage("manifests are gone", 2, "MANIFEST", os.remove)
damage("an entry is a file", 2, "MANIFEST", function(path)
  local entry = path:match("^(.*)/")
  for _, name in ipairs(command.list(entry)) do os.remove(entry .. "/" .. name) end
  uv.fs_rmdir(entry)
  command.write(entry, "junk")
end)
tap.same(command.list(cache .. "/work"), {}, "no work is left behind")

-- What killed processes left is cleared away; what living ones do is not.
assert(uv.fs_mkdir(cache .. "/work/999999999-abc", 448))
assert(uv.fs_mkdir(cache .. "/work/1-abc", 448))
compiles(0, "with others' work")
tap.same(command.list(cache .. "/work"), { "1-abc" }, "only the work of the dead is removed")

-- Several processes that fill one cache.
local shared = { UPWEAVE_CACHE = folder .. "/shared cache" }
local children = {}
for index = 1, 4 do
  children[index] = assert(process.start({ command.program, "build", spec, "-o",
    folder .. "/p" .. index }, { env = command.environment(shared), seconds = 100 }))
end
local running = true
while running do
  process.step()
  running = false
  for _, child in ipairs(children) do running = running or not child.done end
end
for index, child in ipairs(children) do
  tap.is(process.result(child).code, 0, "process " .. index .. " of four at a time")
  tap.ok(command.read(folder .. "/p" .. index .. "/a.o") == before, "its object is the same")
end

-- Where the cache cannot be.
local function refused(name, path)
  local result = build { env = { UPWEAVE_CACHE = path } }
  tap.is(result.code, 8, name .. ": exit 8")
  tap.like(result.stderr, "UPWEAVE_CACHE", name .. ": says what to do")
end
command.write(folder .. "/file", "x")
refused("the cache is a file", folder .. "/file")
refused("the cache cannot be made", "/proc/upweave")
local default = build { env = { UPWEAVE_CACHE = false, XDG_CACHE_HOME = folder .. "/xdg" } }
tap.is(default.code, 0, "the default place")
tap.ok(uv.fs_stat(folder .. "/xdg/upweave/entries"), "is below XDG_CACHE_HOME")
tap.is(uv.fs_stat(folder .. "/xdg/upweave").mode & 63, 0, "nobody else can look into it")
if uv.getuid() == 0 then
  assert(uv.fs_mkdir(folder .. "/foreign", 448))
  assert(uv.fs_chown(folder .. "/foreign", 12345, 12345))
  refused("the cache belongs to another user", folder .. "/foreign")
else
  tap.skip("the cache belongs to another user", "needs root")
end

command.clean()
tap.done()
