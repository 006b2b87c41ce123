-- SPDX-License-Identifier: MIT
-- Linking for another machine than this one.
--
-- Purpose: the flags, and what is missing of linker and C library. Clang compiles for all machines;
-- it finds the library of another where Debian puts it, or where a --sysroot among the user's flags
-- says. Invariant: for this machine nothing is looked for.

local clang = require "upweave.toolchain.clang"
local diagnostics = require "upweave.util.diagnostics"
local host = require "upweave.toolchain.host"
local target = require "upweave.target"

local M = {}

local DEBIAN <const> = { aarch64 = "arm64" } -- where its name is not that of the machine
local START <const> = "crt1.o" -- of every C library for Linux

local function missing(program, reason, packages)
  return diagnostics.new("E300", { place = "--target", program = program, reason = reason,
    hint = "`make deps-check`, or apt-get install " .. packages })
end

--- What libraries and programs for a target need and this machine lacks.
---@param compiler upweave.Compiler
---@param record Target
---@return upweave.Diagnostic[]
function M.missing(compiler, record)
  local faults = {}
  if not host.foreign(record) then return faults end
  if not clang.linker(compiler) then
    faults[1] = missing("ld.lld", "this machine's own linker does not link for " .. record.arch,
      "lld-" .. compiler.major)
  end
  if not clang.finds(compiler, target.machine_flags(record), START) then
    local name = DEBIAN[record.arch] or record.arch
    faults[#faults + 1] = missing("the C library of " .. record.arch,
      ("%s does not find its %s"):format(compiler.command[1], START),
      ("libc6-dev-%s-cross libgcc-12-dev-%s-cross"):format(name, name))
  end
  return faults
end

local function add(list, ...)
  for _, part in ipairs { ... } do table.move(part, 1, #part, #list + 1, list) end
  return list
end

local function linker(compiler)
  return { "--ld-path=" .. clang.linker(compiler) }
end

--- Flags that link a shared library of a target's objects.
---@param compiler upweave.Compiler
---@param record Target
---@return string[]
function M.library_flags(compiler, record)
  if not host.foreign(record) then return {} end
  return add(target.machine_flags(record), compiler.cflags, linker(compiler))
end

--- Flags that link a program. That of another machine is static: it has no dynamic linker here.
---@param compiler upweave.Compiler
---@param record Target
---@return string[]
function M.program_flags(compiler, record)
  local flags = add({}, record.flags, compiler.cflags)
  if not host.foreign(record) then return flags end
  return add(flags, linker(compiler), { "-static" })
end

return M
