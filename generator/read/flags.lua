-- SPDX-License-Identifier: MIT
-- Specs from the command line.
--
-- Purpose: one kernel from options such as `--op interpolate --x 1x64x112x112:NHWC --size 224,224`.
-- The options are the operators' attributes: a new attribute is a new option without a line here.
-- Invariant: a text that does not read as the attribute's kind is handed on as it is, so that spec/
-- says what is wrong with it as it does for files.

local list = require "upweave.util.list"
local ops = require "upweave.ops"
local parameters = require "upweave.read.parameters"
local schema = require "upweave.spec.schema"

local M = {}

local DEFAULT_NAME <const> = "kernel"

local function option_of(key)
  return "--" .. key:gsub("_", "-")
end

local function numbers(value)
  local found = {}
  for part in (value .. ","):gmatch("([^,]*),") do
    local number = tonumber(part)
    if not number then
      return value
    end
    found[#found + 1] = number
  end
  return #found == 1 and found[1] or found
end

-- Words between commas that no parentheses enclose: relu,clamp(0,6)
local function texts(value)
  local found = {}
  local depth, from = 0, 1
  for at, mark in (value .. ","):gmatch("()([(),])") do
    depth = depth + (mark == "(" and 1 or mark == ")" and -1 or 0)
    if mark == "," and (depth <= 0 or at > #value) then
      found[#found + 1], from = value:sub(from, at - 1), at + 1
    end
  end
  return found
end

-- The file of a parameter, in this folder or below it.
local function file(value) return { npy = value } end

local function truth(value)
  if value == "false" then return false end
  if value:find("%.npy$") then return file(value) end -- bias = true, with its values
  return value == "true" or value
end

-- 1x64x112x112, 1x112x112x64:NHWC, 1x64x112x112:NCHW:f32
local function tensor(value)
  local dims, rest = value:match("^([%dx]+)(.*)$")
  local layout, dtype = (rest or ""):match("^:(%w+):?(%w*)$")
  if not dims or (rest ~= "" and not layout) then
    return value
  end
  local shape = {}
  for part in dims:gmatch("[^x]+") do
    shape[#shape + 1] = tonumber(part)
  end
  return { shape = shape, layout = layout, dtype = dtype ~= "" and dtype or nil }
end

local READ <const> = {
  int_list = numbers,
  number_list = numbers,
  int = numbers,
  number = numbers,
  ints = numbers,
  numbers = numbers,
  padding = numbers,
  sizes = numbers,
  texts = texts,
  tensor = tensor,
  bool = truth,
  file = file,
}

local ARGUMENT <const> = {
  int_list = "N,…",
  number_list = "F,…",
  int = "N",
  number = "F",
  ints = "N,…",
  numbers = "F,…",
  padding = "N,…",
  sizes = "N,…",
  texts = "TEXT,…",
  tensor = "SHAPE",
  enum = "NAME",
  text = "TEXT",
  file = "FILE",
}

-- The name of an option's argument; nil for a switch, which gives true.
local function argument_of(attribute)
  return ARGUMENT[attribute.kind] or attribute.default == true and "true|false" or nil
end

-- All fields that options can set, in the order of the documentation, each once. The overridable
-- ones are options of their own, which stand beside files, too.
local function attributes()
  local found, seen = {}, {}
  local function add(attribute)
    if not seen[attribute.name] and not list.contains(schema.overridable, attribute.name) then
      seen[attribute.name] = true
      found[#found + 1] = attribute
    end
  end
  add(schema.op)
  add { name = "name", kind = "text", doc = "name of the kernel; that of the operator if absent" }
  for _, op in ipairs(ops.list) do
    for _, name in ipairs(op.inputs) do
      add { name = name, kind = "tensor", doc = "shape[:layout[:dtype]], as 1x112x112x3:NHWC:u8" }
    end
    for _, attribute in ipairs(op.attributes) do
      add(attribute)
    end
    for _, name in ipairs(op.bakeable or {}) do
      add { name = name, kind = "file", doc = "a parameter of the kernel, baked: an .npy file" }
    end
  end
  for _, attribute in ipairs(schema.common) do
    add(attribute)
  end
  return found
end

-- "onnx, paddle: " before the text of an option that some profiles do not have.
local function profiles_of(name)
  local found = {}
  for _, op in ipairs(ops.list) do
    for _, attribute in ipairs(op.attributes) do
      for _, profile in ipairs(attribute.name == name and attribute.profiles or {}) do
        if not list.contains(found, profile) then
          found[#found + 1] = profile
        end
      end
    end
  end
  local some = #found > 0 and #found < #schema.profile.values
  return some and table.concat(found, ", ") .. ": " or ""
end

--- The options, as the command line declares them: names, field, name of the argument (nil for a
--- switch), repeatable, help.
---@return table[]
function M.options()
  local rows = {}
  for i, attribute in ipairs(attributes()) do
    local name = attribute.name
    local help = profiles_of(name) .. attribute.doc:gsub("; .*", "")
    rows[i] = { option_of(name), name, argument_of(attribute), false, help }
  end
  return rows
end

--- The first option given that describes a kernel.
---@param options table<string, any>
---@return string?
function M.given(options)
  for _, attribute in ipairs(attributes()) do
    if options[attribute.name] ~= nil then
      return option_of(attribute.name)
    end
  end
end

--- The words of a command line that give these options.
---@param options table<string, any>
---@return string[]
function M.words(options)
  local words = {}
  for _, attribute in ipairs(attributes()) do
    local value = options[attribute.name]
    if value ~= nil then
      words[#words + 1] = option_of(attribute.name)
      words[#words + 1] = value ~= true and value or nil
    end
  end
  return words
end

--- One raw kernel from the values of options: texts, or true for a switch.
---@param options table<string, string|boolean> by field: `{ op = "interpolate", size = "2,3" }`
---@return upweave.RawKernel[]
function M.read(options)
  local fields = {}
  for _, attribute in ipairs(attributes()) do
    local value, read = options[attribute.name], READ[attribute.kind]
    if type(value) == "string" and read then
      value = read(value)
    end
    fields[attribute.name] = value
  end
  local name = fields.name or fields.op or DEFAULT_NAME
  fields.name = nil
  local function where(path)
    return option_of(path[1] and tostring(path[1]) or "name")
  end
  return { { name = name, fields = fields, where = where, load = parameters.loader "" } }
end

return M
