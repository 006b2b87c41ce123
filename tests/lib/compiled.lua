-- SPDX-License-Identifier: MIT
-- Compiled kernels in tests: compilers, the tests' build cache, many kernels in one program that
-- reads and writes .npy files.
--
-- Invariants: everything goes through the build cache, so a second run of a test compiles nothing;
-- kernels are named k001, k002 …, by their place in the list.

local cache = require "upweave.toolchain.cache"
local clang = require "upweave.toolchain.clang"
local command = dofile "tests/lib/command.lua"
local diagnostics = require "upweave.util.diagnostics"
local driver = require "upweave.driver"
local dtypes = dofile "tests/lib/dtypes.lua"
local files = require "upweave.toolchain.files"
local harness = require "upweave.toolchain.harness"
local host = require "upweave.toolchain.host"
local jobs = require "upweave.toolchain.jobs"
local process = require "upweave.toolchain.process"
local progress = require "upweave.toolchain.progress"
local targets = require "upweave.target"

progress.set_level(0)

local M = { command = command }

--- A Clang by its major version, or nil.
---@param major integer
---@param cflags string[]?
function M.compiler(major, cflags)
  local name = "clang-" .. major
  if not clang.which(name) then return nil end
  return clang.find { cc = name, cflags = cflags, seconds = 300 }
end

--- The newest Clang there is.
function M.any_compiler(cflags)
  return M.compiler(19, cflags) or clang.find { cflags = cflags, seconds = 300 }
end

--- The cache that all tests share.
function M.store() return assert(cache.open(command.cache)) end

--- Targets that this machine runs, least capable first.
---@return Target[]
function M.runnable()
  local list = {}
  for _, target in ipairs(targets.list()) do
    if #host.lacks(target) == 0 then list[#list + 1] = target end
  end
  return list
end

--- Diagnostics as an error.
function M.must(value, faults)
  if not value then
    error(type(faults) == "table" and diagnostics.format(faults) or tostring(faults), 2)
  end
  return value
end

--- The kernels of the bench without what is not built; by name.
function M.workloads()
  local spec = require "upweave.read"
  local document = assert(M.must(spec.file("bench/workloads.json", { only = { "u*" } })))
  return document.kernels
end

---@param problem table
---@param number integer
function M.name(problem, number)
  problem.name = ("k%03d"):format(number)
  return problem.name
end

--- A program of kernels (problems with names and schedules) for one target.
---@return string path
function M.program(problems, target, compiler)
  local libraries = {}
  for i, problem in ipairs(problems) do
    libraries[i] = M.must(driver.library(problem, { targets = { target } }))
    libraries[i].problem = problem
  end
  return M.must(harness.build({ compiler = compiler, store = M.store() }, libraries, target))
end

-- npy ---------------------------------------------------------------------------------------------

--- The elements of an .npy file of ours, 0-based.
local function elements(path, dtype)
  local bytes, element = M.must(files.read(path)), dtypes.of[dtype]
  local at, out = 11 + string.unpack("<I2", bytes, 9), {}
  for i = 0, (#bytes - at + 1) // element.bytes - 1 do
    out[i] = element.unpack(bytes, at + element.bytes * i)
  end
  return out
end

--- Run a program of kernels: inputs[i] is the list of x of problems[i]; gives the y, 0-based.
--- `runner` is the emulator's command, if one is needed.
---@return table[]
function M.run(binary, problems, inputs, runner)
  local folder = command.folder()
  for i, problem in ipairs(problems) do
    command.write(("%s/%s.x.npy"):format(folder, problem.name),
      command.npy(problem.x.shape, inputs[i], problem.x.dtype))
  end
  local records, ended = harness.run(binary, { "run", "--data", folder },
    { runner = runner, seconds = 120, what = "run", total = #problems })
  local outputs = {}
  for i, problem in ipairs(problems) do
    local record = records[i]
    if not (record and record.ok) then
      error(("%s: %s %s"):format(problem.name, record and record.reason or "no answer", ended))
    end
    outputs[i] = elements(("%s/%s.y.npy"):format(folder, problem.name), problem.y.dtype)
  end
  return outputs
end

-- compilations without a program ------------------------------------------------------------------

local function unit_key(compiler, unit)
  local parts = { "test", compiler.id, table.concat(unit.flags, "\0"), unit.source }
  for _, file in ipairs(unit.files) do
    parts[#parts + 1] = file.name
    parts[#parts + 1] = file.text
  end
  return cache.key(parts)
end

local function job_of(compiler, unit, key, folder)
  assert(files.make_folder(folder))
  for _, file in ipairs(unit.files) do
    assert(files.write_private(folder .. "/" .. file.name, file.text))
  end
  return {
    name = unit.name, key = key, folder = folder,
    command = clang.object(compiler, unit.flags, unit.source, "object.o"),
    options = clang.run_options(compiler, folder),
  }
end

-- What a finished job gave; kept in the cache unless it failed.
local function outcome(store, job, result)
  if not result then return { ok = false, stderr = "not started" } end
  local object = result.ok and files.read(job.folder .. "/object.o") or nil
  if object then
    cache.put(store, job.key, {
      { name = "object", text = object }, { name = "stderr", text = result.stderr },
    })
  end
  return { ok = object ~= nil, object = object, stderr = result.stderr .. (result.fault or "") }
end

--- Compile a list of { name, files, source, flags } side by side, through the cache; every one is
--- tried, whether others fail or not.  With -S among its flags a unit's object is assembly.
---@return { ok: boolean, stderr: string, object: string? }[]
function M.compile(compiler, list)
  local store, results, missing = M.store(), {}, {}
  local work, release = cache.work(store)
  for i, unit in ipairs(list) do
    local key = unit_key(compiler, unit)
    local entry = cache.get(store, key)
    if entry then
      results[i] = { ok = true, stderr = entry.files.stderr, object = entry.files.object }
    else
      missing[#missing + 1] = job_of(compiler, unit, key, ("%s/%d"):format(work, i))
      missing[#missing].index = i
    end
  end
  -- a list of jobs ends at the first failure: batches as wide as the machine
  for from = 1, #missing, jobs.cpus() do
    local batch = table.move(missing, from, math.min(from + jobs.cpus() - 1, #missing), 1, {})
    for k, result in ipairs((jobs.run(batch, { what = "compile" }))) do
      results[batch[k].index] = outcome(store, batch[k], result)
    end
  end
  release()
  return results
end

M.process = process

return M
