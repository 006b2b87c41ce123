-- SPDX-License-Identifier: MIT
-- Parameters that are baked into a kernel.
--
-- Purpose: from weight = npy "w.npy" to a problem that says so and the bytes that the kernel gets.
-- Invariants: of a kernel all parameters are baked, or none; a baked one is a field of the problem,
-- { npy = path, sha256 = of the file }, which reads back; its bytes are no part of the problem.

local kinds = require "upweave.spec.kinds"
local lists = require "upweave.util.list"
local ops = require "upweave.ops"
local ordered = require "upweave.util.ordered"
local suggest = require "upweave.util.suggest"
local tensors = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {}

local KEYS <const> = { "npy", "sha256" }

---@class upweave.BakedParameter
---@field name string
---@field npy string the path
---@field sha256 string? as the spec has it

local function is_file(value) return type(value) == "table" and value.npy ~= nil end

-- Whether a key names a parameter: `gamma2` is a second gamma.
local function names_parameter(op, key)
  local stem = type(key) == "string" and key:match("^(%a+)[2-9]?$")
  return stem and lists.contains(op.bakeable or {}, stem)
end

-- `bias` is an attribute as well, and true where its values are given.
local function is_attribute(op, key) return lists.named(op.attributes, key) ~= nil end

local function report_type(name, value, report)
  report("E031", name, {}, {
    expected = 'npy "FILE", in JSON {"npy": "FILE"}', got = text.value(value),
    hint = type(value) == "string" and ('%s = npy "%s"'):format(name, value)
      or ('%s = npy "%s.npy"'):format(name, name),
  })
end

local function check_sha256(name, value, report)
  if value == nil or type(value) == "string" and #value == 64 and not value:find("[^0-9a-f]") then
    return
  end
  report("E031", { name, "sha256" }, {}, {
    expected = "64 hexadecimal digits", got = text.value(value), hint = "leave out sha256",
  })
end

local function read(name, value, report)
  if not is_file(value) or type(value.npy) ~= "string" then
    return report_type(name, value, report)
  end
  for _, key in ipairs(ordered.keys(value)) do
    if not lists.contains(KEYS, key) then
      report("E029", { name, key }, nil, {
        owner = "a file", keys = table.concat(KEYS, ", "),
        hint = suggest.nearest(tostring(key), KEYS) or false,
      })
    end
  end
  local path, code, fields = kinds.text(value.npy)
  if not path then return report(code, { name, "npy" }, {}, fields) end
  check_sha256(name, value.sha256, report)
  return { name = name, npy = value.npy, sha256 = value.sha256 }
end

--- The fields of a kernel without the files of its parameters, and these.
---@param fields table
---@param op table
---@param report fun(...)
---@return table plain
---@return upweave.BakedParameter[] files
function M.split(fields, op, report)
  local plain, files = {}, {}
  for key, value in ordered.pairs(fields) do
    local attribute = is_attribute(op, key)
    if names_parameter(op, key) and (not attribute or is_file(value)) then
      files[#files + 1] = read(key, value, report)
      plain[key] = attribute or nil
    else
      plain[key] = value
    end
  end
  return plain, files
end

local function check_names(files, names, report)
  for _, file in ipairs(files) do
    if not lists.contains(names, file.name) then
      report("E062", file.name, { file.name .. ".npy", "post" }, {
        circumstance = "for this kernel",
        reason = "its parameters are " .. table.concat(names, ", "),
        hint = "leave out " .. file.name,
      })
    end
  end
end

local function report_missing(name, files, report)
  local hint = ('%s = npy "%s.npy"'):format(name, name)
  report("E064", name, {}, {
    baked = table.concat(lists.column(files, "name"), ", "),
    hint = name == "bias" and hint .. ", or bias = false" or hint,
  })
end

-- The file of one parameter: what the problem says of it, and its array.
local function take(file, record, load, report)
  local shown = { file.name .. ".npy" }
  local array, reason = load(file.npy)
  local wanted = { shape = text.shape(record.shape), dtype = tensors.numpy[record.dtype] }
  if not array then
    wanted.reason = reason
    report("E065", file.name, shown, wanted)
  elseif array.dtype ~= record.dtype or text.shape(array.shape) ~= wanted.shape then
    wanted.file, wanted.got_dtype = file.npy, tensors.numpy[array.dtype]
    wanted.got_shape = #array.shape > 0 and text.shape(array.shape) or "()"
    report("E066", file.name, shown, wanted)
  elseif file.sha256 and file.sha256 ~= array.sha256 then
    report("E067", file.name, { file.name .. ".npy", file.name .. ".sha256" },
      { got = array.sha256 })
  else
    return { npy = file.npy, sha256 = array.sha256 }, array
  end
end

--- Bakes the parameters of a problem, if there are files of them: it gets them as fields.
---@param problem table
---@param op table
---@param files upweave.BakedParameter[]
---@param load fun(path: string): upweave.ParameterFile?, string?
---@param report fun(...)
---@return table<string, upweave.ParameterFile>? baked by name; nil without files
function M.bake(problem, op, files, load, report)
  if #files == 0 then return nil end
  local records, baked = {}, {}
  for _, record in ipairs(op.tensors(problem)) do
    if record.role == "parameter" then records[#records + 1] = record end
  end
  check_names(files, lists.column(records, "name"), report)
  for _, record in ipairs(records) do
    local name = record.name
    local file = lists.named(files, name)
    if file then
      problem[name], baked[name] = take(file, record, load, report)
    else
      report_missing(name, files, report)
    end
  end
  return baked
end

--- The problem whose parameters are arguments; itself where none is baked.
---@param problem table
---@return table
function M.unbaked(problem)
  local op, plain, changed = ops.find(problem.op), {}, false
  for key, value in ordered.pairs(problem) do
    if is_file(value) then
      plain[key], changed = is_attribute(op, key) or nil, true
    else
      plain[key] = value
    end
  end
  return changed and plain or problem
end

--- Whether a field of a problem is a baked parameter.
M.is_file = is_file

return M
