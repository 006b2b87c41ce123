-- SPDX-License-Identifier: MIT
-- Lists.
--
-- Purpose: the few questions that registries and schemas ask everywhere.

local M = {}

--- Whether a value stands in a list.
---@param list any[]
---@param value any
---@return boolean
function M.contains(list, value)
  for _, other in ipairs(list) do
    if other == value then
      return true
    end
  end
  return false
end

--- The item of that name, or nil.
---@param list table[]
---@param name any
---@return table?
function M.named(list, name)
  for _, item in ipairs(list) do
    if item.name == name then
      return item
    end
  end
end

--- The items whose field has another value.
---@param list table[]
---@param key any
---@param value any
---@return table[]
function M.without(list, key, value)
  local kept = {}
  for _, item in ipairs(list) do
    if item[key] ~= value then
      kept[#kept + 1] = item
    end
  end
  return kept
end

--- One field of each item.
---@param list table[]
---@param key any
---@return any[]
function M.column(list, key)
  local values = {}
  for i, item in ipairs(list) do
    values[i] = item[key]
  end
  return values
end

return M
