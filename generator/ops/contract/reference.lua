-- SPDX-License-Identifier: MIT
-- The parameters of the C reference for a conv or conv_transpose problem.
--
-- Purpose: struct upw_ref_contract of runtime/reference/reference.h, field by field, in its order.
-- Invariant: what is not there is 0.

local json = require "upweave.util.json"
local post = require "upweave.ops.contract.post"
local tensor = require "upweave.ops.tensor"

-- An initialiser of the three spatial places; unused ones are 0.
local function three(values)
  local texts = {}
  for i = 1, 3 do texts[i] = tostring(values[i] or 0) end
  return "{" .. table.concat(texts, ", ") .. "}"
end

local function flag(condition) return condition and "1" or "0" end

local function epilogues(problem)
  local texts = {}
  for i, record in ipairs(post.parse(problem)) do
    texts[i] = ("{UPW_REF_%s, %s, %s}"):format(record.name:upper(), json.number(record.a or 0),
      json.number(record.b or 0))
  end
  if #texts == 0 then texts[1] = "{0, 0, 0}" end
  return "{" .. table.concat(texts, ", ") .. "}"
end

---@param problem table
---@return {func: string, type: string, fields: string[][]}
return function(problem)
  local x = problem.x
  return {
    func = "upw_ref_contract",
    type = "struct upw_ref_contract",
    fields = {
      { "dtype", "UPW_REF_" .. x.dtype:upper() },
      { "rank", tostring(tensor.rank(x)) },
      { "planar", flag(tensor.planar(x)) },
      { "transposed", flag(problem.op == "conv_transpose") },
      { "bias", flag(problem.bias) },
      { "batch", tostring(x.shape[1]) },
      { "groups", tostring(problem.groups) },
      { "ci", tostring(tensor.channels(x) // problem.groups) },
      { "co", tostring(problem.out_channels // problem.groups) },
      { "in", three(tensor.spatial(x)) },
      { "out", three(tensor.spatial(problem.y)) },
      { "kernel", three(problem.kernel_size) },
      { "stride", three(problem.stride) },
      { "dilation", three(problem.dilation) },
      { "pad", three(table.move(problem.padding, 1, tensor.rank(x), 1, {})) },
      { "eps", json.number(problem.eps or 0) },
      { "post_count", tostring(#problem.post) },
      { "post", epilogues(problem) },
      { "numerics", "UPW_REF_" .. problem.numerics:upper() },
    },
  }
end
