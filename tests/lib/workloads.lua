-- SPDX-License-Identifier: MIT
-- The kernels of the bench as compilations: what several tests compile in the same way, so that
-- each is compiled once.

local clang = require "upweave.toolchain.clang"
local driver = require "upweave.driver"
local ops = require "upweave.ops"
local problems = dofile "tests/lib/problems.lua"
local targets = require "upweave.target"

local M = {}

--- The form of a problem's plan.
---@param problem table
---@return string
function M.form(problem) return ops.find(problem.op).plan(problem).form end

--- All rows of bench/workloads.json that this version builds, as canonical problems.
---@param form string?   only those whose plan has this form
---@return table[]
function M.problems(form)
  local file = assert(io.open("bench/workloads.json", "rb"))
  local document = require("dkjson").decode(file:read("a"))
  file:close()
  local list = {}
  for _, fields in ipairs(document.kernels) do
    if not fields.post then
      local name = fields.name
      fields.name = nil
      local problem = problems.make(fields)
      problem.name = name
      if not form or M.form(problem) == form then list[#list + 1] = problem end
    end
  end
  return list
end

--- One compilation for every problem: everything the tests look for in one call.
---@param compiler upweave.Compiler
---@param target_name string
---@param list table[]?   problems, all by default
---@return table[] units
function M.units(compiler, target_name, list)
  local units = {}
  local flags = clang.compile_flags(compiler, targets.find(target_name).flags)
  table.move({ "-Werror", "-gline-tables-only" }, 1, 2, #flags + 1, flags)
  if compiler.major >= 19 then flags[#flags + 1] = "-Rpass-missed=regalloc" end
  for i, problem in ipairs(list or M.problems()) do
    local library = assert(driver.library(problem, { targets = { target_name } }))
    units[i] = { name = problem.name, source = problem.name .. ".c", files = library.files,
      flags = flags, text = library.files[1].text, problem = problem }
  end
  return units
end

return M
