-- SPDX-License-Identifier: MIT
-- Filter: Keys' kernel, evaluated by powers instead of Horner's rule: the antialiased cubic of
-- ONNX, whose parameter is an attribute.

local M = {}

---@param a number
---@return table filter
function M.of(a)
  local filter = { name = "keys", radius = 2 }

  ---@param A table   arithmetic
  ---@param x any     distance from the centre, in units of the stretched filter
  ---@return any
  function filter.kernel(A, x)
    local g, one = A.given(a), A.int(1)
    local function times(n) return A.mul(A.int(n), g) end
    x = A.abs(x)
    local square = A.mul(x, x)
    local cube = A.mul(x, square)
    if not A.less(one, x) then
      local y = A.sub(A.mul(A.add(g, A.int(2)), cube), A.mul(A.add(g, A.int(3)), square))
      return A.add(y, one)
    end
    if not A.less(x, A.int(2)) then return A.int(0) end
    local y = A.sub(A.mul(g, cube), A.mul(times(5), square))
    return A.sub(A.add(y, A.mul(times(8), x)), times(4))
  end

  return filter
end

return M
