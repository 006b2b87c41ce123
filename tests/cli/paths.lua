-- SPDX-License-Identifier: MIT
-- Odd paths: spaces, quotes, line breaks, $(…), leading dashes, folders above and unwritable ones.
-- Whatever they are, no shell sees them, and a command that fails leaves nothing behind.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local uv = require "luv"

local ODD <const> = {
  "with space", "quote'\"", "line\nbreak", "$(touch PWNED)", "`touch PWNED`", "a;touch PWNED;",
  "-o", "--json", "#hash", "%percent", "back\\slash", "*", "~", "umläut", "tab\there", "${HOME}",
  "\255\254",
}

local home = command.folder()

local function show(text)
  return (text:gsub("%c", "?"))
end

local function nothing_ran(where)
  for _, name in ipairs(command.list(where)) do
    if name == "PWNED" then return false end
  end
  return true
end

for index, name in ipairs(ODD) do
  local folder = home .. "/" .. index
  assert(uv.fs_mkdir(folder, 448))
  local label = show(name)
  command.write(folder .. "/" .. name .. ".lua", command.tiny("up"))
  local inside = { cwd = folder }
  local result = command.run({ "gen", "-o", name, "--depfile", name .. ".d", "--", name .. ".lua" },
    inside)
  local breaks = name:find("\n", 1, true)
  tap.is(result.code, breaks and 2 or 0, label .. ": gen, a relative folder")
  tap.is(uv.fs_stat(folder .. "/" .. name .. "/up.c") ~= nil, not breaks,
    label .. ": the C is there")
  result = command.run({ "gen", "-o", folder .. "/" .. name .. "/up",
    folder .. "/" .. name .. ".lua" })
  tap.is(result.code, 0, label .. ": gen, an absolute folder")
  result = command.run({ "spec", "--only", name, "--op", name, "--name", name, "--x", name,
    "--size", name }, inside)
  tap.ok(result.code == 3 or result.code == 2, label .. ": hostile flags are a mistake of the user")
  result = command.run({ "gen", "-o", "n", "--name", name, "--op", "interpolate", "--x", "1x1x2x2",
    "--size", "4" }, inside)
  tap.is(result.code, 3, label .. ": not the name of a kernel")
  tap.ok(not uv.fs_stat(folder .. "/n"), label .. ": and nothing is written")
  tap.ok(nothing_ran(folder), label .. ": nothing ran")
end

-- One of each through the compiler, with the oddest name of all.
local odd = home .. "/$(touch PWNED) 'x' \"y\";\n-z"
assert(uv.fs_mkdir(odd, 448))
local spec = command.write(odd .. "/s p;e'c.lua", command.tiny("up"))
local built = command.run({ "build", spec, "-o", odd .. "/out" }, { cwd = odd })
if not tap.is(built.code, 0, "build in an odd folder") then tap.diag(built.stderr) end
tap.same(command.list(odd .. "/out"),
  { "libs_p_e_c.a", "libs_p_e_c.so", "up.c", "up.h", "up.json", "up.o" },
  "libraries have a safe name")
local values = {}
for index = 1, 20 do values[index] = index end
command.write(odd .. "/up.x.npy", command.npy({ 1, 1, 4, 5 }, values))
local ran = command.run({ "run", spec, "--data", odd }, { cwd = odd,
  env = { UPWEAVE_CACHE = odd .. "/cache $(touch PWNED)" } })
if not tap.is(ran.code, 0, "run with data, spec and cache in an odd folder") then
  tap.diag(ran.stderr)
end
tap.is(#(command.read(odd .. "/up.y.npy") or ""), 128 + 4 * 80, "the result has its size")
tap.ok(nothing_ran(odd), "no shell saw the folder's name")

-- A dependency file that make reads as it was meant.
local dep = home .. "/dep"
assert(uv.fs_mkdir(dep, 448))
command.write(dep .. "/a b$c#d.lua", command.tiny("up"))
command.run({ "gen", "a b$c#d.lua", "-o", "o u", "--depfile", "x.d" }, { cwd = dep })
tap.is(command.read(dep .. "/x.d"), "o\\ u/up.c \\\n  o\\ u/up.h \\\n  o\\ u/up.json: \\\n"
  .. "  a\\ b$$c\\#d.lua\na\\ b$$c\\#d.lua:\n", "--depfile: content")

-- Where nothing can be written.
local out = home .. "/out"
assert(uv.fs_mkdir(out, 448))
local function refused(name, folder)
  local result = command.run { "build", spec, "-o", folder }
  tap.is(result.code, 2, name .. ": exit 2")
  tap.like(result.stderr, "error[E011]", name .. ": says that it cannot write")
end
command.write(out .. "/file", "x")
refused("-o below a file", out .. "/file/deeper")
refused("-o is a file", out .. "/file")
refused("-o below /proc", "/proc/upweave")
assert(uv.fs_mkdir(out .. "/up.h", 448))
refused("a folder stands where a file goes", out)
tap.same(command.list(out), { "file", "up.h" }, "and nothing else was written there")
assert(uv.fs_rmdir(out .. "/up.h"))
local result = command.run { "gen", spec, "-o", out .. "/new/deep",
  "--depfile", out .. "/none/x.d" }
tap.is(result.code, 2, "the depfile cannot be written: exit 2")
tap.same(command.list(out), { "file" }, "then the outputs and their folders are not written either")
if uv.getuid() ~= 0 then
  assert(uv.fs_chmod(out, 320))
  refused("-o is read-only", out .. "/deeper")
  assert(uv.fs_chmod(out, 448))
else
  tap.skip("-o is read-only", "root may write anywhere")
end

-- A link is replaced, not written through; a file with the right bytes keeps its time.
command.write(out .. "/victim", "precious")
assert(uv.fs_symlink(out .. "/victim", out .. "/up.c"))
tap.is(command.run({ "gen", spec, "-o", out }).code, 0, "gen over a symbolic link")
tap.is(command.read(out .. "/victim"), "precious", "what it pointed to is untouched")
tap.is(uv.fs_lstat(out .. "/up.c").type, "file", "the link became a file")
assert(uv.fs_utime(out .. "/up.c", 1000, 1000))
tap.is(command.run({ "gen", spec, "-o", out }).code, 0, "gen again")
tap.is(uv.fs_stat(out .. "/up.c").mtime.sec, 1000, "an unchanged file keeps its time of change")

command.clean()
tap.done()
