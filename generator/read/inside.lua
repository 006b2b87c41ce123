-- SPDX-License-Identifier: MIT
-- Files beside a file.
--
-- Purpose: the files that a spec or a model names, which must lie in its folder or below it.
-- Invariants: only a plain file is found, and by its real path: neither `..` nor an absolute path
-- nor a symbolic link leads out.

local uv = require "luv"

local M = {}

local LONGEST_PATH <const> = 1024

---@class upweave.Folder
---@field path string
---@field owner string for reasons: "model"
---@field word string what the owner calls a path: "location"

local function fault_of(path, folder)
  local reason
  if path == "" or #path > LONGEST_PATH then
    reason = "is empty or too long"
  elseif path:find("[\0\\]") then
    reason = ("has a character that paths of %ss cannot have"):format(folder.owner)
  elseif path:find("^/") then
    reason = "is an absolute path"
  end
  for part in path:gmatch("[^/]+") do
    if not reason and part == ".." then
      reason = ("leads out of the %s's folder"):format(folder.owner)
    end
  end
  return reason and ("its %s %s"):format(folder.word, reason)
end

-- The real path and its size; nil and the reason.
local function resolve(folder, path)
  local top, trouble = uv.fs_realpath(folder.path)
  local real = top and uv.fs_realpath(top .. "/" .. path)
  if not real then
    return nil, trouble and ("the %s's folder cannot be read"):format(folder.owner)
      or "there is no such file"
  end
  local inside = top == "/" and top or top .. "/"
  if real:sub(1, #inside) ~= inside then
    return nil, ("a symbolic link leads out of the %s's folder"):format(folder.owner)
  end
  local stat = uv.fs_stat(real)
  if not stat or stat.type ~= "file" then
    return nil, "it is not a plain file"
  end
  return real, stat.size
end

--- The real path of a plain file and its size; nil and the reason, with the file's name in front
--- where there is a file to look for.
---@param folder upweave.Folder
---@param path string
---@return string? real
---@return integer|string size_or_reason
function M.find(folder, path)
  local fault = fault_of(path, folder)
  if fault then
    return nil, fault
  end
  local real, result = resolve(folder, path)
  return real, real and result or ("%s: %s"):format(path, result)
end

return M
