-- SPDX-License-Identifier: MIT
-- Exclude: taps outside the input are taken out and the others normalised again.
--
-- ONNX's exclude_outside. Where nothing is left the border pixel is taken: there ONNX's text has no
-- answer.

---@param A table            arithmetic
---@param first integer      input index of the first weight
---@param weights any[]
---@param input integer      input size
---@return integer first
---@return any[] weights
return function(A, first, weights, input)
  local from, to = math.max(first, 0), math.min(first + #weights, input) - 1
  local kept, total, zero = {}, A.int(0), A.int(0)
  for i = from, to do
    kept[#kept + 1] = weights[i - first + 1]
    total = A.add(total, kept[#kept])
  end
  if not A.less(total, zero) and not A.less(zero, total) then
    return first < 0 and 0 or input - 1, { A.int(1) }
  end
  for k, w in ipairs(kept) do kept[k] = A.div(w, total) end
  return from, kept
end
