-- SPDX-License-Identifier: MIT
-- Registry of operators.
--
-- Purpose: the ordered list of what Upweave can build, and how a spec's `op` finds it.
-- Invariant: an operator's module says everything about it (attributes, rules, tensors, plan,
-- reference); nothing else in the generator knows an operator by name.

local conv = require "upweave.ops.conv"
local conv_transpose = require "upweave.ops.conv_transpose"
local interpolate = require "upweave.ops.interpolate"
local list = require "upweave.util.list"

local M = {}

--- All operators, in the order of the documentation.
M.list = { interpolate, conv, conv_transpose }

--- Operators of the spec language that this version cannot build: valid, but not supported.
M.reserved = {
  "max_pool",
  "max_unpool",
  "avg_pool",
  "avg_unpool",
  "pixel_shuffle",
  "pixel_unshuffle",
  "grid_sample",
  "affine_grid",
  "fused",
}

--- Finds an operator by its name or an alias. The second result is the rank that the alias demands.
---@param name string
---@return table? op
---@return integer? rank
function M.find(name)
  for _, op in ipairs(M.list) do
    if op.name == name then
      return op
    elseif op.aliases[name] then
      return op, op.aliases[name]
    end
  end
end

--- The attributes that an operator has in a profile.
---@param op table
---@param profile string
---@return table[]
function M.attributes(op, profile)
  local known = {}
  for _, attribute in ipairs(op.attributes) do
    if list.contains(attribute.profiles, profile) then
      known[#known + 1] = attribute
    end
  end
  return known
end

--- The profiles in which an operator has an attribute of that name, in the schema's order.
---@param op table
---@param name string
---@return string[]
function M.profiles(op, name)
  local profiles = {}
  for _, attribute in ipairs(op.attributes) do
    if attribute.name == name then
      table.move(attribute.profiles, 1, #attribute.profiles, #profiles + 1, profiles)
    end
  end
  return profiles
end

--- The names of all operators.
---@return string[]
function M.names()
  return list.column(M.list, "name")
end

return M
