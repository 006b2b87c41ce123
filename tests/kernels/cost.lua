-- SPDX-License-Identifier: MIT
-- What a kernel costs before it runs: time of the generator and of the compiler, size of the text,
-- growth of the code with the image.
--
-- Times are CPU times (the compiler's from the kernel's account of our children), the least of
-- several attempts, so that a busy machine does not fail.  A slow one might: limits are scaled by
-- how much longer than usual a fixed piece of Lua takes here, if it does.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local problems = dofile "tests/lib/problems.lua"
local workloads = dofile "tests/lib/workloads.lua"
local clang = require "upweave.toolchain.clang"
local driver = require "upweave.driver"
local elf = require "upweave.toolchain.elf"
local targets = require "upweave.target"
local types = require "upweave.ir.types"

-- By form of the plan: seconds of the generator, with the compiler, bytes of machine code.
local LIMITS <const> = {
  resample = { generate = 0.3, all = 2.0, text = 64 * 1024 },
  contract = { generate = 1.0, all = 3.0, text = 96 * 1024 },
}
-- The code of a larger image: so many times that of the small one, and what a few more classes of
-- tiles take, which a row of two vectors does not have.
local GROWTH <const>, CLASSES <const> = 2.0, 4096
local ATTEMPTS <const> = 3
-- Seconds that the calibration takes on the machine for which the limits were set.
local USUAL <const> = 0.25

local function calibration()
  local start, sum = os.clock(), 0
  for i = 1, 600000 do sum = sum + types.round("f32", i / 7) end
  return os.clock() - start, sum
end
local factor = math.huge
for _ = 1, ATTEMPTS do factor = math.min(factor, (calibration()) / USUAL) end
factor = math.max(1, factor)
tap.diag(("limits are those of the contract times %.2f"):format(factor))

-- CPU seconds of ended children; ticks are hundredths.
local function children()
  local file = assert(io.open("/proc/self/stat", "rb"))
  local fields, at = {}, 0
  for word in file:read("a"):match("^.*%) (.*)$"):gmatch("%S+") do
    at = at + 1
    fields[at] = word
  end
  file:close()
  return (tonumber(fields[14]) + tonumber(fields[15])) / 100
end

local function generate(problem, target, limit)
  local best, library = math.huge, nil
  for _ = 1, ATTEMPTS do
    local start = os.clock()
    library = driver.library(problem, { targets = { target.name } })
    best = math.min(best, os.clock() - start)
    if best < limit / 2 then break end
  end
  return best, library
end

local function compile(compiler, library, target, limit)
  local folder, best = compiled.command.folder(), math.huge
  for _, file in ipairs(library.files) do
    compiled.command.write(folder .. "/" .. file.name, file.text)
  end
  local command = clang.object(compiler, clang.compile_flags(compiler, target.flags),
    library.units[1].source, "object.o")
  for _ = 1, ATTEMPTS do
    local start = children()
    local result = compiled.process.run(command, { cwd = folder, seconds = 60 })
    if not result.ok then error(result.stderr) end
    best = math.min(best, children() - start)
    if best < limit / 2 then break end
  end
  return best, compiled.command.read(folder .. "/object.o")
end

-- The tensor with every spatial axis `times` as long; of each, `kept` pixels do not count.
local function larger_tensor(x, times, kept)
  local shape = {}
  for at, extent in ipairs(x.shape) do
    local spatial = x.layout:sub(at, at):find("[DHW]")
    shape[at] = spatial and (extent - kept) * times + kept or extent
  end
  return { shape = shape, layout = x.layout, dtype = x.dtype }
end

-- The problem with all of it `times` as long, the outputs, too; with aligned corners it is the
-- distances between them that grow, or the ratio would be another.
local function larger_resample(problem, times)
  local kept = problem.align_corners and 1 or 0
  local fields = {
    x = larger_tensor(problem.x, times, kept), mode = problem.mode, size = {},
    align_corners = problem.align_corners or nil, antialias = problem.antialias or nil,
  }
  for i, size in ipairs(problem.size) do fields.size[i] = (size - kept) * times + kept end
  if problem.scale_factor then fields.scale_factor, fields.size = problem.scale_factor, nil end
  return fields
end

local KEPT <const> = { "op", "out_channels", "kernel_size", "stride", "dilation", "padding",
  "groups", "output_padding", "bias", "post", "numerics" }

local function larger_contract(problem, times)
  local fields = { x = larger_tensor(problem.x, times, 0) }
  for _, key in ipairs(KEPT) do fields[key] = problem[key] end
  return fields
end

local LARGER <const> = { resample = larger_resample, contract = larger_contract }

local function larger(problem, form, times)
  local made = problems.make(LARGER[form](problem, times))
  made.name = problem.name
  return made
end

local function check(compiler, target, problem)
  local name = problem.name .. " for " .. target.name
  local form = workloads.form(problem)
  local limits = LIMITS[form]
  local seconds, library = generate(problem, target, limits.generate)
  tap.ok(seconds < limits.generate * factor, ("%s: generated in %.3f s"):format(name, seconds))
  local compiling, object = compile(compiler, library, target, limits.all)
  tap.ok(seconds + compiling < limits.all * factor,
    ("%s: generated and compiled in %.2f s"):format(name, seconds + compiling))
  local code, constants = elf.sizes(object)
  tap.ok(code < limits.text, ("%s: %d bytes of machine code"):format(name, code))
  local _, big = generate(larger(problem, form, 8), target, limits.generate)
  local _, big_object = compile(compiler, big, target, limits.all)
  local big_code, big_constants = elf.sizes(big_object)
  tap.ok(big_code <= GROWTH * code + CLASSES,
    ("%s: %d bytes of code, %d of 8 times the image in each axis"):format(name, code, big_code))
  tap.diag(("constants %d, larger %d; C text %d"):format(constants, big_constants,
    #library.files[1].text))
end

local compiler = compiled.compiler(19)
if not compiler then
  tap.skip("cost", "clang-19 is not installed")
else
  for i, problem in ipairs(workloads.problems()) do
    check(compiler, targets.find(i % 2 == 0 and "x86-64-v3" or "icelake"), problem)
  end
end

compiled.command.clean()
tap.done()
