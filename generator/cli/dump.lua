-- SPDX-License-Identifier: MIT
-- Verb: dump.
--
-- Purpose: what a stage of the compiler gave, as text: the debugging view. Only the last stage, the
-- assembly, needs a compiler.

local build = require "upweave.toolchain.build"
local context = require "upweave.cli.context"
local diagnostics = require "upweave.util.diagnostics"
local driver = require "upweave.driver"
local fault = require "upweave.cli.fault"
local output = require "upweave.cli.output"
local suggest = require "upweave.util.suggest"
local tools = require "upweave.cli.tools"
local winners = require "upweave.cli.winners"

local ASSEMBLY <const> = "asm"

local STAGES <const> = table.move(driver.STAGES, 1, #driver.STAGES, 1, {})
STAGES[#STAGES + 1] = ASSEMBLY

local M = {
  name = "dump", summary = "prints what a stage of the compiler gave", takes = "spec",
  groups = { "spec", "target", "compile", "database" },
  options = {
    { "--after", "after", "STAGE", false, "one of " .. table.concat(STAGES, ", ") },
  },
}

local function stage_of(options)
  local all = table.concat(STAGES, ", ")
  if not options.after then
    return nil, { diagnostics.new("E006", { verb = M.name, what = "--after STAGE",
      hint = "--after=ir, or another of " .. all }) }
  end
  for _, stage in ipairs(STAGES) do
    if stage == options.after then return stage end
  end
  return nil, { diagnostics.new("E004", { option = "--after", value = options.after,
    expected = "one of " .. all, hint = suggest.nearest(options.after, STAGES) or false }) }
end

local function assembly(document, record, options, found)
  local kit, libraries, faults
  kit, faults = tools.toolchain(options, { record })
  if not kit then return nil, faults end
  libraries, faults = tools.generate(document, { record }, { winners = found })
  if not libraries then return nil, faults end
  local texts = {}
  for index, library in ipairs(libraries) do
    texts[index], faults = build.assembly(kit.store, kit.compiler, library)
    if not texts[index] then return nil, faults end
  end
  return texts
end

local function stages(document, record, stage, found)
  local texts, faults = {}, {}
  for index, problem in ipairs(document.kernels) do
    fault.about(problem.name, record.name)
    local result, trouble = driver.compile(problem,
      { target = record.name, stop_after = stage, winners = found,
        baked = stage == "c" and tools.baked(document, index) or nil })
    if result then
      texts[index] = driver.dump(result, stage)
    else
      table.move(trouble, 1, #trouble, #faults + 1, faults)
    end
  end
  if #faults > 0 then return nil, faults end
  return texts
end

local function print_dumps(options, dumps)
  if options.json then
    output.json { dumps = dumps }
    return
  end
  for _, dump in ipairs(dumps) do
    if #dumps > 1 then output.line(string.format("== %s, %s", dump.kernel, dump.target)) end
    output.write(dump.text)
  end
end

local function dump_all(options, document, records, stage)
  local found, trouble = winners.open(options, document, records[1], true)
  if trouble then return nil, trouble end
  local dumps = {}
  for _, record in ipairs(records) do
    local texts, faults
    if stage == ASSEMBLY then
      texts, faults = assembly(document, record, options, found)
    else
      texts, faults = stages(document, record, stage, found)
    end
    if not texts then return nil, faults end
    for index, problem in ipairs(document.kernels) do
      dumps[#dumps + 1] = { kernel = problem.name, target = record.name, stage = stage,
        text = texts[index] }
    end
  end
  return dumps
end

function M.run(options)
  local stage, records, document, dumps, faults
  stage, faults = stage_of(options)
  if not stage then return nil, faults end
  records, faults = context.targets(options, "native")
  if not records then return nil, faults end
  document, faults = context.document(options, M.name)
  if not document then return nil, faults end
  dumps, faults = dump_all(options, document, records, stage)
  if not dumps then return nil, faults end
  print_dumps(options, dumps)
  return 0
end

return M
