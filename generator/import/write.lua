-- SPDX-License-Identifier: MIT
-- Imported kernels as a spec.
--
-- Purpose: the text of a Lua or JSON spec with a kernel for each node. Invariant: it says what the
-- model says and no default besides, and reads back as the same kernels.

local json = require "upweave.util.json"
local list = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local text = require "upweave.util.text"

local M = {}

local VERSION <const> = 1
-- What a reader looks for first; the other fields follow in the order of their names.
local FIRST <const> = { "note", "op", "profile", "opset", "x", "out_channels", "kernel_shape",
  "mode", "size", "scale_factor" }

-- `%q` would break lines and write bytes as they are; these strings are printable.
local function quoted(value)
  return '"' .. value:gsub('[\\"]', "\\%0") .. '"'
end

local function tensor(value)
  local layout, dtype = quoted(value.layout), quoted(value.dtype)
  return ("tensor { %s, layout = %s, dtype = %s }"):format(table.concat(value.shape, ", "), layout,
    dtype)
end

local function lua_value(value)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) == "table" and value.shape then
    return tensor(value)
  end
  return text.value(value)
end

local function lua_kernel(item)
  local lines = { ("kernel %s {"):format(quoted(item.name)) }
  local function add(key)
    lines[#lines + 1] = ("  %s = %s,"):format(key, lua_value(item.fields[key]))
  end
  for _, key in ipairs(FIRST) do
    if item.fields[key] ~= nil then
      add(key)
    end
  end
  for _, key in ipairs(ordered.keys(item.fields)) do
    if not list.contains(FIRST, key) then
      add(key)
    end
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

--- A Lua spec.
---@param items upweave.ImportedNode[] with fields
---@return string
function M.lua(items)
  local texts = {}
  for index, item in ipairs(items) do
    texts[index] = lua_kernel(item)
  end
  return table.concat(texts, "\n")
end

--- A JSON spec.
---@param items upweave.ImportedNode[] with fields
---@return string
function M.json(items)
  local kernels = {}
  for index, item in ipairs(items) do
    local kernel = { name = item.name }
    for key, value in ordered.pairs(item.fields) do
      kernel[key] = value
    end
    kernels[index] = kernel
  end
  return json.encode({ upweave = VERSION, kernels = json.list(kernels) }, { pretty = true }) .. "\n"
end

return M
