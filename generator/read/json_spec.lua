-- SPDX-License-Identifier: MIT
-- Specs in JSON.
--
-- Purpose: from the text of a JSON spec to raw kernels whose places are JSON pointers.
-- Invariant: only the envelope is judged here; kernels are judged by spec/, as those of Lua specs.

local diagnostics = require "upweave.util.diagnostics"
local json = require "upweave.read.json"
local list = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local parameters = require "upweave.read.parameters"
local suggest = require "upweave.util.suggest"
local text = require "upweave.util.text"

local M = {}

local VERSION <const> = 1
local KEYS <const> = { "upweave", "kernels", "sweep" } -- a sweep is for the verb of that name
local RESERVED <const> = "graphs"

local function pointer(parts)
  local texts = {}
  for i, part in ipairs(parts) do
    local index = math.type(part) == "integer"
    texts[i] = "/" .. (index and part - 1 or tostring(part):gsub("~", "~0"):gsub("/", "~1"))
  end
  return table.concat(texts)
end

local function fault_of_text(path, fault)
  if fault.large then
    return diagnostics.new("E023", { where = path, reason = fault.large })
  elseif fault.duplicate then
    local where = path .. " " .. fault.duplicate
    return diagnostics.new("E039", { where = where, reason = "again at " .. fault.reason })
  end
  return diagnostics.new("E022", { where = path, reason = fault.reason })
end

local function version_fault(spec)
  if type(spec) ~= "table" or spec.upweave == nil then
    return "the version is missing: upweave must be 1"
  elseif spec.upweave ~= VERSION then
    return "this version reads upweave = 1, not " .. text.value(spec.upweave)
  end
end

local function envelope_fault(path, reason)
  return { diagnostics.new("E024", { where = path, reason = reason }) }
end

local function check_keys(path, spec)
  local found = {}
  for _, key in ipairs(ordered.keys(spec)) do
    local where = path .. " " .. pointer { key }
    if key == RESERVED then
      local fields = { where = where, what = "graphs", supported = "kernels" }
      found[#found + 1] = diagnostics.new("E100", fields)
    elseif not list.contains(KEYS, key) then
      found[#found + 1] = diagnostics.new("E029", {
        place = key,
        where = where,
        owner = "a spec",
        keys = table.concat(KEYS, ", "),
        hint = suggest.nearest(tostring(key), KEYS) or false,
      })
    end
  end
  return found
end

local function raw_kernel(path, index, fields, load)
  local name = fields.name
  fields.name = nil
  return {
    name = name,
    fields = fields,
    load = load,
    where = function(parts)
      return path .. " " .. pointer { "kernels", index, table.unpack(parts) }
    end,
  }
end

--- Reads a JSON spec.
---@param path string for the places
---@param source string
---@return upweave.RawKernel[]? kernels
---@return upweave.Diagnostic[]? diagnostics
function M.read(path, source)
  local spec, fault = json.decode(source)
  if fault then
    return nil, { fault_of_text(path, fault) }
  end
  local reason = version_fault(spec)
  if reason then
    return nil, envelope_fault(path, reason)
  end
  local unknown = check_keys(path, spec)
  if #unknown > 0 then
    return nil, unknown
  elseif type(spec.kernels) ~= "table" or not ordered.is_list(spec.kernels) then
    return nil, envelope_fault(path, "kernels must be a list")
  end
  local kernels, load = {}, parameters.loader(path)
  for i, fields in ipairs(spec.kernels) do
    if type(fields) ~= "table" or #fields > 0 then
      return nil, envelope_fault(path, ("kernel %d must be an object"):format(i - 1))
    end
    kernels[i] = raw_kernel(path, i, fields, load)
  end
  if spec.sweep then
    kernels.sweep = { fields = spec.sweep, where = path .. " " .. pointer { "sweep" } }
  end
  return kernels
end

return M
