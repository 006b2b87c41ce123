-- SPDX-License-Identifier: MIT
-- Filter: linear as in ONNX. The two neighbours, also outside the input.

local M = { name = "linear", taps = 2 }

---@param A table           arithmetic
---@param source any        source coordinate, may be negative
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source)
  local left = A.floor(source)
  local t = A.sub(source, A.int(left))
  return left, { A.sub(A.int(1), t), t }
end

return M
