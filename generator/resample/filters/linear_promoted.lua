-- SPDX-License-Identifier: MIT
-- Filter: linear as Paddle computes it. The neighbour is that of the coordinate in double, the
-- weight comes from the coordinate in float.

local M = { name = "linear", taps = 2 }

---@param A table           arithmetic
---@param source any        source coordinate, of A.wide
---@return integer first    input index of the first weight, before clamping
---@return any[] weights
function M.sample(A, source)
  local W = A.wide
  source = W.max(source, W.int(0))
  local first = W.floor(source)
  local t = A.sub(A.narrow(source), A.int(first))
  return first, { A.sub(A.int(1), t), t }
end

return M
