-- SPDX-License-Identifier: MIT
-- Verb: gen.
--
-- Purpose: writes C, header and JSON of every kernel. Invariant: no compiler is needed, and the
-- same spec gives the same bytes: a tuning database counts only if it is named.

local context = require "upweave.cli.context"
local depfile = require "upweave.cli.depfile"
local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local output = require "upweave.cli.output"
local tools = require "upweave.cli.tools"
local winners = require "upweave.cli.winners"

local M = {
  name = "gen", summary = "writes C, header and JSON metadata", takes = "spec",
  groups = { "spec", "target", "weights", "database" },
  options = {
    { "-o --output", "output", "DIR", false, "folder for the files" },
    { "--single", "single", nil, false, "one self-contained .c, for one target" },
    { "--depfile", "depfile", "FILE", false, "write the dependencies for make or ninja" },
  },
}

--- The options that are for one target only, given with several.
---@param options table
---@param records Target[]
---@return upweave.Diagnostic[]? faults
function M.check_single(options, records)
  local first = options.single and "--single"
    or options.weights == "file" and "--weights file"
  if not first or #records == 1 then return nil end
  return { diagnostics.new("E007", { first = first, second = "several --target",
    hint = "one --target" }) }
end

--- All files of the libraries, in order.
---@return upweave.OutputFile[]
local function all_files(libraries)
  local list = {}
  for _, library in ipairs(libraries) do
    table.move(library.files, 1, #library.files, #list + 1, list)
  end
  return list
end

local function paths_of(folder, list)
  local base, paths = folder:gsub("/+$", ""), {}
  if base == "" then base = "/." end
  for index, file in ipairs(list) do paths[index] = base .. "/" .. file.name end
  return paths
end

--- Write the set, and with it the file of dependencies; report the paths.
---@param options table
---@param folder string
---@param list upweave.OutputFile[]
---@param inputs string[] what they depend on
---@param measures table[]? of kernels, for --json
---@return integer|nil code
---@return upweave.Diagnostic[]? faults
function M.write(options, folder, list, inputs, measures)
  local paths, set = paths_of(folder, list), table.move(list, 1, #list, 1, {})
  if options.depfile then
    local text, reason = depfile.text(paths, inputs)
    if not text then return nil, context.write_fault(options.depfile, reason) end
    set[#set + 1] = { path = options.depfile, text = text }
  end
  local count, reason = files.write_set(folder, set)
  if not count then return nil, context.write_fault(folder, reason) end
  if options.json then
    output.json { files = paths, written = count, kernels = measures }
  elseif not options.quiet then
    for _, path in ipairs(paths) do output.line(path) end
  end
  return 0
end

function M.run(options)
  local folder, faults = context.folder(options, M.name)
  if not folder then return nil, faults end
  local records, document, libraries
  records, faults = context.targets_together(options, "generic")
  if not records then return nil, faults end
  faults = M.check_single(options, records)
  if faults then return nil, faults end
  document, faults = context.document(options, M.name)
  if not document then return nil, faults end
  local found
  found, faults = winners.open(options, document, records[1], true)
  if faults then return nil, faults end
  libraries, faults = tools.generate(document, records,
    { single = options.single, winners = found, apart = options.weights == "file" })
  if not libraries then return nil, faults end
  return M.write(options, folder, all_files(libraries), context.inputs(options, document))
end

return M
