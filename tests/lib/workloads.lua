-- SPDX-License-Identifier: MIT
-- The kernels of the bench as compilations.

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

--- Problems for a target where turns are enough: of `share` pairs of neighbours, which are the
--- layouts of a workload, one, and another for the next target.
---@param list table[]
---@param target_name string
---@param share integer
---@return table[]
function M.turn(list, target_name, share)
  local out, place = {}, 0
  for i, target in ipairs(targets.list()) do
    if target.name == target_name then place = i end
  end
  for i, problem in ipairs(list) do
    if ((i - 1) // 2 + place) % share == 0 then out[#out + 1] = problem end
  end
  return out
end

--- One compilation for every problem.
---@param compiler upweave.Compiler
---@param target_name string
---@param list table[]     problems
---@param more string[]?   flags beside those of kernels
---@return table[] units
function M.units(compiler, target_name, list, more)
  local units = {}
  local flags = clang.compile_flags(compiler, targets.find(target_name).flags)
  flags[#flags + 1] = "-Werror"
  table.move(more or {}, 1, #(more or {}), #flags + 1, flags)
  for i, problem in ipairs(list) do
    local library = assert(driver.library(problem, { targets = { target_name } }))
    units[i] = { name = problem.name, source = problem.name .. ".c", files = library.files,
      flags = flags }
  end
  return units
end

return M
