-- SPDX-License-Identifier: MIT
-- Compiled kernels of f64, f16, bf16 and u8 against the interpreter of the IR, bit for bit: every
-- strategy, every target that this machine runs, both compilers.  Conversions meet every f16, and
-- f32 values around every tie, denormal and overflow.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local dtypes = dofile "tests/lib/dtypes.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local types = require "upweave.ir.types"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

local function count(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

-- Cases: shapes that reach loops, tails, tables, rings and scratch of every strategy.
local float_cases = {
  { x = tensor("NCHW", 1, 2, 5, 37), mode = "bilinear", size = { 9, 75 } },
  { x = tensor("NCHW", 1, 1, 9, 33), mode = "bicubic", scale_factor = { 2, 2 } },
  { x = tensor("NHWC", 1, 5, 6, 33), mode = "bilinear", size = { 7, 11 } },
  { x = tensor("NHWC", 2, 4, 5, 3), mode = "bilinear", scale_factor = { 2, 2 } },
  { x = tensor("NCHW", 1, 3, 3, 3), mode = "bilinear", scale_factor = { 2, 2 } },
  { x = tensor("NCDHW", 1, 1, 3, 5, 17), mode = "trilinear", size = { 5, 9, 21 } },
  { x = tensor("NDHWC", 1, 3, 4, 4, 20), mode = "trilinear", size = { 5, 7, 6 } },
  { x = tensor("NHWC", 1, 3, 4, 64), mode = "bicubic", scale_factor = { 2, 2 } },
  { x = tensor("NHWC", 1, 30, 31, 64), mode = "area", size = { 2, 3 } },
  { x = tensor("NDHWC", 1, 3, 4, 3, 64), mode = "trilinear", size = { 5, 7, 6 } },
  { x = tensor("NCW", 1, 1, 1401), mode = "linear", size = { 1571 } },
  { x = tensor("NCHW", 1, 1, 40, 50), mode = "area", size = { 3, 7 } },
  { x = tensor("NCHW", 1, 2, 6, 65), mode = "nearest", size = { 9, 140 } },
  { x = tensor("NHWC", 1, 3, 4, 40), mode = "nearest", size = { 5, 7 } },
}
local byte_cases = {
  { x = tensor("NCHW", 1, 2, 5, 37), mode = "bilinear", scale_factor = { 2, 2 } },
  { x = tensor("NHWC", 1, 5, 37, 3), mode = "bilinear", scale_factor = { 4, 4 } },
  { x = tensor("NHWC", 1, 6, 40, 4), mode = "bilinear", size = { 13, 31 } },
  { x = tensor("NHWC", 1, 24, 60, 3), mode = "bilinear", size = { 9, 21 }, antialias = true },
  { x = tensor("NCHW", 1, 1, 9, 50), mode = "bicubic", size = { 12, 131 } },
  { x = tensor("NCHW", 1, 1, 24, 61), mode = "bicubic", size = { 11, 23 }, antialias = true },
  { x = tensor("NHWC", 1, 1, 1, 4), mode = "bicubic", size = { 3, 4 } },
  { x = tensor("NCHW", 1, 1, 2, 1401), mode = "bilinear", size = { 3, 1571 } },
  { x = tensor("NCHW", 1, 2, 6, 65), mode = "nearest", size = { 9, 140 } },
  { x = tensor("NHWC", 1, 3, 4, 40), mode = "nearest", size = { 5, 7 } },
}
local schedules = {
  "", "rolling:rows=2,strips=2,stores=cached", "blended:line=fused", "blended:line=buffered",
  "channels:rows=2,columns=2", "plane", "registers", "averages:rows=1,strips=2",
  "products:rows=2,strips=2", "products:rows=1",
}

-- Kernels of one element type for a target: of all cases with all schedules, one in `share`, others
-- for every `turn`.
local function kernels_for(target, dtype, share, turn, list)
  for number, fields in ipairs(dtype == "u8" and byte_cases or float_cases) do
    for rank, schedule in ipairs(schedules) do
      if (number + rank + turn) % (schedule == "" and 2 or share) == 0 then
        fields.x.dtype = dtype
        local problem = problems.make(fields)
        problem.schedule = schedule ~= "" and schedule or nil
        compiled.name(problem, #list + 1)
        local r = driver.compile(problem, { target = target.name, stop_after = "ir" })
        if r then
          list[#list + 1] = { problem = problem, module = r.ir,
            title = ("%s %s %s"):format(dtype, fields.mode, schedule) }
        end
      end
    end
  end
end

local special = { 0 / 0, math.huge, -math.huge, 0.0, -0.0, 65504.0, -65504.0, 2.0 ^ -24,
  -2.0 ^ -15, 1.0, 0x1.8p-25 }

-- Numbers of a type, special ones among them where it has such.
local function data(dtype, n, seed)
  local x, random = ir.noise(n, seed), ir.random(seed + 1)
  for i = 1, n do
    if dtype == "u8" then x[i] = random(3) == 0 and random(256) or 255 * random(2)
    elseif dtype == "f64" then x[i] = x[i] + random(1 << 40) * 2.0 ^ -52
    else x[i] = types.round(dtype, random(6) == 0 and special[1 + random(#special)] or x[i]) end
  end
  return x
end

local function difference(kernel, got, want)
  local dtype = kernel.problem.y.dtype
  for i = 0, count(kernel.problem.y.shape) - 1 do
    if dtypes.bits(dtype, got[i]) ~= dtypes.bits(dtype, want[i]) then
      return ("%s: y[%d] = %s, the interpreter says %s"):format(kernel.title, i, got[i], want[i])
    end
  end
end

local function compare(kernels, binary, title)
  local inputs, list, faults = {}, {}, {}
  for i, k in ipairs(kernels) do
    list[i], inputs[i] = k.problem, data(k.problem.x.dtype, count(k.problem.x.shape), i)
  end
  local outputs = compiled.run(binary, list, inputs)
  for i, k in ipairs(kernels) do
    local memory = { x = ir.array(inputs[i]), y = {} }
    eval.eval(k.module, memory)
    faults[#faults + 1] = difference(k, outputs[i], memory.y)
  end
  tap.ok(#faults == 0, ("%s: %d kernels"):format(title, #kernels))
  for _, fault in ipairs(faults) do tap.diag(fault) end
end

for _, setting in ipairs { { major = 19, share = 7 }, { major = 14, share = 11 } } do
  local compiler = compiled.compiler(setting.major)
  if not compiler then
    tap.skip("clang-" .. setting.major, "it is not installed")
  else
    for turn, target in ipairs(compiled.runnable()) do
      local kernels, list = {}, {}
      for offset, dtype in ipairs { "f64", "f16", "bf16", "u8" } do
        kernels_for(target, dtype, setting.share, turn + 2 * offset, kernels)
      end
      for i, k in ipairs(kernels) do list[i] = k.problem end
      compare(kernels, compiled.program(list, target, compiler),
        ("clang-%d, %s"):format(setting.major, target.name))
    end
  end
end

-- conversions: a sum of two pixels over all that is hard to round -----------------------------

-- Pairs of neighbours whose mean, half of their sum, is on, below and above what a format holds.
local function hard(dtype)
  local x, digits = {}, dtype == "f16" and 10 or 7
  for _, exponent in ipairs { -26, -25, -24, -20, -15, -14, -3, 0, 3, 14, 15 } do
    for k = 0, 15 do
      local ulp = 2.0 ^ (exponent - digits)
      x[#x + 1] = types.round(dtype, 2.0 ^ exponent + k * ulp)
      x[#x + 1] = types.round(dtype, 2.0 ^ exponent + (k + 1) * ulp)
    end
  end
  return x
end

local function pairs_problem(dtype, number)
  local x = hard(dtype)
  local problem = problems.make {
    x = { shape = { 1, 1, #x }, layout = "NCW", dtype = dtype }, mode = "area", size = { #x // 2 },
  }
  compiled.name(problem, number)
  return problem, x
end

-- The first mean of a pair that is not rounded once.
local function fault_of(dtype, x, y)
  for i = 0, #x // 2 - 1 do
    local a, b = x[2 * i + 1], x[2 * i + 2]
    if y[i] ~= types.round(dtype, (a + b) / 2) then return ("%a and %a: %a"):format(a, b, y[i]) end
  end
end

for _, target in ipairs(compiled.runnable()) do
  local list, inputs = {}, {}
  for number, dtype in ipairs { "f16", "bf16" } do
    list[number], inputs[number] = pairs_problem(dtype, number)
  end
  local program = compiled.program(list, target, compiled.any_compiler())
  local outputs = compiled.run(program, list, inputs)
  for number, problem in ipairs(list) do
    local dtype = problem.x.dtype
    local fault = fault_of(dtype, inputs[number], outputs[number])
    tap.ok(not fault, ("%s on %s: ties, denormals and overflow"):format(dtype, target.name))
    if fault then tap.diag(fault) end
  end
end

compiled.command.clean()
tap.done()
