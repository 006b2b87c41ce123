-- SPDX-License-Identifier: MIT
-- explain --svg: the drawing appears whole or not at all, and the text of explain stays as it was.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local xml = dofile "tests/lib/xml.lua"
local dkjson = require "dkjson"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local folder = command.folder()
local spec = command.write(folder .. "/two.lua", command.tiny("up") .. command.tiny("other"))

local function explain(...)
  return command.run({ "explain", "--target", "generic", ... })
end

local plain = explain(spec)
local file = folder .. "/map.svg"
local drawn = explain(spec, "--svg", file)
if not tap.is(drawn.code, 0, "--svg: exit 0") then tap.diag(drawn.stderr) end
tap.is(drawn.stdout, plain.stdout, "standard output is what it is without")
local text = command.read(file) or ""
local list, fault = xml.elements(text)
if not tap.ok(list, "the drawing is well formed") then tap.diag(fault) end
tap.is(#xml.of_class(list or {}, "title"), 2, "a section a kernel")
tap.same(command.list(folder), { "map.svg", "two.lua" }, "and nothing else is left")

-- Whoever has a real parser may use it.
local checked = process.run({ "xmllint", "--noout", file }, { seconds = 20 })
if checked.fault then
  tap.skip("xmllint finds nothing", "xmllint is not installed")
else
  tap.is(checked.code, 0, "xmllint finds nothing")
end

explain(spec, "--svg", folder .. "/again.svg", "--target", "x86-64-v3")
tap.is(command.read(folder .. "/again.svg"), text, "several targets: the same drawing, once")
explain(spec, "--only", "up", "--svg", file)
tap.is(#xml.of_class(xml.elements(command.read(file)), "title"), 1, "--only keeps one")
local json = dkjson.decode(explain(spec, "--json", "--svg", file).stdout)
tap.is(json.svg, file, "--json names the file")
tap.is(#json.kernels, 2, "beside the facts")

local empty = explain("--op", "interpolate", "--x", "0x1x4x4", "--scale-factor", "2")
tap.like(empty.stdout, "0 bytes written, 0.00 FLOP/byte", "an empty batch has no nan")

explain("--op", "interpolate", "--x", "1x1x4x4", "--mode", "bilinear", "--scale-factor", "2",
  "--name", "half_pixel", "--svg", folder .. "/deep/er/example.svg")
tap.is(command.read(folder .. "/deep/er/example.svg"), command.read("docs/drawings/half_pixel.svg"),
  "the command of docs/drawings.md gives its picture; missing folders are made")

-- Where nothing can be written, nothing is written and nothing said.
local function refused(name, path, because)
  local result = explain(spec, "--svg", path)
  tap.is(result.code, 2, name .. ": exit 2")
  tap.like(result.stderr, because, name .. ": says why")
  tap.is(result.stdout, "", name .. ": no output")
end
assert(uv.fs_mkdir(folder .. "/taken", 448))
refused("--svg is a folder", folder .. "/taken", "error[E011]")
refused("--svg ends in a slash", folder .. "/taken/", "error[E011]")
refused("--svg below a file", spec .. "/map.svg", "error[E011]")
assert(uv.fs_symlink("/dev/null", folder .. "/device"))
refused("--svg is a link", folder .. "/device", "/device is a link")
tap.is(uv.fs_readlink(folder .. "/device"), "/dev/null", "which stays")
refused("--svg below /proc", "/proc/upweave/map.svg", "error[E011]")
refused("--svg without a file", "", "error[E006]")
local none = command.run { "explain", spec, "--svg" }
tap.is(none.code, 2, "--svg at the end: exit 2")
tap.like(none.stderr, "error[E003]", "--svg at the end: needs a value")
command.write(folder .. "/wrong.lua", 'kernel "k" { op = "interpolate" }')
tap.is(explain(folder .. "/wrong.lua", "--svg", folder .. "/wrong.svg").code, 3, "a wrong spec")
tap.ok(not uv.fs_stat(folder .. "/wrong.svg"), "leaves no drawing")

-- Odd names are names.
for _, name in ipairs { "$(touch PWNED).svg", "with space", "-", "line\nbreak.svg" } do
  local result = command.run({ "explain", "two.lua", "-q", "--only", "up", "--svg", name },
    { cwd = folder })
  tap.is(result.code, 0, ("--svg %q: exit 0"):format(name))
  tap.ok(uv.fs_stat(folder .. "/" .. name), ("--svg %q is a file"):format(name))
end
tap.ok(not uv.fs_stat(folder .. "/PWNED"), "no shell saw them")

command.clean()
tap.done()
