-- SPDX-License-Identifier: MIT
-- The same spec gives the same bytes: from any folder, in any locale and time zone, from anywhere
-- the program lies, with a full or an empty cache, however many compilations run at a time.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local dkjson = require "dkjson"
local uv = require "luv"

local folder = command.folder()
local names = { "a", "b", "c" }
local text = {}
for index, name in ipairs(names) do text[index] = command.tiny(name) end
local spec = command.write(folder .. "/many.lua", table.concat(text))

--- All bytes of a folder, but for the times of compilation.
local function contents(path)
  local all = {}
  for index, name in ipairs(command.list(path)) do
    local bytes = command.read(path .. "/" .. name)
    all[index] = name .. "\0" .. bytes:gsub('("compile_seconds": )[%d.]+', "%1null")
  end
  return table.concat(all, "\0")
end

local function generate(name, options, ...)
  local out = folder .. "/" .. name
  local result = command.run({ "gen", spec, "-o", out, ... }, options)
  tap.is(result.code, 0, name .. ": exit 0")
  return contents(out)
end

local first = generate("first")
tap.ok(#first > 3000, "there are files")
tap.ok(generate("again") == first, "gen twice gives the same bytes")
tap.ok(generate("elsewhere", { cwd = "/" }) == first, "also from another folder")
tap.ok(generate("locale", { env = { LC_ALL = "de_DE.UTF-8", LANG = "tr_TR.UTF-8",
  TZ = "Pacific/Chatham", HOME = "/nonexistent", TERM = "dumb", COLUMNS = "20" } }) == first,
  "also with another locale, time zone and home")
tap.ok(generate("relative", { cwd = folder }) == first, "also with relative paths")
local multiple = generate("multiple", nil, "--target", "generic", "--target", "x86-64-v3")
tap.ok(generate("multiple2", nil, "--target", "generic", "--target", "x86-64-v3") == multiple,
  "also for several targets")
tap.ok(generate("single", nil, "--single") == generate("single2", { cwd = "/" }, "--single"),
  "also with --single")

-- A program that lies elsewhere, started through a chain of links.
local elsewhere = folder .. "/pre fix"
for _, path in ipairs { elsewhere, elsewhere .. "/bin", elsewhere .. "/share",
  elsewhere .. "/share/upweave", folder .. "/links" } do
  assert(uv.fs_mkdir(path, 448))
end
for _, part in ipairs { "generator", "templates", "runtime" } do
  assert(uv.fs_symlink(command.root .. "/" .. part, elsewhere .. "/share/upweave/" .. part))
end
assert(uv.fs_copyfile(command.program, elsewhere .. "/bin/upweave"))
assert(uv.fs_symlink("../pre fix/bin/upweave", folder .. "/links/one"))
assert(uv.fs_symlink("one", folder .. "/links/two"))
tap.ok(generate("installed", { program = folder .. "/links/two", cwd = "/" }) == first,
  "also when installed, and through links")
local path = folder .. "/links:" .. os.getenv("PATH")
local found = command.run({ "two", "--version" }, { program = "env", env = { PATH = path } })
tap.like(found.stdout, "upweave ", "also when found in the PATH")
local orphan = folder .. "/orphan"
assert(uv.fs_copyfile(command.program, orphan))
tap.is(command.run({ "help" }, { program = orphan }).code, 1, "a launcher without its home says so")

local function build(name, options, ...)
  local out = folder .. "/" .. name
  local result = command.run({ "build", spec, "-o", out, ... }, options)
  if not tap.is(result.code, 0, name .. ": exit 0") then tap.diag(result.stderr) end
  return contents(out)
end

local empty = { env = { UPWEAVE_CACHE = folder .. "/cache" } }
local cold = build("cold", empty)
tap.ok(build("warm", empty) == cold, "build with a full cache gives the same bytes")
tap.ok(build("serial", { cwd = "/", env = { UPWEAVE_CACHE = folder .. "/cache2",
  CPATH = "/nonexistent", SOURCE_DATE_EPOCH = "1", LC_ALL = "de_DE.UTF-8" } }, "-j", "1") == cold,
  "also with an empty one, another folder and environment, one compilation at a time")
tap.ok(not cold:find(folder, 1, true), "no output holds a path")
tap.ok(dkjson.decode(command.read(folder .. "/warm/a.json")).compile_seconds
  == dkjson.decode(command.read(folder .. "/cold/a.json")).compile_seconds,
  "the time of a compilation is that of the one that was done")

command.clean()
tap.done()
