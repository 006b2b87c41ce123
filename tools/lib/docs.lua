-- SPDX-License-Identifier: MIT
-- What in the documents is made from the schemas.
--
-- Purpose: the text that docs/ops.md and the marked part of README.md should have; tools/docs.lua
-- writes it, a test compares. Invariants: nothing here knows an operator; text outside the marks is
-- kept to the byte.

local files = require "files"
local ops = require "upweave.ops"
local tensor = require "upweave.ops.tensor"
local uv = require "luv"

local M = {}

local BEGIN <const> = "<!-- support: made by `make docs` from the schemas -->\n"
local END <const> = "<!-- support: end -->\n"

local function layouts(op)
  local names = {}
  for _, rank in ipairs(op.ranks) do
    names[#names + 1] = table.concat(tensor.layout_names(rank), " ")
  end
  return table.concat(names, ", ")
end

local function modes(op)
  for _, attribute in ipairs(op.attributes) do
    if attribute.name == "mode" then return table.concat(attribute.values, ", ") end
  end
  return "–"
end

local function attributes(op)
  local names = {}
  for _, attribute in ipairs(op.attributes) do
    if attribute.name ~= "mode" then names[#names + 1] = attribute.name end
  end
  return table.concat(names, ", ")
end

local function support()
  local lines = { "| operator | modes | layouts | element types | attributes |",
    "|---|---|---|---|---|" }
  for _, op in ipairs(ops.list) do
    lines[#lines + 1] = string.format("| [`%s`](docs/ops.md#%s) | %s | %s | %s | %s |", op.name,
      op.name, modes(op), layouts(op), table.concat(op.dtypes, ", "), attributes(op))
  end
  return table.concat(lines, "\n") .. "\n"
end

local function readme()
  local text = files.read("README.md")
  local _, from = text:find(BEGIN, 1, true)
  local to = text:find(END, 1, true)
  assert(from and to and from < to, "README.md has no marks for the support table")
  return text:sub(1, from) .. support() .. text:sub(to)
end

--- What `upweave ops --md` prints.
local function operators()
  local pipe, parts, code = uv.new_pipe(), {}, nil
  local handle = assert(uv.spawn("bin/upweave", { args = { "ops", "--md" },
    stdio = { nil, pipe, 2 } }, function(status) code = status end))
  pipe:read_start(function(_, chunk)
    if chunk then parts[#parts + 1] = chunk else pipe:close() end
  end)
  uv.run()
  handle:close()
  uv.run()
  assert(code == 0, "bin/upweave ops --md failed")
  return table.concat(parts)
end

--- The documents as they should be.
---@return { path: string, text: string }[]
function M.expected()
  return {
    { path = "README.md", text = readme() },
    { path = "docs/ops.md", text = operators() },
  }
end

return M
