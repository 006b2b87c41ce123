-- SPDX-License-Identifier: MIT
-- The machine we run on.
--
-- Purpose: what the processor can do, and which target that means. Invariant: only /proc/cpuinfo,
-- /sys and uname are asked; a machine without them is a generic one. x86 lists `flags` there, Arm
-- `Features`, RISC-V an `isa` of letters, then of names: rv64imafdcv_zicsr.

local clang = require "upweave.toolchain.clang"
local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local target = require "upweave.target"
local uv = require "luv"
local words = require "upweave.toolchain.words"

local M = {}

---@class upweave.Host
---@field arch string
---@field model string
---@field cpus integer
---@field features table<string, true>

--- The features that a text of /proc/cpuinfo lists.
---@param text string
---@return table<string, true>
function M.features(text)
  local features = {}
  local line = text:match("\nflags%s*:([^\n]*)") or text:match("\nFeatures%s*:([^\n]*)") or ""
  for feature in line:gmatch("%S+") do features[feature] = true end
  local letters, names = text:match("\nisa%s*:%s*rv64(%l*)([^\n]*)")
  for letter in (letters or ""):gmatch("%l") do features[letter] = true end
  for name in (names or ""):gmatch("%w+") do features[name] = true end
  return features
end

local known

---@return upweave.Host
function M.describe()
  if known then return known end
  local text = files.read("/proc/cpuinfo") or ""
  known = {
    arch = uv.os_uname().machine,
    model = text:match("model name%s*:%s*([^\n]*)") or "unknown processor",
    cpus = math.max(1, uv.available_parallelism()),
    features = M.features(text),
  }
  return known
end

-- Size of a cache of the first CPU: "48K"; level and type as the system numbers and names them.
local function cache_size(level, kind)
  for index = 0, 9 do
    local folder = ("/sys/devices/system/cpu/cpu0/cache/index%d/"):format(index)
    local function line(name) return ((files.read(folder .. name) or ""):match("^[^\n]*")) end
    if line("level") == level and line("type") == kind then return line("size") end
  end
  return "unknown"
end

local named

--- What a measurement depends on, in words: model, family, model number, stepping, caches. Virtual
--- machines call different processors the same name, so the name alone does not do.
---@return string
function M.machine()
  if named then return named end
  local text = files.read("/proc/cpuinfo") or ""
  local numbers = {}
  for index, key in ipairs { "cpu family", "model", "stepping" } do
    numbers[index] = text:match("\n" .. key .. "%s*:%s*(%w+)") or "?"
  end
  named = ("%s (%s), L1d %s, L2 %s"):format(M.describe().model, table.concat(numbers, "-"),
    cache_size("1", "Data"), cache_size("2", "Unified"))
  return named
end

--- Whether a target is another machine's.
---@param record Target
---@return boolean
function M.foreign(record)
  return record.arch ~= "any" and record.arch ~= M.describe().arch
end

--- The features of a target that this machine lacks.
---@param record Target
---@return string[]
function M.lacks(record)
  local host, list = M.describe(), {}
  if M.foreign(record) then return { record.arch } end
  for _, feature in ipairs(record.cpu) do
    if not host.features[feature] then list[#list + 1] = feature end
  end
  return list
end

--- The best target file whose features this machine has.
---@return Target
function M.native()
  local host = M.describe()
  return target.best(host.arch, function(feature) return host.features[feature] == true end)
end

--- The option that runs a target's programs here. An emulator is never started unasked: its times
--- say nothing about the machine, and its faults are its own.
---@param record Target
---@return string
function M.runner(record)
  if not record.emulator then return "--runner with an emulator" end
  local command = words.join { record.emulator }
  local installed = clang.which(record.emulator:match("^%S+"))
  return "--runner " .. command .. (installed and "" or " (apt-get install qemu-user)")
end

--- Diagnostic if the target cannot run here.
---@param record Target
---@return upweave.Diagnostic|nil
function M.cannot_run(record)
  local lacking = M.lacks(record)
  if #lacking == 0 then return nil end
  local reason = "this CPU lacks " .. table.concat(lacking, ", ")
  if M.foreign(record) then
    reason = ("this machine is %s, not %s"):format(M.describe().arch, record.arch)
  end
  return diagnostics.new("E800", { place = "--target", target = record.name, reason = reason,
    hint = ("--target %s, or %s"):format(M.native().name, M.runner(record)) })
end

return M
