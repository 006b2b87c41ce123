-- LITERALS
-- ========
-- Numbers as C text: the shortest decimal that reads back as the same number.

local types = require "upweave.ir.types"

local M = {}

M.ctype = { f32 = "float", i32 = "int32_t" }

local function f32(v)
  for digits = 6, 9 do
    local s = ("%." .. digits .. "g"):format(v)
    local back = tonumber(s)      -- nil for infinities and NaN
    if back and types.round("f32", back) == v then
      return (s:find("[.e]") and s or s .. ".0") .. "f"
    end
  end
  error("not a finite f32: " .. tostring(v))
end

--- C text of one element.
---@param elem string
---@param v number
---@return string
function M.number(elem, v)
  if elem == "f32" then return f32(v) end
  return ("%d"):format(v)
end

-- Words set in lines of at most `width` columns.
local function fill(words, width)
  local lines, line = {}, nil
  for _, word in ipairs(words) do
    if line and #line + 1 + #word > width then
      lines[#lines + 1] = line
      line = nil
    end
    line = line and line .. " " .. word or word
  end
  lines[#lines + 1] = line
  return lines
end

--- A definition `opening = {elements};`, wrapped to 100 columns; `columns` elements stand in braces
--- of their own.
---@param opening string
---@param elem string
---@param values number[]
---@param columns integer?
---@return string
function M.definition(opening, elem, values, columns)
  local words, group = {}, {}
  for i, v in ipairs(values) do
    group[#group + 1] = M.number(elem, v)
    if #group == (columns or 1) then
      local text = table.concat(group, ", ")
      if (columns or 1) > 1 then text = "{" .. text .. "}" end
      words[#words + 1] = text .. (i < #values and "," or "")
      group = {}
    end
  end
  local line = ("%s = {%s};"):format(opening, table.concat(words, " "))
  if #line <= 100 then return line end
  return ("%s = {\n  %s\n};"):format(opening, table.concat(fill(words, 98), "\n  "))
end

--- Text as lines of at most `width` columns, broken at blanks.
---@param text string
---@param width integer
---@return string[]
function M.paragraph(text, width)
  local words = {}
  for word in text:gmatch("%S+") do words[#words + 1] = word end
  return fill(words, width)
end

--- Text as lines of at most `width` columns, broken after commas.
---@param text string
---@param width integer
---@return string[]
function M.wrap(text, width)
  local words = {}
  for word in text:gmatch("[^,]*,?") do
    if word ~= "" then words[#words + 1] = word end
  end
  local lines, line = {}, ""
  for _, word in ipairs(words) do
    if #line > 0 and #line + #word > width then
      lines[#lines + 1] = line
      line = ""
    end
    line = line .. word
  end
  lines[#lines + 1] = line
  return lines
end

--- A C string literal of any text.
---@param text string
---@return string
function M.string(text)
  local escaped = text:gsub('["\\]', "\\%0"):gsub("[%c?\128-\255]", function(c)
    return ("\\%03o"):format(c:byte())
  end)
  return '"' .. escaped .. '"'
end

return M
