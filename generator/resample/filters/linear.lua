-- SPDX-License-Identifier: MIT
-- Filter: linear. The two neighbours, weighted by distance; an axis that keeps its size is a copy.

local M = { name = "linear", taps = 2, copies_equal_sizes = true }

---@param A table           arithmetic
---@param source any        source coordinate
---@param input integer     input size
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source, input)
  source = A.max(source, A.int(0))
  local first = math.min(A.floor(source), input - 1)
  local t = A.stored(A.min(A.max(A.sub(source, A.int(first)), A.int(0)), A.int(1)))
  return first, { A.stored(A.sub(A.int(1), t)), t }
end

return M
