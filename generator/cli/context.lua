-- SPDX-License-Identifier: MIT
-- What the verbs have in common.
--
-- Purpose: from options to problems and targets. Invariant: functions give a result, or nil and
-- diagnostics; nothing is written.

local diagnostics = require "upweave.util.diagnostics"
local files = require "upweave.toolchain.files"
local flags = require "upweave.read.flags"
local host = require "upweave.toolchain.host"
local list = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local read = require "upweave.read"
local spec = require "upweave.spec"
local suggest = require "upweave.util.suggest"
local target = require "upweave.target"
local uv = require "luv"

local M = {}

--- The raw kernels of the files, or of the flags in their place; with what the last file sweeps.
---@param options table
---@param verb string
---@return upweave.RawKernel[]|nil kernels
---@return upweave.Diagnostic[]? faults
function M.raw_kernels(options, verb)
  local given = flags.given(options)
  local paths = options.words
  if #paths > 0 and given then
    return nil, { diagnostics.new("E007", { first = "a SPEC", second = given,
      hint = "leave one of them out" }) }
  elseif given then
    return flags.read(options)
  elseif #paths == 0 then
    return nil, { diagnostics.new("E006", { verb = verb, what = "a SPEC, or flags in its place",
      hint = "upweave " .. verb .. " --op interpolate --x 1x64x112x112 --scale-factor 2"
        .. " --name up2x" }) }
  end
  local kernels, all = {}, {}
  for _, path in ipairs(paths) do
    local read_here, faults = read.kernels(path)
    if read_here then
      table.move(read_here, 1, #read_here, #kernels + 1, kernels)
      kernels.sweep = read_here.sweep
    else
      table.move(faults, 1, #faults, #all + 1, all)
    end
  end
  if #all > 0 then return nil, all end
  return kernels
end

--- The problems that a command line is about.
---@param options table
---@param verb string
---@return {kernels: table[]}|nil document
---@return upweave.Diagnostic[]? faults
function M.document(options, verb)
  local kernels, faults = M.raw_kernels(options, verb)
  if not kernels then return nil, faults end
  return spec.validate(kernels, M.overrides(options))
end

--- The files that a document was made from: specs, and what they bake.
---@param options table
---@param document upweave.Document
---@return string[]
function M.inputs(options, document)
  local paths = table.move(options.words, 1, #options.words, 1, {})
  for index in ipairs(document.kernels) do
    for _, parameter in ordered.pairs(document.baked[index] or {}) do
      if not list.contains(paths, parameter.path) then paths[#paths + 1] = parameter.path end
    end
  end
  return paths
end

--- What stands beside a SPEC and replaces fields of all kernels.
---@param options table
---@return upweave.SpecOptions
function M.overrides(options)
  return { only = options.only, numerics = options.numerics, profile = options.profile,
    layout = options.layout, schedule = options.schedule }
end

--- The name that libraries of the whole spec bear.
---@param options table
---@param document {kernels: table[]}
---@return string
function M.stem(options, document)
  local path = options.words[1]
  if path then return files.make_safe(files.stem(path)) end
  return document.kernels[1].name
end

--- The targets asked for, each once, in the order given.
---@param options table
---@param default string
---@return Target[]|nil records
---@return upweave.Diagnostic[]? faults
function M.targets(options, default)
  local asked = options.target and #options.target > 0 and options.target or { default }
  local records, seen, faults = {}, {}, {}
  for _, name in ipairs(asked) do
    local record = name == "native" and host.native() or target.find(name)
    if not record then
      local names = { "native" }
      for _, known in ipairs(target.list()) do names[#names + 1] = known.name end
      faults[#faults + 1] = diagnostics.new("E005", { place = "--target", target = name,
        targets = table.concat(names, ", "), hint = suggest.hint(name, names) })
    elseif not seen[record.name] then
      seen[record.name] = true
      records[#records + 1] = record
    end
  end
  if #faults > 0 then return nil, faults end
  return records
end

--- The targets of one library or one run, which is for one machine.
---@param options table
---@param default string
---@return Target[]|nil records
---@return upweave.Diagnostic[]? faults
function M.targets_together(options, default)
  local records, faults = M.targets(options, default)
  if not records then return nil, faults end
  return target.together(records)
end

--- The same, all of which must run here unless there is an emulator.
---@param options table
---@return Target[]|nil records
---@return upweave.Diagnostic[]? faults
function M.runnable_targets(options)
  local records, faults = M.targets_together(options, "native")
  if not records then return nil, faults end
  faults = {}
  for _, record in ipairs(records) do
    faults[#faults + 1] = not options.runner and host.cannot_run(record) or nil
  end
  if #faults > 0 then return nil, faults end
  return records
end

-- The nearest folder above a path that exists.
local function existing(path)
  while not uv.fs_stat(path) do
    local above = path:gsub("/+$", ""):match("^(.*)/[^/]*$")
    if not above then return "." end
    path = above == "" and "/" or above
  end
  return path
end

--- The folder of -o, checked before the work is done.
---@param options table
---@param verb string
---@return string|nil folder
---@return upweave.Diagnostic[]? faults
function M.folder(options, verb)
  local folder = options.output
  if not folder or folder == "" then
    return nil, { diagnostics.new("E006", { verb = verb, what = "-o DIR", hint = "-o out" }) }
  end
  local base = existing(folder)
  local stat = uv.fs_stat(base)
  local reason = stat.type ~= "directory" and base .. " is not a folder"
    or not uv.fs_access(base, "W") and base .. " cannot be written"
  if reason then return nil, M.write_fault(folder, reason) end
  return folder
end

---@return upweave.Diagnostic[]
function M.write_fault(place, reason)
  return { diagnostics.new("E011", { place = place, reason = reason }) }
end

--- Writes one file where the user says; missing folders are made.
---@param path string
---@param text string
---@return upweave.Diagnostic[]? faults
function M.write_file(path, text)
  local folder = path:match("^(.*)/[^/]*$")
  local place = not folder and "." or folder == "" and "/" or folder
  local count, reason = files.write_set(place, { { path = path, text = text } })
  if not count then return M.write_fault(path, reason) end
end

return M
