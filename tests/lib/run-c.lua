-- SPDX-License-Identifier: MIT
-- Compile one test in C, and run it.
--
-- Purpose: `lua5.4 tests/lib/run-c.lua tests/kernels/x.c` from the root of the checkout. Comment
-- lines at the head of the file say what it needs (paths and flags are split at white space):
--   // sources: runtime/src/npy.c runtime/reference/interpolate.c
--   // flags: -O2          replaces the sanitizers and -O1 -g
-- Invariants: a binary is kept in a private temporary directory and rebuilt when a file it was
-- made from (compiler's own dependency list) or its command changed. No shell.
-- UPWEAVE_TEST_CC names another compiler.

local uv = require "luv"

local WARNINGS <const> = { "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
  "-Werror" }
local SANITIZERS <const> = { "-O1", "-g", "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all", "-fno-omit-frame-pointer" }
local INCLUDES <const> = { "-I.", "-Iruntime/include", "-Iruntime", "-Iruntime/harness",
  "-Iruntime/reference", "-Itests/lib" }

local function fail(...)
  io.stdout:write("Bail out!  ", string.format(...), "\n")
  os.exit(1)
end

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local function append(list, more)
  return table.move(more, 1, #more, #list + 1, list)
end

--- The `// key: value` lines at the head of a file.
local function head_of(path)
  local head = {}
  local file = io.open(path, "r") or fail("cannot read %s", path)
  for line in file:lines() do
    local key, value = line:match("^//%s*(%l+):%s*(.-)%s*$")
    if not line:find("^//") then break end
    if key then head[key] = (head[key] and head[key] .. " " or "") .. value end
  end
  file:close()
  return head
end

--- Run a program to its end; its output goes to ours, or to a file.
local function run(program, arguments, output)
  local code, signal
  local handle = uv.spawn(program, { args = arguments, stdio = { 0, output or 1, 2 } },
    function(exit, term) code, signal = exit, term end)
  if not handle then return nil end
  uv.run()
  handle:close()
  uv.run()
  return signal ~= 0 and 128 + signal or code
end

local function compiler()
  local given = os.getenv("UPWEAVE_TEST_CC")
  if given and given ~= "" then return given end
  for _, name in ipairs { "clang-19", "clang", "clang-14" } do
    for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
      if uv.fs_access(folder .. "/" .. name, "X") then return name end
    end
  end
  fail("no clang found")
end

local function temporary_folder()
  local path = (os.getenv("TMPDIR") or "/tmp") .. "/upweave-tests-" .. tostring(uv.getuid())
  uv.fs_mkdir(path, 448) -- 0700
  local stat = uv.fs_lstat(path)
  if not stat or stat.type ~= "directory" or stat.uid ~= uv.getuid() then
    fail("%s is not a folder of this user", path)
  end
  return path
end

local function modified(path)
  local stat = uv.fs_stat(path)
  return stat and stat.mtime.sec + stat.mtime.nsec * 1e-9
end

--- True if the binary is newer than all that its dependency list names and has this command.
local function fresh(binary, command)
  local built = modified(binary)
  local list = io.open(binary .. ".d", "r")
  local kept = io.open(binary .. ".cmd", "r")
  if not (built and list and kept) then return false end
  local text = list:read("a"):gsub("\\\n", " ")
  local same = kept:read("a") == command
  list:close()
  kept:close()
  for path in text:gmatch("%S+") do
    local time = path:sub(-1) == ":" and 0 or modified(path)
    if not time or time >= built then return false end
  end
  return same
end

--- Compile and link; the dependency list of all sources goes to BINARY.d.
local function compile(program, arguments, binary, command)
  local fresh_name = binary .. "." .. tostring(uv.os_getpid())
  local list = assert(uv.fs_open(binary .. ".d", "w", 384)) -- 0600
  local listed = run(program, append({ "-MM" }, arguments), list)
  uv.fs_close(list)
  local libraries = { "-o", fresh_name, "-lm", "-lpthread" }
  if listed ~= 0 or run(program, append(arguments, libraries)) ~= 0 then return false end
  assert(os.rename(fresh_name, binary))
  local kept = assert(io.open(binary .. ".cmd", "w"))
  kept:write(command)
  kept:close()
  return true
end

local function main(source)
  local head = head_of(source)
  local program = compiler()
  local arguments = append({}, WARNINGS)
  append(arguments, head.flags and words(head.flags) or SANITIZERS)
  append(arguments, INCLUDES)
  arguments[#arguments + 1] = source
  append(arguments, words(head.sources or ""))
  local command = program .. "\0" .. uv.cwd() .. "\0" .. table.concat(arguments, "\0")
  -- One binary per checkout and test: the folder's inode tells checkouts apart.
  local binary = string.format("%s/%x-%s", temporary_folder(), uv.fs_stat(".").ino,
    (source:gsub("[^%w.-]", "_")))
  if not fresh(binary, command) then
    os.remove(binary .. ".cmd")
    if not compile(program, arguments, binary, command) then fail("%s does not compile", source) end
  end
  local code = run(binary, table.move(arg, 2, #arg, 1, {}))
  os.exit(code or 127)
end

main(arg[1] or fail("usage: run-c.lua TEST.c"))
