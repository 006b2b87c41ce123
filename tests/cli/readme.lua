-- SPDX-License-Identifier: MIT
-- The examples of README.md work as they stand there.
--
-- Purpose: takes specs, program and command lines out of the README; runs them in an empty folder.
-- What is of Python is run by tests/python/page.py.
-- Invariants: nothing here repeats the README's text but the first words of its commands; what
-- it says the program prints, the program must print.

package.path = "tools/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local clang = require "upweave.toolchain.clang"
local command = dofile "tests/lib/command.lua"
local files = require "files"
local onnx = dofile "tests/lib/onnx.lua"
local process = require "upweave.toolchain.process"
local words = require "upweave.toolchain.words"

local WARNINGS <const> = " -Werror -Wall -Wextra -Wpedantic -Wconversion -Wshadow -std=c11"

local readme = files.read("README.md")
local folder = command.folder()

local function block(language, containing)
  for name, text in readme:gmatch("\n```(%l*)(\n.-\n)```") do
    if name == language and text:find(containing, 1, true) then return text end
  end
  return nil
end

--- Run a command line of the README in the folder; the part after # is what it says.
local function run(line)
  local list = assert(words.split((line:gsub("%s+#.*$", ""))))
  if list[1] == "bin/upweave" then list[1] = command.program end
  if list[1] == "clang-19" then list[1] = assert(clang.find {}).command[1] end
  local result = process.run(list, { cwd = folder, seconds = 120, env = command.environment() })
  tap.ok(result.ok, line)
  if not result.ok then tap.diag(result.stdout .. result.stderr) end
  return result
end

local spec, program = block("lua", 'kernel "up2x"'), block("c", "int main")
tap.ok(spec, "there is a spec")
tap.ok(program, "there is a program")
files.write(folder .. "/up2x.lua", spec)
files.write(folder .. "/main.c", program)

for line in block("", "bin/upweave build"):gmatch("[^\n]+") do
  if not line:find("^bin/upweave bench") then run(line) end -- measuring takes its time
end

local compile, start, says = block("", "clang-19"):match("(clang.-) && (%S+)%s+# (.-)\n")
run(compile .. WARNINGS)
tap.is(run(start).stdout, says .. "\n", "it prints what the README says")

local function check_convolution()
  local dec, caller = block("lua", 'kernel "dec"'), block("c", "dec_pack")
  tap.ok(dec and caller, "there are a convolution and its program")
  files.write(folder .. "/dec.lua", dec)
  files.write(folder .. "/dec.c", caller)
  for line in block("", "bin/upweave build dec.lua"):gmatch("[^\n]+") do
    if line:find("^clang") then
      local make, call, prints = line:match("^(.-) && (%S+)%s+# (.-)$")
      run(make .. WARNINGS)
      tap.is(run(call).stdout, prints .. "\n", "it prints what the README says")
    elseif not line:find("^bin/upweave tune") then -- measuring takes its time
      run(line)
    end
  end
end
check_convolution()

local flags = readme:match("`bin/upweave (build %-%-op.-)`"):gsub("%s+", " ")
local before = files.read(folder .. "/out/up2x.o")
run("bin/upweave " .. flags)
tap.ok(files.read(folder .. "/out/up2x.o") == before, "flags give the same object as the spec")

local more = block("lua", 'kernel "thumb"')
tap.ok(more, "there is a spec of more kernels")
files.write(folder .. "/more.lua", more)
files.write(folder .. "/network.onnx", onnx.model {
  nodes = { { op = "Resize", inputs = { "x", "", "s" }, outputs = { "y" } } },
  inputs = { { name = "x", dtype = "f32", shape = { 1, 2, 4, 5 } } },
  outputs = { { name = "y" } },
  initializers = { { name = "s", dtype = "f32", shape = { 4 }, values = { 1, 1, 2, 2 } } },
})
for line in block("", "bin/upweave verify more.lua"):gmatch("[^\n]+") do
  local runner = line:match("%-%-runner (%S+)")
  if runner and not clang.which(runner) then
    tap.skip(line, runner .. " is not installed")
  else
    run(line)
  end
end

command.clean()
tap.done()
