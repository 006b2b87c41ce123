-- SPDX-License-Identifier: MIT
-- Lists.
--
-- Purpose: the two questions that registries and schemas ask everywhere.

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
