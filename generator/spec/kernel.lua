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
local parameters = require "upweave.spec.parameters"
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

-- The profile, if it is one: its rules judge everything else. A wrong one is reported as an
-- attribute; until then PyTorch's hold.
local function profile_of(raw)
  local profile = raw.fields.profile
  return lists.contains(schema.profile.values, profile) and profile or schema.profile.default
end

-- The attributes of a kernel of this operator in a profile, common ones last, and all its keys.
local function vocabulary(op, profile)
  local attributes, keys = {}, { "op" }
  for _, list in ipairs { op.inputs, op.outputs, op.bakeable or {} } do
    table.move(list, 1, #list, #keys + 1, keys)
  end
  for _, list in ipairs { ops.attributes(op, profile), schema.common } do
    for _, attribute in ipairs(list) do
      attributes[#attributes + 1] = attribute
      if not lists.contains(keys, attribute.name) then keys[#keys + 1] = attribute.name end
    end
  end
  return attributes, keys
end

-- A key that is none of this profile: perhaps of another.
local function report_key(key, op, profile, keys, report)
  local others = ops.profiles(op, key)
  if #others > 0 then
    report("E060", key, { key, "profile" }, {
      profile = profile,
      profiles = table.concat(others, ", "),
      hint = ('leave out %s, or profile = "%s"'):format(key, others[1]),
    })
    return
  end
  report("E029", key, nil, {
    owner = op.name,
    keys = table.concat(keys, ", "),
    hint = suggest.nearest(tostring(key), keys) or false,
  })
end

local function check_keys(raw, op, profile, keys, report)
  for _, key in ipairs(ordered.keys(raw.fields)) do
    local known = lists.contains(keys, key)
    if lists.contains(schema.reserved_keys, key) and not known then
      local supported = op.name .. " without " .. key
      report("E100", key, nil, { what = key, supported = supported })
    elseif not known then
      report_key(key, op, profile, keys, report)
    end
  end
end

-- How many numbers a list has that gives one for each axis; nil where that is unknown.
local function places_of(attribute, given)
  local axes = attribute.per and given[attribute.per]
  if axes then return #axes end
  return given.x and tensors.rank(given.x)
end

-- An attribute of two names that has both.
local function report_twice(attribute, report)
  report("E062", attribute.name, { attribute.name, attribute.same_as }, {
    circumstance = "beside " .. attribute.same_as,
    reason = "it is another name of it",
    hint = "leave out one of them",
  })
end

local function read_attribute(raw, attribute, given, report)
  local name, value = attribute.name, raw.fields[attribute.name]
  if value ~= nil and attribute.same_as and raw.fields[attribute.same_as] ~= nil then
    report_twice(attribute, report)
  end
  if value == nil then value = attribute.default end
  if value == nil then return end
  local typed, code, fields = kinds[attribute.kind](value, attribute, places_of(attribute, given))
  given[attribute.same_as or name] = typed
  if code then report(code, name, nil, fields) end
end

local function is_stated(raw, attributes, name)
  for _, attribute in ipairs(attributes) do
    local own = attribute.name == name or attribute.same_as == name
    if own and raw.fields[attribute.name] ~= nil then return true end
  end
  return false
end

local function read_attributes(raw, attributes, given, report)
  for _, attribute in ipairs(attributes) do
    local name = attribute.name
    read_attribute(raw, attribute, given, report)
    if attribute.required and not is_stated(raw, attributes, name) then
      report("E030", name, {}, { reason = attribute.required, hint = attribute.hint })
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

-- The defaults of what is left out, by either name.
local function defaults_of(raw, attributes)
  local defaults = {}
  for _, attribute in ipairs(attributes) do
    defaults[attribute.name] = attribute.default
    if attribute.same_as and raw.fields[attribute.name] ~= nil then
      defaults[attribute.same_as] = nil
    end
  end
  return defaults
end

--- Validates one kernel; mistakes are added to `list`.
---@param raw {name: string, fields: table, where: fun(path: string[]): string,
---  load: fun(path: string): upweave.ParameterFile?, string?}
---@param list upweave.Diagnostic[]
---@return table? problem
---@return table<string, upweave.ParameterFile>? baked
function M.validate(raw, list)
  local before = #list
  local op, rank = find_op(raw, list)
  if not op then
    return nil
  end
  local profile = profile_of(raw)
  local attributes, keys = vocabulary(op, profile)
  local report = reports.new(raw, list, op.name, defaults_of(raw, attributes))
  local plain, files = parameters.split(raw.fields, op, report)
  local rest = { fields = plain }
  check_keys(rest, op, profile, keys, report)
  local given = {}
  read_tensors(rest, op, given, report)
  read_attributes(rest, attributes, given, report)
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
  local baked = parameters.bake(problem, op, files, raw.load, report)
  if #list > before then
    return nil
  end
  return problem, baked
end

return M
