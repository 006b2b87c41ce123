-- SPDX-License-Identifier: MIT
-- Verb: build.
--
-- Purpose: gen, compile in parallel, link: per kernel .c .h .json .o, and one static and one shared
-- library for the whole spec. Invariant: everything is made before the first file is written.

local build = require "upweave.toolchain.build"
local context = require "upweave.cli.context"
local cross = require "upweave.toolchain.cross"
local gen = require "upweave.cli.gen"
local progress = require "upweave.toolchain.progress"
local tools = require "upweave.cli.tools"
local units = require "upweave.toolchain.units"
local winners = require "upweave.cli.winners"

local M = {
  name = "build", summary = "generates, compiles and links", takes = "spec",
  groups = { "spec", "target", "weights", "compile", "database" },
  options = {
    { "-o --output", "output", "DIR", false, "folder for the files" },
    { "--depfile", "depfile", "FILE", false, "write the dependencies for make or ninja" },
  },
}

local function link_both(kit, stem, members, record)
  local outputs = {}
  for _, kind in ipairs { "archive", "shared" } do
    local name = "lib" .. stem .. (kind == "archive" and ".a" or ".so")
    local made, faults = build.link(kit.store, kit.compiler,
      { name = name, kind = kind, members = members, libraries = {},
        flags = cross.library_flags(kit.compiler, record) })
    if not made then return nil, faults end
    outputs[#outputs + 1] = { name = name, text = made.bytes, executable = kind == "shared" }
  end
  return outputs
end

--- All that `build` writes.
---@param kit {compiler: upweave.Compiler, store: upweave.Cache}
---@param libraries table[]
---@param stem string
---@param verification table<string, string>? by kernel
---@return upweave.OutputFile[]|nil
---@return upweave.Diagnostic[]? faults
---@return upweave.Measures[]? measures
function M.outputs(kit, libraries, stem, verification)
  local compiled, faults = units.compile(kit, libraries)
  if not compiled then return nil, faults end
  local list, members, measures = {}, {}, {}
  for index, kernel in ipairs(compiled) do
    measures[index] = units.measures(kernel)
    table.move(kernel.members, 1, #kernel.members, #members + 1, members)
    local filled = units.with_measures(kernel, kit.compiler, verification)
    table.move(filled, 1, #filled, #list + 1, list)
    for _, member in ipairs(kernel.members) do
      list[#list + 1] = { name = member.name, text = member.object.bytes }
    end
  end
  local linked
  linked, faults = link_both(kit, stem, members, libraries[1].results[1].target)
  if not linked then return nil, faults end
  return table.move(linked, 1, #linked, #list + 1, list), nil, measures
end

function M.run(options)
  local folder, faults = context.folder(options, M.name)
  if not folder then return nil, faults end
  local records, document, libraries, kit, list, measures
  records, faults = context.targets_together(options, "native")
  if not records then return nil, faults end
  faults = gen.check_single(options, records)
  if faults then return nil, faults end
  document, faults = context.document(options, M.name)
  if not document then return nil, faults end
  kit, faults = tools.toolchain(options, records)
  if not kit then return nil, faults end
  local found
  found, faults = winners.open(options, document, records[1])
  if faults then return nil, faults end
  libraries, faults = tools.generate(document, records,
    { winners = found, apart = options.weights == "file" })
  if not libraries then return nil, faults end
  list, faults, measures = M.outputs(kit, libraries, context.stem(options, document))
  if not list then return nil, faults end
  for _, kernel in ipairs(measures) do
    progress.detail(string.format("%s: %d bytes of code, %d of constants", kernel.name,
      kernel.code_bytes, kernel.constant_bytes))
  end
  return gen.write(options, folder, list, context.inputs(options, document), measures)
end

return M
