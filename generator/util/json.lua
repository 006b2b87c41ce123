-- SPDX-License-Identifier: MIT
-- Canonical JSON.
--
-- Purpose: one text for one value: keys sorted, numbers in the shortest decimal form that reads
-- back as the same double, whole numbers without a fraction. Identities are hashes of this text.
-- Invariants: the encoder never fails on plain data; NaN, infinities, functions and non-string keys
-- are bugs of the caller and raise. A table is a list if its keys are 1 … n; the empty table is an
-- object unless made by `json.list`.

local ordered = require "upweave.util.ordered"

local M = {}

local WIDTH <const> = 100 -- of a line of text for people
local LIST <const> = { __jsontype = "array" } -- the mark that dkjson uses, too

--- Stands for JSON's null, which nil in a table cannot.
M.null = setmetatable({}, {
  __tostring = function()
    return "null"
  end,
})

--- Marks a table as a list, which matters when it is empty.
---@generic T: table
---@param t T
---@return T
function M.list(t)
  return setmetatable(t, LIST)
end

--- The shortest decimal text that reads back as the same number.
---@param x number
---@return string
function M.number(x)
  if x ~= x or x == math.huge or x == -math.huge then
    error("JSON has no text for " .. tostring(x))
  end
  if x == 0 and 1 / x < 0 then
    return "-0.0"
  elseif math.type(x) == "integer" then
    return ("%d"):format(x)
  end
  if x == math.floor(x) and x > -2 ^ 53 and x < 2 ^ 53 then
    return ("%d"):format(x)
  end
  for digits = 15, 16 do
    local text = ("%." .. digits .. "g"):format(x)
    if tonumber(text) == x then
      return text
    end
  end
  return ("%.17g"):format(x)
end

local ESCAPES <const> = {
  ['"'] = '\\"',
  ["\\"] = "\\\\",
  ["\n"] = "\\n",
  ["\r"] = "\\r",
  ["\t"] = "\\t",
}

--- A string with its quotes.
---@param s string
---@return string
function M.string(s)
  if not s:find('[%c"\\]') then
    return '"' .. s .. '"'
  end
  return '"' .. s:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local encode -- forward: lists and objects contain values

local function list_items(t)
  local items = {}
  for i, value in ipairs(t) do
    items[i] = { "", value }
  end
  return items
end

local function object_items(t, colon)
  local items = {}
  for key, value in ordered.pairs(t) do
    if type(key) ~= "string" then
      error("JSON has no key " .. tostring(key))
    end
    items[#items + 1] = { M.string(key) .. colon, value }
  end
  return items
end

-- `layout.indent` is nil for the canonical text. For people, a table stands on one line if it fits.
local function join(items, layout, brackets)
  local open, close = brackets:sub(1, 1), brackets:sub(2)
  local texts, length = {}, 0
  local inner = layout.indent and { indent = layout.indent .. "  ", colon = layout.colon } or layout
  for i, item in ipairs(items) do
    texts[i] = item[1] .. encode(item[2], inner)
    length = length + #texts[i] + 2
  end
  if not layout.indent then
    return open .. table.concat(texts, ",") .. close
  end
  local flat = open .. table.concat(texts, ", ") .. close
  if #items == 0 or (layout.indent ~= "" and length < WIDTH and not flat:find("\n", 1, true)) then
    return flat
  end
  local line = "\n" .. inner.indent
  return open .. line .. table.concat(texts, "," .. line) .. "\n" .. layout.indent .. close
end

function encode(value, layout)
  if type(value) == "number" then
    return M.number(value)
  elseif type(value) == "string" then
    return M.string(value)
  elseif type(value) == "boolean" or value == M.null then
    return tostring(value)
  elseif type(value) ~= "table" then
    error("JSON has no text for a " .. type(value))
  end
  if getmetatable(value) == LIST or (#value > 0 and ordered.is_list(value)) then
    return join(list_items(value), layout, "[]")
  end
  return join(object_items(value, layout.colon), layout, "{}")
end

--- The canonical text of a value; with `pretty` indented for people (same order, same numbers).
---@param value any
---@param options? {pretty: boolean?}
---@return string
function M.encode(value, options)
  local pretty = options and options.pretty
  return encode(value, pretty and { indent = "", colon = ": " } or { colon = ":" })
end

return M
