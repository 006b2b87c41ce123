-- SPDX-License-Identifier: MIT
-- Every strategy on every target, interpreted, against the independent reference.
--
-- Each lowering builds its kernel for small problems; verify proves its bounds, eval runs it, and
-- every output must be within the contract's bound of the reference (copies: equal).  All values
-- of all knobs are reached, one changed at a time.  Tasks share nothing.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local reference = dofile "tests/lib/reference.lua"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local listing = require "upweave.ir.print"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local schedules = require "upweave.schedule"
local targets = require "upweave.target"
local types = require "upweave.ir.types"

-- deterministic values in (-1, 1) with all bits of the mantissa in use
local function noise(n)
  local out, state = {}, 0x9E3779B97F4A7C15
  for i = 1, n do
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    out[i] = types.round("f32", (state >> 11) * 2.0 ^ -52 - 1)
  end
  return out
end

local function elements(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

-- The first output outside the bound, as text.
local function mismatch(y, want, magnitude, terms)
  for i, w in ipairs(want) do
    local got = y[i - 1]
    local bound = terms[i] == 0 and 0 or (terms[i] + 4) * 2.0 ^ -24 * magnitude[i]
    if not (math.abs(got - w) <= bound) then
      return ("y[%d] = %.9g, want %.9g within %.3g"):format(i - 1, got, w, bound)
    end
  end
end

-- Every task by itself, the last first, in scratch that no other task has touched.
local function run(module, x, n)
  local memory = { x = table.move(x, 1, #x, 0, {}), y = {} }
  for task = module.task_count - 1, 0, -1 do eval.eval(module, memory, task, task + 1) end
  for i = 0, n - 1 do assert(memory.y[i], "an element is never written") end
  assert(memory.y[n] == nil, "y has another size")
  return memory.y
end

-- Schedule texts: every strategy with its defaults and, with `turn`, one knob changed at a time, to
-- every second of its values by turns.
local function schedule_texts(plan, target, turn)
  local out = {}
  for _, strategy in ipairs(lower.list(plan)) do
    local knobs = strategy.knobs(plan, target)
    local base = {}
    for _, knob in ipairs(knobs) do base[knob.name] = knob.default end
    local function add(values)
      if not strategy.legal(plan, values, target) then return end
      local order = {}
      for i, knob in ipairs(knobs) do order[i] = knob.name end
      out[#out + 1] = schedules.text { strategy = strategy.name, knobs = values, order = order }
    end
    add(base)
    for _, knob in ipairs(turn and knobs or {}) do
      for place, value in ipairs(knob.values) do
        local values = {}
        for _, other in ipairs(knobs) do values[other.name] = other.default end
        values[knob.name] = value
        if value ~= knob.default and (place + turn) % 2 == 0 then add(values) end
      end
    end
  end
  return out
end

-- Targets that differ in flags only get the same kernels; those of one are interpreted, of the
-- others the default one is compared with it, for some problems.
local function machine(target)
  return ("%d %d %s %s"):format(target.vector_bytes, target.registers, target.fma,
    target.fence ~= nil)
end

-- What is wrong with the kernel of a schedule, or nil.
local function judge(problem, target, text, x, oracle)
  problem.schedule = text
  local r = assert(driver.compile(problem, { target = target.name, stop_after = "ir" }))
  local ok, y = pcall(run, r.ir, x, #oracle[1])
  local wrong = ok and mismatch(y, table.unpack(oracle)) or not ok and tostring(y)
  return wrong and text .. ": " .. wrong
end

local function default_listing(problem, target)
  problem.schedule = nil
  return listing.print(driver.compile(problem, { target = target.name, stop_after = "ir" }).ir)
end

local function check_target(name, problem, plan, target, turn, x, oracle)
  local fault, count = nil, 0
  for _, text in ipairs(schedule_texts(plan, target, turn)) do
    fault = fault or judge(problem, target, text, x, oracle)
    count = count + 1
  end
  tap.ok(not fault, ("%s on %s: %d schedules"):format(name, target.name, count))
  if fault then tap.diag(fault) end
end

-- A problem meets the knobs on one machine, problems in turn on the next one, and the defaults of
-- all strategies on the others.
local MACHINES <const> = 5
for number, case in ipairs(problems.small()) do
  local problem = problems.make(case.fields)
  local plan = ops.find(problem.op).plan(problem)
  local x = noise(elements(problem.x.shape))
  local oracle, checked = { reference.interpolate(problem, x) }, {}
  local rank = 0
  for _, target in ipairs(targets.list()) do
    local twin = checked[machine(target)]
    if twin and number % 4 == 0 then
      tap.ok(default_listing(problem, target) == default_listing(problem, twin),
        ("%s: %s as %s"):format(case.name, target.name, twin.name))
    elseif not twin then
      checked[machine(target)], rank = target, rank + 1
      local turn = (number + rank) % MACHINES == 0 and number // MACHINES
      check_target(case.name, problem, plan, target, turn, x, oracle)
    end
  end
  assert(rank == MACHINES, "machines that differ")
end

tap.done()
