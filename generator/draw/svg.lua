-- SPDX-License-Identifier: MIT
-- SVG text.
--
-- Purpose: the few shapes that drawings are made of, written as a standalone SVG 1.1 document.
-- Invariants: equal calls give equal bytes; all text is escaped, and what XML cannot hold is
-- replaced; numbers have at most two digits after the point.

local M = {}
M.__index = M

local ESCAPES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local UNKNOWN <const> = "\u{FFFD}"

local function xml_holds(code)
  return code >= 0x20 and code ~= 0x7F and not (code >= 0xD800 and code <= 0xDFFF)
    and code ~= 0xFFFE and code ~= 0xFFFF
end

--- Text that XML can hold, cut after `longest` characters. Line breaks and tabs become spaces.
---@param text string
---@param longest integer
---@return string
function M.clean(text, longest)
  local out, at = {}, 1
  while at <= #text do
    if #out == longest then
      out[longest] = "…"
      break
    end
    local stop = utf8.len(text, at, at) and utf8.offset(text, 2, at) or at + 1
    local char = text:sub(at, stop - 1)
    if char:find("^[\t\n\r]$") then
      char = " "
    elseif not (utf8.len(char) and xml_holds(utf8.codepoint(char))) then
      char = UNKNOWN
    end
    out[#out + 1], at = char, stop
  end
  return table.concat(out)
end

---@param text string
---@return string
function M.escape(text)
  return (text:gsub('[&<>"]', ESCAPES))
end

---@param x number
---@return string
local function number(x)
  local text = ("%.2f"):format(x):gsub("%.?0+$", "")
  return text == "-0" and "0" or text
end
M.number = number

-- Attributes in the order given: { "class", "cell", "x", 3 }.
local function attributes(list)
  local parts = {}
  for k = 1, #list, 2 do
    local value = list[k + 1]
    parts[#parts + 1] = (' %s="%s"'):format(list[k],
      type(value) == "number" and number(value) or M.escape(value))
  end
  return table.concat(parts)
end

---@class upweave.draw.canvas
---@field lines string[]

---@return upweave.draw.canvas
function M.new()
  return setmetatable({ lines = {} }, M)
end

function M:add(line) self.lines[#self.lines + 1] = line end

---@param name string
---@param list any[]   attributes in order
---@param text string|nil   content
function M:element(name, list, text)
  self:add(text and ("<%s%s>%s</%s>"):format(name, attributes(list), M.escape(text), name)
    or ("<%s%s/>"):format(name, attributes(list)))
end

---@param list any[]
function M:open(list) self:add("<g" .. attributes(list) .. ">") end
function M:close() self:add("</g>") end

-- A shape's own attributes, its class, and more.
local function with(list, class, more)
  list[#list + 1] = "class"
  list[#list + 1] = class
  for _, value in ipairs(more or {}) do list[#list + 1] = value end
  return list
end

function M:rect(x, y, width, height, class, more)
  self:element("rect", with({ "x", x, "y", y, "width", width, "height", height }, class, more))
end

function M:line(x1, y1, x2, y2, class, more)
  self:element("line", with({ "x1", x1, "y1", y1, "x2", x2, "y2", y2 }, class, more))
end

function M:circle(x, y, radius, class, more)
  self:element("circle", with({ "cx", x, "cy", y, "r", radius }, class, more))
end

--- A closed shape through points: { x, y, x, y, … }.
function M:polygon(points, class, more)
  local texts = {}
  for k = 1, #points, 2 do
    texts[#texts + 1] = number(points[k]) .. "," .. number(points[k + 1])
  end
  self:element("polygon", with({ "points", table.concat(texts, " ") }, class, more))
end

function M:text(x, y, class, text, more)
  self:element("text", with({ "x", x, "y", y }, class, more), text)
end

--- About how wide a text of this size in pixels comes out, erring to the wide side.
---@param text string
---@param size number
---@return number
function M.width(text, size)
  return (utf8.len(text) or #text) * size * 0.605
end

return M
