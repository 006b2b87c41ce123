-- SPDX-License-Identifier: MIT
-- The test and bench program around generated kernels.
--
-- Purpose: renders templates/harness.c for a set of kernels, builds it with the reference and the
-- runtime for one target, runs it and reads its JSON lines. Invariants: runtime, reference and
-- harness are compiled once for each target and compiler, through the cache; the program runs from
-- the cache, its arguments are a list.

local build = require "upweave.toolchain.build"
local cross = require "upweave.toolchain.cross"
local dkjson = require "dkjson"
local files = require "upweave.toolchain.files"
local home = require "upweave.home"
local host = require "upweave.toolchain.host"
local ops = require "upweave.ops"
local process = require "upweave.toolchain.process"
local progress = require "upweave.toolchain.progress"
local template = require "upweave.emit.template"
local units = require "upweave.toolchain.units"

local M = {}

local HEADERS <const> = {
  "include/upweave/kernel.h", "include/upweave/runtime.h", "reference/reference.h",
  "reference/axis.h", "reference/dtype.h", "reference/arithmetic.h",
  "reference/generic_element.h", "reference/generic_half.h", "reference/contract.h",
  "reference/generic_contract_element.h", "harness/harness.h", "harness/internal.h",
  "harness/faults.h", "harness/subject.h",
}
-- What is timed beside the kernels has the target's flags; the rest is the same for all targets of
-- a machine, and compiled once.
local TIMED <const> = {
  "reference/axis.c", "reference/table.c", "reference/torch.c", "reference/onnx.c",
  "reference/paddle.c", "reference/tflite.c", "reference/exact.c", "reference/dtype.c",
  "reference/generic.c", "reference/generic_contract.c", "harness/probe.c",
}
local SHARED <const> = {
  "src/npy.c", "src/status.c", "src/parallel.c", "reference/interpolate.c",
  "reference/contract.c", "reference/contract_choose.c", "reference/contract_post.c",
  "harness/main.c", "harness/verify.c", "harness/subject.c", "harness/compare.c",
  "harness/faults.c", "harness/bench.c", "harness/run.c", "harness/pool.c", "harness/memory.c",
  "harness/data.c", "harness/json.c",
}
-- The programs: what their frame calls, and what each has beside the rest.
local HARNESS <const> = { name = "harness", main = "upw_harness_main", headers = {}, sources = {} }
local TUNER <const> = { name = "tuner", main = "upw_tuner_main", headers = { "tuner/tuner.h" },
  sources = { "tuner/main.c", "tuner/problem.c", "tuner/timing.c" } }
local INCLUDES <const> = { "-Iruntime/include", "-Iruntime/reference", "-Iruntime/harness" }

-- The reference must round as written; the optimiser may do to ordinary C what it always does, so
-- that "times faster than the generic C" means generic C at its best.
local RUNTIME_FLAGS <const> = { "-std=c11", "-O3", "-ffp-contract=off", "-Wall", "-Wextra",
  "-Wpedantic", "-Wconversion", "-Wshadow", "-fPIC", "-D_GNU_SOURCE" }
local LIBRARIES <const> = { "-lpthread", "-lm" }
local LINE_LIMIT <const> = 1 << 14 -- most bytes of output for each kernel
local LAST_WORDS <const> = 2000

local function read_runtime(names)
  local list = {}
  for index, name in ipairs(names) do
    local text, reason = files.read(home .. "/runtime/" .. name)
    if not text then
      error(string.format("the installation in %s is not whole: %s", home, reason))
    end
    list[index] = { name = "runtime/" .. name, text = text }
  end
  return list
end

local function join(...)
  local list = {}
  for _, part in ipairs { ... } do table.move(part, 1, #part, #list + 1, list) end
  return list
end

-- Flags that choose a machine must reach every object; those that only choose among the processors
-- of this one need not.
local function flags_for_all(target)
  return target.arch == host.describe().arch and {} or target.flags
end

local function runtime_units(compiler, target, headers, program)
  local list = {}
  local function add(sources, machine, known)
    local flags = join(RUNTIME_FLAGS, INCLUDES, machine, compiler.cflags)
    for _, source in ipairs(read_runtime(sources)) do
      list[#list + 1] = { name = source.name, source = source.name, flags = flags,
        files = join(known, { source }) }
    end
  end
  add(TIMED, target.flags, headers)
  add(SHARED, flags_for_all(target), headers)
  add(program.sources, flags_for_all(target), join(headers, read_runtime(program.headers)))
  return list
end

--- What a library's kernels round together, the most of its targets: outputs along each spatial
--- axis, and the factor of the bound where it is not that of the class.
local function rounding_of(library)
  local tile, factor = { 1, 1, 1 }, 0
  for _, result in ipairs(library.results or {}) do
    local algorithm = result.ir.algorithm
    for axis, length in ipairs(algorithm and algorithm.tile or {}) do
      tile[axis] = math.max(tile[axis], length)
    end
    factor = math.max(factor, algorithm and algorithm.factor or 0)
  end
  return "{" .. table.concat(tile, ", ") .. "}", factor
end

-- The parameters that a kernel was made with, in the order of the reference, and their files.
local function baked_of(library, texts)
  local list, name = {}, library.problem.name
  for _, tensor in ipairs(library.baked and ops.find(library.problem.op).tensors(library.problem)
    or {}) do
    if tensor.role == "parameter" then
      local symbol = ("upw_baked_%s_%s"):format(name, tensor.name)
      list[#list + 1] = { symbol = symbol, file = symbol .. ".bin" }
      texts[#texts + 1] = { name = symbol .. ".bin", text = library.baked[tensor.name].bytes }
    end
  end
  return list
end

-- Bytes of the parameters in the kernel.
local function packed_bytes_of(library)
  local bytes = 0
  for _, file in ipairs(library.files) do
    if file.name:find("%.weights$") then bytes = math.max(bytes, #file.text) end
  end
  return bytes
end

--- The program's table of kernels, rendered. A library without files is loaded by the program.
local function frame(libraries, headers, compiler, target, main)
  local cases, texts = {}, {}
  for index, library in ipairs(libraries) do
    local problem = library.problem
    local op = ops.find(problem.op)
    local reference = op.reference(problem)
    local tile, factor = rounding_of(library)
    cases[index] = { name = problem.name, op = op.name,
      header = library.files[1] and problem.name .. ".h",
      reference = reference, generic = (reference.func:gsub("_ref_", "_generic_", 1)),
      flops = op.plan(problem).limit_flops, tile = tile, factor = factor,
      baked = baked_of(library, texts), packed_bytes = packed_bytes_of(library) }
    for _, file in ipairs(library.files) do
      if file.name:find("%.h$") then texts[#texts + 1] = file end
    end
  end
  local source = { name = "main.c", text = template.render("harness.c",
    { cases = cases, main = main }) }
  local flags = join(RUNTIME_FLAGS, INCLUDES, { "-I." }, flags_for_all(target), compiler.cflags)
  return { name = "harness", source = source.name, flags = flags,
    files = join(headers, texts, { source }) }
end

local function members_of(list, objects)
  local members = {}
  for index, unit in ipairs(list) do
    members[index] = { name = string.format("%03d-%s", index, build.object_name(unit.source)),
      object = objects[index] }
  end
  return members
end

local function link(tools, libraries, target, program)
  local compiled, faults = units.compile(tools, libraries)
  if not compiled then return nil, faults end
  local headers = read_runtime(HEADERS)
  local list = runtime_units(tools.compiler, target, headers, program)
  list[#list + 1] = frame(libraries, headers, tools.compiler, target, program.main)
  local objects
  objects, faults = build.objects(tools.store, tools.compiler, list)
  if not objects then return nil, faults end
  local members = members_of(list, objects)
  for _, kernel in ipairs(compiled) do members = join(members, kernel.members) end
  local linked
  linked, faults = build.link(tools.store, tools.compiler, { name = program.name, kind = "program",
    members = members, flags = cross.program_flags(tools.compiler, target),
    libraries = LIBRARIES })
  if not linked then return nil, faults end
  return linked.path, nil, compiled
end

--- Build the test and bench program for libraries of one target.
---@param tools {compiler: upweave.Compiler, store: upweave.Cache}
---@param libraries table[]
---@param target Target
---@return string|nil path
---@return upweave.Diagnostic[]? faults
function M.build(tools, libraries, target)
  return link(tools, libraries, target, HARNESS)
end

--- Build the program that loads and times candidates for these problems.
---@param tools {compiler: upweave.Compiler, store: upweave.Cache}
---@param problems table[]
---@param target Target
---@return string|nil path
---@return upweave.Diagnostic[]? faults
function M.build_tuner(tools, problems, target)
  local libraries = {}
  for index, problem in ipairs(problems) do
    libraries[index] = { problem = problem, files = {}, units = {} }
  end
  return link(tools, libraries, target, TUNER)
end

local function parse_lines(text)
  local records = {}
  for line in text:gmatch("[^\n]+") do
    local record = dkjson.decode(line, 1, nil, nil)
    if type(record) == "table" and type(record.kernel) == "string" then
      records[#records + 1] = record
    end
  end
  return records
end

---@class upweave.HarnessRun
---@field runner string[]?
---@field seconds number
---@field what string
---@field total integer kernels, for the line of progress

--- Run the program.
---@param binary string
---@param arguments string[]
---@param run upweave.HarnessRun
---@return table[] records its JSON lines
---@return string ended how, in words
---@return upweave.ProcessResult
function M.run(binary, arguments, run)
  local command = join(run.runner or {}, { binary }, arguments)
  local line = progress.new(run.what, run.total)
  progress.show(line)
  local limits = { limit = LINE_LIMIT * (run.total + 1), bounded = true, seconds = run.seconds }
  local result = process.run(command, limits, function(child)
    line.done = process.lines(child)
    progress.show(line)
  end)
  progress.clear()
  local ended = process.describe(result)
  local words = result.stderr:sub(-LAST_WORDS):gsub("%s+$", "")
  if words ~= "" then
    progress.detail(words)
    ended = ended .. ": " .. words:match("[^\n]*$")
  end
  return parse_lines(result.stdout), ended, result
end

--- A number of the program's, which writes what JSON lacks as a string.
---@param value number|string|nil
---@return string
function M.number(value)
  if type(value) ~= "number" then return tostring(value) end
  if math.type(value) == "integer" or value == math.floor(value) and math.abs(value) < 1e15 then
    return string.format("%d", math.tointeger(value))
  end
  return string.format("%.9g", value)
end


return M
