-- SPDX-License-Identifier: MIT
-- Running bin/upweave in tests.
--
-- Purpose: folders that are gone afterwards, the command with a cache of the tests' own, files for
-- it to read. Invariant: never a shell; tests may run side by side.

local M = {}

local dtypes = dofile "tests/lib/dtypes.lua"
local files = require "upweave.toolchain.files"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local TIME_LIMIT <const> = 120

local root = uv.cwd()
local temporary = os.getenv("TMPDIR") or "/tmp"
local folders = {}

M.program = root .. "/bin/upweave"
M.root = root

--- A cache that all tests share, so that the harness is compiled once.
M.cache = string.format("%s/upweave-tests-%d-cache", temporary, uv.getuid())

-- None: what the user has tuned must not show in a test.
M.database = M.cache .. "/none.jsonl"

--- A new folder, removed by `M.clean`.
---@return string
function M.folder()
  local path = assert(uv.fs_mkdtemp(temporary .. "/upweave-test-XXXXXX"))
  folders[#folders + 1] = path
  return path
end

function M.clean()
  for _, path in ipairs(folders) do
    uv.fs_chmod(path, 448)
    files.remove_tree(path)
  end
end

---@param path string
---@param text string
---@return string path
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

M.read = files.read

---@return string[] names, sorted
function M.list(path)
  local names, scan = {}, uv.fs_scandir(path)
  while scan do
    local name = uv.fs_scandir_next(scan)
    if not name then break end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Our environment with changes: `{ LANG = "C", TERM = false }`.
---@return string[]
function M.environment(changes)
  local list = {}
  local wanted = { UPWEAVE_CACHE = M.cache, UPWEAVE_DB = M.database, NO_COLOR = "1" }
  for name, value in pairs(uv.os_environ()) do
    if wanted[name] == nil then wanted[name] = value end
  end
  for name, value in pairs(changes or {}) do wanted[name] = value end
  for name, value in pairs(wanted) do
    if value then list[#list + 1] = name .. "=" .. value end
  end
  return list
end

--- Run upweave; options: cwd, env (changes), seconds, input.
---@param arguments string[]
---@param options table?
---@return upweave.ProcessResult
function M.run(arguments, options)
  options = options or {}
  local command = { options.program or M.program }
  table.move(arguments, 1, #arguments, 2, command)
  return process.run(command, { cwd = options.cwd, env = M.environment(options.env),
    seconds = options.seconds or TIME_LIMIT, input = options.input })
end

--- A spec of a tiny kernel.
---@param name string
---@return string
function M.tiny(name)
  return string.format('kernel %q { op = "interpolate", x = tensor { 1, 1, 4, 5 }, '
    .. 'mode = "bilinear", scale_factor = 2 }\n', name)
end

--- The bytes of an .npy file; of floats unless another element type is named.
---@param shape integer[]
---@param values number[]
---@param dtype string?
---@return string
function M.npy(shape, values, dtype)
  local element = dtypes.of[dtype or "f32"]
  local dims = table.concat(shape, ", ") .. (#shape == 1 and "," or "")
  local head = string.format("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
    element.descr, dims)
  head = head .. (" "):rep(-(#head + 11) % 64) .. "\n"
  local data = {}
  for index, value in ipairs(values) do data[index] = element.pack(value) end
  return "\x93NUMPY\1\0" .. string.pack("<I2", #head) .. head .. table.concat(data)
end

return M
