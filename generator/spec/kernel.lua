-- SPDX-License-Identifier: MIT
-- Validation of one kernel.
--
-- Purpose: from the fields that a user wrote to a problem, driven by the schemas: operator, keys,
-- types, tensors, and last the operator's own rules.
-- Invariant: all mistakes that can be told apart are reported; a problem comes only without any.

local kinds = require "upweave.spec.kinds"
local lists = require "upweave.util.list"
local ops = require "upweave.ops"
local ordered = require "upweave.util.ordered"
local reports = require "upweave.spec.report"
local schema = require "upweave.spec.schema"
local suggest = require "upweave.util.suggest"
local tensor = require "upweave.spec.tensor"
local tensors = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {}

local function find_op(raw, list)
  local report = reports.new(raw, list)
  local name = raw.fields.op
  local op, rank
  if type(name) == "string" then
    op, rank = ops.find(name)
  end
  if op then
    return op, rank
  end
  local names = table.concat(ops.names(), ", ")
  if name == nil then
    report("E030", "op", {}, { reason = "it says what is computed", hint = 'op = "interpolate"' })
  elseif lists.contains(ops.reserved, name) then
    report("E100", "op", nil, { what = "operator " .. name, supported = names })
  else
    local near = type(name) == "string" and suggest.nearest(name, ops.names())
    report("E028", "op", nil, {
      op = text.value(name),
      ops = names,
      hint = near and ('op = "%s"'):format(near) or false,
    })
  end
end

-- The attributes of a kernel of this operator, common ones first, and all its keys.
local function vocabulary(op)
  local attributes, keys = {}, { "op" }
  for _, list in ipairs { op.inputs, op.outputs } do
    table.move(list, 1, #list, #keys + 1, keys)
  end
  for _, list in ipairs { op.attributes, schema.common } do
    for _, attribute in ipairs(list) do
      attributes[#attributes + 1] = attribute
      keys[#keys + 1] = attribute.name
    end
  end
  return attributes, keys
end

local function check_keys(raw, op, keys, report)
  for _, key in ipairs(ordered.keys(raw.fields)) do
    if lists.contains(schema.reserved_keys, key) then
      local supported = op.name .. " without " .. key
      report("E100", key, nil, { what = key, supported = supported })
    elseif not lists.contains(keys, key) then
      report("E029", key, nil, {
        owner = op.name,
        keys = table.concat(keys, ", "),
        hint = suggest.nearest(tostring(key), keys) or false,
      })
    end
  end
end

local function read_attributes(raw, attributes, given, report)
  local rank = given.x and tensors.rank(given.x)
  for _, attribute in ipairs(attributes) do
    local name = attribute.name
    local value = raw.fields[name]
    if value == nil then
      given[name] = attribute.default
    else
      local typed, code, fields = kinds[attribute.kind](value, attribute, rank)
      given[name] = typed
      if code then
        report(code, name, nil, fields)
      end
    end
  end
end

local function check_alias(op, rank, x, report)
  local got = x and tensors.rank(x)
  if not rank or not got or got == rank then
    return
  end
  local instead = op.name
  for alias, other in ordered.pairs(op.aliases) do
    instead = other == got and alias or instead
  end
  report("E057", "op", { "op", "x.shape" }, {
    expected = rank,
    shape = text.shape(x.shape),
    got = got,
    op = instead,
  })
end

-- Another framework's rules would judge everything else.
local function check_profile(raw, report)
  local _, code, fields = kinds.enum(raw.fields.profile or schema.profile.default, schema.profile)
  if code == "E100" then
    report(code, "profile", nil, fields)
  end
  return code ~= "E100"
end

local function read_tensors(raw, op, given, report)
  for _, name in ipairs(op.inputs) do
    given[name] = tensor.read(name, raw.fields[name], op, report)
  end
  for _, name in ipairs(op.outputs) do
    if raw.fields[name] ~= nil then
      given[name] = tensor.read(name, raw.fields[name], op, report)
    end
  end
end

local function defaults_of(attributes)
  local defaults = {}
  for _, attribute in ipairs(attributes) do
    defaults[attribute.name] = attribute.default
  end
  return defaults
end

--- Validates one kernel; mistakes are added to `list`.
---@param raw {name: string, fields: table, where: fun(path: string[]): string}
---@param list upweave.Diagnostic[]
---@return table? problem
function M.validate(raw, list)
  local before = #list
  local op, rank = find_op(raw, list)
  if not op then
    return nil
  end
  local attributes, keys = vocabulary(op)
  local report = reports.new(raw, list, op.name, defaults_of(attributes))
  if not check_profile(raw, report) then
    return nil
  end
  check_keys(raw, op, keys, report)
  local given = {}
  read_tensors(raw, op, given, report)
  read_attributes(raw, attributes, given, report)
  check_alias(op, rank, given.x, report)
  if #list > before then
    return nil
  end
  local problem = op.check(given, report)
  if #list > before then
    return nil
  end
  problem.name, problem.op = raw.name, op.name
  for _, attribute in ipairs(schema.common) do
    problem[attribute.name] = given[attribute.name]
  end
  return problem
end

return M
