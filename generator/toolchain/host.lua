-- SPDX-License-Identifier: MIT
-- The machine we run on.
--
-- Purpose: what the processor can do, and which target that means. Invariant: only
-- /proc/cpuinfo and uname are asked; a machine without them is a generic one.

local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local target = require "upweave.target"
local uv = require "luv"

local M = {}

---@class upweave.Host
---@field arch string
---@field model string
---@field cpus integer
---@field features table<string, true>

local known

---@return upweave.Host
function M.describe()
  if known then return known end
  local text = files.read("/proc/cpuinfo") or ""
  local features = {}
  local line = text:match("\nflags%s*:([^\n]*)") or text:match("\nFeatures%s*:([^\n]*)") or ""
  for feature in line:gmatch("%S+") do features[feature] = true end
  known = {
    arch = uv.os_uname().machine,
    model = text:match("model name%s*:%s*([^\n]*)") or "unknown processor",
    cpus = math.max(1, uv.available_parallelism()),
    features = features,
  }
  return known
end

--- The features of a target that this machine lacks.
---@param record Target
---@return string[]
function M.lacks(record)
  local host, list = M.describe(), {}
  if record.arch ~= "any" and record.arch ~= host.arch then return { record.arch } end
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

--- Diagnostic if the target cannot run here.
---@param record Target
---@return upweave.Diagnostic|nil
function M.cannot_run(record)
  local lacking = M.lacks(record)
  if #lacking == 0 then return nil end
  return diagnostics.new("E800", { place = "--target", target = record.name,
    reason = "this CPU lacks " .. table.concat(lacking, ", "),
    hint = "--target " .. M.native().name .. ", or --runner with an emulator" })
end

return M
