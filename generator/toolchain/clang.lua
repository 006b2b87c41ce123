-- SPDX-License-Identifier: MIT
-- The C compiler and the tools beside it.
--
-- Purpose: finds Clang, says which one it is, and forms its command lines. Invariants: commands are
-- lists; the environment of a compiler holds only what is listed here, so that CPATH and the like
-- cannot change what is built; sources are named relative to the folder they are compiled in, so
-- that no object holds a path.

local diagnostics = require "upweave.util.diagnostics"
local process = require "upweave.toolchain.process"
local progress = require "upweave.toolchain.progress"
local target = require "upweave.target"
local uv = require "luv"
local words = require "upweave.toolchain.words"

local M = {}

local OLDEST <const>, NEWEST_KNOWN <const>, MEASURED <const> = 14, 40, 19
local TIME_LIMIT <const> = 60
local LOOK_LIMIT <const> = 10
local LINES_SHOWN <const> = 20
local FAILED_HINT <const> = "other flags, if --cc or --cflags are yours; otherwise report it with"
  .. " the C that `upweave gen` writes"

-- Beside the flags that all targets share: warnings show faults of the generator, and every object
-- can go into a shared library.
local WARNINGS <const> = { "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow" }
local POSITION <const> = { "-fPIC", "-fno-semantic-interposition" }

---@class upweave.Compiler
---@field command string[] program and leading arguments
---@field path string resolved path of the program
---@field version string "19.1.7"
---@field major integer
---@field id string the program's own words about its version
---@field cflags string[] the user's additional flags
---@field seconds number time limit of one call
---@field jobs integer? calls at a time; all CPUs if absent

local environment

--- What a compiler sees of our environment.
---@return string[]
function M.environment()
  if environment then return environment end
  environment = { "LC_ALL=C" }
  for _, name in ipairs { "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH" } do
    local value = os.getenv(name)
    if value then environment[#environment + 1] = name .. "=" .. value end
  end
  return environment
end

--- The path of a program, looked for as a shell would.
---@param name string
---@return string|nil
function M.which(name)
  if name == "" then return nil end
  if name:find("/", 1, true) then
    local stat = uv.fs_stat(name)
    return stat and stat.type == "file" and uv.fs_access(name, "X") and name or nil
  end
  for folder in (os.getenv("PATH") or "/usr/bin:/bin"):gmatch("[^:]+") do
    local path = folder .. "/" .. name
    local stat = uv.fs_stat(path)
    if stat and stat.type == "file" and uv.fs_access(path, "X") then return path end
  end
  return nil
end

local function candidates()
  local names = { "clang-" .. MEASURED }
  for major = NEWEST_KNOWN, OLDEST, -1 do names[#names + 1] = "clang-" .. major end
  names[#names + 1] = "clang"
  return names
end

local function not_found(program, reason)
  return { diagnostics.new("E300", {
    place = "--cc", program = program, reason = reason,
    hint = "`make deps`, or apt-get install clang-" .. MEASURED,
  }) }
end

-- Compilers run in folders of ours, so a relative path would not be found.
local function absolute(program)
  if program:sub(1, 1) == "/" or not program:find("/", 1, true) then return program end
  return uv.cwd() .. "/" .. program
end

-- The command that the user gave: one program's path, or a program with arguments.
local function given_command(cc)
  local command = M.which(cc) and { cc } or words.split(cc)
  if not (command and command[1] and M.which(command[1])) then return nil end
  command[1] = absolute(command[1])
  return command
end

local function look_at(command)
  local asked = table.move(command, 1, #command, 1, {})
  asked[#asked + 1] = "--version"
  local result = process.run(asked, { env = M.environment(), seconds = LOOK_LIMIT })
  local id = result.ok and result.stdout:match("^[^\n]*") or ""
  local version = id:match("clang version (%d+%.%d+%.%d+)")
  if not version then
    return nil, not_found("Clang", string.format("%s %s", words.join(command),
      result.ok and "is not Clang" or process.describe(result)))
  end
  local major = math.tointeger(tonumber(version:match("^%d+")))
  if major < OLDEST then
    return nil, { diagnostics.new("E303", { place = "--cc", program = words.join(command),
      version = version, hint = "apt-get install clang-" .. MEASURED }) }
  end
  local triple = result.stdout:match("Target: (%S+)") or ""
  return { command = command, path = M.which(command[1]), version = version, major = major,
    id = id .. " " .. triple, cflags = {}, seconds = TIME_LIMIT }
end

--- Find the compiler: the given one, else clang-19 (the one measured), else the newest.
---@param options {cc: string?, cflags: string[]?, seconds: number?, jobs: integer?}
---@return upweave.Compiler|nil
---@return upweave.Diagnostic[]? faults
function M.find(options)
  local command
  if options.cc then
    command = given_command(options.cc)
    if not command then
      return nil, not_found(options.cc, "there is no such program")
    end
  else
    for _, name in ipairs(candidates()) do
      if M.which(name) then command = { name } break end
    end
    if not command then return nil, not_found("Clang", "no clang-14 or newer is in the PATH") end
  end
  local compiler, faults = look_at(command)
  if not compiler then return nil, faults end
  compiler.cflags = options.cflags or {}
  compiler.seconds = options.seconds or TIME_LIMIT
  compiler.jobs = options.jobs
  return compiler
end

local function append(list, ...)
  for _, part in ipairs { ... } do
    if type(part) == "table" then
      table.move(part, 1, #part, #list + 1, list)
    else
      list[#list + 1] = part
    end
  end
  return list
end

--- All flags with which C becomes an object for a target.
---@param compiler upweave.Compiler
---@param target_flags string[]
---@return string[]
function M.compile_flags(compiler, target_flags)
  return append({}, target.flags, WARNINGS, POSITION, target_flags, compiler.cflags)
end

---@return string[] command
function M.object(compiler, flags, source, object)
  return append({}, compiler.command, flags, "-c", source, "-o", object)
end

---@return string[] command
function M.assembly(compiler, flags, source, text)
  return append({}, compiler.command, flags, "-fno-asynchronous-unwind-tables", "-S", source, "-o",
    text)
end

---@return string[] command
function M.shared(compiler, target_flags, objects, library)
  return append({}, compiler.command, target_flags, "-shared", "-Wl,-z,defs", objects, "-o",
    library)
end

---@return string[] command
function M.program(compiler, target_flags, objects, libraries, binary)
  return append({}, compiler.command, target_flags, objects, libraries, "-o", binary)
end

--- The archiver of the compiler's own version, any llvm-ar, or ar.
---@param compiler upweave.Compiler
---@return string|nil path
function M.archiver(compiler)
  return M.which("llvm-ar-" .. compiler.major) or M.which("llvm-ar") or M.which("ar")
end

--- A linker for other machines: lld of the compiler's own version, or any.
---@param compiler upweave.Compiler
---@return string|nil path
function M.linker(compiler)
  local found = M.which("ld.lld-" .. compiler.major) or M.which("ld.lld")
  for major = NEWEST_KNOWN, OLDEST, -1 do found = found or M.which("ld.lld-" .. major) end
  return found
end

--- Whether the compiler finds a file of the C library. It answers with the bare name if not.
---@param compiler upweave.Compiler
---@param machine_flags string[]
---@param name string
---@return boolean
function M.finds(compiler, machine_flags, name)
  local asked = append({}, compiler.command, machine_flags, compiler.cflags,
    "-print-file-name=" .. name)
  local result = process.run(asked, { env = M.environment(), seconds = LOOK_LIMIT })
  return result.ok and result.stdout:find("/", 1, true) ~= nil
end

--- The archive is deterministic: no times, no owners.
---@return string[] command
function M.archive(archiver, objects, library)
  return append({ archiver, "rcsD", library }, objects)
end

--- Options for a run of the compiler.
---@param compiler upweave.Compiler
---@param folder string
---@return upweave.ProcessOptions
function M.run_options(compiler, folder)
  return { cwd = folder, env = M.environment(), seconds = compiler.seconds }
end

--- The first lines of what a program said; all of them with -v.
local function said(text)
  if text == "" then return nil end
  local cut, lines = 0, 0
  for stop in text:gmatch("()\n") do
    lines = lines + 1
    if lines == LINES_SHOWN then cut = stop end
  end
  if lines <= LINES_SHOWN or progress.verbose() then return text end
  return string.format("%s… %d more lines: -v shows them", text:sub(1, cut), lines - LINES_SHOWN)
end

--- What to tell the user about a compiler or linker that failed.
---@param command string[]
---@param result upweave.ProcessResult
---@return upweave.Diagnostic
function M.failure(command, result)
  local fields = { program = command[1], command = words.join(command), hint = FAILED_HINT,
    detail = said(result.stderr) }
  if result.timed_out then
    fields.seconds = string.format("%g", result.seconds // 0.1 * 0.1)
    fields.hint = "--compile-seconds N"
    return diagnostics.new("E302", fields)
  end
  fields.status = result.fault or result.signal ~= 0 and "signal " .. result.signal
    or "exit code " .. tostring(result.code)
  return diagnostics.new("E301", fields)
end

return M
