-- SPDX-License-Identifier: MIT
-- Faults of Upweave itself.
--
-- Purpose: when the generator breaks one of its own rules, leave a folder with which somebody else
-- can repeat it, and ask for a report. Invariant: never raises; if the folder cannot be made, the
-- traceback goes to standard error instead.

local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local output = require "upweave.cli.output"
local progress = require "upweave.toolchain.progress"
local text = require "upweave.util.text"
local uv = require "luv"
local version = require "upweave.cli.version"
local words = require "upweave.toolchain.words"

local M = {}

local INTERRUPTED <const> = 130
local LARGEST_SPEC <const> = 1 << 24

local subject = nil

--- What is being worked on, for the case that it breaks.
---@param kernel string
---@param target string
function M.about(kernel, target)
  subject = string.format("kernel %q, target %s", kernel, target)
end

--- What xpcall should call: the traceback of any value, strings or not.
---@param value any
---@return string
function M.handler(value)
  return debug.traceback(type(value) == "string" and value or text.value(value), 2)
end

-- The fault may be that the driver, which knows the version, cannot be loaded.
local function version_text()
  local ok, known = pcall(version.text)
  return ok and known or "of an unknown version"
end

local function contents(traceback, args)
  local report = table.concat({
    "upweave " .. version_text(),
    _VERSION .. ", luv " .. uv.version_string(),
    uv.os_uname().sysname .. " " .. uv.os_uname().release .. " " .. uv.os_uname().machine,
    "",
    "command: upweave " .. words.join(args),
    "folder: " .. tostring(uv.cwd()),
    "about: " .. (subject or "-"),
    "",
    traceback, "",
  }, "\n")
  local list = { { name = "report.txt", text = report } }
  for _, path in ipairs(args) do
    local stat = path:find("%.%a+$") and uv.fs_stat(path)
    if stat and stat.type == "file" and stat.size <= LARGEST_SPEC then
      local name = string.format("%d-%s", #list, files.make_safe(path:match("[^/]*$")))
      list[#list + 1] = { name = name, text = files.read(path) or "" }
    end
  end
  return list
end

local function leave(traceback, args)
  local folder = uv.fs_mkdtemp((os.getenv("TMPDIR") or "/tmp") .. "/upweave-report-XXXXXX")
  if not folder then return nil end
  return files.write_set(folder, contents(traceback, args)) and folder
end

--- Report a broken rule of our own.
---@param traceback string
---@param args string[]
---@return integer exit code
function M.report(traceback, args)
  if traceback:find("interrupted!", 1, true) then
    progress.error("upweave: interrupted")
    return INTERRUPTED
  end
  local left, folder = pcall(leave, traceback, args)
  folder = left and folder
  local diagnostic = diagnostics.new("E990", { where = subject, fault = traceback:match("^[^\n]*"),
    folder = folder or "(none could be made: the text below)", detail = not folder and traceback
      or nil })
  progress.error((diagnostics.format({ diagnostic }, { color = output.color }):gsub("\n$", "")))
  progress.detail(traceback)
  return diagnostic.exit
end

return M
