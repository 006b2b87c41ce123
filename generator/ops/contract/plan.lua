-- SPDX-License-Identifier: MIT
-- The plan of a conv or conv_transpose problem: a contraction.
--
-- Invariant: the plan knows nothing of profiles; what was said with words or sizes has become
-- padding at the begin of each axis and the size of y.

local contract = require "upweave.plan.contract"
local post = require "upweave.ops.contract.post"
local tensor = require "upweave.ops.tensor"
local tensors = require "upweave.ops.contract.tensors"

local NAMES <const> = { "d", "h", "w" }

-- Everything that is read once: also residuals and what belongs to epilogues. An empty batch reads
-- nothing.
local function bytes_read(problem)
  local bytes = 0
  if problem.x.shape[1] == 0 then return bytes end
  for _, one in ipairs(tensors.list(problem)) do
    if one.role ~= "output" then bytes = bytes + one.bytes end
  end
  return bytes
end

---@param problem table
---@return upweave.plan.contract
return function(problem)
  local transposed = problem.op == "conv_transpose"
  local make = transposed and contract.conv_transpose_axis or contract.conv_axis
  local x, rank = problem.x, tensor.rank(problem.x)
  local input, output, axes = tensor.spatial(x), tensor.spatial(problem.y), {}
  for i = 1, rank do
    axes[i] = make {
      name = NAMES[3 - rank + i], input = input[i], output = output[i],
      kernel = problem.kernel_size[i], stride = problem.stride[i],
      dilation = problem.dilation[i], pad = problem.padding[i],
    }
  end
  return contract.new {
    dtype = x.dtype, work = x.dtype == "f64" and "f64" or "f32", batch = x.shape[1],
    planar = tensor.planar(x), groups = problem.groups,
    ci = tensor.channels(x) // problem.groups, co = problem.out_channels // problem.groups,
    transposed = transposed, bias = problem.bias ~= false, post = post.parse(problem),
    numerics = problem.numerics, axes = axes, bytes_read = bytes_read(problem),
  }
end
