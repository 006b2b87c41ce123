-- SPDX-License-Identifier: MIT
-- Compiled convolutions against the interpreter of the IR, bit for bit: what NAME_pack writes and
-- what the kernel makes of it, whole and by two threads.
--
-- All strategies of the contract form, for every target that this machine runs and, a few, for
-- others in emulators; by every supported compiler.  Ordinary numbers, and NaN, infinities, zeros
-- of both signs, denormals and numbers near overflow among them.  NaN equals NaN.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local contractions = dofile("tests/lib/contractions.lua")(compiled, ir)
local machines = dofile "tests/lib/machines.lua"
local program = dofile("tests/lib/program.lua")(compiled)

-- `which(kernel)` is the variant that runs.
local function compare(folder, kernels, title, options, which)
  for _, hostile in ipairs { false, true } do
    local data, faults = {}, {}
    for i, kernel in ipairs(kernels) do data[i] = contractions.data(kernel, hostile) end
    local got, reason = contractions.run(folder, kernels, data, options)
    for i, kernel in ipairs(got and kernels or {}) do
      faults[#faults + 1] = contractions.difference(kernel, which(kernel), data[i], got[i])
    end
    tap.ok(got and #faults == 0, ("%s, %s: %d kernels"):format(title,
      hostile and "hostile numbers" or "ordinary numbers", #kernels))
    if reason then tap.diag(reason) end
    for _, fault in ipairs(faults) do tap.diag(fault) end
  end
end

local function only(kernel) return kernel.library.results[1] end

local function check(compiler, target, first, share, runner)
  local kernels = contractions.kernels(target, 1 + first % share, share)
  local folder = contractions.program(program, compiler, kernels)
  local title = ("clang-%d, %s"):format(compiler.major, target.name)
  compare(folder, kernels, title, { runner = runner }, only)
end

-- One kernel for all targets of this machine: the best one that it runs is chosen, or the wish.
local function check_variants(compiler, machine)
  local kernel = assert(contractions.kernel(contractions.cases[1], machine.targets, 1))
  local folder = contractions.program(program, compiler, { kernel })
  local function variant(name)
    for _, result in ipairs(kernel.library.results) do
      if result.target.name == name then return result end
    end
  end
  local best = machine.runs[#machine.runs].name
  compare(folder, { kernel }, "the best variant", {}, function() return variant(best) end)
  compare(folder, { kernel }, "generic by wish", { isa = "generic" },
    function() return variant "generic" end)
end

-- Targets whose kernels differ little from those of others meet a part of the cases.
local shares = { generic = 4, ["x86-64-v2"] = 15, ["x86-64-v4"] = 8, icelake = 2 }

for _, setting in ipairs { { major = 19, share = 1 }, { major = 14, share = 8 } } do
  local compiler = compiled.compiler(setting.major)
  if not compiler then
    tap.skip("clang-" .. setting.major, "it is not installed")
  else
    for number, target in ipairs(compiled.runnable()) do
      check(compiler, target, number, math.min(15, (shares[target.name] or 1) * setting.share))
    end
  end
end

local newest = compiled.any_compiler()
if newest then
  check_variants(newest, machines.here())
  for number, machine in ipairs(machines.others(newest)) do
    if machine.lacks then
      tap.skip("kernels for " .. machine.arch, machine.lacks)
    else
      check(newest, machine.runs[#machine.runs], number, 6, machine.runner)
    end
  end
else
  tap.skip("variants and other machines", "no clang is installed")
end

compiled.command.clean()
tap.done()
