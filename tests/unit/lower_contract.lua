-- SPDX-License-Identifier: MIT
-- Every strategy of the contract form on every target, interpreted, against the independent
-- reference: what packs, then the kernel, task by task.
--
-- Each lowering builds its kernel for small problems; verify proves its bounds, and every output is
-- within the contract's bound.  All values of all knobs are reached, one changed at a time.  With
-- the defaults, the registers are enough, and a NaN in one element of x reaches the outputs that
-- use it, and no other, but for those in the tile of an algorithm of Winograd's.

local tap = dofile "tests/lib/tap.lua"
local contract = dofile "tests/lib/reference/contract.lua"
local interpreted = dofile "tests/lib/interpreted.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems_contract.lua"
local driver = require "upweave.driver"
local lower = require "upweave.lower"
local make = dofile("tests/lib/problems.lua").make
local ops = require "upweave.ops"
local schedules = require "upweave.schedule"
local targets = require "upweave.target"
local types = require "upweave.ir.types"

-- Inputs and parameters as lists of stored numbers; variances are positive.
local function tensors_of(problem)
  local memory = {}
  for seed, tensor in ipairs(ops.find(problem.op).tensors(problem)) do
    if tensor.role ~= "output" then
      local list = ir.noise(tensor.elems, seed)
      for i, v in ipairs(list) do
        list[i] = types.round(tensor.dtype, tensor.name == "var" and v * v + 0.25 or v)
      end
      memory[tensor.name] = list
    end
  end
  return memory
end

-- The first output outside the bound, as text.  An algorithm of Winograd's has the largest of its
-- tile's, which is no larger than the largest of all, times its factor.
local function mismatch(case, module, y)
  local tile = module.algorithm and module.algorithm.factor * math.max(0, table.unpack(case.bound))
  for i, w in ipairs(case.want) do
    local bound = tile or case.bound[i]
    if not (math.abs(y[i - 1] - w) <= bound) then
      return ("y[%d] = %.9g, want %.9g within %.3g"):format(i - 1, y[i - 1], w, bound)
    end
  end
end

-- What a NaN at a place of x reaches wrongly, or leaves as it was.
local function spread(case, module, y)
  if module.algorithm then return nil end
  local place = #case.memory.x // 2 + 1
  local memory = {}
  for name, list in pairs(case.memory) do memory[name] = list end
  memory.x = { table.unpack(case.memory.x) }
  memory.x[place] = 0 / 0
  local users = contract.users(case.problem, place)
  local after = interpreted.run(module, memory, #case.want)
  for i = 1, #case.want do
    local odd = after[i - 1] ~= after[i - 1]
    if odd ~= (users[i] == true) then
      return ("a NaN in x[%d] %s y[%d]"):format(place - 1, odd and "reaches" or "misses", i - 1)
    end
    if not odd and after[i - 1] ~= y[i - 1] then return ("y[%d] changes"):format(i - 1) end
  end
end

-- What is wrong with the kernel of a schedule, or nil; defaults must do with the registers.
local function judge(case, target, text, default)
  case.problem.schedule = text
  local r = assert(driver.compile(case.problem, { target = target.name, stop_after = "ir" }))
  if default and r.pressure > target.registers then
    return ("%s: %d registers"):format(text, r.pressure)
  end
  local ok, y = pcall(interpreted.run, r.ir, case.memory, #case.want)
  local wrong = ok and (mismatch(case, r.ir, y) or default and spread(case, r.ir, y))
    or not ok and tostring(y)
  return wrong and text .. ": " .. wrong
end

-- Schedule texts of a strategy: its defaults and, with `turn`, one knob changed at a time, to every
-- fifth of its values by turns.
local function add_texts(out, strategy, plan, target, turn)
  local knobs = strategy.knobs(plan, target)
  local function add(name, value)
    local values, order = {}, {}
    for i, knob in ipairs(knobs) do values[knob.name], order[i] = knob.default, knob.name end
    if name then values[name] = value end
    if not strategy.legal(plan, values, target) then return end
    out[#out + 1] = schedules.text { strategy = strategy.name, knobs = values, order = order }
  end
  add()
  local first = #out
  for _, knob in ipairs(turn and knobs or {}) do
    for place, value in ipairs(knob.values) do
      if value ~= knob.default and (place + turn) % 5 == 0 then add(knob.name, value) end
    end
  end
  return first
end

local MACHINES <const> = 5

-- Targets that differ in flags only get the same kernels.
local function machines()
  local out, seen = {}, {}
  for _, target in ipairs(targets.list()) do
    local key = ("%d %d %s %s"):format(target.vector_bytes, target.registers, target.fma,
      target.fence ~= nil)
    if not seen[key] then out[#out + 1], seen[key] = target, true end
  end
  assert(#out == MACHINES, "machines that differ")
  return out
end

-- One machine meets all knobs of a problem, the next one the defaults and a NaN: problems in turn.
local list = machines()
for number, small in ipairs(problems) do
  local case = { problem = make(small.fields) }
  case.memory = tensors_of(case.problem)
  case.want, case.bound = contract.contract(case.problem, case.memory)
  local plan = ops.find(case.problem.op).plan(case.problem)
  local fault, count = nil, 0
  for rank = 0, 1 do
    local target = list[(number + rank) % MACHINES + 1]
    local texts = {}
    for _, strategy in ipairs(lower.list(plan)) do
      add_texts(texts, strategy, plan, target, rank == 0 and number // MACHINES)
    end
    for _, text in ipairs(texts) do
      local found = judge(case, target, text, rank == 1)
      fault = fault or found and target.name .. ": " .. found
      count = count + 1
    end
  end
  tap.ok(not fault, ("%s: %d schedules"):format(small.name, count))
  if fault then tap.diag(fault) end
end

tap.done()
