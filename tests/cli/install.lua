-- SPDX-License-Identifier: MIT
-- `make install` gives a command, modules and a library that need nothing of the checkout.

package.path = "tools/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local clang = require "upweave.toolchain.clang"
local command = dofile "tests/lib/command.lua"
local driver = require "upweave.driver"
local files = require "files"
local process = require "upweave.toolchain.process"

local folder = command.folder()
local prefix = folder .. "/usr"
local compiler = assert(clang.find {})

local function run(list)
  local result = process.run(list, { cwd = folder, seconds = 120, env = command.environment() })
  if not tap.ok(result.ok, list[1]:match("[^/]*$") .. " " .. (list[2] or "")) then
    tap.diag(result.stdout .. result.stderr)
  end
  return result
end

run { "make", "-s", "-C", command.root, "install", "PREFIX=/usr", "DESTDIR=" .. folder }

local upweave = prefix .. "/bin/upweave"
tap.is(run({ upweave, "--version" }).stdout, "upweave " .. driver.VERSION .. "\n", "its version")
command.write(folder .. "/tiny.lua", command.tiny "tiny")
run { upweave, "gen", "tiny.lua", "-o", "installed", "-q" }
run { command.program, "gen", "tiny.lua", "-o", "checkout", "-q" }
tap.is(files.read(folder .. "/installed/tiny.c"), files.read(folder .. "/checkout/tiny.c"),
  "the same bytes as from the checkout")

local modules = prefix .. "/share/lua/5.4/"
command.write(folder .. "/embed.lua", string.format(
  "package.path = %q\nprint(require('upweave.driver').VERSION)\n",
  modules .. "?.lua;" .. modules .. "?/init.lua"))
tap.is(run({ arg[-1], "embed.lua" }).stdout, driver.VERSION .. "\n", "modules by their names")

command.write(folder .. "/main.c", '#include "upweave/runtime.h"\n#include <stdio.h>\n'
  .. "int main(void) { return puts(upw_status_text(UPW_OK)) < 0; }\n")
run { compiler.command[1], "main.c", "-I" .. prefix .. "/include", "-L" .. prefix .. "/lib",
  "-l:libupweave.a", "-o", "main" }
tap.ok(#run({ folder .. "/main" }).stdout > 1, "a program with libupweave")
tap.ok(files.exists(prefix .. "/share/upweave/python/upweave.py"), "the Python module")
tap.like(files.read(prefix .. "/lib/pkgconfig/upweave.pc"), "\nVersion: " .. driver.VERSION .. "\n",
  "pkg-config knows the version")

run { "make", "-s", "-C", command.root, "uninstall", "PREFIX=/usr", "DESTDIR=" .. folder }
tap.same(files.list(prefix, "."), {}, "nothing is left")
command.clean()
tap.done()
