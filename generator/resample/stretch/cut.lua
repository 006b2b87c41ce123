-- SPDX-License-Identifier: MIT
-- Stretch: a kernel over the input pixels that it covers, cut at the border, then normalised.
--
-- The window rule of PyTorch's antialias, and Pillow's, in PyTorch's rounding order: a literal 0.5
-- promotes to double, which `wide` and `narrow` say.

local M = { name = "cut", text = "max(1, r)", of = "r", counts_from_border = true }

local function ceil(A, x)
  local n = A.floor(x)
  return A.less(A.int(n), x) and n + 1 or n
end

local function window(A, s, axis, o)
  local W = A.wide
  local centre = A.narrow(W.mul(s.ratio, W.add(W.int(o), s.half)))
  local first = math.max(W.floor(W.add(A.sub(centre, s.support), s.half)), 0)
  local stop = math.min(W.floor(W.add(A.add(centre, s.support), s.half)), axis.input)
  local count = math.max(math.min(stop - first, s.widest), 0)
  local weights, total = {}, A.int(0)
  for k = 1, count do
    local x = W.add(A.sub(A.int(first + k - 1), centre), s.half)
    weights[k] = axis.filter.kernel(A, A.narrow(W.mul(x, s.inverse)))
    total = A.add(total, weights[k])
  end
  for k = 1, count do weights[k] = A.div(weights[k], total) end
  return first, weights
end

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): integer, any[]   input index of the first weight, weights
function M.windows(A, axis)
  local one, ratio = A.int(1), axis.coordinates.ratio(A, axis)
  local down = not A.less(ratio, one)
  local support = A.int(axis.filter.radius)
  if down then support = A.mul(support, ratio) end
  local s = {
    ratio = ratio,
    half = A.constant(0.5),
    support = support,
    inverse = down and A.div(one, ratio) or one,
    widest = 2 * ceil(A, support) + 1,
  }
  return function(o) return window(A, s, axis, o) end
end

return M
