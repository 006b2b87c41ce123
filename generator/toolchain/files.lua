-- SPDX-License-Identifier: MIT
-- Reading and writing files.
--
-- Purpose: a set of output files appears whole, or not at all. Invariants: a file is written under
-- another name, synced and renamed, so a reader never sees half of it; if one cannot be written,
-- those already in place get their old contents back; a file that has the right bytes is not
-- touched (its time of change stays, builds that depend on it rest); only plain names are written,
-- and only over plain files or links (the link is replaced, not what it points to).

local process = require "upweave.toolchain.process"
local uv = require "luv"

local M = {}

local READ_MODE <const> = 438  -- 0666, less the umask
local RUN_MODE <const> = 511   -- 0777, less the umask
local NAME_LIMIT <const> = 200

local serial = 0

---@param path string
---@return string|nil bytes
---@return string? reason
function M.read(path)
  local file, reason = io.open(path, "rb")
  if not file then return nil, reason end
  local bytes, fault = file:read("a")
  file:close()
  return bytes, fault
end

--- A name that neither leaves its folder nor looks like an option or a hidden file.
---@param name string
---@return boolean
function M.safe_name(name)
  return #name <= NAME_LIMIT and name:find("^[%w_][%w_.+-]*$") ~= nil
end

--- The nearest safe name.
---@param name string
---@return string
function M.make_safe(name)
  local safe = name:gsub("[^%w_.+-]", "_"):gsub("^[^%w_]", "_"):sub(1, NAME_LIMIT)
  return safe == "" and "_" or safe
end

--- The last part of a path without its extension.
---@param path string
---@return string
function M.stem(path)
  local base = path:gsub("/+$", ""):match("[^/]*$")
  return base:match("^(.+)%.[^.]*$") or base
end

--- Make a folder and what is missing above it.
---@param path string
---@param mode integer?
---@return string[]|nil made the folders that did not exist, outermost first
---@return string? reason
function M.make_folder(path, mode)
  local stat = uv.fs_stat(path)
  if stat then
    if stat.type == "directory" then return {} end
    return nil, path .. " is not a folder"
  end
  local above = path:gsub("/+$", ""):match("^(.*)/[^/]*$")
  local made = {}
  if above and above ~= "" then
    local higher, reason = M.make_folder(above, mode)
    if not higher then return nil, reason end
    made = higher
  end
  local ok, fault = uv.fs_mkdir(path, mode or RUN_MODE)
  if ok then
    made[#made + 1] = path
  elseif not fault:find("^EEXIST") then
    M.remove_folders(made)
    return nil, fault
  end
  return made
end

---@param folders string[] outermost first; those that are not empty stay
function M.remove_folders(folders)
  for index = #folders, 1, -1 do uv.fs_rmdir(folders[index]) end
end

--- Remove a folder of ours with all that is in it. Links are not followed.
---@param path string
function M.remove_tree(path)
  local scan = uv.fs_scandir(path)
  while scan do
    local name, kind = uv.fs_scandir_next(scan)
    if not name then break end
    local inner = path .. "/" .. name
    if kind == "directory" then M.remove_tree(inner) else uv.fs_unlink(inner) end
  end
  uv.fs_rmdir(path)
end

local function write_all(descriptor, bytes)
  local at = 0
  while at < #bytes do
    local written, fault = uv.fs_write(descriptor, at == 0 and bytes or bytes:sub(at + 1))
    if not written then return nil, fault end
    at = at + written
  end
  return true
end

--- Write a new file and bring it to the disk.
---@param path string must not exist
---@param bytes string
---@param mode integer
---@param sync boolean
---@return true|nil
---@return string? reason
local function write_new(path, bytes, mode, sync)
  local descriptor, fault = uv.fs_open(path, "wx", mode)
  if not descriptor then return nil, fault end
  local ok, reason = write_all(descriptor, bytes)
  if ok and sync then ok, reason = uv.fs_fsync(descriptor) end
  local closed, trouble = uv.fs_close(descriptor)
  if ok and closed then return true end
  uv.fs_unlink(path)
  return nil, reason or trouble
end

--- Write a file of a private folder, where nobody reads before all is done.
---@param path string
---@param bytes string
---@return true|nil
---@return string? reason
function M.write_private(path, bytes)
  return write_new(path, bytes, RUN_MODE, false)
end

-- A name beside the file: a rename does not cross file systems.
local function temporary(path, kind)
  serial = serial + 1
  local folder = path:match("^(.*/)[^/]*$") or ""
  return string.format("%s.upweave.%d.%d.%s", folder, uv.os_getpid(), serial, kind)
end

-- Where a file goes: a safe name inside the folder, or a path that is the user's own.
local function place_of(folder, file)
  if file.path then
    local name = file.path:match("[^/]*$")
    if name == "" or name == "." or name == ".." then return nil, file.path .. " is a folder" end
    return file.path
  elseif not M.safe_name(file.name) then
    return nil, string.format("%q is no name for an output file", file.name)
  end
  return folder .. "/" .. file.name
end

--- Which of the files must be written, or why one cannot be.
local function changes(folder, files)
  local list = {}
  for _, file in ipairs(files) do
    local path, reason = place_of(folder, file)
    if not path then return nil, reason end
    local stat = uv.fs_lstat(path)
    -- A link in our folder gives way to a file; elsewhere it is the user's own, as /dev/stdout.
    if stat and stat.type ~= "file" and not (file.name and stat.type == "link") then
      return nil, string.format("%s is a %s", path, stat.type)
    end
    local same = stat and stat.type == "file" and stat.size == #file.text
      and M.read(path) == file.text
    if not same then list[#list + 1] = { path = path, file = file, existed = stat ~= nil } end
  end
  return list
end

local function write_temporaries(list)
  for _, change in ipairs(list) do
    local path = temporary(change.path, "new")
    local mode = change.file.executable and RUN_MODE or READ_MODE
    local ok, reason = write_new(path, change.file.text, mode, true)
    if not ok then return nil, reason end
    change.temporary = path
  end
  return true
end

-- The old file gets a second name, under which it can come back.
local function keep_old(change)
  if not change.existed then return true end
  local backup = temporary(change.path, "old")
  local ok, reason = uv.fs_link(change.path, backup)
  if not ok then ok, reason = uv.fs_copyfile(change.path, backup, { excl = true }) end
  if ok then change.backup = backup end
  return ok, reason
end

local function put_in_place(list)
  for _, change in ipairs(list) do
    local ok, reason = keep_old(change)
    if ok then ok, reason = uv.fs_rename(change.temporary, change.path) end
    if not ok then return nil, reason end
    change.temporary, change.placed = nil, true
  end
  return true
end

local function undo(list)
  for _, change in ipairs(list) do
    if change.temporary then uv.fs_unlink(change.temporary) end
    if change.placed and not change.existed then uv.fs_unlink(change.path) end
    if change.placed and change.backup then
      uv.fs_rename(change.backup, change.path)
      change.backup = nil
    end
  end
end

local function drop_backups(list)
  for _, change in ipairs(list) do
    if change.backup then uv.fs_unlink(change.backup) end
  end
end

local function sync_folder(folder)
  local descriptor = uv.fs_open(folder, "r", 0)
  if not descriptor then return end
  uv.fs_fsync(descriptor)
  uv.fs_close(descriptor)
end

---@class upweave.OutputFile
---@field name string? plain name inside the folder
---@field path string? in its place: a path anywhere, which is the user's own
---@field text string bytes
---@field executable boolean?
---@field sha256 string? of the text, once somebody asked

--- Write a set of files into a folder, which is made if it is missing: all of them or none.
---@param folder string
---@param files upweave.OutputFile[]
---@return integer|nil count files that were written (the others had their bytes already)
---@return string? reason
function M.write_set(folder, files)
  local made, trouble = M.make_folder(folder)
  if not made then return nil, trouble end
  local list, reason = changes(folder, files)
  if not list then
    M.remove_folders(made)
    return nil, reason
  end
  local function give_up()
    undo(list)
    drop_backups(list)
    M.remove_folders(made)
  end
  local forget = process.on_interrupt(give_up)
  local ok, fault = write_temporaries(list)
  if ok then ok, fault = put_in_place(list) end
  if ok then
    drop_backups(list)
    if #list > 0 then sync_folder(folder) end
  else
    give_up()
  end
  forget()
  if not ok then return nil, fault end
  return #list
end

return M
