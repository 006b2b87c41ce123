-- DRIVER
-- ======
-- From a problem to C: this file is the list of stages, reading it is reading the architecture.
-- No stage touches clock, environment or randomness; the same problem gives the same bytes.

local canonical = require "upweave.spec.canonical"
local diagnostics = require "upweave.util.diagnostics"
local emit = require "upweave.emit.kernel"
local interface = require "upweave.emit.interface"
local list = require "upweave.util.list"
local listing = require "upweave.ir.print"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local ordered = require "upweave.util.ordered"
local pack = require "upweave.ir.pack"
local parameters = require "upweave.spec.parameters"
local pressure = require "upweave.ir.pressure"
local prune = require "upweave.ir.prune"
local schedules = require "upweave.schedule"
local sha256 = require "upweave.util.sha256"
local suggest = require "upweave.util.suggest"
local targets = require "upweave.target"
local verify = require "upweave.ir.verify"

local M = { VERSION = "0.1.0" }

--- Stages in order, as `dump --after` names them; asm is the toolchain's.
M.STAGES = { "problem", "plan", "schedule", "ir", "c" }

local stages = {}

function stages.plan(r) r.plan = r.op.plan(r.problem) end

-- The first winner of the database whose schedule still gives the C that was measured.
local function tuned(r)
  if r.problem.schedule or not r.winners then return nil end
  for _, winner in ipairs(r.winners(r.problem, r.target)) do
    local made = M.fingerprint(r.problem, r.target, winner.schedule)
    if made and made.c_sha256 == winner.c_sha256 then return winner end
    r.stale = r.stale or winner.schedule
  end
end

function stages.schedule(r)
  local winner = tuned(r)
  if winner then r.stale = nil end
  r.schedule, r.fault = schedules.resolve(r.problem, r.plan, r.target, r.problem.schedule, winner)
end

function stages.ir(r)
  local built = lower.find(r.schedule.strategy).lower(r.plan, r.schedule.knobs, r.target)
  r.ir = verify.verify(prune.prune(built), r.target.vector_bytes)
  r.pressure = pressure.pressure(r.ir, r.target.vector_bytes)
  if r.ir.pack then verify.verify(prune.prune(r.ir.pack), r.target.vector_bytes) end
end

-- The sums that bound an output's error: its own, or all of the outputs that an algorithm
-- calculates together.
local function bounding(plan, algorithm)
  local sum = plan.bias and "(sum|w*x| + |bias|)" or "sum|w*x|"
  if not algorithm then return sum end
  return ("the largest %s of a tile of %s outputs"):format(sum, table.concat(algorithm.tile, "x"))
end

-- How a kernel that calculates does it.
local function sums(r)
  local algorithm = r.ir.algorithm
  return algorithm and algorithm.text or lower.find(r.schedule.strategy).sums or "separable sums"
end

-- The bound of float sums, and what it is not of.
local function bound_of(plan, algorithm)
  local factor = algorithm and ("%g * "):format(algorithm.factor) or ""
  local bound = ("|y - reference| <= %s(n + 4) * 2^-%d * %s, n = %d"):format(factor,
    plan.work == "f64" and 53 or 24, bounding(plan, algorithm), plan.terms + (plan.bias and 1 or 0))
  return bound .. (plan.post and #plan.post > 0 and ", epilogues apart" or "")
end

-- What the results are: bit for bit, or within a bound.
local function accuracy(r)
  local plan, algorithm = r.plan, r.ir.algorithm
  if plan.copy then return "copies, bit for bit" end
  if plan.fixed then return "fixed point, W before H, rounded to 8 bits between: bit for bit" end
  local told = ("%s, %s"):format(sums(r), bound_of(plan, algorithm))
  if plan.dtype ~= plan.work then told = told .. ", and half a unit in the last place of y" end
  return algorithm and told .. "; a NaN or an infinity may reach all of its tile" or told
end

--- Its class of numerics, and what the kernel promises.
---@param r upweave.Result   with its IR
---@return string
function M.numerics(r)
  return ("%s: %s"):format(r.problem.numerics, accuracy(r))
end

-- What the frames of the files need to know; `target_names` are those of the whole library.
local function job(r, symbol, target_names)
  local flags = table.move(r.target.flags, 1, #r.target.flags, #targets.flags + 1,
    { table.unpack(targets.flags) })
  local tensors = r.op.tensors(r.problem)
  local linked = r.baked and not r.apart
  if r.baked then r.packed = r.packed or pack.pack(r.ir.pack, r.baked) end
  if linked then
    flags[#flags + 1] = "-I."            -- where the assembler looks for the weights
    tensors = list.without(tensors, "role", "parameter")
  end
  return {
    targets = target_names,
    name = r.problem.name, symbol = symbol, version = M.VERSION, problem = r.problem,
    canonical = canonical.text(r.problem), identity = canonical.identity(r.problem),
    tensors = tensors, summary = r.op.summary, formula = r.op.formula(r.problem),
    plan = r.plan, schedule = r.schedule, schedule_text = schedules.text(r.schedule),
    target = r.target, module = r.ir, pressure = r.pressure, numerics = M.numerics(r),
    packed_bytes = not linked and emit.packed_bytes(r.ir) or nil, weights = r.packed,
    linked = linked, flags = flags,
  }
end

function stages.c(r)
  local name = r.problem.name
  local j = job(r, name, { r.target.name })
  local workspace, tasks = emit.workspace_bytes(r.ir), r.ir.task_count
  local header = interface.header(j, workspace, tasks)
  local include = ('#include "%s.h"'):format(name)
  local source = { name = name .. ".c", text = emit.source(j, include, true) }
  local metadata = {
    name = name .. ".json", text = emit.metadata(j, workspace, tasks, { r.target.name }),
  }
  r.files = { source, { name = name .. ".h", text = header }, metadata }
  if r.single then
    source.text = emit.source(j, header:gsub("\n$", ""), true)
    r.files = { source, metadata }
  end
  r.files[#r.files + 1] = emit.weights(j)
end

local function find_target(name)
  local target = type(name) == "table" and name or targets.find(name)
  if target then return target end
  local known = {}
  for i, t in ipairs(targets.list()) do known[i] = t.name end
  return nil, diagnostics.new("E005", {
    place = "--target", target = name, targets = table.concat(known, ", "),
    hint = suggest.hint(name, known) or false,
  })
end

---@class upweave.Result
---@field problem table
---@field target Target
---@field plan table?
---@field schedule upweave.Schedule?
---@field ir ir.Builder?
---@field pressure integer?   vector registers live at once, estimated
---@field files { name: string, text: string }[]?
---@field stale string?       schedule of a winner that was not used: it gives other C by now

---@alias upweave.Winners fun(problem: table, target: Target): {schedule: string, c_sha256: string,
---  why: string}[]  what the tuning database recommends, best first

--- Run the stages for one kernel and one target.  options: target (or its name), single (header in
--- the C file), stop_after (a stage), winners, baked (an array of numbers, 0-based, for each
--- parameter), apart (baked parameters are no part of the object: the caller loads their file).  A
--- faulty schedule or target gives nil and diagnostics.
---@param problem table
---@param options { target: Target|string, single: boolean?, stop_after: string?,
---  winners: upweave.Winners?, baked: table<string, number[]>?, apart: boolean? }
---@return upweave.Result?
---@return upweave.Diagnostic[]?
function M.compile(problem, options)
  local target, fault = find_target(options.target)
  if not target then return nil, { fault } end
  local r = {
    problem = problem, target = target, op = ops.find(problem.op), single = options.single,
    winners = options.winners, baked = options.baked, apart = options.apart,
  }
  for _, stage in ipairs(M.STAGES) do
    if stages[stage] then stages[stage](r) end
    if r.fault then return nil, { r.fault } end
    if stage == options.stop_after then break end
  end
  return r
end

--- The C of a schedule as it is whatever the kernel's name, note and baked parameters are, and the
--- hash of it behind its head, which tells whether a measurement was of this C.
---@param problem table
---@param target Target
---@param schedule string
---@return {c_sha256: string, result: upweave.Result}?
---@return upweave.Diagnostic[]? faults
function M.fingerprint(problem, target, schedule)
  local bare = {}
  for key, value in ordered.pairs(parameters.unbaked(problem)) do bare[key] = value end
  bare.name, bare.note, bare.schedule = "candidate", nil, schedule
  local result, faults = M.compile(bare, { target = target })
  if not result then return nil, faults end
  local code = result.files[1].text:match("\n %*/\n(.*)")
  return { c_sha256 = sha256.hex(code), result = result }
end

local function variant_symbol(problem, target)
  return problem.name .. "__" .. target.name:gsub("[^%w]", "_")
end

-- Several targets: a dispatcher, one header for all, one C file each.
local function variants(problem, records, options)
  local results, rows, names = {}, {}, {}
  for i, record in ipairs(records) do
    local r, faults = M.compile(problem, { target = record, stop_after = "ir",
      winners = options.winners, baked = options.baked })
    if not r then return nil, faults end
    results[i], names[i] = r, record.name
  end
  local order = {}
  for rank, target in ipairs(targets.list()) do order[target.name] = rank end
  table.sort(results, function(a, b) return order[a.target.name] > order[b.target.name] end)
  local workspace, packed, files, units = 0, 0, {}, {}
  for i, r in ipairs(results) do
    workspace = math.max(workspace, emit.workspace_bytes(r.ir))
    local symbol = variant_symbol(problem, r.target)
    local j = job(r, symbol, names)
    packed = math.max(packed, j.packed_bytes or 0)
    rows[i] = { symbol = symbol, target = r.target, tasks = r.ir.task_count }
    local source = symbol .. ".c"
    local include = ('#include "%s.h"\n\n%s;'):format(problem.name,
      table.concat(interface.variant_prototypes(j, symbol), ";\n"))
    files[#files + 1] = { name = source, text = emit.source(j, include, false) }
    files[#files + 1] = emit.weights(j)
    units[#units + 1] = { source = source, target = r.target.name, flags = r.target.flags }
  end
  local best = job(results[1], problem.name, names)
  best.packed_bytes = best.packed_bytes and packed
  local tasks, listed = results[1].ir.task_count, {}
  for i, r in ipairs(results) do listed[i] = r.target.name end
  local name = problem.name
  table.insert(files, 1, { name = name .. ".c", text = emit.dispatcher(best, rows) })
  table.insert(files, 2, { name = name .. ".h", text = interface.header(best, workspace, tasks) })
  files[#files + 1] = {
    name = name .. ".json", text = emit.metadata(best, workspace, tasks, listed),
  }
  local flags = targets.machine_flags(best.target)
  table.insert(units, 1, { source = name .. ".c", target = "generic", flags = flags })
  return { files = files, units = units, results = results }
end

--- The files of a kernel for one or several targets and how to compile them.
---@param problem table
---@param options { targets: (Target|string)[], single: boolean?, winners: upweave.Winners?,
---  baked: table<string, number[]>?, apart: boolean? }
---@return { files: table[], units: table[], results: upweave.Result[] }?
---@return upweave.Diagnostic[]?
function M.library(problem, options)
  local asked = {}
  for i, one in ipairs(options.targets) do
    local target, fault = find_target(one)
    if not target then return nil, { fault } end
    asked[i] = target
  end
  local records, faults = targets.together(asked)
  if not records then return nil, faults end
  if #records > 1 then return variants(problem, records, options) end
  local r
  r, faults = M.compile(problem, { target = records[1], single = options.single,
    winners = options.winners, baked = options.baked, apart = options.apart })
  if not r then return nil, faults end
  local unit = { source = problem.name .. ".c", target = r.target.name, flags = r.target.flags }
  return { files = r.files, units = { unit }, results = { r } }
end

local dumps = {
  problem = function(r) return canonical.document { kernels = { r.problem } } end,
  plan = function(r)
    local plan = r.plan
    local channels = plan.channels
      or ("%d to %d in %d groups"):format(plan.ci, plan.co, plan.groups)
    local out = {
      ("%s  batch %d  channels %s  %s  terms %d"):format(plan.form, plan.batch, channels,
        plan.planar and "planar" or "interleaved", plan.terms),
    }
    for _, axis in ipairs(plan.axes) do out[#out + 1] = tostring(axis) end
    return table.concat(out, "\n") .. "\n"
  end,
  schedule = function(r)
    return ("%s\n%s: %s\n"):format(schedules.text(r.schedule), r.schedule.chosen_by,
      r.schedule.why)
  end,
  ir = function(r)
    local text = ("; %d vector registers live of %d\n%s"):format(r.pressure, r.target.registers,
      listing.print(r.ir))
    if not r.ir.pack then return text end
    return text .. "; what packs its parameters\n" .. listing.print(r.ir.pack)
  end,
  c = function(r) return r.files[1].text end,
}

--- What a stage of a result gave, as text.
---@param result upweave.Result
---@param stage string
---@return string
function M.dump(result, stage) return dumps[stage](result) end

return M
