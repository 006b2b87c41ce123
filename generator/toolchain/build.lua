-- SPDX-License-Identifier: MIT
-- From C to objects and libraries.
--
-- Purpose: compiles the units of many kernels on all CPUs through the cache, and links them.
-- Invariants: a compiler sees only a private folder with the kernel's own files, never a name or
-- a path from a user; what is compiled twice is identical to what was compiled once, so anything
-- may come from the cache; objects hold no path and no time.

local cache = require "upweave.toolchain.cache"
local clang = require "upweave.toolchain.clang"
local diagnostics = require "upweave.util.diagnostics"
local elf = require "upweave.toolchain.elf"
local files = require "upweave.toolchain.files"
local jobs = require "upweave.toolchain.jobs"
local process = require "upweave.toolchain.process"
local progress = require "upweave.toolchain.progress"
local sha256 = require "upweave.util.sha256"

local M = {}

---@class upweave.Unit one compilation
---@field name string for the progress line
---@field source string name of the file to compile
---@field files upweave.OutputFile[] everything the compilation reads, the source included
---@field flags string[] all flags

---@class upweave.Object
---@field bytes string
---@field code integer bytes of machine code
---@field constants integer bytes of constants
---@field seconds number compile time (also if it came from the cache)
---@field warnings string what the compiler said
---@field key string
---@field cached boolean

local function cache_fault(store, reason)
  return { diagnostics.new("E701", { store = "build cache", reason = reason,
    place = store and store.root or cache.default_root(),
    hint = "UPWEAVE_CACHE=FOLDER, a folder of yours; its contents may be deleted at any time" }) }
end

--- Open the build cache.
---@return upweave.Cache|nil
---@return upweave.Diagnostic[]? faults
function M.open_cache()
  local store, reason = cache.open()
  if not store then return nil, cache_fault(nil, reason) end
  return store
end

-- The hash of a file, which many units may read: weights have megabytes.
local function digest(file)
  file.sha256 = file.sha256 or sha256.hex(file.text)
  return file.sha256
end

local function unit_key(compiler, unit)
  local parts = { "object", compiler.id, table.concat(compiler.command, "\0"),
    table.concat(unit.flags, "\0"), unit.source }
  for _, file in ipairs(unit.files) do
    parts[#parts + 1] = file.name
    parts[#parts + 1] = digest(file)
  end
  return cache.key(parts)
end

local function object_name(source)
  return (source:gsub("%.c$", "") .. ".o"):match("[^/]*$")
end

local function from_entry(entry, key, cached)
  local info = entry.files["info"] or ""
  local seconds, code, constants = info:match("^(%S+) (%d+) (%d+)\n$")
  return {
    bytes = entry.files["object.o"], warnings = entry.files["warnings"], key = key,
    seconds = tonumber(seconds), code = math.tointeger(tonumber(code)),
    constants = math.tointeger(tonumber(constants)), cached = cached,
  }
end

local function keep(store, key, folder, result)
  local bytes, reason = files.read(folder .. "/object.o")
  if not bytes then return nil, cache_fault(store, reason) end
  local code, constants = elf.sizes(bytes)
  local info = string.format("%.3f %d %d\n", result.seconds, code or 0, constants or 0)
  local entry, fault = cache.put(store, key, {
    { name = "object.o", text = bytes }, { name = "info", text = info },
    { name = "warnings", text = result.stderr },
  })
  if not entry then return nil, cache_fault(store, fault) end
  return from_entry(entry, key, false)
end

--- Lay out what a unit reads; the folder of a name such as "src/npy.c" is made.
local function lay_out(folder, unit)
  for _, file in ipairs(unit.files) do
    local above = file.name:match("^(.*)/[^/]*$")
    local ok, reason = files.make_folder(above and folder .. "/" .. above or folder)
    if ok then ok, reason = files.write_private(folder .. "/" .. file.name, file.text) end
    if not ok then return nil, reason end
  end
  return true
end

--- The jobs for what the cache lacks. Equal units are compiled once.
local function missing(store, compiler, units, objects, work)
  local list, seen = {}, {}
  for index, unit in ipairs(units) do
    local key = unit_key(compiler, unit)
    unit.key = key
    local entry = not seen[key] and cache.get(store, key)
    if entry then
      objects[index] = from_entry(entry, key, true)
    elseif not seen[key] then
      seen[key] = true
      local folder = work .. "/" .. index
      local ok, reason = lay_out(folder, unit)
      if not ok then return nil, cache_fault(store, reason) end
      list[#list + 1] = { name = unit.name, key = key, folder = folder, index = index,
        command = clang.object(compiler, unit.flags, unit.source, "object.o"),
        options = clang.run_options(compiler, folder) }
    end
  end
  return list
end

local function failures(list, results)
  local faults = {}
  for index, result in ipairs(results) do
    if result and not result.ok then
      local fault = clang.failure(list[index].command, result)
      fault.place = list[index].name
      faults[#faults + 1] = fault
    end
  end
  return faults
end

local function compile(store, compiler, units, objects, work)
  local list, faults = missing(store, compiler, units, objects, work)
  if not list then return nil, faults end
  local results, ok = jobs.run(list, { what = "compile", parallel = compiler.jobs })
  if not ok then return nil, failures(list, results) end
  local made = {}
  for index, job in ipairs(list) do
    made[job.key], faults = keep(store, job.key, job.folder, results[index])
    if not made[job.key] then return nil, faults end
  end
  for index, unit in ipairs(units) do objects[index] = objects[index] or made[unit.key] end
  return objects
end

--- Compile units, in parallel, what is known from the cache.
---@param store upweave.Cache
---@param compiler upweave.Compiler
---@param units upweave.Unit[]
---@return upweave.Object[]|nil objects
---@return upweave.Diagnostic[]? faults
function M.objects(store, compiler, units)
  local work, release = cache.work(store)
  local objects, faults = compile(store, compiler, units, {}, work)
  release()
  if not objects then return nil, faults end
  for index, object in ipairs(objects) do
    if object.warnings ~= "" then
      progress.note(units[index].name .. ": the compiler warns:\n" .. object.warnings)
    end
  end
  return objects
end

---@class upweave.Link
---@field name string file name of the result
---@field kind "archive"|"shared"|"program"
---@field members {name: string, object: upweave.Object}[] in order
---@field flags string[] flags of the link step
---@field libraries string[]

local function link_command(compiler, link, names)
  if link.kind == "archive" then
    local archiver = clang.archiver(compiler)
    return archiver and clang.archive(archiver, names, link.name)
  elseif link.kind == "shared" then
    return clang.shared(compiler, link.flags, names, link.name)
  end
  return clang.program(compiler, link.flags, names, link.libraries, link.name)
end

local function link_key(compiler, link)
  local parts = { "link", compiler.id, table.concat(compiler.command, "\0"), link.kind, link.name,
    table.concat(link.flags, "\0"), table.concat(link.libraries, "\0") }
  for _, member in ipairs(link.members) do
    parts[#parts + 1] = member.name
    parts[#parts + 1] = member.object.key
  end
  return cache.key(parts)
end

local function link_in(folder, store, compiler, link, key)
  local names = {}
  for index, member in ipairs(link.members) do
    names[index] = member.name
    local ok, reason = files.write_private(folder .. "/" .. member.name, member.object.bytes)
    if not ok then return nil, cache_fault(store, reason) end
  end
  local command = link_command(compiler, link, names)
  if not command then
    return nil, { diagnostics.new("E300", { program = "llvm-ar or ar", reason = "a static library"
      .. " needs an archiver", hint = "apt-get install llvm-" .. compiler.major }) }
  end
  local result = process.run(command, clang.run_options(compiler, folder))
  if not result.ok then return nil, { clang.failure(command, result) } end
  local bytes, reason = files.read(folder .. "/" .. link.name)
  local entry = bytes
  if bytes then entry, reason = cache.put(store, key, { { name = link.name, text = bytes } }) end
  if not entry then return nil, cache_fault(store, reason) end
  return entry
end

--- Link objects into an archive, a shared library or a program.
---@param store upweave.Cache
---@param compiler upweave.Compiler
---@param link upweave.Link
---@return {path: string, bytes: string}|nil
---@return upweave.Diagnostic[]? faults
function M.link(store, compiler, link)
  local key = link_key(compiler, link)
  local entry, faults = cache.get(store, key), nil
  if not entry then
    local folder, release = cache.work(store)
    entry, faults = link_in(folder, store, compiler, link, key)
    release()
  end
  if not entry then return nil, faults end
  return { path = entry.folder .. "/" .. link.name, bytes = entry.files[link.name] }
end

local function assemble_in(folder, store, compiler, library, flags)
  local source = library.units[1].source
  local ok, reason = lay_out(folder, { files = library.files })
  if not ok then return nil, cache_fault(store, reason) end
  local command = clang.assembly(compiler, flags, source, "out.s")
  local result = process.run(command, clang.run_options(compiler, folder))
  if not result.ok then return nil, { clang.failure(command, result) } end
  local text, fault = files.read(folder .. "/out.s")
  if not text then return nil, cache_fault(store, fault) end
  return text
end

--- The assembly text of a kernel for one target.
---@param store upweave.Cache
---@param compiler upweave.Compiler
---@param library table
---@return string|nil
---@return upweave.Diagnostic[]? faults
function M.assembly(store, compiler, library)
  local folder, release = cache.work(store)
  local flags = clang.compile_flags(compiler, library.units[1].flags)
  local text, faults = assemble_in(folder .. "/asm", store, compiler, library, flags)
  release()
  return text, faults
end

--- The name of the object that a source becomes.
M.object_name = object_name

return M
