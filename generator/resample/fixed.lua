-- SPDX-License-Identifier: MIT
-- Fixed point: the integer weights of an axis of 8-bit pixels.
--
-- PyTorch's rule (and Pillow's): all weights of an axis share one precision, the most binary digits
-- that leave the largest of them in 16 bits, at most 22; they are rounded half away from zero.
-- Invariant: what a pass computes with the result, ((1 << (p - 1)) + sum) >> p, is what PyTorch's
-- pass computes: halving every weight and the half of the rounding leaves all quotients alone.

local M = {}

local MOST_DIGITS <const> = 22
local LIMIT <const> = 1 << 15

local function precision_of(taps)
  local largest, p = 0.0, 0
  for _, t in ipairs(taps) do largest = math.max(largest, t.largest) end
  while p < MOST_DIGITS and math.floor(0.5 + largest * (1 << (p + 1))) < LIMIT do p = p + 1 end
  return p
end

---Round half away from zero, as a cast after adding or subtracting one half.
local function nearest(x)
  return x < 0 and -math.floor(0.5 - x) or math.floor(x + 0.5)
end

local function quantised(t, unit)
  local out = { index = {}, weight = {} }
  for k, w in ipairs(t.weight) do
    local q = nearest(w * unit)
    if q ~= 0 then
      out.index[#out.index + 1], out.weight[#out.weight + 1] = t.index[k], q
    end
  end
  return out
end

---The factors of two that all weights share.
local function spare_digits(taps, p)
  local bits = 0
  for _, t in ipairs(taps) do
    for _, w in ipairs(t.weight) do bits = bits | w end
  end
  local spare = 0
  while spare < p and bits & (1 << spare) == 0 do spare = spare + 1 end
  return spare
end

---@param taps upweave.axis.taps[]   with weights in double, and the largest of each output
---@return upweave.axis.taps[]   with integer weights
---@return integer precision     their binary digits after the point
function M.point(taps)
  local p, out = precision_of(taps), {}
  for o, t in ipairs(taps) do out[o] = quantised(t, 1 << p) end
  local spare = spare_digits(out, p)
  for _, t in ipairs(out) do
    for k, w in ipairs(t.weight) do t.weight[k] = w // (1 << spare) end
  end
  return out, p - spare
end

return M
