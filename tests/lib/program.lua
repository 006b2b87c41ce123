-- SPDX-License-Identifier: MIT
-- Programs in C around generated libraries, where the harness is not enough.

local clang = require "upweave.toolchain.clang"
local cross = require "upweave.toolchain.cross"

local M = {}

local WARNINGS <const> = { "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror" }

local compiled

local function flags_of(compiler, unit, more)
  local flags = clang.compile_flags(compiler, unit.flags)
  table.move(more, 1, #more, #flags + 1, flags)
  return table.move(WARNINGS, 1, #WARNINGS, #flags + 1, flags)
end

--- Link a library's objects with a program in C as `main` of a folder, for the machine of its
--- targets.
---@param compiler upweave.Compiler
---@param library table
---@param main string   C text
---@param folder string
---@param more string[]?   options for the compiler and the linker
function M.link(compiler, library, main, folder, more)
  local units = {}
  more = more or {}
  for i, unit in ipairs(library.units) do
    units[i] = { name = unit.source, source = unit.source, files = library.files,
      flags = flags_of(compiler, unit, more) }
  end
  local files = table.move(library.files, 1, #library.files, 2,
    { { name = "main.c", text = main } })
  units[#units + 1] = { name = "main.c", source = "main.c", files = files,
    flags = flags_of(compiler, library.units[1], more) }
  local command = table.move(compiler.command, 1, #compiler.command, 1, {})
  for i, result in ipairs(compiled.compile(compiler, units)) do
    if not result.ok then error(units[i].name .. ": " .. result.stderr) end
    compiled.command.write(("%s/%d.o"):format(folder, i), result.object)
    command[#command + 1] = i .. ".o"
  end
  local flags = cross.program_flags(compiler, library.results[1].target)
  table.move(flags, 1, #flags, #command + 1, command)
  table.move(more, 1, #more, #command + 1, command)
  table.move({ "-o", "main" }, 1, 2, #command + 1, command)
  local result = compiled.process.run(command, { cwd = folder, seconds = 60 })
  if not result.ok then error(result.stderr) end
end

return function(the_compiled)
  compiled = the_compiled
  return M
end
