-- SPDX-License-Identifier: MIT
-- Stretch: a kernel over a window of fixed width around the source coordinate, normalised as if the
-- input had no border: what lies beyond it falls on the border pixel.
--
-- The window rule of ONNX's antialias, in the order of its reference evaluator.

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "clamped", text = "max(1, 1/scale)", of = "scale" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): integer, any[]   input index of the first weight, weights
function M.windows(A, axis)
  local source, kernel = axis.coordinates.source(A, axis), axis.filter.kernel
  local shrink = A.min(scale.of(A, axis), A.int(1))
  local start = A.floor(A.div(A.int(-axis.filter.radius), shrink)) + 1
  return function(o)
    local x = source(o)
    local left = A.floor(x)
    local t = A.sub(x, A.int(left))
    local weights, total = {}, A.int(0)
    for k = start, 1 - start do
      local w = kernel(A, A.mul(A.sub(A.int(k), t), shrink))
      weights[#weights + 1], total = w, A.add(total, w)
    end
    for k, w in ipairs(weights) do weights[k] = A.div(w, total) end
    return left + start, weights
  end
end

return M
