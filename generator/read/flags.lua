-- SPDX-License-Identifier: MIT
-- Specs from the command line.
--
-- Purpose: one kernel from options such as `--op interpolate --x 1x64x112x112:NHWC --size 224,224`.
-- The options are the operators' attributes: a new attribute is a new option without a line here.
-- Invariant: a text that does not read as the attribute's kind is handed on as it is, so that spec/
-- says what is wrong with it as it does for files.

local list = require "upweave.util.list"
local ops = require "upweave.ops"
local schema = require "upweave.spec.schema"

local M = {}

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

local function bool(value)
  local words = { ["true"] = true, ["false"] = false }
  if words[value] == nil then
    return value
  end
  return words[value]
end

local READ <const> = {
  int_list = numbers,
  number_list = numbers,
  tensor = tensor,
  bool = bool,
}

---@class upweave.FlagOption
---@field key string field of the kernel
---@field option string `--scale-factor`
---@field kind string kind of the value; a `bool` needs none
---@field doc string
---@field values? string[]

--- The options that describe a kernel, in the order of the documentation, each once.
---@return upweave.FlagOption[]
function M.options()
  local options, seen = {}, {}
  local function add(attribute)
    if not seen[attribute.name] then
      seen[attribute.name] = true
      options[#options + 1] = {
        key = attribute.name,
        option = option_of(attribute.name),
        kind = attribute.kind,
        doc = attribute.doc,
        values = attribute.values,
      }
    end
  end
  add(schema.op)
  add { name = "name", kind = "text", doc = "name of the kernel; that of the operator if absent" }
  for _, op in ipairs(ops.list) do
    for _, name in ipairs(op.inputs) do
      add { name = name, kind = "tensor", doc = "shape[:layout[:dtype]], as 1x64x112x112:NCHW" }
    end
    for _, attribute in ipairs(op.attributes) do
      add(attribute)
    end
  end
  for _, attribute in ipairs(schema.common) do
    add(attribute)
  end
  return options
end

--- One raw kernel from the values of options: texts, or true for an option without a value.
---@param values table<string, string|boolean> by key: `{ op = "interpolate", scale_factor = "2" }`
---@return upweave.RawKernel[]
function M.read(values)
  local fields = {}
  for _, option in ipairs(M.options()) do
    local value = values[option.key]
    local read = READ[option.kind]
    if type(value) == "string" and read then
      value = read(value)
    end
    fields[option.key] = value
  end
  local name = fields.name or fields.op
  fields.name = nil
  local raw = {
    name = name,
    fields = fields,
    where = function(path)
      local key = path[1] or (list.contains({ name }, values.name) and "name" or "op")
      return option_of(tostring(key))
    end,
  }
  return { raw }
end

return M
