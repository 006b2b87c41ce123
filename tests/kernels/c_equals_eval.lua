-- SPDX-License-Identifier: MIT
-- Compiled kernels against the interpreter of the IR, bit for bit.
--
-- Small problems of every mode, rank and layout, with the schedule of choice and others, for every
-- target that this machine runs, by every supported compiler.  Two sets of data: ordinary numbers,
-- and NaN, infinities, zeros of both signs, denormals and numbers near overflow among them.  NaN
-- equals NaN: which one comes out is the processor's affair.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

-- what the common list lacks: rows of many vectors, streaming stores, tables, several strips
local more = {}
local function add(name, fields) more[#more + 1] = { name = name, fields = fields } end
add("long rows", { x = tensor("NCHW", 1, 1, 5, 131), mode = "bilinear", size = { 9, 257 } })
add("streaming", { x = tensor("NCHW", 1, 2, 6, 64), mode = "bilinear", scale_factor = 2 })
add("shrinking", { x = tensor("NCHW", 1, 1, 40, 120), mode = "bilinear", size = { 17, 48 },
  antialias = true })
add("aperiodic", { x = tensor("NCW", 1, 2, 3001), mode = "linear", size = { 1571 } })
add("strips", { x = tensor("NHWC", 1, 33, 6, 16), mode = "bilinear", scale_factor = 2 })
add("bicubic channels", { x = tensor("NHWC", 1, 7, 6, 48), mode = "bicubic", size = { 13, 11 } })

local schedules = {
  "", "rolling:rows=4,strips=2,stores=cached", "rolling:rows=1,strips=1,stores=streaming",
  "blended:strips=4,stores=cached", "blended:strips=1,stores=streaming",
  "channels:columns=2,strips=2,stores=cached", "channels:columns=8,strips=1,stores=streaming",
  "plane", "registers",
}

-- Problems with schedules for a target: the heuristic's for all, each other one for a few.
-- Of all these, one in `share`.
local function kernels_for(target, share)
  local list, cases = {}, problems.small()
  table.move(more, 1, #more, #cases + 1, cases)
  for number, case in ipairs(cases) do
    for rank, schedule in ipairs(schedules) do
      local wanted = schedule == "" or number > #cases - #more or (number + rank) % 4 == 0
      if wanted and (number + rank) % share == 0 then
        local problem = problems.make(case.fields)
        problem.schedule = schedule ~= "" and schedule or nil
        local name = compiled.name(problem, #list + 1)
        local r = driver.compile(problem, { target = target.name, stop_after = "ir" })
        if r then
          list[#list + 1] = { problem = problem, module = r.ir, name = name,
            title = ("%s %s"):format(case.name, schedule) }
        end
      end
    end
  end
  return list
end

local function size_of(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

local special = { 0 / 0, math.huge, -math.huge, 0.0, -0.0, 2.0 ^ -149, -2.0 ^ -130, 0x1.fffffep127,
  -0x1.8p127, 1.0, 2.0 ^ -126 }

local function ordinary(n, seed) return ir.noise(n, seed) end
local function hostile(n, seed)
  local x, random = ir.noise(n, seed), ir.random(seed + 1)
  for i = 1, n do
    if random(7) == 0 then x[i] = special[1 + random(#special)] end
  end
  return x
end

local function interpreted(kernel, x)
  local memory = { x = ir.array(x), y = {} }
  eval.eval(kernel.module, memory)
  return memory.y
end

local function difference(kernel, got, want)
  for i = 0, size_of(kernel.problem.y.shape) - 1 do
    if ir.bits(got[i]) ~= ir.bits(want[i]) then
      return ("%s: y[%d] = %a, the interpreter says %a"):format(kernel.title, i, got[i], want[i])
    end
  end
end

local function compare(kernels, binary, make, title)
  local inputs, list = {}, {}
  for i, k in ipairs(kernels) do
    list[i], inputs[i] = k.problem, make(size_of(k.problem.x.shape), i)
  end
  local outputs, faults = compiled.run(binary, list, inputs), {}
  for i, k in ipairs(kernels) do
    faults[#faults + 1] = difference(k, outputs[i], interpreted(k, inputs[i]))
  end
  tap.ok(#faults == 0, ("%s: %d kernels"):format(title, #kernels))
  for _, fault in ipairs(faults) do tap.diag(fault) end
end

-- Generic and x86-64-v2 differ in streaming stores only, x86-64-v4 and icelake in nothing that is
-- used here; the second compiler meets a third of what the first does.
local shares = { generic = 2, ["x86-64-v2"] = 2, ["x86-64-v4"] = 7 }

for _, setting in ipairs { { major = 19, share = 1 }, { major = 14, share = 3 } } do
  local compiler = compiled.compiler(setting.major)
  if not compiler then
    tap.skip("clang-" .. setting.major, "it is not installed")
  else
    for _, target in ipairs(compiled.runnable()) do
      local title = ("clang-%d, %s"):format(setting.major, target.name)
      local kernels = kernels_for(target, (shares[target.name] or 1) * setting.share)
      local list = {}
      for i, k in ipairs(kernels) do list[i] = k.problem end
      local binary = compiled.program(list, target, compiler)
      compare(kernels, binary, ordinary, title .. ", ordinary numbers")
      compare(kernels, binary, hostile, title .. ", NaN, infinities, zeros, denormals")
    end
  end
end

compiled.command.clean()
tap.done()
