-- SPDX-License-Identifier: MIT
-- Operator: conv_transpose.
--
-- Purpose: transposed convolution of one to three axes: what a conv with the same weights sums up,
-- spread out again; with the arguments and rules of the framework that the profile names.
-- Invariants: padding of a problem is numbers, all begins, then all ends, and output_padding says
-- the rest; both are below 0 only where a framework was told an output size beyond them.

local common = require "upweave.ops.contract.common"
local output = require "upweave.ops.contract.output"
local schema = require "upweave.ops.contract.schema"
local tensor = require "upweave.ops.tensor"
local tensors = require "upweave.ops.contract.tensors"
local text = require "upweave.util.text"

local M = {
  name = "conv_transpose",
  aliases = { conv_transpose1d = 1, conv_transpose2d = 2, conv_transpose3d = 3 },
  summary = "transposed convolution (torch.nn.ConvTranspose1d, 2d, 3d)",
  inputs = { "x" },
  outputs = { "y" },
  parameters = { "weight", "bias" },
  bakeable = tensors.bakeable,
  dtypes = { "f32", "f64", "f16", "bf16" },
  ranks = { 1, 2, 3 },
  attributes = schema.conv_transpose,
  formula = require "upweave.ops.contract.formula",
  reference = require "upweave.ops.contract.reference",
  plan = require "upweave.ops.contract.plan",
  tensors = tensors.list,
}

local function report_empty(size, report)
  report("E048", "padding", { "padding", "kernel_size", "stride", "x.shape" }, {
    size = text.shape(size), hint = "padding = 0",
  })
end

---Checks typed fields against the rules of the framework; `report(code, key, shown keys, fields)`
---takes each mistake. The result is a problem only if nothing was reported.
---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem
function M.check(given, report)
  local records = common.check(given, report)
  local pads, extra = output.of(given, report)
  if not pads then return nil end
  local size = output.sizes(given, pads, extra)
  for i = 1, tensor.rank(given.x) do
    if size[i] < 1 then return report_empty(size, report) end
  end
  local key = given.output_size and "output_size" or "kernel_size"
  local y = common.output(given, size, key, true, report)
  if not (y and records) then return nil end
  local problem = common.problem(given, y, pads, records)
  problem.output_padding = extra
  return problem
end

return M
