-- SPDX-License-Identifier: MIT
-- What in the documents is made from the schemas.
--
-- Purpose: the text that docs/ops.md, docs/drawings/ and the marked parts of README.md and
-- docs/frameworks.md should have; tools/docs.lua writes it, a test compares. Invariants: of
-- operators, only the two examples are named here; text outside the marks is kept to the byte.

local draw = require "upweave.draw"
local files = require "files"
local frameworks = require "frameworks"
local ops = require "upweave.ops"
local spec = require "upweave.spec"
local tensor = require "upweave.ops.tensor"
local uv = require "luv"

local M = {}

local function layouts(op)
  local names = {}
  for _, rank in ipairs(op.ranks) do
    names[#names + 1] = table.concat(tensor.layout_names(rank), " ")
  end
  return table.concat(names, ", ")
end

-- Each word once.
local function words(lists)
  local found, seen = {}, {}
  for _, values in ipairs(lists) do
    for _, value in ipairs(values) do
      if not seen[value] then found[#found + 1], seen[value] = value, true end
    end
  end
  return #found > 0 and table.concat(found, ", ") or "–"
end

local function modes(op)
  local lists = {}
  for _, attribute in ipairs(op.attributes) do
    if attribute.name == "mode" then lists[#lists + 1] = attribute.values end
  end
  return words(lists)
end

local function profiles(op)
  local lists = {}
  for _, attribute in ipairs(op.attributes) do lists[#lists + 1] = attribute.profiles end
  return words(lists)
end

local function attributes(op)
  local lists = {}
  for _, attribute in ipairs(op.attributes) do
    if attribute.name ~= "mode" then lists[#lists + 1] = { attribute.name } end
  end
  return words(lists)
end

local function support()
  local lines = { "| operator | modes | layouts | element types | profiles | attributes |",
    "|---|---|---|---|---|---|" }
  for _, op in ipairs(ops.list) do
    lines[#lines + 1] = string.format("| [`%s`](docs/ops.md#%s) | %s | %s | %s | %s | %s |",
      op.name, op.name, modes(op), layouts(op), table.concat(op.dtypes, ", "), profiles(op),
      attributes(op))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- A page with the part between its marks replaced.
local function marked(path, name, source, part)
  local text = files.read(path)
  local start = ("<!-- %s: made by `make docs` from the %s -->\n"):format(name, source)
  local _, from = text:find(start, 1, true)
  local to = text:find(("<!-- %s: end -->\n"):format(name), 1, true)
  assert(from and to and from < to, path .. " has no marks for " .. name)
  return { path = path, text = text:sub(1, from) .. part .. text:sub(to) }
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

-- The drawing of a kernel, as `upweave explain --svg` writes it.
local function drawing(name, fields)
  fields.op = "interpolate"
  local document = assert(spec.validate { { name = name, fields = fields,
    where = function() return name end } })
  local problem = document.kernels[1]
  local op = ops.find(problem.op)
  return { path = "docs/drawings/" .. name .. ".svg", text = draw.document { {
    problem = problem, plan = op.plan(problem), formula = op.formula(problem) } } }
end

--- The documents as they should be.
---@return { path: string, text: string }[]
function M.expected()
  local x = { shape = { 1, 1, 4, 4 }, layout = "NCHW" }
  return {
    marked("README.md", "support", "schemas", support()),
    { path = "docs/ops.md", text = operators() },
    marked("docs/frameworks.md", "ramps", "plans", frameworks.tables()),
    drawing("half_pixel", { x = x, mode = "bilinear", scale_factor = { 2, 2 } }),
    drawing("align_corners", { x = x, mode = "bilinear", size = { 7, 7 }, align_corners = true }),
  }
end

return M
