-- LITERALS
-- ========
-- Numbers as C text: the shortest decimal that reads back as the same number.

local types = require "upweave.ir.types"

local M = {}

-- f16 and bf16 are their bits.
M.ctype = {
  f64 = "double", f32 = "float", f16 = "uint16_t", bf16 = "uint16_t", u8 = "uint8_t",
  i8 = "int8_t", i16 = "int16_t", u16 = "uint16_t", i32 = "int32_t", u32 = "uint32_t",
}

local float = { f32 = { 6, 9, "f" }, f64 = { 15, 17, "" } }

local function decimal(elem, v)
  local least, most, suffix = table.unpack(float[elem])
  for digits = least, most do
    local s = ("%." .. digits .. "g"):format(v)
    local back = tonumber(s)      -- nil for infinities and NaN
    if back and types.round(elem, back) == v then
      return (s:find("[.e]") and s or s .. ".0") .. suffix
    end
  end
  error(("not a finite %s: %s"):format(elem, v))
end

-- Bits of a number of a 16-bit format with `digits` of fraction.
local function bits(v, digits, lowest)
  local sign = (v < 0 or v == 0 and 1 / v < 0) and 0x8000 or 0
  local infinite = 0x7fff >> digits << digits
  if v ~= v then return infinite | 1 << (digits - 1) end
  if v - v ~= 0 then return sign | infinite end
  local m, exponent = math.abs(v), lowest
  while m >= 2.0 ^ (exponent + 1) do exponent = exponent + 1 end
  local fraction = math.tointeger(m / 2.0 ^ (exponent - digits))
  return sign | (exponent - lowest << digits) + fraction
end

--- C text of one element.
---@param elem string
---@param v number
---@return string
function M.number(elem, v)
  if float[elem] then return decimal(elem, v) end
  if elem == "f16" then return ("0x%04x"):format(bits(v, 10, -14)) end
  if elem == "bf16" then return ("0x%04x"):format(bits(v, 7, -126)) end
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
