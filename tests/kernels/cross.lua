-- SPDX-License-Identifier: MIT
-- Kernels for other machines, in emulators.
--
-- Small problems of every mode, rank, layout and element type under several schedules: `verify`
-- passes, and each byte is what this machine gives for the same schedule on a target with FMA,
-- whose vectors have another width.  What is not finite only has to be not finite there: a vector
-- of another width may read the same infinity with weight 0.  Of convolutions, `verify` only: their
-- bytes are the interpreter's, see c_equals_eval_contract.lua.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local dtypes = dofile "tests/lib/dtypes.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local contractions = dofile("tests/lib/contractions.lua")(compiled, ir)
local machines = dofile "tests/lib/machines.lua"
local problems = dofile "tests/lib/problems.lua"
local driver = require "upweave.driver"
local harness = require "upweave.toolchain.harness"
local schedules = require "upweave.schedule"
local types = require "upweave.ir.types"

-- One in this many of the pairs of problem and schedule; each problem meets the heuristic's choice.
local SHARE <const> = 9
local SCHEDULES <const> = {
  "", "rolling:rows=4,strips=2", "rolling:rows=1", "blended:strips=4", "channels:columns=2",
  "channels:rows=2", "plane", "registers",
}

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function of(dtype, x)
  x.dtype = dtype
  return x
end
local cases = problems.small()
local function add(name, fields) cases[#cases + 1] = { name = name, fields = fields } end
add("long rows", { x = tensor("NCHW", 1, 1, 5, 131), mode = "bilinear", size = { 9, 257 } })
add("aperiodic", { x = tensor("NCW", 1, 2, 3001), mode = "linear", size = { 1571 } })
add("bicubic channels", { x = tensor("NHWC", 1, 7, 6, 48), mode = "bicubic", size = { 13, 11 } })
for _, dtype in ipairs { "f64", "f16", "bf16", "u8" } do
  for _, mode in ipairs { "nearest", "bilinear", "bicubic" } do
    local planar = of(dtype, tensor("NCHW", 1, 2, 5, 37))
    local interleaved = of(dtype, tensor("NHWC", 1, 7, 9, 3))
    add(dtype .. " " .. mode .. " NCHW", { x = planar, mode = mode, scale_factor = 2 })
    add(dtype .. " " .. mode .. " NHWC", { x = interleaved, mode = mode, size = { 11, 17 } })
  end
end

-- A problem with the schedule that a target takes for it, or nil.
local function scheduled(fields, text, target, name)
  local problem = problems.make(fields)
  problem.schedule, problem.name = text ~= "" and text or nil, name
  local r = driver.compile(problem, { target = target, stop_after = "ir" })
  problem.schedule = r and schedules.text(r.schedule)
  return r and problem
end

-- Of every `nth` problem the kernels of a target; those that it shares with the peer are `twins`
-- there, by index.
local function kernels_for(target, peer, nth)
  local list, twins, seen = {}, {}, {}
  for number = nth, #cases, nth do
    local case = cases[number]
    for rank, text in ipairs(SCHEDULES) do
      local name = ("k%03d"):format(#list + 1)
      local problem = (text == "" or (number + rank) % SHARE == 0)
        and scheduled(case.fields, text, target, name)
      local what = problem and case.name .. ": " .. problem.schedule
      if problem and not seen[what] then
        list[#list + 1], seen[what] = { problem = problem, title = what }, true
        twins[#list] = peer and scheduled(case.fields, problem.schedule, peer, name)
      end
    end
  end
  return list, twins
end

-- Of the convolutions every fourth, from the `nth` on, behind the kernels of a list.
local function add_convolutions(list, target, nth)
  for number = nth, #contractions.cases, 4 do
    local case = contractions.cases[number]
    local kernel = contractions.kernel(case, { target }, #list + 1)
    list[#list + 1] = kernel and { problem = kernel.problem, title = kernel.title }
  end
end

local function count(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

-- Ordinary numbers, every seventh time something else.
local SPECIAL <const> = { 0 / 0, math.huge, -math.huge, 0.0, -0.0, 2.0 ^ -149, -2.0 ^ -130,
  0x1.fffffep127, 1.0 }
local function noise(x, seed)
  local n, random = count(x.shape), ir.random(seed + 1)
  local values = ir.noise(n, seed)
  for i = 1, n do
    if x.dtype == "u8" then
      values[i] = random(256)
    elseif seed % 2 == 0 and random(7) == 0 then
      values[i] = SPECIAL[1 + random(#SPECIAL)]
    end
    values[i] = types.round(x.dtype, values[i])
  end
  return values
end

local function verify(binary, kernels, machine, title)
  local records, ended = harness.run(binary, { "verify", "--rounds", "1" },
    { runner = machine.runner, seconds = 300, what = "verify", total = #kernels })
  local faults = {}
  for i, kernel in ipairs(kernels) do
    local record = records[i] or { reason = ended }
    if not record.ok then
      faults[#faults + 1] = ("%s: %s"):format(kernel.title, record.reason or record["case"])
    end
  end
  tap.ok(#faults == 0, ("%s: verify passes for %d kernels"):format(title, #kernels))
  for _, fault in ipairs(faults) do tap.diag(fault) end
end

local function same(dtype, a, b)
  if a - a ~= 0 or b - b ~= 0 then return a - a ~= 0 and b - b ~= 0 end
  return dtypes.bits(dtype, a) == dtypes.bits(dtype, b)
end

local function difference(kernel, got, want)
  local y = kernel.problem.y
  for i = 0, count(y.shape) - 1 do
    if not same(y.dtype, got[i], want[i]) then
      return ("%s: y[%d] = %a, here %a"):format(kernel.title, i, got[i], want[i])
    end
  end
end

-- The kernels that both have, run on both.
local function compare(binary, kernels, twins, peer, machine, title)
  local list, there, here, inputs, faults = {}, {}, {}, {}, {}
  for i, kernel in ipairs(kernels) do
    if twins[i] then
      local at = #list + 1
      list[at], there[at], here[at] = kernel, kernel.problem, twins[i]
      inputs[at] = noise(kernel.problem.x, i)
    end
  end
  local program = compiled.program(here, peer, compiled.any_compiler())
  local want = compiled.run(program, here, inputs)
  for i, got in ipairs(compiled.run(binary, there, inputs, machine.runner)) do
    faults[#faults + 1] = difference(list[i], got, want[i])
  end
  tap.ok(#faults == 0 and #list > #kernels // 2,
    ("%s: %d kernels give the bytes of %s"):format(title, #list, peer.name))
  for _, fault in ipairs(faults) do tap.diag(fault) end
end

-- The target of this machine to compare with: FMA and as many registers, so that schedules fit.
local function peer_of(target)
  local best
  for _, own in ipairs(compiled.runnable()) do
    if own.fma == target.fma and (not best or own.registers <= target.registers) then best = own end
  end
  return best
end

local function check(compiler, machine, nth)
  local target = machine.runs[#machine.runs]
  local title, peer = target.name .. " in " .. machine.runner[1], peer_of(target)
  local kernels, twins = kernels_for(target, peer, nth)
  add_convolutions(kernels, target, nth)
  local list = {}
  for i, kernel in ipairs(kernels) do list[i] = kernel.problem end
  local binary = compiled.program(list, target, compiler)
  verify(binary, kernels, machine, title)
  if peer then
    compare(binary, kernels, twins, peer, machine, title)
  else
    tap.skip(title .. " beside this machine", "no target that runs here has FMA")
  end
end

local compiler = compiled.any_compiler()
if not compiler then
  tap.skip("other machines", "no clang is installed")
else
  for nth, machine in ipairs(machines.others(compiler)) do -- the first meets all problems
    if machine.lacks then
      tap.skip("kernels for " .. machine.arch, machine.lacks)
    else
      check(compiler, machine, nth)
    end
  end
end

compiled.command.clean()
tap.done()
