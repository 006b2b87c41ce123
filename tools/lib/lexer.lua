-- SPDX-License-Identifier: MIT
-- Tokens of a Lua source file, with their places.
--
-- Purpose: what the lint and the mutation tool need to know about Lua text: where names, numbers,
-- strings, operators and comments stand, and where functions begin and end.
-- Invariants: the texts of all tokens, with the blanks between them, are the source again; the
-- input is Lua 5.4 that loads, so malformed text need not be diagnosed here.

local M = {}

local KEYWORDS <const> = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
return then true until while]]):gmatch("%a+") do KEYWORDS[word] = true end

-- Longest first.
local OPERATORS <const> = { "...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".." }

---@class Token
---@field kind "name"|"keyword"|"number"|"string"|"operator"|"comment"
---@field text string
---@field from integer first byte
---@field to integer last byte
---@field line integer

--- Last byte of a long bracket that opens at `from`, or nil.
local function long_bracket(source, from)
  local level = source:match("^%[(=*)%[", from)
  if not level then return nil end
  local _, to = source:find("]" .. level .. "]", from + 2 + #level, true)
  return to or #source
end

local function quoted(source, from)
  local quote = source:sub(from, from)
  local at = from + 1
  while at <= #source do
    local char = source:sub(at, at)
    if char == quote then return at end
    at = at + (char == "\\" and 2 or 1)
  end
  return #source
end

local function number_end(source, from)
  local _, to = source:find("^0[xX][%x.]+", from)
  if to then
    local _, exponent = source:find("^[pP][+-]?%d+", to + 1)
    return exponent or to
  end
  _, to = source:find("^%d*%.?%d*", from)
  local _, exponent = source:find("^[eE][+-]?%d+", to + 1)
  return exponent or to
end

local function operator_end(source, from)
  for _, text in ipairs(OPERATORS) do
    if source:sub(from, from + #text - 1) == text then return from + #text - 1 end
  end
  return from
end

local function comment_end(source, from)
  return long_bracket(source, from + 2) or (source:find("\n", from, true) or #source + 1) - 1
end

--- Kind and last byte of the token at a byte that is not blank.
local function token_at(source, from)
  local char = source:sub(from, from)
  if char:find("[%a_]") then
    local _, to = source:find("^[%w_]+", from)
    return KEYWORDS[source:sub(from, to)] and "keyword" or "name", to
  end
  if source:find("^%.?%d", from) then return "number", number_end(source, from) end
  if source:find("^%-%-", from) then return "comment", comment_end(source, from) end
  if char == '"' or char == "'" then return "string", quoted(source, from) end
  if long_bracket(source, from) then return "string", long_bracket(source, from) end
  return "operator", operator_end(source, from)
end

---@param source string
---@return Token[]
function M.tokens(source)
  local list, line = {}, 1
  local at = source:sub(1, 2) == "#!" and source:find("\n", 1, true) or 1
  local counted = 1
  while true do
    local from = source:find("%S", at)
    if not from then return list end
    for _ in source:sub(counted, from - 1):gmatch("\n") do line = line + 1 end
    counted = from
    local kind, to = token_at(source, from)
    list[#list + 1] =
      { kind = kind, text = source:sub(from, to), from = from, to = to, line = line }
    at = to + 1
  end
end

local OPENS <const> = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local CLOSES <const> = { ["end"] = true, ["until"] = true }

--- First and last line of every function.
---@param tokens Token[]
---@return { first: integer, last: integer }[]
function M.functions(tokens)
  local stack, found = {}, {}
  for _, token in ipairs(tokens) do
    if token.kind == "keyword" and OPENS[token.text] then
      stack[#stack + 1] = token
    elseif token.kind == "keyword" and CLOSES[token.text] then
      local opened = table.remove(stack)
      if opened and opened.text == "function" then
        found[#found + 1] = { first = opened.line, last = token.line }
      end
    end
  end
  return found
end

return M
