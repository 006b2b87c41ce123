-- SPDX-License-Identifier: MIT
-- Generated kernels as compilations.
--
-- Purpose: from the libraries that the driver gives to objects, and what was measured on the way
-- into their JSON. Invariant: a kernel is compiled from its own files and nothing else.

local build = require "upweave.toolchain.build"
local clang = require "upweave.toolchain.clang"
local json = require "upweave.util.json"

local M = {}

-- What the compiler reads: C, headers, baked weights.
local function plain_files(library)
  local list = {}
  for _, file in ipairs(library.files) do
    if file.name:find("%.[ch]$") or file.name:find("%.weights$") then list[#list + 1] = file end
  end
  return list
end

---@class upweave.CompiledKernel
---@field library table
---@field members {name: string, object: upweave.Object}[]

--- Compile all units of all libraries.
---@param tools {compiler: upweave.Compiler, store: upweave.Cache}
---@param libraries table[] from driver.library, with their problem
---@return upweave.CompiledKernel[]|nil
---@return upweave.Diagnostic[]? faults
function M.compile(tools, libraries)
  local list, owners = {}, {}
  for _, library in ipairs(libraries) do
    local texts = plain_files(library)
    for _, unit in ipairs(library.units) do
      list[#list + 1] = { name = unit.source, source = unit.source, files = texts,
        flags = clang.compile_flags(tools.compiler, unit.flags) }
      owners[#owners + 1] = library
    end
  end
  local objects, faults = build.objects(tools.store, tools.compiler, list)
  if not objects then return nil, faults end
  local compiled = {}
  for index, object in ipairs(objects) do
    local last = compiled[#compiled]
    if not last or last.library ~= owners[index] then
      last = { library = owners[index], members = {} }
      compiled[#compiled + 1] = last
    end
    table.insert(last.members, { name = build.object_name(list[index].source), object = object })
  end
  return compiled
end

-- Put a value where the generator left null.
local function fill(text, key, value)
  return (text:gsub('("' .. key .. '"%s*:%s*)null', function(head)
    return head .. json.encode(value)
  end, 1))
end

---@class upweave.Measures
---@field name string
---@field code_bytes integer
---@field constant_bytes integer tables and strings, which are not code
---@field compile_seconds number

--- What compiling a kernel showed, summed over its variants.
---@param kernel upweave.CompiledKernel
---@return upweave.Measures
function M.measures(kernel)
  local code, constants, seconds = 0, 0, 0
  for _, member in ipairs(kernel.members) do
    code = code + member.object.code
    constants = constants + member.object.constants
    seconds = seconds + member.object.seconds
  end
  return { name = kernel.library.problem.name, code_bytes = code, constant_bytes = constants,
    compile_seconds = math.floor(seconds * 1000 + 0.5) / 1000 }
end

--- The kernel's files, with what only a compiler knows in the JSON.
---@param kernel upweave.CompiledKernel
---@param compiler upweave.Compiler
---@param verification table<string, any>? result by kernel name
---@return upweave.OutputFile[]
function M.with_measures(kernel, compiler, verification)
  local list, measures = {}, M.measures(kernel)
  for index, file in ipairs(kernel.library.files) do
    local text = file.text
    if file.name:find("%.json$") then
      text = fill(text, "code_bytes", measures.code_bytes)
      text = fill(text, "compile_seconds", measures.compile_seconds)
      text = fill(text, "compiler", compiler.id)
      local verified = verification and verification[measures.name]
      if verified then text = fill(text, "verification", verified) end
    end
    list[index] = { name = file.name, text = text }
  end
  return list
end

return M
