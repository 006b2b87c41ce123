-- SPDX-License-Identifier: MIT
-- The list of verbs.
--
-- Purpose: which verbs there are, in the order of the overview, and what each is called with. The
-- lines here are all that `help` needs, so that asking one verb loads one module.

local M = {}

---@class upweave.Verb
---@field name string
---@field summary string
---@field takes string? "spec": a SPEC or flags in its place; or "model", "word", "action"
---@field groups string[]? groups of options (see cli/arguments.lua)
---@field run fun(options: table): integer|nil, upweave.Diagnostic[]?

local ORDER <const> = {
  { "spec", "SPEC", "validate; --json prints the canonical JSON" },
  { "ops", "[OP]", "operators, their attributes, rules and defaults" },
  { "explain", "SPEC", "shapes, formulas, taps, costs, limit, schedule and why" },
  { "gen", "SPEC -o DIR", "C, header and JSON metadata" },
  { "build", "SPEC -o DIR", "gen, compile and link" },
  { "run", "SPEC --data DIR", "run the kernels on .npy files" },
  { "verify", "SPEC", "compare the compiled kernels with the reference" },
  { "bench", "SPEC", "time the kernels against generic C and the machine's limits" },
  { "tune", "SPEC", "find the best schedules for this CPU and keep them" },
  { "sweep", "SPEC", "measure many configurations: layouts, schedules, shapes, targets" },
  { "db", "ACTION", "the tuning database: ls, best, merge, check, gc" },
  { "import", "MODEL [-o FILE]", "the nodes of an ONNX model; --test runs ONNX's test cases" },
  { "dump", "SPEC --after=STAGE", "problem, plan, schedule, ir, c or asm" },
  { "doctor", "", "what is installed, what the CPU has, what will be used" },
  { "help", "[VERB]", "this page, or a verb's options" },
}

---@return string[]
function M.names()
  local list = {}
  for index, row in ipairs(ORDER) do list[index] = row[1] end
  return list
end

---@param name string
---@return upweave.Verb|nil
function M.load(name)
  if name == "version" then return require "upweave.cli.version" end
  for _, row in ipairs(ORDER) do
    if row[1] == name then return require("upweave.cli." .. name) end
  end
  return nil
end

--- Name, arguments and purpose of every verb.
---@return string[][]
function M.rows()
  return ORDER
end

---@return string
function M.overview()
  local lines = { "usage: upweave VERB [SPEC…] [options]", "" }
  for _, row in ipairs(ORDER) do
    lines[#lines + 1] = string.format("  %-8s %-20s %s", row[1], row[2], row[3])
  end
  table.move({
    "",
    "A SPEC is a .lua or .json file; flags may stand in its place:",
    "  upweave build --op interpolate --x 1x64x112x112 --mode bilinear --scale-factor 2 \\",
    "    --name up2x -o out",
    "`upweave help VERB` lists the options of a verb; `upweave --version` prints the version.",
    "",
  }, 1, 6, #lines + 1, lines)
  return table.concat(lines, "\n")
end

return M
