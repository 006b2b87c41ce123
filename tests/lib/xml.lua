-- SPDX-License-Identifier: MIT
-- Reading drawings in tests.
--
-- Purpose: elements of an SVG text with their attributes, and whether the text is well formed.
-- Invariant: knows only the XML that a drawing may use: elements, quoted attributes, text and the
-- four named entities; anything else is a fault.

local M = {}

local NAMED <const> = { ["&amp;"] = "&", ["&lt;"] = "<", ["&gt;"] = ">", ["&quot;"] = '"' }

local NAMED_AWAY <const> = { ["&amp;"] = "", ["&lt;"] = "", ["&gt;"] = "", ["&quot;"] = "" }

local function attributes(text)
  local found, rest = {}, text:gsub('%s+([%w:-]+)="([^"<]*)"', function(name, value)
    return ("\0%s\1%s\2"):format(name, value)
  end)
  local left = rest:gsub("%z([^\1]*)\1([^\2]*)\2", function(name, value)
    found[name] = tonumber(value) or (value:gsub("&%a+;", NAMED))
    return ""
  end)
  return found, left
end

-- A bare `<`, `>` or `&` somewhere outside the tags.
local function bare(body)
  return body:gsub("<[^<>]*>", ""):gsub("&%a+;", NAMED_AWAY):find("[<>&]") ~= nil
end

--- The elements in order, with name, attributes and text; or nil and what is wrong.
---@param text string
---@return { name: string, at: table, text: string }[]|nil
---@return string? fault
function M.elements(text)
  local list, open = {}, {}
  local body = text:match("^<%?xml [^>]*%?>\n(.*)$")
  if not body then return nil, "no declaration" end
  if bare(body) then return nil, "a bare character" end
  for close, name, rest, between in body:gmatch("<(/?)(%a+)([^<>]*)>([^<]*)") do
    local alone = rest:sub(-1) == "/"
    local at, left = attributes(alone and rest:sub(1, -2) or rest)
    if left:find("%S") then return nil, "no attribute: " .. left end
    if close == "/" then
      if table.remove(open) ~= name then return nil, "</" .. name .. "> closes another" end
    else
      list[#list + 1] = { name = name, at = at, text = (between:gsub("&%a+;", NAMED)) }
      if not alone then open[#open + 1] = name end
    end
  end
  if #open > 0 then return nil, "<" .. open[#open] .. "> stays open" end
  return list
end

--- The elements of a class, which stands first among an element's classes.
---@return table[]
function M.of_class(list, class)
  local found = {}
  for _, element in ipairs(list) do
    local first = type(element.at.class) == "string" and element.at.class:match("^%S+")
    if first == class then found[#found + 1] = element end
  end
  return found
end

return M
