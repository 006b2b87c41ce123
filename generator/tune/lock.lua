-- SPDX-License-Identifier: MIT
-- Lock files.
--
-- Purpose: one writer of a file at a time, among processes that may be killed. The lock is a
-- symbolic link beside it that leads to its owner's name: made at once and whole, or not at all.
-- Invariants: a lock whose owner on this machine is dead is taken over; that of another machine
-- never; who waits in vain is told whose it is.

local uv = require "luv"

local M = {}

local PAUSE <const> = 20 -- milliseconds between two attempts

M.PATIENCE = 10 -- seconds

--- Whether the owner that a lock names cannot release it any more.
local function is_dead(owner)
  local pid, host = owner:match("^(%d+)@(.*)$")
  if not pid or host ~= uv.os_gethostname() then return false end
  local ok, _, code = uv.kill(math.tointeger(tonumber(pid)), 0)
  return ok ~= 0 and code == "ESRCH"
end

-- Take a dead owner's lock away. Several processes may try: a rename succeeds for one, and who
-- finds that the lock was another's by then puts it back.
local function take_over(lock)
  local grave = ("%s.%d"):format(lock, uv.os_getpid())
  if not uv.fs_rename(lock, grave) then return end
  local owner = uv.fs_readlink(grave)
  if owner and not is_dead(owner) then uv.fs_symlink(owner, lock) end
  uv.fs_unlink(grave)
end

local function pause()
  local timer, over = uv.new_timer(), false
  timer:start(PAUSE, 0, function() over = true end)
  while not over do uv.run("once") end
  timer:close()
end

--- Take the lock of a file.
---@param path string
---@return (fun())? release
---@return string? reason  why there can be no lock; nil: another one holds it
---@return string? owner   who does not release it
function M.take(path)
  local lock, start = path .. ".lock", uv.hrtime()
  local own = ("%d@%s"):format(uv.os_getpid(), uv.os_gethostname())
  local owner
  repeat
    local made, reason, code = uv.fs_symlink(own, lock)
    if made then return function() uv.fs_unlink(lock) end end
    if code ~= "EEXIST" then return nil, reason end
    owner = uv.fs_readlink(lock) or owner or "?"
    if is_dead(owner) then take_over(lock) else pause() end
  until (uv.hrtime() - start) * 1e-9 >= M.PATIENCE
  return nil, nil, owner
end

return M
