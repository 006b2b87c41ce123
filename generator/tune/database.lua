-- SPDX-License-Identifier: MIT
-- The tuning database: one file of lines, to which is only added.
--
-- Purpose: reads and writes it. Invariants: the order of lines says nothing, so files are merged by
-- concatenation; equal lines count once; a line that is no record is skipped and counted; a line is
-- added by one write under a lock, after a new line if the file's last one was cut; only `gc`
-- replaces the file, by a rename under the same lock.

local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local lock = require "upweave.tune.lock"
local record = require "upweave.tune.record"
local uv = require "luv"

local M = {}

local PUBLIC <const> = 420 -- 0644
local STORE <const> = "tuning database"

--- Where the database is without --db.
---@return string path
---@return boolean named by UPWEAVE_DB
function M.default_path()
  local given = os.getenv("UPWEAVE_DB")
  if given and given ~= "" then return given, true end
  local base = os.getenv("XDG_CACHE_HOME")
  if base and base:sub(1, 1) == "/" then return base .. "/upweave/tuning.jsonl", false end
  local home = os.getenv("HOME")
  if home and home ~= "" then return home .. "/.cache/upweave/tuning.jsonl", false end
  return ("%s/upweave-%d/tuning.jsonl"):format(os.getenv("TMPDIR") or "/tmp", uv.getuid()), false
end

local function corrupt(path, reason, hint)
  return { diagnostics.new("E701", { store = STORE, place = path, reason = reason,
    hint = hint or "--db FILE or UPWEAVE_DB=FILE, a file that can be read and written" }) }
end

---@class tune.Contents
---@field path string
---@field lines string[]    sound lines, each once, in the order of the file
---@field faults {line: integer, reason: string}[]  the others
---@field repeated integer  sound lines that stood there before

local function sort_line(contents, seen, number, line)
  if line == "" then return end
  if seen[line] then
    contents.repeated = contents.repeated + 1
  elseif record.intact(line) then
    seen[line] = true
    table.insert(contents.lines, line)
  else
    local _, reason = record.read(line)
    table.insert(contents.faults, { line = number, reason = reason or "it cannot be read" })
  end
end

-- What a file contains; nil and the reason where it is there and cannot be read.
local function contents_of(path)
  local contents = { path = path, lines = {}, faults = {}, repeated = 0 }
  if not uv.fs_stat(path) then return contents end
  local text, reason = files.read(path)
  if not text then return nil, reason or "it cannot be read" end
  local number, seen = 0, {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    sort_line(contents, seen, number, line)
  end
  return contents
end

--- All sound lines of a file; a missing file has none.
---@param path string
---@return tune.Contents?
---@return upweave.Diagnostic[]? faults
function M.read(path)
  local contents, reason = contents_of(path)
  if not contents then return nil, corrupt(path, reason) end
  if #contents.lines == 0 and #contents.faults > 0 then
    return nil, corrupt(path, ("none of its %d lines can be read"):format(#contents.faults),
      "`upweave db gc` drops what cannot be read; or --db with another file")
  end
  return contents
end

--- The records of the lines that contain a text; of all without one.
---@param contents tune.Contents
---@param text string?
---@return tune.Record[]
function M.records(contents, text)
  local list = {}
  for _, line in ipairs(contents.lines) do
    if not text or line:find(text, 1, true) then list[#list + 1] = record.read(line) end
  end
  return list
end

-- Do something under the lock of a file whose folder is made.
local function locked(path, action)
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then
    local made, reason = files.make_folder(folder)
    if not made then return nil, corrupt(path, reason) end
  end
  local release, reason, owner = lock.take(path)
  if not release then
    if reason then return nil, corrupt(path, reason) end
    return nil, { diagnostics.new("E700", { store = STORE, place = path, owner = owner,
      lock = path .. ".lock", seconds = lock.PATIENCE,
      hint = "wait for that process, or end it; or --db with another file" }) }
  end
  local ok, fault = action()
  release()
  if not ok then return nil, corrupt(path, fault or "it cannot be written") end
  return true
end

-- Whether the file ends within a line.
local function torn(path)
  local stat = uv.fs_stat(path)
  if not stat or stat.size == 0 or stat.type ~= "file" then return false end
  local file = uv.fs_open(path, "r", 0)
  local last = file and uv.fs_read(file, 1, stat.size - 1)
  if file then uv.fs_close(file) end
  return last ~= "\n"
end

local function add(path, text)
  local file, reason = uv.fs_open(path, "a", PUBLIC)
  if not file then return nil, reason end
  local bytes = (torn(path) and "\n" or "") .. text
  local written, fault = uv.fs_write(file, bytes)
  uv.fs_fsync(file)
  uv.fs_close(file)
  if written ~= #bytes then return nil, fault or "the disk is full" end
  return true
end

--- Add lines, all by one write.
---@param path string
---@param lines string[]
---@return true?
---@return upweave.Diagnostic[]? faults
function M.add_lines(path, lines)
  if #lines == 0 then return true end
  return locked(path, function() return add(path, table.concat(lines, "\n") .. "\n") end)
end

--- Add a record.
---@param path string
---@param entry tune.Record
---@return true?
---@return upweave.Diagnostic[]? faults
function M.add(path, entry) return M.add_lines(path, { record.line(entry) }) end

--- Replace the file by what is left of its lines: `keep` gets the contents and gives lines.
---@param path string
---@param keep fun(contents: tune.Contents): string[]
---@return true?
---@return upweave.Diagnostic[]? faults
function M.rewrite(path, keep)
  return locked(path, function()
    local contents, reason = contents_of(path)
    if not contents then return nil, reason end
    local kept = keep(contents)
    local folder = path:match("^(.*)/[^/]*$") or "."
    return files.write_set(folder == "" and "/" or folder,
      { { path = path, text = #kept > 0 and table.concat(kept, "\n") .. "\n" or "" } })
  end)
end

return M
