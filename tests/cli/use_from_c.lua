-- SPDX-License-Identifier: MIT
-- examples/use-from-c and examples/decoder build without a warning and run; the first program is
-- the README's.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local clang = require "upweave.toolchain.clang"
local process = require "upweave.toolchain.process"

local EXAMPLE <const>, DECODER <const> = "examples/use-from-c", "examples/decoder"
local WARNINGS <const> = " -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

local program = command.read(EXAMPLE .. "/main.c"):gsub("^//[^\n]*\n//[^\n]*\n", "")
tap.like(command.read("README.md"), "```c\n" .. program .. "```", "the program is the README's")

local says = command.read("README.md"):match("%./main%s+# ([^\n]+)")
local compiler = assert(clang.find {}).command[1]

local function make(example, ...)
  local cc = "CC=" .. compiler .. WARNINGS
  local call = { "make", "-s", "--no-print-directory", "-C", example, cc }
  table.move({ ... }, 1, select("#", ...), #call + 1, call)
  local environment = command.environment { MAKEFLAGS = false, MAKELEVEL = false }
  return process.run(call, { env = environment, seconds = 120 })
end

local folder = command.folder()
local function check(example, prints)
  for _, targets in ipairs { "native", "generic", "generic --target x86-64-v3" } do
    local name = ("%s, %s"):format(example, targets)
    local build = folder .. "/" .. name:gsub("%W", "_")
    local result = make(example, "run", "BUILD=" .. build, "TARGET=" .. targets)
    tap.is(result.stdout, prints .. "\n", name .. ": it prints what it should")
    if not result.ok then tap.diag(result.stderr) end
    local again = make(example, "-q", build .. "/main", "BUILD=" .. build)
    tap.ok(again.ok, name .. ": there is nothing left to do")
  end
end
check(EXAMPLE, says)
check(DECODER, "65536 outputs, as they should be")
tap.ok(select(2, command.read(DECODER .. "/main.c"):gsub("\n", "")) < 80, "the decoder is short")

command.clean()
tap.done()
