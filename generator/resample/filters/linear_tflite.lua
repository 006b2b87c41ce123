-- SPDX-License-Identifier: MIT
-- Filter: linear as in TFLite. Left of the first centre both neighbours are the first pixel, and
-- the weights continue the line: they still add up to one.

local M = { name = "linear", taps = 2 }

---@param A table           arithmetic
---@param source any        source coordinate, may be negative
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source)
  local left = A.floor(source)
  local t = A.sub(source, A.int(math.max(left, 0)))
  return left, { A.sub(A.int(1), t), t }
end

return M
