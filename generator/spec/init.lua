-- SPDX-License-Identifier: MIT
-- Validation of a spec.
--
-- Purpose: takes the kernels of a spec as a reader hands them over (raw tables with their places)
-- and gives a document of problems, or every mistake of the file at once.
-- Invariant: pure. With `only`, the other kernels are neither validated nor do they take names.

local canonical = require "upweave.spec.canonical"
local diagnostics = require "upweave.util.diagnostics"
local kernel = require "upweave.spec.kernel"
local names = require "upweave.spec.names"
local ordered = require "upweave.util.ordered"
local reports = require "upweave.spec.report"
local schema = require "upweave.spec.schema"
local tensor = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {
  text = canonical.text,
  identity = canonical.identity,
  document_text = canonical.document,
}

local MOST_MISTAKES <const> = 500

---@class upweave.RawKernel
---@field name any
---@field fields table
---@field where fun(path: string[]): string where a field stands: `a.lua:7 kernel "up2x"`
---@field load fun(path: string): upweave.ParameterFile?, string? reads the file of a parameter

---@class upweave.Document
---@field kernels table[] problems
---@field open table<integer, table[]>
---@field baked table<integer, table<string, upweave.ParameterFile>>

---@class upweave.SpecOptions
---@field only? string[] shell wildcards on kernel names
---@field numerics? string replaces the field in all kernels; likewise:
---@field profile? string
---@field layout? string
---@field schedule? string

local function selected(raw, only)
  for _, pattern in ipairs(only) do
    if names.matches(pattern, tostring(raw.name)) then
      return true
    end
  end
  return false
end

local function select_kernels(kernels, only)
  if not only or #only == 0 then
    return kernels
  end
  local chosen, all = {}, {}
  for i, raw in ipairs(kernels) do
    all[i] = tostring(raw.name)
    if selected(raw, only) then
      chosen[#chosen + 1] = raw
    end
  end
  if #chosen > 0 then
    return chosen
  end
  return nil, diagnostics.new("E008", {
    patterns = table.concat(only, ", "),
    names = table.concat(all, ", "),
    hint = ("--only '%s'"):format(all[1]),
  })
end

-- A tensor in the layout asked for: the shape follows if it fits both layouts.
local function relaid(raw, name)
  if type(raw) ~= "table" or type(raw.shape) ~= "table" then
    return raw
  end
  local rank = #raw.shape - 2
  local open = raw.layout == nil or raw.layout == schema.open_layout
  local from = tensor.layout(open and tensor.layout_names(rank)[1] or raw.layout)
  local to = tensor.layout(name)
  local moved = { shape = raw.shape, layout = name, dtype = raw.dtype }
  if from and to and from.rank == rank and to.rank == rank then
    moved.layout = from.name
    return tensor.relaid(moved, name)
  end
  return moved
end

-- A kernel with the fields given beside the spec, which then stand on the command line.
local function overridden(raw, options)
  local fields, places = {}, {}
  for key, value in ordered.pairs(raw.fields) do
    fields[key] = value
  end
  for _, name in ipairs(schema.overridable) do
    local value = options[name]
    if value and name == "layout" then
      fields.x, fields.y = relaid(fields.x, value), relaid(fields.y, value)
      places.x = "--layout"
    elseif value then
      fields[name], places[name] = value, "--" .. name
    end
  end
  local function where(path)
    return places[path[1]] or raw.where(path)
  end
  return { name = raw.name, fields = fields, where = where, load = raw.load }
end

-- A name like this one that no kernel has.
local function free_name(name, taken)
  local number = 2
  local stem = name:sub(1, 56)
  while taken[("%s_%d"):format(stem, number):lower()] do
    number = number + 1
  end
  return ("%s_%d"):format(stem, number)
end

local function check_name(raw, taken, list)
  local report = reports.new(raw, list)
  local name = raw.name
  if name == nil then
    local reason = "functions and files bear it"
    report("E030", "name", {}, { reason = reason, hint = 'name = "up2x"' })
    return
  elseif type(name) ~= "string" then
    local got = text.value(name)
    report("E031", "name", {}, { expected = "a string", got = got, hint = 'name = "up2x"' })
    return
  end
  local reason, instead = names.fault(name)
  if reason then
    report("E027", "name", {}, { reason = reason, hint = ('name = "%s"'):format(instead) })
    return
  end
  for _, identifier in ipairs(names.taken_by(name)) do
    if taken[identifier] then
      local free = free_name(name, taken)
      report("E026", "name", {}, { first = taken[identifier], free = free })
      return
    end
  end
  for _, identifier in ipairs(names.taken_by(name)) do
    taken[identifier] = raw.where {}
  end
end

-- The problem in every layout of its rank if the layout is left open; the first one is at hand.
local function layouts_of(raw, problem, list)
  local x = raw.fields.x
  if not problem or type(x) ~= "table" or x.layout ~= schema.open_layout then
    return nil
  end
  local problems = { problem }
  for i, name in ipairs(tensor.layout_names(tensor.rank(problem.x))) do
    problems[i] = problems[i] or (kernel.validate(overridden(raw, { layout = name }), list))
  end
  return problems
end

--- Validates the kernels of a spec. `open` has, at the places of the kernels whose layout is left
--- open, the problem in all layouts; the first one is the kernel until somebody chooses. `baked`
--- has the arrays of those whose parameters are baked.
---@param kernels upweave.RawKernel[]
---@param options? upweave.SpecOptions
---@return upweave.Document? document
---@return upweave.Diagnostic[]? diagnostics
function M.validate(kernels, options)
  options = options or {}
  local chosen, fault = select_kernels(kernels, options.only)
  if not chosen then
    return nil, { fault }
  end
  local document, list, taken = { kernels = {}, open = {}, baked = {} }, {}, {}
  for i, raw in ipairs(chosen) do
    if #list >= MOST_MISTAKES then
      list[#list + 1] = diagnostics.new("E049", { count = #list })
      break
    end
    raw = overridden(raw, options)
    check_name(raw, taken, list)
    document.kernels[i], document.baked[i] = kernel.validate(raw, list)
    document.open[i] = layouts_of(raw, document.kernels[i], list)
  end
  if #list > 0 then
    return nil, list
  end
  return document
end

return M
