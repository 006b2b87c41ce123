-- KERNEL FILES
-- ============
-- Frames around a printed body: the C file, the metadata, the dispatcher of several targets.
-- Everything a frame says is computed here; templates only place it.

local count = require "upweave.ir.count"
local expression = require "upweave.emit.expression"
local interface = require "upweave.emit.interface"
local json = require "upweave.util.json"
local literal = require "upweave.emit.literal"
local printer = require "upweave.emit.printer"
local signature = require "upweave.emit.signature"
local template = require "upweave.emit.template"
local types = require "upweave.ir.types"

local M = {}

local prototype, with, ranged = signature.prototype, signature.with, signature.ranged

-- Scratch up to this many bytes is on the stack of the call; more is the caller's workspace.
local STACK_BYTES = 16 * 1024
local ALIGN <const> = interface.ALIGN
-- Columns of a line.
local WIDTH = 100

---@class emit.Job
---@field name string             the kernel's name
---@field symbol string           name, or name__target for a variant
---@field version string          of Upweave
---@field problem table
---@field canonical string        JSON of the problem
---@field identity string
---@field tensors table[]         from the operator, in argument order
---@field summary string
---@field formula string
---@field plan table
---@field schedule upweave.Schedule
---@field schedule_text string
---@field target Target
---@field module ir.Builder       pruned and verified; `pack` is the module that packs
---@field pressure integer
---@field packed_bytes integer?   of the packed parameters, the most of all variants; nil if linked
---@field weights string?          packed parameters that are baked
---@field linked boolean?          with the kernel, which else takes them as an argument

local function round_up(n) return (n + ALIGN - 1) // ALIGN * ALIGN end

--- Bytes of workspace a module needs; 0 where its scratch is on the stack.
---@param module ir.Builder
---@return integer
function M.workspace_bytes(module)
  local total = 0
  for _, buf in ipairs(module.buffers) do
    if buf.mode == "scratch" then
      total = total + round_up(buf.size * types.element_bytes[buf.elem])
    end
  end
  return total > STACK_BYTES and total or 0
end

-- The packed parameters as a buffer of the module that reads or writes them.
local function packed_buffer(module)
  for _, buf in ipairs(module.buffers) do
    if buf.name == "packed" then return buf end
  end
end

--- Bytes of packed parameters that a module reads; nil where it has none.
---@param module ir.Builder
---@return integer?
function M.packed_bytes(module)
  local buf = module.pack and packed_buffer(module)
  return buf and buf.size * types.element_bytes[buf.elem]
end

-- What stands before a module's body: its scratch, without a workspace (for packing) on the stack,
-- and the arguments that it does not use.
local function opening_lines(module, workspace)
  local lines, offset = {}, 0
  for _, buf in ipairs(module.buffers) do
    if buf.mode == "scratch" then
      local ctype = literal.ctype[buf.elem]
      if not workspace or workspace == 0 then
        lines[#lines + 1] = ("%s %s[%d] __attribute__((aligned(%d)));"):format(ctype, buf.cname,
          buf.size, ALIGN)
      else
        lines[#lines + 1] = ("%s *const %s = (%s *)workspace + %d;"):format(ctype, buf.cname, ctype,
          offset // types.element_bytes[buf.elem])
        offset = offset + round_up(buf.size * types.element_bytes[buf.elem])
      end
    end
  end
  if workspace == 0 then lines[#lines + 1] = "(void)workspace;" end
  for _, buf in ipairs(module.buffers) do
    if buf.unused then lines[#lines + 1] = ("(void)%s;"):format(buf.cname) end
  end
  return lines
end

local function table_lines(module)
  local lines = {}
  for _, buf in ipairs(module.buffers) do
    if buf.mode == "table" then
      if buf.note then lines[#lines + 1] = ("/* %s */"):format(buf.note) end
      local extent = ("[%d]"):format(buf.size // buf.columns)
      if buf.columns > 1 then extent = extent .. ("[%d]"):format(buf.columns) end
      local aligned = buf.wide and (" __attribute__((aligned(%d)))"):format(ALIGN) or ""
      local opening = ("static const %s %s%s%s"):format(literal.ctype[buf.elem], buf.cname, extent,
        aligned)
      lines[#lines + 1] = literal.definition(opening, buf.elem, buf.values, buf.columns)
    end
  end
  return lines
end

-- A user's text, safe inside a C comment, as lines.
local function comment_lines(text)
  local lines = {}
  for line in (text:gsub("%*/", "* /"):gsub("/%*", "/ *") .. "\n"):gmatch("(.-)\n") do
    for at = 1, math.max(1, #line), WIDTH - 6 do
      lines[#lines + 1] = line:sub(at, at + WIDTH - 7)
    end
  end
  return lines
end

-- Bytes of the tables and vector constants.
local function constant_bytes(module)
  local total = 0
  for _, buf in ipairs(module.buffers) do
    if buf.mode == "table" then total = total + buf.size * types.element_bytes[buf.elem] end
  end
  for _, c in ipairs(module.consts) do
    if not c.splat then total = total + c.ty.bytes end
  end
  return total
end

local function map(list, fn)
  local out = {}
  for i, v in ipairs(list) do out[i] = fn(v) end
  return out
end

local function attributes(target, ...)
  local list = { ... }
  if target.vector_bytes == 64 then list[#list + 1] = "min_vector_width(512)" end
  return #list > 0 and ("__attribute__((%s))\n"):format(table.concat(list, ", ")) or ""
end

-- The spec file that gives this kernel again, as lines to paste.
local function spec_lines(job)
  return literal.wrap(('{"upweave":1,"kernels":[%s]}'):format(job.canonical:gsub("%*/", "*\\/")),
    WIDTH - 6)
end

-- Lines of a text, later ones indented to stand under the first behind its label.
local function labelled(text)
  return (table.concat(literal.paragraph(text, WIDTH - 16), "\n *            "):gsub("%*/", "* /"))
end

-- What the head of the C file says.
local function head(job)
  local p, totals = job.problem, count.count(job.module)
  local fixed = job.schedule.chosen_by ~= "heuristic"
  return {
    name = job.symbol, summary = job.summary, formula = labelled(job.formula),
    note = p.note and comment_lines(p.note) or {}, target = job.target.name,
    schedule = job.schedule_text, chosen_by = job.schedule.chosen_by, why = job.schedule.why,
    numerics = labelled(job.numerics), bytes_read = job.plan.bytes_read,
    flops = ("%d FLOP%s"):format(job.plan.flops,
      job.module.algorithm and " of the direct sums" or ""),
    bytes_written = job.plan.bytes_written, loads = totals.loads, stores = totals.stores,
    arithmetic = totals.arithmetic, shuffles = totals.shuffles, pressure = job.pressure,
    registers = job.target.registers, version = job.version,
    constant_bytes = constant_bytes(job.module), packed_bytes = M.packed_bytes(job.module) or false,
    flags = labelled(table.concat(job.flags, " ")), compile = ("clang -c %s.c"):format(job.symbol),
    regenerate = ("upweave gen --target %s%s%s SPEC"):format(
      table.concat(job.targets, " --target "),
      job.weights and not job.linked and " --weights file" or "",
      fixed and (" --schedule %s"):format(job.schedule_text) or ""),
    spec_lines = spec_lines(job),
  }
end

-- Helpers in the order of what they do.
local helper_rank = {
  load = 1, gather = 2, store = 3, stream = 4,
  from_f16 = 5, from_bf16 = 5, from_bf16_pairs = 5, to_f16 = 6, to_bf16 = 6, to_bf16_pairs = 6,
  fma = 7, max = 7, max_scalar = 7, min = 7, min_scalar = 7, lt = 7, lt_scalar = 7, sqrt = 7,
  sqrt_scalar = 7, average_u8 = 7, neighbours_u8 = 7, neighbours_i16 = 7, narrow_i16 = 8,
  narrow_u8 = 9,
}

local function by_rank(helpers)
  local list = table.move(helpers, 1, #helpers, 1, {})
  table.sort(list, function(a, b)
    local x, y = helper_rank[a.kind], helper_rank[b.kind]
    return x < y or x == y and a.name < b.name
  end)
  return list
end

-- A routine: a function that is never inlined, so that registers are allocated to it alone.  Its
-- pointers are not restrict: Clang would move loads over the stores before them, as many as there
-- are, and spill (480x640x3 → 300x300: 75 → 105 µs).
local function routine_text(r)
  local parameters = {}
  for i, p in ipairs(r.parameters) do
    parameters[i] = ("%s%s *%s"):format(p.mode == "input" and "const " or "",
      literal.ctype[p.elem], p.cname)
  end
  if r.streams then parameters[#parameters + 1] = "int aligned" end
  return { prototype = prototype(("static void %s"):format(r.cname), parameters), lines = r.lines }
end

-- The macro of a shuffle's lanes; many lanes take several lines.
local function pattern_lines(pattern)
  local lines = literal.paragraph(("#define %s %s"):format(pattern.name, pattern.text), WIDTH - 4)
  return table.concat(lines, " \\\n  ")
end

local function reserved_names(job)
  local names = { "begin", "end", "aligned", "workspace", job.symbol, job.name }
  for _, suffix in ipairs {
    "_tasks", "_range", "_fill", "_pack", "_weights", "_call", "_call_range", "_call_pack",
    "_tensors", "_kernel",
  } do
    names[#names + 1] = job.symbol .. suffix
    names[#names + 1] = job.name .. suffix
  end
  return names
end

-- The function that works on tasks, and that of a range of them; what is packed has its type in the
-- first only.
local function task_functions(job, values, streaming)
  local packed = packed_buffer(job.module)
  local work = signature.run(job.tensors, true, packed and literal.ctype[packed.elem])
  local tasks = with(work.parameters, "ptrdiff_t begin", "ptrdiff_t end")
  if streaming then tasks[#tasks + 1] = "int aligned" end
  values.arguments = work.arguments
  values.tasks_function = prototype(("static void %s_tasks"):format(job.symbol), tasks)
  values.range_function = prototype(("int %s_range"):format(job.symbol),
    ranged(interface.run(job, true).parameters))
end

local function weights_name(job) return job.symbol .. ".weights" end

--- The file with baked parameters beside the C file, if there are such.
---@param job emit.Job
---@return { name: string, text: string }?
function M.weights(job)
  return job.weights and { name = weights_name(job), text = job.weights }
end

-- The module that packs, where this is done by the caller.
local function pack_module(job) return job.packed_bytes and job.module.pack end

-- The function that packs, and the exported one around it.
local function pack_functions(job, values)
  local module = pack_module(job)
  values.fill_function, values.pack_lines = false, module and module.lines
  if not module then return end
  local packed = packed_buffer(module)
  local fill = signature.pack(job.tensors, true, literal.ctype[packed.elem])
  values.fill_function = prototype(("static void %s_fill"):format(job.symbol), fill.parameters)
  values.pack_function = prototype(("int %s_pack"):format(job.symbol),
    signature.pack(job.tensors, true, "void").parameters)
  values.pack_arguments = fill.arguments
  values.pack_scratch = opening_lines(module)
end

local function joined(modules, fn)
  local out = {}
  for _, module in ipairs(modules) do
    local part = fn(module)
    table.move(part, 1, #part, #out + 1, out)
  end
  return out
end

--- The C file of one target.  `header` is its text before the code: an include, or the header
--- itself; with `exported` the file has the public functions too.
---@param job emit.Job
---@param header string
---@param exported boolean
---@return string
function M.source(job, header, exported)
  local modules = { job.module, pack_module(job) }
  local body = printer.print(modules, reserved_names(job), job.symbol)
  local values = head(job)
  local streaming = false
  for _, helper in ipairs(body.helpers) do streaming = streaming or helper.kind == "stream" end
  values.symbol, values.header, values.body = job.symbol, header, job.module.lines
  values.routines = joined(modules, function(m) return map(m.routines, routine_text) end)
  values.types = map(body.types, expression.define_type)
  values.helpers = map(by_rank(body.helpers), function(helper)
    return expression.define_helper(helper, job.target)
  end)
  values.constants = map(body.constants, expression.define_constant)
  values.patterns, values.tables = map(body.patterns, pattern_lines), joined(modules, table_lines)
  values.scratch = opening_lines(job.module, M.workspace_bytes(job.module))
  values.streaming = streaming
  values.weights = job.linked and weights_name(job) or false
  values.weights_type = job.linked and literal.ctype[packed_buffer(job.module).elem]
  task_functions(job, values, streaming)
  pack_functions(job, values)
  values.task_count = exported and job.name:upper() .. "_TASKS" or job.module.task_count
  values.attribute = attributes(job.target, "noinline")
  values.fence = job.target.fence or false
  values.alignment_mask = job.target.vector_bytes - 1
  values.entry = exported and interface.entry(job, job.name:upper() .. "_TASKS")
  return template.render("kernel.c", values)
end

--- The dispatcher over variants: list of { symbol, target, tasks }, most capable first.
---@param job emit.Job
---@param variants table[]
---@return string
function M.dispatcher(job, variants)
  local cpu, rows, headers = false, {}, {}
  for i, v in ipairs(variants) do
    local checks = map(v.target.builtin, function(feature)
      return ('__builtin_cpu_supports("%s")'):format(feature)
    end)
    cpu = cpu or #checks > 0
    if v.target.check then
      checks[#checks + 1], headers[#headers + 1] = v.target.check.text, v.target.check.header
    end
    rows[i] = {
      symbol = v.symbol, target = v.target.name, tasks = v.tasks,
      condition = #checks > 0 and table.concat(checks, "\n         && ") or "1",
      prototypes = interface.variant_prototypes(job, v.symbol),
    }
  end
  local run = interface.run(job, false)
  return template.render("dispatch.c", interface.with_packing(job, {
    name = job.name, upper = job.name:upper(), summary = job.summary, version = job.version,
    variants = rows, cpu = cpu, headers = headers, arguments = run.arguments,
    functions = interface.variant_prototypes(job, job.name),
    pointer = table.concat(ranged(run.parameters), ", "),
    entry = interface.entry(job, job.name:upper() .. "_TASKS"),
  }))
end

local function describe(t)
  return {
    name = t.name, dtype = t.dtype, shape = json.list(t.shape), layout = t.layout, bytes = t.bytes,
  }
end

--- NAME.json: what tools need to know; the fields of later stages are null.
---@param job emit.Job
---@param workspace integer
---@param tasks integer
---@param targets string[]
---@return string
function M.metadata(job, workspace, tasks, targets)
  local function described(role)
    return json.list(map(signature.of_role(job.tensors, role), describe))
  end
  return json.encode({
    name = job.name, op = job.problem.op, spec_sha256 = job.identity,
    target = #targets == 1 and targets[1] or json.list(targets), schedule = job.schedule_text,
    chosen_by = job.schedule.chosen_by, numerics = job.numerics,
    inputs = described "input", outputs = described "output", parameters = described "parameter",
    packed_bytes = job.packed_bytes or json.null,
    packed_align = job.packed_bytes and ALIGN or json.null, workspace_bytes = workspace,
    workspace_align = ALIGN, tasks = tasks, flops = job.plan.flops,
    bytes_read = job.plan.bytes_read, bytes_written = job.plan.bytes_written,
    code_bytes = json.null, compile_seconds = json.null, compiler = json.null,
    verification = json.null,
  }, { pretty = true }) .. "\n"
end

return M
