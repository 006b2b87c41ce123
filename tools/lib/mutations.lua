-- SPDX-License-Identifier: MIT
-- Small faults that can be planted in a Lua file.
--
-- Purpose: from the text of a file, all mutants of it that differ in one token, one pair of
-- arguments, one condition or one statement, and still load.
-- Invariants: the list depends on the text only, in the order of the text; strings, comments,
-- declarations and messages of error() and assert() are left alone.

local lexer = require "lexer"

local M = {}

local SWAPS <const> = {
  ["+"] = { "-" }, ["-"] = { "+" }, ["*"] = { "+", "//" }, ["/"] = { "*" }, ["//"] = { "*", "/" },
  ["%"] = { "//" }, ["<"] = { "<=", ">" }, [">"] = { ">=", "<" }, ["<="] = { "<", ">=" },
  [">="] = { ">", "<=" }, ["=="] = { "~=" }, ["~="] = { "==" }, ["and"] = { "or" },
  ["or"] = { "and" }, ["not"] = { "" }, ["true"] = { "false" }, ["false"] = { "true" },
  ["break"] = { "" },
}
local NAME_SWAPS <const> = { min = "max", max = "min", floor = "ceil", ceil = "floor",
  first = "last", last = "first", begin = "stop", input = "output", output = "input" }
-- Exchanging the arguments of these changes nothing.
local COMMUTES <const> = { min = true, max = true, add = true, mul = true, two_sum = true,
  two_product = true }
local MESSAGES <const> = { error = true, assert = true }

---@class Mutant
---@field path string
---@field line integer
---@field kind string
---@field from integer first byte replaced
---@field to integer last byte replaced
---@field text string in its place

--- Last token of the arguments whose bracket opens at `at`.
local function bracket_end(tokens, at)
  local depth = 0
  for place = at, #tokens do
    local text = tokens[place].text
    depth = depth + (text == "(" and 1 or text == ")" and -1 or 0)
    if depth == 0 then return place end
  end
  return #tokens
end

--- Marks the tokens of attributes and of the arguments of error and assert.
local function excluded(tokens)
  local skip = {}
  local function mark(from, to)
    for at = from, to do skip[at] = true end
  end
  for at = 2, #tokens do
    local before, token = tokens[at - 1].text, tokens[at].text
    if before == "<" and (token == "const" or token == "close") then mark(at - 1, at + 1) end
    if token == "(" and MESSAGES[before] then mark(at, bracket_end(tokens, at)) end
  end
  return skip
end

local function numbers(token)
  local value = math.tointeger(token.text)
  if value then return { tostring(value + 1), tostring(value - 1) } end
  if tonumber(token.text) then return { "(" .. token.text .. " * 1.5)" } end
  return {}
end

local function simple(token)
  return token and (token.kind == "name" or token.kind == "number")
end

--- True for the bracket of a call of something that minds the order of its arguments.
local function ordered_call(tokens, at)
  local name = tokens[at - 1]
  if not name or name.kind ~= "name" or COMMUTES[name.text] then return false end
  for place = math.max(1, at - 4), at - 2 do
    if tokens[place].text == "function" then return false end
  end
  return true
end

--- f(a, b → f(b, a, both single tokens.
local function arguments(tokens, at, add)
  local first, comma, second, after = table.unpack(tokens, at + 1, at + 4)
  local two = after and simple(first) and simple(second) and first.text ~= second.text
  local ends = two and (after.text == "," or after.text == ")")
  if not ends or comma.text ~= "," or not ordered_call(tokens, at) then return end
  add("arguments", first.from, second.to, second.text .. ", " .. first.text)
end

--- if c then → if not (c) then, on one line.
local function condition(tokens, at, add)
  local stop = at + 1
  while tokens[stop] and tokens[stop].text ~= "then" do stop = stop + 1 end
  local first, last = tokens[at + 1], tokens[stop - 1]
  if not (first and last) or first.line ~= last.line then return end
  add("condition", first.from - 1, last.to, " not", first, last)
end

local function of_token(tokens, at, add)
  local token = tokens[at]
  if token.kind == "number" then
    for _, text in ipairs(numbers(token)) do add("constant", token.from, token.to, text) end
  elseif token.kind == "operator" or token.kind == "keyword" then
    for _, text in ipairs(SWAPS[token.text] or {}) do
      add("operator", token.from, token.to, text)
    end
  elseif token.kind == "name" and NAME_SWAPS[token.text] then
    add("name", token.from, token.to, NAME_SWAPS[token.text])
  end
  if token.text == "(" then arguments(tokens, at, add) end
  if token.text == "if" or token.text == "elseif" then condition(tokens, at, add) end
end

--- Whole lines that are a call or an assignment.
local function statements(source, add)
  local from = 1
  for line in source:gmatch("([^\n]*)\n") do
    local text = line:match("^%s+(.*)$") or ""
    local call = text:find("^[%a_][%w_.:]*%b()%s*$") and not text:find("^error%f[%W]")
      and not text:find("^assert%f[%W]")
    local assignment = text:find("^[%a_][%w_.%[%]# +]*%s=%s[^=]") and not text:find("^local%f[%W]")
    if call or assignment then
      add("statement", from + #line - #text, from + #line - 1, "")
    end
    from = from + #line + 1
  end
end

local function line_at(source, at)
  local line = 1
  for _ in source:sub(1, at - 1):gmatch("\n") do line = line + 1 end
  return line
end

---@param source string
---@param mutant Mutant
---@return string source with the fault
function M.apply(source, mutant)
  return source:sub(1, mutant.from - 1) .. mutant.text .. source:sub(mutant.to + 1)
end

--- The line of a text that a byte stands in, without blanks around it.
---@param source string
---@param line integer
---@return string
function M.line_text(source, line)
  local count = 1
  for text in source:gmatch("([^\n]*)\n?") do
    if count == line then return text:match("^%s*(.-)%s*$") end
    count = count + 1
  end
  return ""
end

---@param path string
---@param source string
---@return Mutant[]
function M.all(path, source)
  local list = {}
  local function add(kind, from, to, text, first, last)
    if kind == "condition" then
      text = " not (" .. source:sub(first.from, last.to) .. ")"
    end
    local mutant = { path = path, line = line_at(source, from), kind = kind, from = from, to = to,
      text = text }
    if load(M.apply(source, mutant), "=mutant", "t") then list[#list + 1] = mutant end
  end
  local tokens = lexer.tokens(source)
  local skip = excluded(tokens)
  for at = 1, #tokens do
    if not skip[at] and tokens[at].kind ~= "comment" then of_token(tokens, at, add) end
  end
  statements(source, add)
  return list
end

return M
