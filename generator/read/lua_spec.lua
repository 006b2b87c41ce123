-- SPDX-License-Identifier: MIT
-- Specs in Lua.
--
-- Purpose: from the text of a Lua spec to raw kernels. The text is evaluated by read/sandbox.lua in
-- a child process under limits; here its answer is checked like any other foreign data.
-- Invariants: the child gets the source on standard input and never a path of the user; it has no
-- file to write; whatever it does, it is over within SECONDS.

local diagnostics = require "upweave.util.diagnostics"
local home = require "upweave.home"
local json = require "upweave.read.json"
local parameters = require "upweave.read.parameters"
local process = require "upweave.toolchain.process"
local uv = require "luv"

local M = {}

local MEMORY <const> = 160 << 20
-- The child may take one second of the processor; a machine that is busy takes longer to give it.
local SECONDS <const> = 20

local function command()
  return {
    "prlimit",
    "--as=" .. MEMORY,
    "--cpu=1",
    "--core=0",
    "--fsize=0",
    "--",
    uv.exepath(),
    "-E",
    home .. "/generator/read/sandbox.lua",
    home,
  }
end

-- What the child could not say itself.
local function fault_of_process(path, result)
  if result.fault then
    return diagnostics.new("E300", {
      program = "prlimit",
      reason = "it limits the process that evaluates a Lua spec: " .. result.fault,
      hint = "apt-get install util-linux, or a spec in JSON",
    })
  end
  local killed = result.timed_out or (result.signal or 0) ~= 0
  local reason = "more than one second of processor time"
  if not killed then
    reason = result.truncated and "it gives too much data" or "too much memory"
  end
  return diagnostics.new("E021", { where = path, reason = reason })
end

local function fault_of_spec(path, fault)
  fault.where = path .. (fault.line and ":" .. fault.line or "")
  return diagnostics.new(fault.code, fault)
end

local function lines_of(source)
  local lines = {}
  for line in (source .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- The line of a key: the first one from the kernel's to the next one's that sets such a key.
local function line_of_key(lines, key, from, to)
  local pattern = "%f[%w_]" .. tostring(key):gsub("%W", "%%%0") .. "%s*=[^=]"
  for i = from, to do
    if (lines[i] .. " "):find(pattern) then
      return i
    end
  end
  return from
end

local function last_line(entries, index, count)
  local from = entries[index].line
  for i = index + 1, #entries do
    if entries[i].line > from then
      return entries[i].line - 1
    end
  end
  return count
end

local function raw_kernel(path, lines, entries, index, load)
  local entry = entries[index]
  local fields = entry.fields
  local label = type(entry.name) == "string" and (' kernel "%s"'):format(entry.name) or " kernel"
  return {
    name = entry.name,
    load = load,
    fields = type(fields) == "table" and fields or { ["[1]"] = fields },
    where = function(parts)
      local line = entry.line
      if parts[1] then
        line = line_of_key(lines, parts[1], line, last_line(entries, index, #lines))
      end
      return path .. ":" .. line .. label
    end,
  }
end

--- Reads a Lua spec.
---@param path string for the places
---@param source string
---@return upweave.RawKernel[]? kernels
---@return upweave.Diagnostic[]? diagnostics
function M.read(path, source)
  local options = { input = source, seconds = SECONDS, limit = json.largest, env = {} }
  local result = process.run(command(), options)
  local answer = result.ok and not result.truncated and json.decode(result.stdout)
  if type(answer) ~= "table" then
    return nil, { fault_of_process(path, result) }
  elseif answer.fault then
    return nil, { fault_of_spec(path, answer.fault) }
  end
  local lines, kernels, load = lines_of(source), {}, parameters.loader(path)
  for i in ipairs(answer.kernels) do
    kernels[i] = raw_kernel(path, lines, answer.kernels, i, load)
  end
  local sweep = answer.sweep
  if sweep then
    kernels.sweep = { fields = sweep.fields, where = ("%s:%d sweep"):format(path, sweep.line) }
  end
  return kernels
end

return M
