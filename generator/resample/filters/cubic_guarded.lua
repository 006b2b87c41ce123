-- SPDX-License-Identifier: MIT
-- Filter: cubic as in PyTorch: Keys' kernel with a = -3/4, a base within the input, a way from it
-- within [0, 1].

local cubic = require "upweave.resample.filters.cubic"

local M = { name = "cubic", taps = 4 }

---@param A table           arithmetic
---@param source any        source coordinate, may be negative
---@param input integer     input size
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source, input)
  local base = math.min(A.floor(source), input - 1)
  local t = A.min(A.max(A.sub(source, A.int(base)), A.int(0)), A.int(1))
  return cubic.taps(A, base, t, -0.75)
end

return M
