-- SPDX-License-Identifier: MIT
-- Reporting the mistakes of one kernel.
--
-- Purpose: adds to a code and its fields what every diagnostic of a spec says in the same way: the
-- place `op.key`, and where it stands with the values concerned.
-- Invariant: a mistake never stops the validation of what does not depend on it.

local diagnostics = require "upweave.util.diagnostics"
local text = require "upweave.util.text"

local M = {}

local function at(fields, path)
  local value = fields
  for _, key in ipairs(path) do
    if type(value) ~= "table" then
      return nil
    end
    value = value[key]
  end
  return value
end

local function split(key)
  local path = {}
  for part in key:gmatch("[^.]+") do
    path[#path + 1] = part
  end
  return path
end

local function label(path)
  local texts = {}
  for i, key in ipairs(path) do
    texts[i] = tostring(key)
  end
  return table.concat(texts, ".")
end

-- `key = value` for each key that has one, as the user wrote it, else by its default.
local function values_of(raw, shown, defaults)
  local texts = {}
  for _, path in ipairs(shown) do
    local value = at(raw.fields, path)
    if value == nil and #path == 1 then
      value = defaults[path[1]]
    end
    if value ~= nil then
      texts[#texts + 1] = label(path) .. " = " .. text.value(value)
    end
  end
  return #texts > 0 and ": " .. table.concat(texts, ", ") or ""
end

--- A function that reports on one kernel: `report(code, path, shown, fields)`. `path` is a key or a
--- list of keys, `shown` the keys (`"x.shape"`) whose values matter: by default the path.
---@param raw table the kernel as read
---@param list upweave.Diagnostic[] where the diagnostics go
---@param owner? string what stands before the key: the operator
---@param defaults? table<string, any>
---@return fun(code: string, path: string|string[], shown: string[]?, fields: table)
function M.new(raw, list, owner, defaults)
  return function(code, path, shown, fields)
    path = type(path) == "table" and path or { path }
    local paths = shown and {} or { path }
    for i, key in ipairs(shown or {}) do
      paths[i] = split(key)
    end
    fields.place = (owner and owner .. "." or "") .. label(path)
    fields.where = raw.where(path) .. values_of(raw, paths, defaults or {})
    list[#list + 1] = diagnostics.new(code, fields)
  end
end

return M
