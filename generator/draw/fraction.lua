-- SPDX-License-Identifier: MIT
-- Numbers as fractions for people.
--
-- 1/4 where the number is exactly that; ≈3/14 where it is that but for the rounding of floats;
-- otherwise a few decimals. Weights and ratios are mostly such fractions, and a reader knows
-- 9/64 and not 0.140625.

local M = {}

local DYADIC <const> = 4096
local LARGEST <const> = 32 -- denominator of a fraction that is only near
local NEAR <const> = 1e-5

local function whole(x) return x == math.floor(x) and x < 2 ^ 53 end

-- The fraction of smallest denominator next to x.
local function approximate(x)
  for den = 1, LARGEST do
    local num = math.floor(x * den + 0.5)
    if num ~= 0 and math.abs(x - num / den) <= NEAR then return num, den end
  end
end

---@param x number
---@return string
function M.text(x)
  if x < 0 then return "-" .. M.text(-x) end
  if whole(x) then return ("%d"):format(x) end
  if whole(x * DYADIC) then
    local num, den = math.tointeger(x * DYADIC), DYADIC
    while num % 2 == 0 do num, den = num // 2, den // 2 end
    return ("%d/%d"):format(num, den)
  end
  local num, den = approximate(x)
  if den == 1 then return ("≈%d"):format(num) end
  if num then return ("≈%d/%d"):format(num, den) end
  return ("≈%.4g"):format(x)
end

return M
