-- SPDX-License-Identifier: MIT
-- Strict, bounded JSON.
--
-- Purpose: text to tables for data that may be hostile. dkjson makes the values; it also takes
-- comments, missing commas, repeated keys and any depth, so a scan of the structure comes first.
-- Invariants: linear in the text; at most LARGEST bytes, DEEPEST levels and MOST values. A null in
-- an object is as if the key were not there.

local dkjson = require "dkjson"

local M = {}

local LARGEST <const> = 4 << 20
local DEEPEST <const> = 16
local MOST <const> = 200000

M.largest = LARGEST

-- Positions are counted in lines only when there is something to say.
local function place(text, at)
  local line, start = 1, 1
  for newline in text:sub(1, at - 1):gmatch("()\n") do
    line, start = line + 1, newline + 1
  end
  return ("line %d, column %d"):format(line, at - start + 1)
end

local function escaped(key)
  return "/" .. key:gsub("~", "~0"):gsub("/", "~1")
end

local function pointer(open)
  local parts = {}
  for i, level in ipairs(open) do
    parts[i] = level.keys and escaped(level.key or "") or ("/%d"):format(level.count)
  end
  return table.concat(parts)
end

local CLOSES <const> = { ["{"] = "}", ["["] = "]" }
local WORDS <const> = { ["true"] = true, ["false"] = true, null = true }

local function number_end(text, at)
  local stop = text:match("^%-?0()", at) or text:match("^%-?[1-9]%d*()", at)
  if not stop then
    return nil
  end
  stop = text:match("^%.%d+()", stop) or stop
  return text:match("^[eE][+-]?%d+()", stop) or stop
end

local function string_end(text, at)
  local from = at + 1
  while true do
    local stop = text:find('["\\%c]', from)
    local character = stop and text:sub(stop, stop)
    if character == '"' then
      return stop + 1
    elseif character ~= "\\" or not text:find('^["\\/bfnrtu]', stop + 1) then
      return nil
    end
    from = stop + 2
  end
end

-- The end of a value without parts.
local function scalar_end(text, at)
  local first = text:sub(at, at)
  if first == '"' then
    return string_end(text, at)
  elseif first:find("[%d-]") then
    return number_end(text, at)
  end
  local word, stop = text:match("^(%a+)()", at)
  return WORDS[word] and stop
end

-- The scan of the structure: `open` holds the objects and lists around the position `at`.
local Scan = {}
Scan.__index = Scan

function Scan:fail(reason)
  self.fault = self.fault or { reason = reason .. " at " .. place(self.text, self.at) }
end

function Scan:skip_space()
  self.at = self.text:match("^[ \t\r\n]*()", self.at)
end

-- A key and its colon.
function Scan:key(level)
  local stop = self.text:sub(self.at, self.at) == '"' and string_end(self.text, self.at)
  if not stop then
    return self:fail("a key in quotes is expected")
  end
  local key = self.text:sub(self.at + 1, stop - 2)
  level.key = key
  if level.keys[key] then
    self.fault = { duplicate = pointer(self.open), reason = place(self.text, self.at) }
    return
  end
  level.keys[key] = true
  self.at = stop
  self:skip_space()
  if self.text:sub(self.at, self.at) ~= ":" then
    return self:fail("a colon is expected")
  end
  self.at = self.at + 1
  self:skip_space()
end

-- A scalar, or the opening of an object or list.
function Scan:value()
  self.values = self.values + 1
  if self.values > MOST then
    self.fault = { large = ("it has more than %d values"):format(MOST) }
    return
  end
  local first = self.text:sub(self.at, self.at)
  if CLOSES[first] then
    if #self.open == DEEPEST then
      self.fault = { large = ("it is nested more than %d deep"):format(DEEPEST) }
      return
    end
    local level = { close = CLOSES[first], count = 0, keys = first == "{" and {} or nil }
    self.open[#self.open + 1] = level
    self.at = self.at + 1
    self.fresh = true
    return
  end
  local stop = scalar_end(self.text, self.at)
  local level = self.open[#self.open]
  if not stop then
    return self:fail("a value is expected")
  elseif level and not level.keys and self.text:find("^null", self.at) then
    return self:fail("null cannot stand in a list")
  end
  self.at = stop
  self.fresh = false
end

-- Inside an object or list: its end, or the next item.
function Scan:item(level)
  local character = self.text:sub(self.at, self.at)
  if character == level.close then
    self.at = self.at + 1
    self.open[#self.open] = nil
    self.fresh = false
    return
  end
  if not self.fresh then
    if character ~= "," then
      return self:fail(("a comma or %s is expected"):format(level.close))
    end
    level.count = level.count + 1
    self.at = self.at + 1
    self:skip_space()
  end
  if level.keys then
    self:key(level)
  end
  if not self.fault then
    self:value()
  end
end

local function scan(text)
  local self = setmetatable({ text = text, at = 1, open = {}, values = 0 }, Scan)
  self:skip_space()
  self:value()
  while not self.fault and #self.open > 0 do
    self:skip_space()
    self:item(self.open[#self.open])
  end
  if not self.fault then
    self:skip_space()
    if self.at <= #text then
      self:fail("the end is expected")
    end
  end
  return self.fault
end

--- The value of a JSON text, or nil and what is wrong: `{reason}` for a text that is not JSON,
--- `{duplicate = pointer, reason}`, or `{large = reason}`.
---@param text string
---@return any value
---@return {reason: string?, duplicate: string?, large: string?}? fault
function M.decode(text)
  if #text > LARGEST then
    return nil, { large = ("it has more than %d bytes"):format(LARGEST) }
  end
  local fault = scan(text)
  if fault then
    return nil, fault
  end
  local value, _, message = dkjson.decode(text, 1, nil, nil, nil)
  if message then
    return nil, { reason = message }
  end
  return value
end

return M
