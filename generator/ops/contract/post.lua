-- SPDX-License-Identifier: MIT
-- Epilogues: what is done to an output before it is stored.
--
-- Purpose: the one list of them, with their arguments and tensors; from the texts of a spec, such
-- as "leaky_relu(0.1)", to records for plans, and back to the canonical text.
-- Invariants: a text reads back as the same record; a record has the numbers of its epilogue as `a`
-- and `b`, and of batch_norm `eps`.

local json = require "upweave.util.json"
local list = require "upweave.util.list"
local suggest = require "upweave.util.suggest"
local types = require "upweave.ir.types"

local M = {}

--- The most epilogues of one kernel.
M.most = 8

---@class upweave.Epilogue
---@field name string of the record
---@field text string as a spec writes it
---@field numbers integer of arguments
---@field defaults number[]? if it may stand without arguments
---@field inputs string[]? tensors with the shape of y
---@field parameters string[]? tensors with a number for each channel

--- All epilogues, in the order of the documentation.
---@type upweave.Epilogue[]
M.list = {
  { name = "relu", text = "relu", numbers = 0 },
  { name = "leaky_relu", text = "leaky_relu(0.1)", numbers = 1, defaults = { 0.01 } },
  { name = "prelu", text = "prelu", numbers = 0, parameters = { "slope" } },
  { name = "clamp", text = "clamp(0,6)", numbers = 2 },
  { name = "sigmoid", text = "sigmoid", numbers = 0 },
  { name = "tanh", text = "tanh", numbers = 0 },
  { name = "gelu", text = "gelu", numbers = 0 },
  { name = "gelu_tanh", text = "gelu(tanh)", numbers = 0 },
  { name = "add", text = "add", numbers = 0, inputs = { "residual" } },
  {
    name = "batch_norm", text = "batch_norm", numbers = 0,
    parameters = { "gamma", "beta", "mean", "var" },
  },
}

--- All of them as a spec writes them.
M.documentation = table.concat(list.column(M.list, "text"), ", ")

local DECIMAL <const> = { "^[+-]?%d+%.?%d*$", "^[+-]?%.%d+$" }

-- A decimal number: nothing else that Lua would read, such as 0x10.
local function number_of(word)
  local mantissa, exponent = word:match("^(.-)[eE]([+-]?%d+)$")
  for _, pattern in ipairs(DECIMAL) do
    if (mantissa or word):find(pattern) and (not exponent or #exponent <= 5) then
      return tonumber(word) * 1.0
    end
  end
end

-- The words between the parentheses; nil if there are none.
local function arguments_of(inside)
  if not inside then return nil end
  local words = {}
  for word in (inside .. ","):gmatch("%s*(.-)%s*,") do words[#words + 1] = word end
  return words
end

-- A number that the arithmetic has, too.
local function finite_of(word, work)
  local value = number_of(word)
  return value and math.abs(types.round(work, value)) < math.huge and value or nil
end

-- The numbers of an epilogue; otherwise what is wrong with them.
local function numbers_of(epilogue, words, work)
  if not words and epilogue.defaults then return epilogue.defaults end
  words = words or {}
  if #words ~= epilogue.numbers then
    return nil, ("takes %d number%s"):format(epilogue.numbers, epilogue.numbers == 1 and "" or "s")
  end
  local values = {}
  for i, word in ipairs(words) do
    values[i] = finite_of(word, work)
    if not values[i] then return nil, ("takes finite decimal numbers of %s"):format(work) end
  end
  if epilogue.name == "clamp" and values[1] > values[2] then
    return nil, "takes the lower limit first"
  end
  return values
end

-- Finds the epilogue of a text: the fixed spelling first, so that gelu(tanh) is no call.
local function find(text)
  local bare = text:gsub("%s+", "")
  for _, epilogue in ipairs(M.list) do
    if epilogue.numbers == 0 and epilogue.text == bare then return epilogue end
  end
  local name, inside = text:match("^%s*([%w_]+)%s*%((.*)%)%s*$")
  local epilogue = list.named(M.list, name or bare)
  if epilogue and epilogue.name ~= "gelu_tanh" then return epilogue, arguments_of(inside) end
end

--- One epilogue; nil, a code and the fields of its diagnostic.
---@param text string
---@param work string the type that is calculated with
---@return table? record
---@return string? code
---@return table? fields
function M.parse_one(text, work)
  local epilogue, words = find(text)
  if not epilogue then
    local near = suggest.nearest((text:gsub("%(.*", "")), list.column(M.list, "name"))
    return nil, "E045", {
      epilogue = text, known = M.documentation,
      hint = near and ('post = { "%s" }'):format(list.named(M.list, near).text) or false,
    }
  end
  local values, fault = numbers_of(epilogue, words, work)
  if not values then
    return nil, "E046", {
      epilogue = text, reason = ("%s %s"):format(epilogue.name, fault),
      hint = ('post = { "%s" }'):format(epilogue.text),
    }
  end
  return { name = epilogue.name, a = values[1], b = values[2] }
end

--- The records of a problem's epilogues.
---@param problem {post: string[], eps: number?, x: upweave.Tensor}
---@return table[]
function M.parse(problem)
  local records, work = {}, problem.x.dtype == "f64" and "f64" or "f32"
  for i, text in ipairs(problem.post) do
    records[i] = assert(M.parse_one(text, work))
    if records[i].name == "batch_norm" then records[i].eps = problem.eps end
  end
  return records
end

--- The canonical text of a record.
---@param record table
---@return string
function M.text(record)
  local epilogue = list.named(M.list, record.name)
  if epilogue.numbers == 0 then return epilogue.text end
  local words = { json.number(record.a) }
  words[2] = record.b and json.number(record.b)
  return ("%s(%s)"):format(epilogue.name, table.concat(words, ","))
end

--- The tensors that a problem's epilogues read, in order: `inputs` and `parameters` are their
--- names; the second of a kind is `residual2`, `gamma2`, …
---@param problem table
---@return string[] inputs
---@return string[] parameters
function M.tensors(problem)
  local inputs, parameters, count = {}, {}, {}
  for _, record in ipairs(M.parse(problem)) do
    local epilogue = list.named(M.list, record.name)
    count[record.name] = (count[record.name] or 0) + 1
    local suffix = count[record.name] > 1 and tostring(count[record.name]) or ""
    for _, name in ipairs(epilogue.inputs or {}) do inputs[#inputs + 1] = name .. suffix end
    for _, name in ipairs(epilogue.parameters or {}) do
      parameters[#parameters + 1] = name .. suffix
    end
  end
  return inputs, parameters
end

return M
