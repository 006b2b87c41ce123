-- SPDX-License-Identifier: MIT
-- Filters: ONNX's nearest_mode. Which neighbour of the source coordinate is taken; a coordinate
-- that is a whole number is that pixel in all of them.

local M = {}

---@param name string
---@param goes_right fun(A: table, t: any): boolean   t: the way from the left neighbour, 0 <= t < 1
local function rule(name, goes_right)
  M[name] = { name = name, taps = 1, sample = function(A, source)
    local left = A.floor(source)
    local t = A.sub(source, A.int(left))
    return goes_right(A, t) and left + 1 or left, { A.int(1) }
  end }
end

rule("round_prefer_floor", function(A, t) return A.less(A.constant(0.5), t) end)
rule("round_prefer_ceil", function(A, t) return not A.less(t, A.constant(0.5)) end)
rule("floor", function() return false end)
rule("ceil", function(A, t) return A.less(A.int(0), t) end)

return M
