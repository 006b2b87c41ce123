-- SPDX-License-Identifier: MIT
-- examples/use-from-c: the program is the README's, builds without a warning and runs.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local clang = require "upweave.toolchain.clang"
local process = require "upweave.toolchain.process"

local EXAMPLE <const> = "examples/use-from-c"
local WARNINGS <const> = " -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

local program = command.read(EXAMPLE .. "/main.c"):gsub("^//[^\n]*\n//[^\n]*\n", "")
tap.like(command.read("README.md"), "```c\n" .. program .. "```", "the program is the README's")

local says = command.read("README.md"):match("%./main%s+# ([^\n]+)")
local compiler = assert(clang.find {}).command[1]

local function make(...)
  local cc = "CC=" .. compiler .. WARNINGS
  local call = { "make", "-s", "--no-print-directory", "-C", EXAMPLE, cc }
  table.move({ ... }, 1, select("#", ...), #call + 1, call)
  local environment = command.environment { MAKEFLAGS = false, MAKELEVEL = false }
  return process.run(call, { env = environment, seconds = 120 })
end

local folder = command.folder()
for _, targets in ipairs { "native", "generic", "generic --target x86-64-v3" } do
  local build = folder .. "/" .. targets:gsub("%W", "_")
  local result = make("run", "BUILD=" .. build, "TARGET=" .. targets)
  tap.is(result.stdout, says .. "\n", targets .. ": it prints what it should")
  if not result.ok then tap.diag(result.stderr) end
  local again = make("-q", build .. "/main", "BUILD=" .. build)
  tap.ok(again.ok, targets .. ": there is nothing left to do")
end

command.clean()
tap.done()
