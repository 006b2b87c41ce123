-- LITERALS
-- ========
-- Numbers as C text: the shortest decimal that reads back as the same number.

local types = require "upweave.ir.types"

local M = {}

M.ctype = { f32 = "float", i32 = "int32_t" }

local function f32(v)
  for digits = 6, 9 do
    local s = ("%." .. digits .. "g"):format(v)
    if types.round("f32", tonumber(s)) == v then
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

--- The elements of an initialiser, wrapped to 100 columns.
---@param elem string
---@param values number[]
---@return string
function M.list(elem, values)
  local lines, line = {}, " "
  for i, v in ipairs(values) do
    local s = M.number(elem, v) .. (i < #values and "," or "")
    if #line + #s + 1 > 100 then
      lines[#lines + 1] = line
      line = " "
    end
    line = line .. " " .. s
  end
  lines[#lines + 1] = line
  return #lines == 1 and line:sub(2) .. " " or "\n" .. table.concat(lines, "\n") .. "\n"
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
