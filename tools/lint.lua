-- SPDX-License-Identifier: MIT
-- House rules that luacheck and clang-format do not know (the columns of C are clang-format's).
--
-- usage: lua5.4 tools/lint.lua [FILE…]     from the root of the checkout; default: all sources
-- Tabs, blanks at the end of a line, long lines, files of 400 lines and more, functions of 50 lines
-- and more, words of unfinished work, paths of one machine, a missing comment at the head.

package.path = "tools/lib/?.lua;" .. package.path
local files = require "files"
local lexer = require "lexer"

local MAX_FILE_LINES <const> = 399
local MAX_FUNCTION_LINES <const> = 49
local MAX_COLUMNS <const> = 100
local FOLDERS <const> =
  { "generator", "templates", "runtime", "tests", "tools", "bench", "examples", "bin" }
local SOURCES <const> = { "%.lua$", "%.[ch]$", "%.py$", "%.sh$" }
-- Put together so that this file does not contain them.
local UNFINISHED <const> = { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX", "HA" .. "CK" }
local MACHINE <const> = { "/wo" .. "rk/", "/fa" .. "rm/", "/ro" .. "ot/" }

-- Frames of emitted files: they open with the emitted file's head, and hold long placeholders.
local FRAMES <const> = "^templates/"

local count = 0

local function report(path, line, text, ...)
  count = count + 1
  io.stderr:write(string.format("%s:%d: ", path, line), string.format(text, ...), "\n")
end

local function columns(line) return utf8.len(line) or #line end

local function too_wide(path, line)
  return columns(line) > MAX_COLUMNS and not path:find(FRAMES) and not path:find("%.[ch]$")
end

--- The prefix of one machine's path that a line has; below a folder that a variable names it is
--- nothing of the kind.
local function machine_path(line)
  for _, prefix in ipairs(MACHINE) do
    local at = line:find(prefix, 1, true)
    if at and not line:sub(at - 1, at - 1):find("[%w_.]") and not line:find('^%.%. "', at - 4) then
      return prefix
    end
  end
  return nil
end

local function unfinished(line)
  for _, word in ipairs(UNFINISHED) do
    if line:find("%f[%w]" .. word .. "%f[%W]") then return word end
  end
  return nil
end

local function check_line(path, number, line)
  if line:find("\t", 1, true) then report(path, number, "tab") end
  if line:find("%s$") then report(path, number, "blanks at the end of the line") end
  if too_wide(path, line) then
    report(path, number, "%d columns, at most %d", columns(line), MAX_COLUMNS)
  end
  local word = unfinished(line)
  if word then report(path, number, "unfinished work (%s): finish it or leave it out", word) end
  if machine_path(line) then report(path, number, "path of one machine") end
end

local function check_lua_functions(path, source)
  for _, one in ipairs(lexer.functions(lexer.tokens(source))) do
    local lines = one.last - one.first + 1
    if lines > MAX_FUNCTION_LINES then
      report(path, one.first, "function of %d lines, at most %d", lines, MAX_FUNCTION_LINES)
    end
  end
end

--- In C as clang-format lays it out, a function's braces close in the first column.
local function check_c_functions(path, lines)
  local first
  for number, line in ipairs(lines) do
    if line:find("^[%a_].*%(.*[^;]$") or (not first and line:find("^[%a_].*%($")) then
      first = number
    elseif line == "}" and first then
      if number - first + 1 > MAX_FUNCTION_LINES + 1 then
        report(path, first, "function of %d lines, at most %d", number - first + 1,
          MAX_FUNCTION_LINES + 1)
      end
      first = nil
    elseif line:find("^}") or line:find("^[%a_].*;$") then
      first = nil
    end
  end
end

local function check_head(path, lines)
  local first = lines[1] or ""
  if first:find("^#!") then first = lines[2] or "" end
  local opens = first:find("^%-%-") or first:find("^/[/*]") or first:find("^[#\"]")
  if not opens then
    report(path, 1, "does not open with a comment that says what the file is for")
  end
end

local function check(path)
  local source = files.read(path)
  local lines = {}
  for line in (source:gsub("\n$", "") .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  if #lines > MAX_FILE_LINES then
    report(path, MAX_FILE_LINES, "file of %d lines, at most %d", #lines, MAX_FILE_LINES)
  end
  if source ~= "" and source:sub(-1) ~= "\n" then
    report(path, #lines, "no newline at the end of the file")
  end
  for number, line in ipairs(lines) do check_line(path, number, line) end
  if not path:find(FRAMES) then check_head(path, lines) end
  if path:find("%.lua$") then check_lua_functions(path, source) end
  if path:find("%.c$") then check_c_functions(path, lines) end
end

local function sources()
  local list = {}
  for _, folder in ipairs(FOLDERS) do
    for _, pattern in ipairs(SOURCES) do files.list(folder, pattern, list) end
  end
  return list
end

local list = #arg > 0 and arg or sources()
for _, path in ipairs(list) do check(path) end
if count > 0 then
  io.stderr:write(string.format("lint: %d faults in %d files\n", count, #list))
  os.exit(1)
end
