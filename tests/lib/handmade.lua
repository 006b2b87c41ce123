-- SPDX-License-Identifier: MIT
-- Kernels built by hand, compiled and compared with the interpreter: what the lowerings of today do
-- not need. Each case is what a made-up lowering of a copy of 64 numbers gives.

local builder = require "upweave.ir.builder"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local lower = require "upweave.lower"
local problems = dofile "tests/lib/problems.lua"

local SIZE <const> = 64
local M = { SIZE = SIZE }

local tap, compiled, ir

---@class tests.Handmade
---@field name string
---@field fn fun(b: ir.Builder, x: table, y: table)   what it does not write is zero

local function module_of(fn, target)
  local b = builder.new("kernel", target, "f32")
  local x, y = b:input("x", "f32", SIZE), b:output("y", "f32", SIZE)
  b:tasks(1, 1, function()
    for i = 0, SIZE - 4, 4 do b:store(y, i, b:const("f32", 4, 0)) end
    fn(b, x, y)
  end)
  return b
end

-- fn(problems) while the lowering and the driver make the kernels of the cases.
local function with_cases(cases, fn)
  local strategy, current = lower.find "blended", nil
  local honest, library = strategy.lower, driver.library
  strategy.lower = function(_, _, target) return module_of(current.fn, target) end
  driver.library = function(problem, options)
    current = cases[tonumber(problem.name:sub(2))]
    return library(problem, options)
  end
  local list = {}
  for i = 1, #cases do
    list[i] = problems.make {
      x = { shape = { 1, 1, SIZE }, layout = "NCW" }, mode = "nearest",
      size = { SIZE }, schedule = "blended",
    }
    compiled.name(list[i], i)
  end
  local result = fn(list)
  strategy.lower, driver.library = honest, library
  return result
end

local function bits(y)
  local text = {}
  for i = 0, SIZE - 1 do text[i + 1] = ("%x"):format(ir.bits(y[i])) end
  return table.concat(text, " ")
end

--- Run all cases on the same input; `runner` is the emulator's command, if one is needed.
---@param compiler upweave.Compiler
---@param target Target
---@param cases tests.Handmade[]
---@param input number[]
---@param runner string[]?
function M.compare(compiler, target, cases, input, runner)
  compiler.cflags = { "-Werror" }
  local outputs = with_cases(cases, function(list)
    local inputs = {}
    for i = 1, #list do inputs[i] = input end
    return compiled.run(compiled.program(list, target, compiler), list, inputs, runner)
  end)
  for i, case in ipairs(cases) do
    local memory = { x = ir.array(input), y = {} }
    eval.eval(module_of(case.fn, target), memory)
    tap.is(bits(outputs[i]), bits(memory.y), ("clang-%d %s: %s"):format(compiler.major, target.name,
      case.name))
  end
end

--- The same with the compiler of a version, where it is installed.
function M.check(major, target, cases, input)
  local compiler = compiled.compiler(major)
  if not compiler then return tap.skip("clang-" .. major, "it is not installed") end
  M.compare(compiler, target, cases, input)
end

--- C files of the cases for a target: lists as compiled.compile takes them, without their header.
---@return { name: string, files: table[], source: string, flags: string[] }[]
function M.units(target, cases)
  return with_cases(cases, function(list)
    local units = {}
    for i, problem in ipairs(list) do
      local library = compiled.must(driver.library(problem, { targets = { target } }))
      units[i] = { name = cases[i].name, files = library.files, source = library.units[1].source,
        flags = library.units[1].flags }
    end
    return units
  end)
end

return function(the_tap, the_compiled)
  tap, compiled = the_tap, the_compiled
  ir = dofile("tests/lib/ir.lua")(tap)
  return M
end
