-- SPDX-License-Identifier: MIT
-- Reading specs.
--
-- Purpose: the edge between what users hand over (files, flags) and the core, which takes tables.
-- Invariants: a file is read whole or refused, never more than LARGEST bytes of it; its ending
-- alone says how it is read. A document comes only if everything in it is valid.

local diagnostics = require "upweave.util.diagnostics"
local flags = require "upweave.read.flags"
local json_spec = require "upweave.read.json_spec"
local lua_spec = require "upweave.read.lua_spec"
local spec = require "upweave.spec"

local M = {}

local LARGEST <const> = 2 << 20

local READERS <const> = { lua = lua_spec.read, json = json_spec.read }

local function contents(path)
  local file, reason = io.open(path, "rb")
  if not file then
    return nil, diagnostics.new("E010", { where = path, reason = reason:sub(#path + 3) })
  end
  local source, fault = file:read(LARGEST + 1)
  file:close()
  if not source and fault then
    return nil, diagnostics.new("E010", { where = path, reason = fault })
  elseif source and #source > LARGEST then
    local why = ("it has more than %d bytes"):format(LARGEST)
    return nil, diagnostics.new("E023", { where = path, reason = why })
  end
  return source or ""
end

--- The kernels of a file as they were written, not validated.
---@param path string
---@return upweave.RawKernel[]? kernels
---@return upweave.Diagnostic[]? diagnostics
function M.kernels(path)
  local read = READERS[path:match("%.(%w+)$")]
  if not read then
    return nil, { diagnostics.new("E014", { where = path }) }
  end
  local source, fault = contents(path)
  if not source then
    return nil, { fault }
  end
  local kernels, list = read(path, source)
  if kernels and #kernels == 0 then
    return nil, { diagnostics.new("E025", { where = path }) }
  end
  return kernels, list
end

--- Reads and validates a spec file.
---@param path string
---@param options? upweave.SpecOptions
---@return {kernels: table[]}? document
---@return upweave.Diagnostic[]? diagnostics
function M.file(path, options)
  local kernels, list = M.kernels(path)
  if not kernels then
    return nil, list
  end
  return spec.validate(kernels, options)
end

--- Validates one kernel given by options.
---@param values table<string, string|boolean>
---@param options? upweave.SpecOptions
---@return {kernels: table[]}? document
---@return upweave.Diagnostic[]? diagnostics
function M.flags(values, options)
  return spec.validate(flags.read(values), options)
end

return M
