-- SPDX-License-Identifier: MIT
-- Files of the checkout, in a fixed order, and their text.
--
-- Purpose: walks folders for the tools and the tests about the source itself.
-- Invariants: paths are relative to the current directory, sorted by bytes; hidden entries and
-- build/ are left out.

local uv = require "luv"

local M = {}

---@param path string
---@return string text
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

---@param path string
---@param text string
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

---@param path string
---@return boolean
function M.exists(path) return uv.fs_stat(path) ~= nil end

local function entries(folder)
  local list = {}
  local scan = uv.fs_scandir(folder)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then break end
    local hidden = name:sub(1, 1) == "." or name == "build"
    if not hidden then list[#list + 1] = { name = name, kind = kind } end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- All files below a folder whose name matches a Lua pattern.
---@param folder string
---@param pattern string
---@param found? string[] list to append to
---@return string[]
function M.list(folder, pattern, found)
  found = found or {}
  for _, entry in ipairs(entries(folder)) do
    local path = folder .. "/" .. entry.name
    if entry.kind == "directory" then
      M.list(path, pattern, found)
    elseif entry.name:find(pattern) then
      found[#found + 1] = path
    end
  end
  return found
end

---@param path string
function M.make_folder(path)
  local made = path:sub(1, 1) == "/" and "/" or ""
  for part in path:gmatch("[^/]+") do
    made = made .. part
    uv.fs_mkdir(made, 493) -- 0755
    made = made .. "/"
  end
end

return M
