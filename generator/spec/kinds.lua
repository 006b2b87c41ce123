-- SPDX-License-Identifier: MIT
-- Kinds of attribute values.
--
-- Purpose: for each kind that a schema can name, from the value that a user wrote to the typed one.
-- Invariant: `kinds[kind](value, attribute, rank)` gives the value, or nil, a code and the fields
-- of its diagnostic. A rank of nil means that x itself is wrong, so lengths cannot be judged.

local lists = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local suggest = require "upweave.util.suggest"
local text = require "upweave.util.text"

local M = {}

local LONGEST_TEXT <const> = 4096

function M.enum(value, attribute)
  if lists.contains(attribute.values, value) then
    return value
  elseif lists.contains(attribute.reserved or {}, value) then
    return nil, "E100", {
      what = attribute.name .. " " .. value,
      supported = table.concat(attribute.values, ", "),
    }
  end
  local word = type(value) == "string" and value or ""
  local near = suggest.nearest(word, attribute.values) or attribute.default
  return nil, "E032", {
    values = table.concat(attribute.values, ", "),
    hint = near and ('%s = "%s"'):format(attribute.name, near) or false,
  }
end

function M.bool(value, attribute)
  if type(value) == "boolean" then
    return value
  end
  return nil, "E031", {
    expected = "true or false",
    got = text.value(value),
    hint = attribute.name .. " = " .. tostring(value == "true" or value == 1),
  }
end

-- What makes a string unfit to be kept in comments and JSON.
local function fault_of_text(value)
  if #value > LONGEST_TEXT then
    return ("it has %d bytes; %d are allowed"):format(#value, LONGEST_TEXT)
  elseif not utf8.len(value) then
    return "it is not UTF-8"
  elseif value:find("[\0-\8\11-\31\127]") then
    return "it has control characters other than tab and newline"
  end
end

function M.text(value)
  if type(value) ~= "string" then
    return nil, "E031", { expected = "a string", got = text.value(value), hint = false }
  end
  local fault = fault_of_text(value)
  if fault then
    return nil, "E040", { reason = fault }
  end
  return value
end

local OF_AXES <const> = "one for each axis that is resized; a single number stands for all of them"

local function report_length(list, attribute, rank)
  return nil, "E033", {
    got = #list,
    expected = rank,
    reason = attribute.reason or OF_AXES,
    hint = list[1] and ("%s = %s"):format(attribute.name, text.value(list[1])) or false,
  }
end

-- The list that "3x3" was meant to be.
local function meant(value, attribute)
  if type(value) ~= "string" or not value:find("^%d+x[%dx]*%d$") then return false end
  return ("%s = {%s}"):format(attribute.name, (value:gsub("x", ", ")))
end

-- Numbers, one for each axis; a single one stands for all.
local function numbers(value, attribute, rank, what, convert)
  local all = type(value) == "table" and value or nil
  local list = {}
  for i, item in ipairs(all or { value }) do
    if type(item) ~= "number" then
      local expected = what .. " or a list of them, one for each axis"
      local hint = meant(value, attribute)
      return nil, "E031", { expected = expected, got = text.value(value), hint = hint }
    end
    local fault
    list[i], fault = convert(item, attribute)
    if fault then
      return nil, "E034", { expected = fault, reason = false, hint = false }
    end
  end
  if not all then
    return table.move(list, 1, 1, 1, {}), nil
  end
  if rank and #list ~= rank then
    return report_length(list, attribute, rank)
  end
  return list
end

local function spread(list, single, rank)
  if list and single then
    for i = 2, rank or 1 do
      list[i] = list[1]
    end
  end
  return list
end

local function whole(item, attribute)
  local n = math.tointeger(item)
  if not n or n < attribute.min then
    return nil, ("whole numbers of at least %d"):format(attribute.min)
  elseif attribute.max and n > attribute.max then
    return nil, ("whole numbers of at most %d"):format(attribute.max)
  end
  return n
end

local function real(item, attribute)
  local finite = item == item and item < math.huge and item > -math.huge
  if not finite or item <= attribute.above then
    return nil, ("finite numbers above %d"):format(attribute.above)
  end
  return item * 1.0
end

function M.int_list(value, attribute, rank)
  local list, code, fields = numbers(value, attribute, rank, "a whole number", whole)
  return spread(list, type(value) ~= "table", rank), code, fields
end

function M.number_list(value, attribute, rank)
  local list, code, fields = numbers(value, attribute, rank, "a number", real)
  return spread(list, type(value) ~= "table", rank), code, fields
end

--- Sizes of the spatial axes, which batch and channels may precede: nothing looks at those.
function M.sizes(value, attribute, rank)
  if rank and type(value) == "table" and #value == rank + 2 then
    value = table.move(value, 3, rank + 2, 1, {})
  end
  return M.int_list(value, attribute, rank)
end

-- Whether a list has one number for each axis or one for each side; without a rank it may.
local function pads_axes(value, rank)
  return not rank or #value == rank or #value == 2 * rank
end

local function report_padding(value, attribute)
  local words = attribute.words and (", or one of " .. table.concat(attribute.words, ", ")) or ""
  local near = type(value) == "string" and suggest.nearest(value, attribute.words or {})
  return nil, "E031", {
    expected = "a number, one for each axis, or all begins, then all ends" .. words,
    got = text.value(value),
    hint = attribute.name .. (near and (' = "%s"'):format(near) or " = 1"),
  }
end

--- Padding: a word, or numbers: one, one for each axis, or one for each side.
function M.padding(value, attribute, rank)
  if lists.contains(attribute.words or {}, value) then return value:lower() end
  if type(value) == "string" or type(value) == "table" and not pads_axes(value, rank) then
    return report_padding(value, attribute)
  end
  local list, code, fields = numbers(value, attribute, nil, "a whole number", whole)
  list = spread(list, type(value) ~= "table", 2 * (rank or 1))
  if list and #list == rank then table.move(list, 1, rank, rank + 1) end
  return list, code, fields
end

--- A list of texts; one may stand without a list.
function M.texts(value)
  if type(value) == "string" then value = { value } end
  if type(value) ~= "table" or not ordered.is_list(value) then
    return nil, "E031", { expected = "a list of strings", got = text.value(value), hint = false }
  end
  local list = {}
  for i, item in ipairs(value) do
    local code, fields
    list[i], code, fields = M.text(item)
    if code then return nil, code, fields end
  end
  return list
end

local function is_finite(item)
  return type(item) == "number" and item == item and math.abs(item) < math.huge
end

local function range_text(attribute)
  if not attribute.min then return "" end
  return (" from %d to %d"):format(attribute.min, attribute.max)
end

local function within(item, attribute)
  return not attribute.min or item >= attribute.min and item <= attribute.max
end

-- A number of its own, not one for each axis.
local function single(value, attribute, what, convert)
  local expected = what .. range_text(attribute)
  if type(value) ~= "number" then
    return nil, "E031", { expected = expected, got = text.value(value), hint = false }
  end
  local number = is_finite(value) and convert(value)
  if not number or not within(number, attribute) then
    return nil, "E034", { expected = expected, reason = false, hint = false }
  end
  return number
end

local function real_of(item) return item * 1.0 end

function M.int(value, attribute)
  return single(value, attribute, "a whole number", math.tointeger)
end

function M.number(value, attribute)
  return single(value, attribute, "a finite number", real_of)
end

-- A list of any length.
local function several(value, attribute, what, convert)
  local expected = "a list of " .. what .. range_text(attribute)
  if type(value) == "number" then value = { value } end
  if type(value) ~= "table" or #value == 0 or not ordered.is_list(value) then
    return nil, "E031", { expected = expected, got = text.value(value), hint = false }
  end
  local list = {}
  for i, item in ipairs(value) do
    list[i] = is_finite(item) and within(item, attribute) and convert(item)
    if not list[i] then
      return nil, "E034", { expected = expected, reason = false, hint = false }
    end
  end
  return list
end

function M.ints(value, attribute)
  return several(value, attribute, "whole numbers", math.tointeger)
end

function M.numbers(value, attribute)
  return several(value, attribute, "finite numbers", real_of)
end

return M
