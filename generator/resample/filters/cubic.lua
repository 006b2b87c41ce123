-- SPDX-License-Identifier: MIT
-- Filter: cubic. Keys' kernel with a = -3/4 over four neighbours (PyTorch, OpenCV).

local keys = require "upweave.resample.filters.keys"

local M = { name = "cubic", taps = 4 }

local a = -0.75

---@param A table           arithmetic
---@param source any        source coordinate, may be negative
---@param input integer     input size
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source, input)
  local one = A.int(1)
  local base = math.min(A.floor(source), input - 1)
  local t = A.min(A.max(A.sub(source, A.int(base)), A.int(0)), one)
  local u, last = A.sub(one, t), keys.apart
  return base - 1, {
    A.stored(keys.far(A, A.add(t, one), a, last)),
    A.stored(keys.near(A, t, a, last)),
    A.stored(keys.near(A, u, a, last)),
    A.stored(keys.far(A, A.add(u, one), a, last)),
  }
end

return M
