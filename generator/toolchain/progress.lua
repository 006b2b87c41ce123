-- SPDX-License-Identifier: MIT
-- Talk on standard error.
--
-- Purpose: notes, warnings and one line of progress with the time left. Invariants: standard output
-- is never touched; the line is redrawn in place on a terminal only, elsewhere each finished piece
-- is a plain line; quiet means silence but for errors.

local uv = require "luv"

local M = {}

local level = 1       -- 0 quiet, 1 normal, 2 verbose
local drawn = false
local terminal = nil
local REDRAW <const> = 100000000 -- ns between two redraws

local function is_terminal()
  if terminal == nil then
    terminal = uv.guess_handle(2) == "tty" and os.getenv("TERM") ~= "dumb"
  end
  return terminal
end

---@param value integer 0 quiet, 1 normal, 2 verbose
function M.set_level(value)
  level = value
end

---@return boolean
function M.verbose()
  return level >= 2
end

--- Take the progress line away.
function M.clear()
  if drawn then io.stderr:write("\r\27[K") end
  drawn = false
end

---@param text string
function M.error(text)
  M.clear()
  io.stderr:write(text, "\n")
end

---@param text string
function M.note(text)
  if level < 1 then return end
  M.error(text)
end

---@param text string
function M.detail(text)
  if level >= 2 then M.error(text) end
end

local function duration(seconds)
  if seconds < 90 then return string.format("%.0f s", math.max(seconds, 1)) end
  return string.format("%.0f min", seconds / 60)
end

---@class upweave.Progress
---@field total integer
---@field done integer

---@param what string verb for the line, such as "compile"
---@param total integer
---@return upweave.Progress
function M.new(what, total)
  return { what = what, total = total, done = 0, began = uv.hrtime(), drawn_at = 0 }
end

local function time_left(self, now)
  if self.done == 0 or self.done >= self.total then return "" end
  local elapsed = (now - self.began) * 1e-9
  return ", " .. duration(elapsed / self.done * (self.total - self.done)) .. " left"
end

--- Redraw the line on a terminal.
---@param self upweave.Progress
---@param current string? what is being worked on
function M.show(self, current)
  if level < 1 or not is_terminal() then return end
  local now = uv.hrtime()
  if now - self.drawn_at < REDRAW then return end
  self.drawn_at = now
  drawn = true
  local line = string.format("[%d/%d] %s %s%s", self.done, self.total, self.what, current or "",
    time_left(self, now))
  io.stderr:write("\r", line:sub(1, 78), "\27[K")
end

--- A state: on a terminal it replaces the one before, elsewhere it is a plain line.
---@param text string
function M.status(text)
  if level == 1 and is_terminal() then
    drawn = true
    io.stderr:write("\r", text:sub(1, 78), "\27[K")
  else
    M.note(text)
  end
end

--- One piece is done.
---@param self upweave.Progress
---@param name string
---@param seconds number?
function M.advance(self, name, seconds)
  self.done = self.done + 1
  if level < 1 then return end
  if is_terminal() and level < 2 then
    M.show(self, name)
    if self.done == self.total then M.clear() end
  else
    M.clear()
    io.stderr:write(string.format("[%d/%d] %s %s%s\n", self.done, self.total, self.what, name,
      seconds and string.format(" (%.2f s)", seconds) or ""))
  end
end

return M
