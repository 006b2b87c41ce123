-- SPDX-License-Identifier: MIT
-- What the verbs that make C or run a compiler have in common.
--
-- Purpose: from problems to C, and from options to compiler and cache. Invariant: functions give a
-- result, or nil and diagnostics.

local build = require "upweave.toolchain.build"
local clang = require "upweave.toolchain.clang"
local context = require "upweave.cli.context"
local cross = require "upweave.toolchain.cross"
local driver = require "upweave.driver"
local fault = require "upweave.cli.fault"
local harness = require "upweave.toolchain.harness"
local ordered = require "upweave.util.ordered"
local progress = require "upweave.toolchain.progress"
local types = require "upweave.ir.types"
local winners = require "upweave.cli.winners"

local M = {}

---@return upweave.Compiler|nil compiler
---@return upweave.Diagnostic[]? faults
function M.compiler(options)
  local compiler, faults = clang.find { cc = options.cc, cflags = options.cflags,
    seconds = options.compile_seconds, jobs = options.jobs }
  if not compiler then return nil, faults end
  progress.detail("compiler: " .. compiler.id)
  return compiler
end

--- Compiler and cache, and whatever the targets need beside them.
---@param options table
---@param records Target[]
---@return {compiler: upweave.Compiler, store: upweave.Cache}|nil
---@return upweave.Diagnostic[]? faults
function M.toolchain(options, records)
  local compiler, faults = M.compiler(options)
  if not compiler then return nil, faults end
  faults = cross.missing(compiler, records[1])
  if #faults > 0 then return nil, faults end
  local store
  store, faults = build.open_cache()
  if not store then return nil, faults end
  progress.detail("cache: " .. store.root)
  return { compiler = compiler, store = store }
end

--- The numbers of a kernel's baked parameters, by name; nil if they are its arguments.
---@param document upweave.Document
---@param index integer
---@return table<string, number[]>?
function M.baked(document, index)
  local baked = document.baked and document.baked[index]
  if not baked then return nil end
  local numbers = {}
  for name, parameter in ordered.pairs(baked) do
    numbers[name] = types.numbers(parameter.dtype, parameter.bytes)
  end
  return numbers
end

--- The C of every kernel: driver.library for each, all faults together.
---@param document {kernels: table[]}
---@param records Target[] of one machine
---@param options {single: boolean?, winners: upweave.Winners?, apart: boolean?}
---@return table[]|nil libraries {problem, files, units, baked}
---@return upweave.Diagnostic[]? faults
function M.generate(document, records, options)
  local names, libraries, faults = {}, {}, {}
  for index, record in ipairs(records) do names[index] = record.name end
  local line = progress.new("generate", #document.kernels)
  for index, problem in ipairs(document.kernels) do
    progress.show(line, problem.name)
    fault.about(problem.name, table.concat(names, ", "))
    local library, trouble = driver.library(problem,
      { targets = records, single = options.single, winners = options.winners,
        baked = M.baked(document, index), apart = options.apart })
    if library then
      winners.report(library.results)
      library.problem = problem
      library.baked = document.baked and document.baked[index]
      libraries[index] = library
    else
      table.move(trouble, 1, #trouble, #faults + 1, faults)
    end
    line.done = index
  end
  progress.clear()
  if #faults > 0 then return nil, faults end
  return libraries
end

--- The start of every verb that compiles and measures: targets, problems, compiler and cache.
---@param options table
---@param verb string
---@return {targets: Target[], document: table, tools: table}|nil
---@return upweave.Diagnostic[]? faults
function M.start(options, verb)
  local targets, faults = context.runnable_targets(options)
  if not targets then return nil, faults end
  local document, tools
  document, faults = context.document(options, verb)
  if not document then return nil, faults end
  tools, faults = M.toolchain(options, targets)
  if not tools then return nil, faults end
  return { targets = targets, document = document, tools = tools }
end

--- The same with what the tuning database recommends.
---@param options table
---@param verb string
---@return {targets: Target[], document: table, tools: table, winners: upweave.Winners?}|nil
---@return upweave.Diagnostic[]? faults
function M.begin(options, verb)
  local work, faults = M.start(options, verb)
  if not work then return nil, faults end
  work.winners, faults = winners.open(options, work.document, work.targets[1])
  if faults then return nil, faults end
  return work
end

--- The harness program of all kernels for one target.
---@return string|nil path
---@return upweave.Diagnostic[]? faults
function M.harness(work, target)
  local libraries, faults = M.generate(work.document, { target }, work)
  if not libraries then return nil, faults end
  return harness.build(work.tools, libraries, target)
end

return M
