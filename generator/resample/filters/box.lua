-- SPDX-License-Identifier: MIT
-- Filter: box. The mean of the input pixels that an output pixel touches (area mode).
--
-- Integer arithmetic throughout: the window of output o is [floor(o I / O), ceil((o + 1) I / O)).
-- It has no coordinate transform; a scale factor never enters (the operator recomputes it).

local M = { name = "box", text = "[floor(o*in/out), ceil((o + 1)*in/out))" }

---@param A table        arithmetic
---@param o integer      output position
---@param input integer  input size
---@param output integer output size
---@return integer first
---@return any[] weights
function M.window(A, o, input, output)
  local first = o * input // output
  local count = ((o + 1) * input + output - 1) // output - first
  local weight, weights = A.div(A.int(1), A.int(count)), {}
  for k = 1, count do weights[k] = weight end
  return first, weights
end

return M
