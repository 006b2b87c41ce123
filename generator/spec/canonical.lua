-- SPDX-License-Identifier: MIT
-- Canonical form of a problem.
--
-- Purpose: one text for one problem, and its identity. Invariants: the text is a spec again and
-- reads back as the same problem; the identity does not depend on how the kernel is called (name),
-- described (note) or scheduled, nor on where its baked parameters lie, but on what they are.

local json = require "upweave.util.json"
local ordered = require "upweave.util.ordered"
local parameters = require "upweave.spec.parameters"
local sha256 = require "upweave.util.sha256"

local M = {}

local VERSION <const> = 1
local NOT_IDENTITY <const> = { name = true, note = true, schedule = true }

--- The canonical JSON of a problem.
---@param problem table
---@return string
function M.text(problem)
  return json.encode(problem)
end

--- The SHA-256 of the canonical JSON without name, note and schedule.
---@param problem table
---@return string
function M.identity(problem)
  local bare = {}
  for key, value in ordered.pairs(problem) do
    if not NOT_IDENTITY[key] then
      bare[key] = parameters.is_file(value) and value.sha256 or value
    end
  end
  return sha256.hex(json.encode(bare))
end

--- A whole document as a spec, indented for people.
---@param document {kernels: table[]}
---@return string
function M.document(document)
  local spec = { upweave = VERSION, kernels = json.list(document.kernels) }
  return json.encode(spec, { pretty = true }) .. "\n"
end

return M
