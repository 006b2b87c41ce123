-- SPDX-License-Identifier: MIT
-- Verb: explain.
--
-- Purpose: what will be computed and how: shapes, formula, axis maps, costs, limit, schedule, its
-- knobs and who chose it why; --svg draws the axis maps. Invariant: everything is asked of the
-- plan, the target and the strategy; nothing is computed a second time here.

local context = require "upweave.cli.context"
local diagnostics = require "upweave.util.diagnostics"
local draw = require "upweave.draw"
local driver = require "upweave.driver"
local fault = require "upweave.cli.fault"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local output = require "upweave.cli.output"
local parameters = require "upweave.spec.parameters"
local schedules = require "upweave.schedule"
local spec = require "upweave.spec"
local text = require "upweave.util.text"
local winners = require "upweave.cli.winners"

local M = {
  name = "explain", summary = "shapes, formulas, taps, costs, limit, schedule and why",
  takes = "spec", groups = { "spec", "target", "database" },
  options = {
    { "--svg", "svg", "FILE", false, "also draw the index maps of all kernels into this file" },
  },
}

-- The knobs of a strategy, with the values that are legal beside the other knobs as they are.
local function knobs_of(strategy, result, current)
  local list = {}
  for index, knob in ipairs(strategy.knobs(result.plan, result.target)) do
    local trial, legal = {}, {}
    for _, name in ipairs(result.schedule.order) do trial[name] = current[name] end
    for _, value in ipairs(knob.values) do
      trial[knob.name] = value
      if strategy.legal(result.plan, trial, result.target) then legal[#legal + 1] = value end
    end
    list[index] = { name = knob.name, value = current[knob.name], legal = legal, doc = knob.doc }
  end
  return list
end

local function default_knobs(strategy, result)
  local knobs = {}
  for _, knob in ipairs(strategy.knobs(result.plan, result.target)) do
    knobs[knob.name] = knob.default
  end
  return knobs
end

-- The other strategies of this form, and whether their defaults would be legal.
local function others_of(result)
  local list = {}
  for _, strategy in ipairs(lower.list(result.plan)) do
    if strategy.name ~= result.schedule.strategy then
      local legal, reason = strategy.legal(result.plan, default_knobs(strategy, result),
        result.target)
      list[#list + 1] = { name = strategy.name, legal = legal == true, reason = reason }
    end
  end
  return list
end

local function axis_of(axis)
  local cost, period = axis:cost(), axis:period()
  return {
    name = axis.name, input = axis.input, output = axis.output, taps = cost.taps,
    widest = cost.widest, text = tostring(axis),
    period = period and { outputs = period.outputs, inputs = period.inputs } or nil,
  }
end

local function facts_of(problem, result)
  local op, plan, schedule, target = ops.find(problem.op), result.plan, result.schedule,
    result.target
  local axes = {}
  for index, axis in ipairs(plan.axes) do axes[index] = axis_of(axis) end
  return {
    kernel = problem.name, op = problem.op, identity = spec.identity(problem), problem = problem,
    tensors = op.tensors(problem), formula = op.formula(problem), terms = plan.terms,
    copy = plan.copy or false, axes = axes, flops = plan.flops,
    limit_flops = plan.limit_flops, bytes_read = plan.bytes_read,
    bytes_written = plan.bytes_written, tasks = result.ir.task_count,
    target = target.name, vector_bytes = target.vector_bytes, registers = target.registers,
    fma = target.fma, registers_used = result.pressure, schedule = schedules.text(schedule),
    numerics = driver.numerics(result), strategy = schedule.strategy,
    chosen_by = schedule.chosen_by, why = schedule.why,
    knobs = knobs_of(lower.find(schedule.strategy), result, schedule.knobs),
    others = others_of(result),
  }
end

local function bytes_text(count)
  for _, unit in ipairs { { 1 << 30, "GiB" }, { 1 << 20, "MiB" }, { 1 << 10, "KiB" } } do
    if count >= unit[1] then return string.format("%.1f %s", count / unit[1], unit[2]) end
  end
  return string.format("%d bytes", count)
end

local function words_of(values)
  local list = {}
  for index, value in ipairs(values) do list[index] = tostring(value) end
  return table.concat(list, ", ")
end

--- Lines of `name  value`, further lines indented below.
local function writer()
  local lines = {}
  local function row(name, value, ...)
    local line = select("#", ...) > 0 and string.format(value, ...) or value
    for part in (line .. "\n"):gmatch("(.-)\n") do
      lines[#lines + 1] = string.format("  %-10s %s", name, part)
      name = ""
    end
  end
  return lines, row
end

local function rows_of_problem(facts, row)
  for _, tensor in ipairs(facts.tensors) do
    local layout = tensor.layout == "" and "" or tensor.layout .. " " -- parameters have none
    local field = facts.problem[tensor.name]
    row(tensor.role, "%s %s %s%s, %s%s", tensor.name, text.shape(tensor.shape), layout,
      tensor.dtype, bytes_text(tensor.bytes),
      parameters.is_file(field) and ", baked from " .. field.npy or "")
  end
  row("formula", facts.formula)
  row("rules", "profile %s, coord_math %s, numerics %s", facts.problem.profile,
    facts.problem.coord_math, facts.problem.numerics)
  row("identity", facts.identity)
  row("taps", facts.copy and "an index map: every output is a copy of one input"
    or string.format("at most %d an output", facts.terms))
  for index, axis in ipairs(facts.axes) do row(index == 1 and "maps" or "", axis.text) end
end

local function rows_of_cost(facts, row)
  local bytes = facts.bytes_read + facts.bytes_written
  local intensity = bytes > 0 and facts.flops / bytes or 0 -- an empty batch moves nothing
  row("cost", "%d FLOP, %s read, %s written, %.2f FLOP/byte", facts.flops,
    bytes_text(facts.bytes_read), bytes_text(facts.bytes_written), intensity)
  local limit = string.format("%d/R + %d/W", facts.bytes_read, facts.bytes_written)
  local units = "R and W in GB/s"
  if facts.limit_flops > 0 then
    limit = string.format("max(%s, %d/F)", limit, facts.limit_flops)
    units = "R, W in GB/s and F in GFLOP/s"
  end
  row("limit", "%s ns, with %s as `upweave bench` measures them", limit, units)
end

local function rows_of_schedule(facts, row)
  row("target", "%s: vectors of %d bytes, %d registers, %s", facts.target, facts.vector_bytes,
    facts.registers, facts.fma and "fused multiply-add" or "no fused multiply-add")
  row("registers", "%d of %d estimated", facts.registers_used, facts.registers)
  row("tasks", "%d", facts.tasks)
  row("schedule", facts.schedule)
  row("chosen by", "%s: %s", facts.chosen_by, facts.why)
  row("numerics", "%s", facts.numerics)
  if #facts.knobs == 0 then row("knobs", "none") end
  for index, knob in ipairs(facts.knobs) do
    row(index == 1 and "knobs" or "", "%s = %s of %s: %s", knob.name, tostring(knob.value),
      words_of(knob.legal), knob.doc)
  end
  for index, other in ipairs(facts.others) do
    row(index == 1 and "others" or "", "%s: %s", other.name, other.legal and "legal"
      or "not here: " .. tostring(other.reason))
  end
end

local function as_text(facts)
  local lines, row = writer()
  rows_of_problem(facts, row)
  rows_of_cost(facts, row)
  rows_of_schedule(facts, row)
  return facts.kernel .. ": " .. facts.op .. "\n" .. table.concat(lines, "\n") .. "\n"
end

--- The facts of every kernel on every target; and, once a kernel, what a drawing needs.
local function explain_all(records, document, found)
  local all, drawn, faults = {}, {}, {}
  for place, record in ipairs(records) do
    for _, problem in ipairs(document.kernels) do
      fault.about(problem.name, record.name)
      local result, trouble = driver.compile(problem,
        { target = record.name, stop_after = "ir", winners = found })
      if result then
        winners.report { result }
        local facts = facts_of(problem, result)
        all[#all + 1] = facts
        if place == 1 then
          drawn[#drawn + 1] = { problem = problem, plan = result.plan, formula = facts.formula }
        end
      else
        table.move(trouble, 1, #trouble, #faults + 1, faults)
      end
    end
  end
  if #faults > 0 then return nil, faults end
  return all, drawn
end

function M.run(options)
  if options.svg == "" then
    return nil, { diagnostics.new("E006", { verb = M.name, what = "--svg FILE",
      hint = "--svg map.svg" }) }
  end
  local records, document, faults
  records, faults = context.targets(options, "native")
  if not records then return nil, faults end
  document, faults = context.document(options, M.name)
  if not document then return nil, faults end
  local found
  found, faults = winners.open(options, document, records[1])
  if faults then return nil, faults end
  local all, drawn = explain_all(records, document, found)
  if not all then return nil, drawn end
  -- Before anything is said on standard output: a command that fails has said nothing.
  faults = options.svg and context.write_file(options.svg, draw.document(drawn))
  if faults then return nil, faults end
  if options.json then
    output.json { kernels = all, svg = options.svg }
  else
    local texts = {}
    for index, facts in ipairs(all) do texts[index] = as_text(facts) end
    output.write(table.concat(texts, "\n"))
  end
  return 0
end

return M
