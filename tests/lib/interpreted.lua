-- SPDX-License-Identifier: MIT
-- Kernels of the contract form run by the interpreter, on tensors as lists.

local eval = require "upweave.ir.eval"

local M = {}

local function array(list) return table.move(list, 1, #list, 0, {}) end

--- y, from 0: what packs if there is such, then every task by itself, the last first.
---@param module ir.Builder
---@param memory table<string, number[]>   inputs and parameters by name
---@param elements integer   of y
---@return table<integer, number>
function M.run(module, memory, elements)
  local given = { y = {} }
  for name, list in pairs(memory) do given[name] = array(list) end
  if module.pack then
    given.packed = {}
    eval.eval(module.pack, given)
  end
  for task = module.task_count - 1, 0, -1 do eval.eval(module, given, task, task + 1) end
  for i = 0, elements - 1 do assert(given.y[i], "an element is never written") end
  assert(given.y[elements] == nil, "y has another size")
  return given.y
end

return M
