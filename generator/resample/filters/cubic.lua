-- SPDX-License-Identifier: MIT
-- Filter: cubic. Keys' kernel over four neighbours; the parameter is -3/4 in PyTorch, OpenCV and
-- Paddle, an attribute in ONNX. A source that is a pixel is that pixel, whatever the parameter.

local keys = require "upweave.resample.filters.keys"

local M = {}

---@param a number
---@return table filter
function M.of(a)
  local filter = { name = "cubic", taps = 4 }

  ---@param A table           arithmetic
  ---@param source any        source coordinate, may be negative
  ---@param input integer     input size
  ---@return integer first    input index of the first weight, before clamping
  ---@return any[] weights
  function filter.sample(A, source, input)
    source = A.narrow(source)
    local zero, one = A.int(0), A.int(1)
    local base = math.min(A.floor(source), input - 1)
    local t = A.min(A.max(A.sub(source, A.int(base)), zero), one)
    if not A.less(zero, t) then return base, { one } end
    local u, last = A.sub(one, t), keys.apart
    return base - 1, {
      A.stored(keys.far(A, A.add(t, one), a, last)),
      A.stored(keys.near(A, t, a, last)),
      A.stored(keys.near(A, u, a, last)),
      A.stored(keys.far(A, A.add(u, one), a, last)),
    }
  end

  return filter
end

return M
