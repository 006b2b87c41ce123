-- SPDX-License-Identifier: MIT
-- Build cache.
--
-- Purpose: keeps compiled things under the hash of all they were made from. An entry is a folder
-- CACHE/entries/ab/HASH with its files and a MANIFEST of their sizes and checksums. Invariants: an
-- entry appears by one rename, so any number of processes may share a cache; an entry whose files
-- do not agree with its manifest is thrown away and made anew; names inside come from us alone;
-- the folder belongs to this user and to nobody else, because programs in it are run. It may be
-- deleted at any time.

local files = require "upweave.toolchain.files"
local process = require "upweave.toolchain.process"
local sha256 = require "upweave.util.sha256"
local uv = require "luv"

local M = {}

local PRIVATE <const> = 448 -- 0700
local FORMAT <const> = "upweave-cache-1"
local WORDS <const> = 32

---@class upweave.Cache
---@field root string

--- A checksum against accidents, not against enemies: the folder is the user's own. Eight bytes at
--- a time, because hashing a megabyte with SHA-256 in Lua takes a fifth of a second.
---@param bytes string
---@return string
function M.checksum(bytes)
  local padded = bytes .. ("\0"):rep(-#bytes % (8 * WORDS))
  local format, hash = "<" .. ("i8"):rep(WORDS), #bytes
  for at = 1, #padded, 8 * WORDS do
    local block = { string.unpack(format, padded, at) }
    for index = 1, WORDS do
      hash = (hash ~ block[index]) * 0x100000001b3
      hash = hash ~ (hash >> 29)
    end
  end
  return string.format("%016x", hash)
end

--- The key of an ordered list of texts; their borders count.
---@param parts string[]
---@return string
function M.key(parts)
  local list = { FORMAT }
  for index, part in ipairs(parts) do list[index + 1] = #part .. ":" .. part end
  return sha256.hex(table.concat(list, "\n"))
end

---@return string
function M.default_root()
  local given = os.getenv("UPWEAVE_CACHE")
  if given and given ~= "" then return given end
  local base = os.getenv("XDG_CACHE_HOME")
  if base and base:sub(1, 1) == "/" then return base .. "/upweave" end
  local home = os.getenv("HOME")
  if home and home ~= "" then return home .. "/.cache/upweave" end
  return string.format("%s/upweave-%d", os.getenv("TMPDIR") or "/tmp", uv.getuid())
end

-- Work of processes that were killed. A process id that came back to life only delays this.
local function sweep(root)
  local scan = uv.fs_scandir(root .. "/work")
  while scan do
    local name = uv.fs_scandir_next(scan)
    if not name then break end
    local pid = math.tointeger(tonumber(name:match("^(%d+)-")))
    local alive = pid and (uv.kill(pid, 0) == 0 or select(3, uv.kill(pid, 0)) ~= "ESRCH")
    if pid and not alive then files.remove_tree(root .. "/work/" .. name) end
  end
end

---@param root string?
---@return upweave.Cache|nil
---@return string? reason
function M.open(root)
  root = root or M.default_root()
  for _, folder in ipairs { root, root .. "/entries", root .. "/work" } do
    local made, reason = files.make_folder(folder, PRIVATE)
    if not made then return nil, reason end
    local stat = uv.fs_stat(folder)
    if not stat or stat.uid ~= uv.getuid() then
      return nil, folder .. " belongs to another user"
    end
    if not uv.fs_access(folder, "W") then return nil, folder .. " cannot be written" end
  end
  root = uv.fs_realpath(root)
  sweep(root)
  return { root = root }
end

--- A private folder for work, gone after `release` or an interrupt.
---@param self upweave.Cache
---@return string folder
---@return fun() release
function M.work(self)
  local pattern = string.format("%s/work/%d-XXXXXX", self.root, uv.os_getpid())
  local folder = assert(uv.fs_mkdtemp(pattern))
  local forget = process.on_interrupt(function() files.remove_tree(folder) end)
  return folder, function()
    files.remove_tree(folder)
    forget()
  end
end

local function place(self, key)
  return string.format("%s/entries/%s/%s", self.root, key:sub(1, 2), key)
end

local function manifest_of(contents)
  local lines = { FORMAT }
  for _, file in ipairs(contents) do
    lines[#lines + 1] = string.format("%s %d %s", M.checksum(file.text), #file.text, file.name)
  end
  local body = table.concat(lines, "\n") .. "\n"
  return body .. M.checksum(body) .. "\n"
end

--- Names in the manifest, or nil if it is damaged.
local function parse_manifest(text)
  local body, sum = (text or ""):match("^(.*\n)(%x+)\n$")
  if not body or M.checksum(body) ~= sum or body:match("^[^\n]*") ~= FORMAT then return nil end
  local list = {}
  for check, size, name in body:gmatch("(%x+) (%d+) ([^\n]+)\n") do
    list[#list + 1] = { checksum = check, size = math.tointeger(tonumber(size)), name = name }
  end
  return list
end

local function load(folder)
  local list = parse_manifest(files.read(folder .. "/MANIFEST"))
  if not list then return nil end
  local entry = { folder = folder, files = {} }
  for _, file in ipairs(list) do
    local text = files.safe_name(file.name) and files.read(folder .. "/" .. file.name)
    if not text or #text ~= file.size or M.checksum(text) ~= file.checksum then return nil end
    entry.files[file.name] = text
  end
  return entry
end

--- Move a damaged entry out of the way; another process may do the same.
local function discard(self, folder)
  local work, release = M.work(self)
  uv.fs_rename(folder, work .. "/damaged")
  release()
end

---@class upweave.CacheEntry
---@field folder string
---@field files table<string, string> bytes by name

--- What is stored under a key; nil if nothing or nothing sound is.
---@param self upweave.Cache
---@param key string
---@return upweave.CacheEntry|nil
function M.get(self, key)
  local folder = place(self, key)
  if not uv.fs_stat(folder) then return nil end
  local entry = load(folder)
  if not entry then discard(self, folder) end
  return entry
end

local function fill(folder, contents)
  local all = table.move(contents, 1, #contents, 1, {})
  all[#all + 1] = { name = "MANIFEST", text = manifest_of(contents) }
  for _, file in ipairs(all) do
    assert(files.safe_name(file.name), "cache: a name from outside")
    local ok, reason = files.write_private(folder .. "/" .. file.name, file.text)
    if not ok then return nil, reason end
  end
  return true
end

--- Store files under a key. If another process was faster, its entry is the one returned.
---@param self upweave.Cache
---@param key string
---@param contents upweave.OutputFile[]
---@return upweave.CacheEntry|nil
---@return string? reason
function M.put(self, key, contents)
  local work, release = M.work(self)
  local inner, folder = work .. "/entry", place(self, key)
  local ok, reason = uv.fs_mkdir(inner, PRIVATE)
  if ok then ok, reason = fill(inner, contents) end
  if ok then ok, reason = files.make_folder(folder:match("^(.*)/"), PRIVATE) end
  local entry
  if ok then
    local renamed, fault = uv.fs_rename(inner, folder)
    entry = M.get(self, key)
    if not entry then
      -- What stood there was damaged and is gone now.
      if not renamed then renamed, fault = uv.fs_rename(inner, folder) end
      entry = renamed and load(folder)
    end
    reason = fault
  end
  release()
  return entry or nil, reason
end

return M
