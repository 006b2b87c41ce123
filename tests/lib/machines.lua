-- SPDX-License-Identifier: MIT
-- Machines on which tests run kernels: this one, and others in an emulator.
--
-- Invariant: what cannot be used here is listed with the reason, for the SKIP that a test prints.

local clang = require "upweave.toolchain.clang"
local cross = require "upweave.toolchain.cross"
local host = require "upweave.toolchain.host"
local targets = require "upweave.target"
local words = require "upweave.toolchain.words"

local M = {}

---@class tests.Machine
---@field arch string
---@field targets Target[] all of it, generic for it among them
---@field runs Target[] those that can be run, least capable first
---@field runner string[]
---@field lacks string? why nothing can be built or run

-- Targets of a machine, generic compiled for it.
local function of(arch)
  local list = {}
  for _, target in ipairs(targets.list()) do
    if target.arch == "any" or target.arch == arch then list[#list + 1] = target end
  end
  return assert(targets.together(list))
end

--- This machine.
---@return tests.Machine
function M.here()
  local arch = host.describe().arch
  local machine = { arch = arch, targets = of(arch), runs = {}, runner = {} }
  for _, target in ipairs(machine.targets) do
    if #host.lacks(target) == 0 then machine.runs[#machine.runs + 1] = target end
  end
  return machine
end

local function lacking(compiler, target, runner)
  local missing = cross.missing(compiler, target)[1]
  if missing then return missing.message end
  if not clang.which(runner[1]) then return runner[1] .. " is not installed" end
end

--- Other machines that have an emulator.
---@param compiler upweave.Compiler
---@return tests.Machine[]
function M.others(compiler)
  local list, seen = {}, {}
  for _, target in ipairs(targets.list()) do
    if target.emulator and host.foreign(target) and not seen[target.arch] then
      seen[target.arch] = true
      local runner, all = words.split(target.emulator), of(target.arch)
      list[#list + 1] = { arch = target.arch, targets = all, runs = all, runner = runner,
        lacks = lacking(compiler, target, runner) }
    end
  end
  return list
end

return M
