-- SPDX-License-Identifier: MIT
-- The programs and commands of docs/abi.md work as they stand there.
--
-- Blocks of C whose first line names a file are written to an empty folder beside links to the
-- checkout; the lines of the shell blocks run there in order, without a shell.  What follows # is
-- the first line they print.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local clang = require "upweave.toolchain.clang"
local process = require "upweave.toolchain.process"
local uv = require "luv"
local words = require "upweave.toolchain.words"

local WARNINGS <const> =
  { "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror" }

local page = command.read("docs/abi.md")
local folder = command.folder()
for _, name in ipairs { "bin", "examples", "runtime" } do
  assert(uv.fs_symlink(command.root .. "/" .. name, folder .. "/" .. name))
end
for name, text in page:gmatch("\n```c (%S+)\n(.-\n)```") do
  command.write(folder .. "/" .. name, text)
end

local function run(line)
  local text, says = line:match("^(.-)%s+# (.*)$")
  local list = assert(words.split(text or line))
  if list[1] == "clang-19" then
    list[1] = assert(clang.find {}).command[1]
    table.move(WARNINGS, 1, #WARNINGS, #list + 1, list)
  elseif list[1]:find("/") then
    list[1] = folder .. "/" .. list[1]:gsub("^%./", "")
  end
  local result = process.run(list, { cwd = folder, env = command.environment(), seconds = 120 })
  if not tap.ok(result.ok, line) then tap.diag(result.stdout .. result.stderr) end
  if says then tap.is(result.stdout:match("^[^\n]*"), says, "it prints what the page says") end
end

for block in page:gmatch("\n```sh\n(.-\n)```") do
  for line in block:gmatch("[^\n]+") do run(line) end
end

local header = command.read(folder .. "/out/up2x.h")
local macros = page:match("\n```c\n(#define.-\n)```")
tap.like(header, macros, "the macros are those of the header")
command.clean()
tap.done()
