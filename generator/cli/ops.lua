-- SPDX-License-Identifier: MIT
-- Verb: ops.
--
-- Purpose: the support matrix, printed from the schemas that also validate specs; `--md` is the
-- page docs/ops.md. Invariant: nothing here knows an operator.

local diagnostics = require "upweave.util.diagnostics"
local output = require "upweave.cli.output"
local ops = require "upweave.ops"
local schema = require "upweave.spec.schema"
local suggest = require "upweave.util.suggest"
local text = require "upweave.util.text"

local M = {
  name = "ops", summary = "operators, their attributes, rules and defaults", takes = "word",
  options = { { "--md", "md", nil, false, "as the Markdown page docs/ops.md" } },
}

local KINDS <const> = {
  bool = "true, false", int_list = "integers, one an axis or one for all",
  number_list = "numbers, one an axis or one for all", int = "integer", number = "number",
  ints = "integers", numbers = "numbers", text = "text", texts = "list of texts",
  sizes = "integers, one an axis or one for all",
  padding = "integers, one for all, one an axis or one a side",
}

local function values_of(attribute)
  if attribute.values then return table.concat(attribute.values, ", ") end
  if attribute.words_only then return table.concat(attribute.words, ", ") end
  local kind = KINDS[attribute.kind] or attribute.kind
  return attribute.words and kind .. "; " .. table.concat(attribute.words, ", ") or kind
end

local function default_of(attribute)
  if attribute.required then return "required" end
  if attribute.default == nil then return "-" end
  return text.value(attribute.default)
end

-- Every profile of the spec language is too many words.
local function profiles_of(attribute)
  local profiles = attribute.profiles
  if not profiles or #profiles == #schema.profile.values then return "all" end
  return table.concat(profiles, ", ")
end

local function rank_names(op)
  local names = {}
  for index, rank in ipairs(op.ranks) do names[index] = rank .. "-d" end
  return table.concat(names, ", ")
end

local function signature(op)
  local inputs = table.concat(op.inputs, ", ")
  if op.parameters then inputs = inputs .. ", " .. table.concat(op.parameters, ", ") end
  return inputs .. " -> " .. table.concat(op.outputs, ", ")
end

local function matrix(list)
  local rows = {}
  for index, op in ipairs(list) do
    rows[index] = { op.name, signature(op), table.concat(op.dtypes, ", "), rank_names(op),
      op.summary }
  end
  return output.table({ "operator", "tensors", "dtypes", "ranks", "" }, rows)
end

-- Which parameters may come from files.
local function bakeable(op)
  return ('%s; a second one is %s2, …; each as npy "FILE"'):format(table.concat(op.bakeable, ", "),
    op.bakeable[#op.bakeable])
end

local function details(op)
  local lines = { op.name .. ": " .. op.summary, "" }
  lines[#lines + 1] = "  tensors   " .. signature(op)
  if op.bakeable then lines[#lines + 1] = "  baked     " .. bakeable(op) end
  lines[#lines + 1] = "  dtypes    " .. table.concat(op.dtypes, ", ")
  lines[#lines + 1] = "  ranks     " .. rank_names(op)
  for _, attribute in ipairs(op.attributes) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = "  " .. attribute.name
    lines[#lines + 1] = "    values   " .. values_of(attribute)
    lines[#lines + 1] = "    default  " .. default_of(attribute)
    lines[#lines + 1] = "    profile  " .. profiles_of(attribute)
    lines[#lines + 1] = "    rule     " .. attribute.doc
  end
  return table.concat(lines, "\n") .. "\n"
end

local function cell(words)
  return (words:gsub("|", "\\|"):gsub("\n", " "))
end

local function attribute_rows(attributes, add)
  add("| attribute | profile | values | default | rule |")
  add("|---|---|---|---|---|")
  for _, attribute in ipairs(attributes) do
    local default = default_of(attribute)
    local bare = attribute.required or default == "-"
    add(string.format("| `%s` | %s | %s | %s | %s |", attribute.name, profiles_of(attribute),
      cell(values_of(attribute)), bare and default:gsub("^%-$", "") or "`" .. cell(default) .. "`",
      cell(attribute.doc)))
  end
  add("")
end

local function page_of(op, lines)
  local function add(line) lines[#lines + 1] = line end
  add("## " .. op.name)
  add("")
  add(op.summary:sub(1, 1):upper() .. op.summary:sub(2) .. ".")
  add("")
  add("- Tensors: " .. signature(op))
  if op.bakeable then
    add("- May be [baked](abi.md#baked-parameters): " .. bakeable(op))
  end
  add("- Element types: " .. table.concat(op.dtypes, ", "))
  add("- Ranks: " .. rank_names(op))
  add("")
  attribute_rows(op.attributes, add)
end

local function markdown(list)
  local lines = { "# Operators", "",
    "Made by `upweave ops --md` from the schemas that validate specs; do not edit.", "",
    "| operator | tensors | element types | ranks |", "|---|---|---|---|" }
  for _, op in ipairs(list) do
    lines[#lines + 1] = string.format("| [`%s`](#%s) | %s | %s | %s |", op.name, op.name,
      signature(op), table.concat(op.dtypes, ", "), rank_names(op))
  end
  lines[#lines + 1] = ""
  for _, op in ipairs(list) do page_of(op, lines) end
  lines[#lines + 1] = "## Every kernel"
  lines[#lines + 1] = ""
  attribute_rows(schema.common, function(line) lines[#lines + 1] = line end)
  return (table.concat(lines, "\n"):gsub("\n+$", "\n"))
end

local function as_data(list)
  local data = {}
  for index, op in ipairs(list) do
    local attributes = {}
    for at, attribute in ipairs(op.attributes) do
      attributes[at] = { name = attribute.name, kind = attribute.kind, values = attribute.values,
        words = attribute.words, default = attribute.default, profiles = attribute.profiles,
        required = attribute.required ~= nil, rule = attribute.doc }
    end
    data[index] = { name = op.name, summary = op.summary, inputs = op.inputs,
      outputs = op.outputs, parameters = op.parameters, bakeable = op.bakeable,
      dtypes = op.dtypes, ranks = op.ranks, attributes = attributes }
  end
  return { operators = data }
end

function M.run(options)
  local list, name = ops.list, options.words[1]
  if name then
    local op = ops.find(name)
    if not op then
      return nil, { diagnostics.new("E028", { op = name, ops = table.concat(ops.names(), ", "),
        hint = suggest.hint(name, ops.names()) }) }
    end
    list = { op }
  end
  if options.json then
    output.json(as_data(list))
  elseif options.md then
    output.write(markdown(list))
  elseif name then
    output.write(details(list[1]))
  else
    output.write(matrix(list))
  end
  return 0
end

return M
