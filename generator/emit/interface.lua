-- INTERFACE
-- =========
-- What a kernel shows to the outside: its header, the exported functions around those that work,
-- its description of itself.  A kernel with parameters has a function that packs them, and takes
-- what that made as `packed`.

local abi = require "upweave.emit.abi"
local literal = require "upweave.emit.literal"
local signature = require "upweave.emit.signature"
local template = require "upweave.emit.template"

local M = {}

--- Alignment of workspaces and of packed parameters.
M.ALIGN = 64

local prototype, ranged = signature.prototype, signature.ranged
-- Columns of a line.
local WIDTH <const> = 100

-- A string as several literals, one a line.
local function string_lines(text)
  local lines = literal.wrap(text, WIDTH - 28)
  for i, line in ipairs(lines) do lines[i] = literal.string(line) end
  lines[#lines] = lines[#lines] .. ","
  return lines
end

local roles = { input = "UPW_INPUT", output = "UPW_OUTPUT", parameter = "UPW_PARAMETER" }

local function tensor_rows(tensors)
  local rows = {}
  for i, t in ipairs(tensors) do
    rows[i] = {
      name = t.name, upper = t.name:upper(), layout = t.layout or "",
      note = t.layout == "" and t.dtype or ("%s %s"):format(t.layout, t.dtype),
      code = abi.dtypes[t.dtype].code, bits = abi.dtypes[t.dtype].bits, role = roles[t.role],
      rank = #t.shape, shape = table.concat(t.shape, ", "), bytes = t.bytes, elems = t.elems,
    }
  end
  return rows
end

--- The signature of a run as others see it.
---@param job emit.Job
---@param restrict boolean
---@return emit.Signature
function M.run(job, restrict)
  return signature.run(job.tensors, restrict, job.packed_bytes and "void")
end

-- Declarations of packing for the frames; `pack` is false where there is none.
local function packing(job)
  if not job.packed_bytes then return { pack = false } end
  local list = signature.pack(job.tensors, false, "void")
  return {
    pack = prototype(("int %s_pack"):format(job.name), list.parameters),
    call_pack = prototype(("static int %s_call_pack"):format(job.name),
      { "const void *const *parameters", "void *packed" }),
    pack_arguments = list.arguments, pack_calls = list.calls,
    pack_pointer = table.concat(list.parameters, ", "),
    packed_bytes = job.packed_bytes, packed_align = M.ALIGN,
  }
end

--- Values of a template, those of packing among them.
---@param job emit.Job
---@param values table
---@return table
function M.with_packing(job, values)
  return setmetatable(values, { __index = packing(job) })
end

--- The exported functions around NAME_range.
---@param job emit.Job
---@param tasks string   the macro of their number
---@return string
function M.entry(job, tasks)
  local run = M.run(job, false)
  local call = {
    "const void *const *inputs", "const void *packed", "void *const *outputs", "void *workspace",
  }
  return template.render("entry.c", M.with_packing(job, {
    name = job.name, upper = job.name:upper(), arguments = run.arguments,
    call_arguments = run.calls, run = prototype("int " .. job.name, run.parameters),
    call = prototype(("static int %s_call"):format(job.name), call),
    call_range = prototype(("static int %s_call_range"):format(job.name), ranged(call)),
    tasks = tasks, tensors = tensor_rows(job.tensors), tensor_count = #job.tensors,
    spec_literal = string_lines(job.canonical),
  })):gsub("\n$", "")
end

--- The header: sizes and declarations.
---@param job emit.Job
---@param workspace integer
---@param tasks integer
---@return string
function M.header(job, workspace, tasks)
  local run = M.run(job, false)
  return template.render("kernel.h", M.with_packing(job, {
    name = job.name, upper = job.name:upper(), summary = job.summary, version = job.version,
    abi = abi.text(), tensors = tensor_rows(job.tensors), workspace_bytes = workspace,
    workspace_align = M.ALIGN, tasks = tasks, run = prototype("int " .. job.name, run.parameters),
    range = prototype(("int %s_range"):format(job.name), ranged(run.parameters)),
  }))
end

--- Declarations of what a variant exports: one of a range of tasks, one of packing.
---@param job emit.Job
---@param symbol string
---@return string[]
function M.variant_prototypes(job, symbol)
  local run = M.run(job, false)
  local list = { prototype(("int %s_range"):format(symbol), ranged(run.parameters)) }
  if job.packed_bytes then
    list[2] = prototype(("int %s_pack"):format(symbol),
      signature.pack(job.tensors, false, "void").parameters)
  end
  return list
end

return M
