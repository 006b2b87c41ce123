-- SPDX-License-Identifier: MIT
-- Filter: cubic. Keys' kernel over four neighbours; the parameter is -3/4 in OpenCV and Paddle, an
-- attribute in ONNX. A source that is a pixel is that pixel, whatever the parameter.

local keys = require "upweave.resample.filters.keys"

local M = {}

---The four taps around a base, at the way t from it; t may leave [0, 1] by a rounding.
---@param A table       arithmetic
---@param base integer
---@param t any
---@param a number      Keys' parameter
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.taps(A, base, t, a)
  local zero, one = A.int(0), A.int(1)
  if not A.less(zero, t) and not A.less(t, zero) then return base, { one } end
  local u, last = A.sub(one, t), keys.apart
  return base - 1, {
    A.stored(keys.far(A, A.add(t, one), a, last)),
    A.stored(keys.near(A, t, a, last)),
    A.stored(keys.near(A, u, a, last)),
    A.stored(keys.far(A, A.add(u, one), a, last)),
  }
end

---@param a number
---@return table filter
function M.of(a)
  local filter = { name = "cubic", taps = 4 }

  ---@param A table           arithmetic
  ---@param source any        source coordinate, may be negative
  ---@return integer first    input index of the first weight, before clamping
  ---@return any[] weights
  function filter.sample(A, source)
    source = A.narrow(source)
    local base = A.floor(source)
    return M.taps(A, base, A.sub(source, A.int(base)), a)
  end

  return filter
end

return M
