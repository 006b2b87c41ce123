-- SPDX-License-Identifier: MIT
-- The tensors of a conv or conv_transpose problem.
--
-- Purpose: inputs, output, parameters, in the order of the kernel's and its _pack's arguments.
-- Invariants: weights have PyTorch's shape whatever the layout of x; parameters have no layout and
-- the type of x.

local post = require "upweave.ops.contract.post"
local tensor = require "upweave.ops.tensor"

local M = {}

--- The names that parameters may have; a second one of an epilogue is `gamma2`, ….
M.bakeable = { "weight", "bias" }
for _, epilogue in ipairs(post.list) do
  local own = epilogue.parameters or {}
  table.move(own, 1, #own, #M.bakeable + 1, M.bakeable)
end

--- The weights of checked fields: {out, in/groups, k…}, transposed {in, out/groups, k…}.
---@param fields table x, out_channels, groups, kernel_size
---@param transposed boolean
---@return upweave.Tensor
function M.weight(fields, transposed)
  local first, second = fields.out_channels, tensor.channels(fields.x)
  if transposed then first, second = second, first end
  local shape = { first, second // fields.groups }
  table.move(fields.kernel_size, 1, #fields.kernel_size, 3, shape)
  return { shape = shape, layout = "", dtype = fields.x.dtype }
end

--- All tensors.
---@param problem table
---@return table[]
function M.list(problem)
  local inputs, parameters = post.tensors(problem)
  local each = { shape = { problem.out_channels }, layout = "", dtype = problem.x.dtype }
  local records = { tensor.record("x", "input", problem.x) }
  local function add(name, role, like)
    records[#records + 1] = tensor.record(name, role, like)
  end
  for _, name in ipairs(inputs) do add(name, "input", problem.y) end
  add("y", "output", problem.y)
  add("weight", "parameter", M.weight(problem, problem.op == "conv_transpose"))
  if problem.bias then add("bias", "parameter", each) end
  for _, name in ipairs(parameters) do add(name, "parameter", each) end
  return records
end

return M
