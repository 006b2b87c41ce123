-- SPDX-License-Identifier: MIT
-- Operator: conv.
--
-- Purpose: convolution (cross-correlation with zero padding) of one to three axes, with the
-- arguments and rules of the framework that the kernel's profile names.
-- Invariants: padding of a problem is numbers, all begins, then all ends; post is canonical.

local common = require "upweave.ops.contract.common"
local padding = require "upweave.ops.contract.padding"
local schema = require "upweave.ops.contract.schema"
local tensor = require "upweave.ops.tensor"
local tensors = require "upweave.ops.contract.tensors"

local M = {
  name = "conv",
  aliases = { conv1d = 1, conv2d = 2, conv3d = 3 },
  summary = "convolution (torch.nn.Conv1d, 2d, 3d)",
  inputs = { "x" },
  outputs = { "y" },
  parameters = { "weight", "bias" },
  bakeable = tensors.bakeable,
  dtypes = { "f32", "f64", "f16", "bf16" },
  ranks = { 1, 2, 3 },
  attributes = schema.conv,
  formula = require "upweave.ops.contract.formula",
  reference = require "upweave.ops.contract.reference",
  plan = require "upweave.ops.contract.plan",
  tensors = tensors.list,
}

-- The sizes of y; nil and the axis on which the kernel is larger than the padded input.
local function sizes(given, pads)
  local size, rank = tensor.spatial(given.x), tensor.rank(given.x)
  for i, input in ipairs(size) do
    local room = input + pads[i] + pads[i + rank] - common.reach(given, i)
    if room < 0 then return nil, i end
    size[i] = room // given.stride[i] + 1
  end
  return size
end

local function report_reach(given, pads, axis, report)
  local rank, input = tensor.rank(given.x), tensor.spatial(given.x)
  local needed = 0
  for i = 1, rank do needed = math.max(needed, common.reach(given, i) - input[i]) end
  report("E044", "kernel_size", { "kernel_size", "dilation", "padding", "x.shape" }, {
    axis = ({ "d", "h", "w" })[3 - rank + axis], reach = common.reach(given, axis),
    input = input[axis] + pads[axis] + pads[axis + rank],
    hint = given.profile == "tflite" and 'padding = "SAME"'
      or ("padding = %d"):format((needed + 1) // 2),
  })
end

---Checks typed fields against the rules of the framework; `report(code, key, shown keys, fields)`
---takes each mistake. The result is a problem only if nothing was reported.
---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem
function M.check(given, report)
  local records = common.check(given, report)
  local pads = padding.of_conv(given, report)
  if not pads then return nil end
  local size, axis = sizes(given, pads)
  if not size then return report_reach(given, pads, axis, report) end
  local y = common.output(given, size, "padding", false, report)
  return y and records and common.problem(given, y, pads, records)
end

return M
