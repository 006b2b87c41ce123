-- SPDX-License-Identifier: MIT
-- Values as text for people.
--
-- Purpose: how messages and reports write values and shapes: `{1, 64}`, `"NCHW"`, `1x64x112x112`.
-- Invariant: one line as long as the strings in it are; data that hold themselves cannot hang it.

local json = require "upweave.util.json"
local ordered = require "upweave.util.ordered"

local M = {}

local DEEPEST <const> = 3
local LONGEST_LIST <const> = 16

local function number(x)
  if x ~= x or x == math.huge or x == -math.huge then
    return tostring(x)
  end
  return json.number(x)
end

local function items_of(t, depth)
  local items = {}
  for key, value in ordered.pairs(t) do
    if #items == LONGEST_LIST then
      items[#items + 1] = "…"
      break
    end
    local label = math.type(key) == "integer" and "" or key .. " = "
    items[#items + 1] = label .. M.value(value, depth + 1)
  end
  return items
end

--- A value in the manner of Lua.
---@param value any
---@param depth? integer
---@return string
function M.value(value, depth)
  if type(value) == "number" then
    return number(value)
  elseif type(value) == "string" then
    return '"' .. value .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif (depth or 0) == DEEPEST then
    return "{…}"
  end
  return "{" .. table.concat(items_of(value, depth or 0), ", ") .. "}"
end

--- A shape: `1x64x112x112`.
---@param shape number[]
---@return string
function M.shape(shape)
  local texts = {}
  for i, n in ipairs(shape) do
    texts[i] = number(n)
  end
  return table.concat(texts, "x")
end

return M
