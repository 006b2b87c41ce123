-- SPDX-License-Identifier: MIT
-- Ordered iteration.
--
-- Purpose: the only way in the generator to walk the keys of a table. The order is a function of
-- the keys alone (numbers ascending, then strings in byte order), so equal tables give equal text.
-- Keys of other types come from hostile specs only; they are sorted somehow, and never raise.
-- Invariant: this is the only file that calls `pairs`; luacheck bans it everywhere else.

-- luacheck: globals pairs

local M = {}

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

--- The keys of a table in order.
---@param t table
---@return any[]
function M.keys(t)
  local keys, strings, others = {}, {}, {}
  for key in pairs(t) do
    local kind = type(key)
    local list = kind == "number" and keys or kind == "string" and strings or others
    list[#list + 1] = key
  end
  table.sort(keys) -- sorted apart, as a comparison in Lua would cost most of the time
  table.sort(strings)
  table.sort(others, by_text)
  table.move(strings, 1, #strings, #keys + 1, keys)
  return table.move(others, 1, #others, #keys + 1, keys)
end

--- Iterates over key, value in the order of `keys`.
---@param t table
---@return fun(): any, any
function M.pairs(t)
  local keys, i = M.keys(t), 0
  return function()
    i = i + 1
    local key = keys[i]
    if key ~= nil then
      return key, t[key]
    end
  end
end

--- The number of keys of a table, however they look.
---@param t table
---@return integer
function M.count(t)
  local n = 0
  for _ in pairs(t) do
    n = n + 1
  end
  return n
end

--- Whether every key is one of 1 … n. True for the empty table.
---@param t table
---@return boolean
function M.is_list(t)
  return M.count(t) == #t
end

return M
