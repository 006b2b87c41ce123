-- SPDX-License-Identifier: MIT
-- The command line.
--
-- Purpose: finds the verb, parses its options, runs it, and turns whatever happens into an exit
-- code of the contract. Invariants: a verb returns an exit code, or nil and diagnostics; standard
-- output carries data only; only the verb's own module is loaded.

local arguments = require "upweave.cli.arguments"
local diagnostics = require "upweave.util.diagnostics"
local fault = require "upweave.cli.fault"
local output = require "upweave.cli.output"
local progress = require "upweave.toolchain.progress"
local suggest = require "upweave.util.suggest"
local verbs = require "upweave.cli.verbs"

local M = {}

local USAGE <const> = 2

local function report(faults, json)
  progress.error((diagnostics.format(faults, { color = output.color }):gsub("\n$", "")))
  if json then
    local list = {}
    for index, item in ipairs(faults) do
      list[index] = { code = item.code, place = item.place, message = item.message,
        where = item.where, because = item.because, try = item.try, detail = item.detail }
    end
    output.json { ok = false, diagnostics = list }
  end
  return diagnostics.exit(faults)
end

local function find_verb(name)
  if name == "-h" or name == "--help" then name = "help" end
  if name == "--version" then name = "version" end
  local verb = verbs.load(name)
  if verb then return verb end
  local names = verbs.names()
  if name:sub(1, 1) == "-" then
    return nil, { diagnostics.new("E002", { option = name, reason = "a verb comes first",
      hint = "upweave VERB SPEC " .. name .. ", with VERB one of " .. table.concat(names, ", ") }) }
  end
  return nil, { diagnostics.new("E001", { verb = name, hint = suggest.hint(name, names) }) }
end

local function run(args)
  local verb, faults = find_verb(args[1])
  if not verb then return report(faults) end
  local options
  options, faults = arguments.parse(verb, table.move(args, 2, #args, 1, {}))
  if not options then return report(faults) end
  output.set_color(options.color)
  progress.set_level(options.quiet and 0 or options.verbose and 2 or 1)
  if options.help then
    output.write(arguments.help(verb))
    return 0
  end
  local code
  code, faults = verb.run(options)
  if faults then return report(faults, options.json) end
  return code or error("the verb " .. verb.name .. " gave no exit code")
end

---@param args string[]
---@return integer exit code
function M.main(args)
  if #args == 0 then
    io.stderr:write(verbs.overview())
    return USAGE
  end
  local ok, code = xpcall(run, fault.handler, args)
  if not ok then code = fault.report(code, args) end
  return output.finish(code)
end

return M
