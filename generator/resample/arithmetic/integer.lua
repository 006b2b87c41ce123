-- SPDX-License-Identifier: MIT
-- Integers without a limit, for the rational arithmetic.
--
-- Nearly all numbers fit a Lua integer and stay one. Others become `{ sign = 1|-1, limbs }`, 31
-- bits a limb, lowest first: a product of limbs and two carries just fits 63 bits. Invariant: a
-- number has one form only, big if and only if its magnitude is 2^62 or more; so nothing overflows.

local M = {}

local BITS <const> = 31
local BASE <const> = 1 << BITS
local MASK <const> = BASE - 1
local SMALL <const> = 1 << 62 -- below: native sums cannot overflow

local is_native = math.type

local function limbs_of(a)
  if not is_native(a) then return a, a.sign end
  local m = a < 0 and -a or a
  return { m & MASK, m >> BITS }, a < 0 and -1 or 1
end

---Drops leading zeros, gives small magnitudes their native form.
local function canonical(limbs, sign)
  local n = #limbs
  while n > 0 and limbs[n] == 0 do
    limbs[n] = nil
    n = n - 1
  end
  if n <= 2 then return sign * ((limbs[2] or 0) << BITS | (limbs[1] or 0)) end
  limbs.sign = sign
  return limbs
end

local function compare_limbs(a, b)
  for k = math.max(#a, #b), 1, -1 do
    local x, y = a[k] or 0, b[k] or 0
    if x ~= y then return x < y and -1 or 1 end
  end
  return 0
end

local function add_limbs(a, b)
  local out, carry = {}, 0
  for k = 1, math.max(#a, #b) do
    local s = (a[k] or 0) + (b[k] or 0) + carry
    out[k], carry = s & MASK, s >> BITS
  end
  out[#out + 1] = carry
  return out
end

local function sub_limbs(a, b)
  local out, borrow = {}, 0
  for k = 1, #a do
    local s = a[k] - (b[k] or 0) - borrow
    out[k], borrow = s & MASK, s < 0 and 1 or 0
  end
  return out
end

function M.add(a, b)
  if is_native(a) and is_native(b) then
    local s = a + b
    if s < SMALL and s > -SMALL then return s end
  end
  local x, sx = limbs_of(a)
  local y, sy = limbs_of(b)
  if sx == sy then return canonical(add_limbs(x, y), sx) end
  if compare_limbs(x, y) >= 0 then return canonical(sub_limbs(x, y), sx) end
  return canonical(sub_limbs(y, x), sy)
end

function M.neg(a)
  if is_native(a) then return -a end
  local out = table.move(a, 1, #a, 1, {})
  out.sign = -a.sign
  return out
end

function M.mul(a, b)
  if is_native(a) and is_native(b) and a < BASE and a > -BASE and b < BASE and b > -BASE then
    return a * b
  end
  local x, sx = limbs_of(a)
  local y, sy = limbs_of(b)
  local out = {}
  for k = 1, #x + #y do out[k] = 0 end
  for i = 1, #x do
    local carry, xi = 0, x[i]
    for j = 1, #y do
      local s = xi * y[j] + out[i + j - 1] + carry
      out[i + j - 1], carry = s & MASK, s >> BITS
    end
    out[i + #y] = carry
  end
  return canonical(out, sx * sy)
end

---@return integer sign  of a - b: -1, 0 or 1
function M.compare(a, b)
  if is_native(a) and is_native(b) then
    return a < b and -1 or a > b and 1 or 0
  end
  local x, sx = limbs_of(a)
  local y, sy = limbs_of(b)
  if sx ~= sy then return sx end
  return sx * compare_limbs(x, y)
end

-- A number as leading * 2^digits, for magnitudes beyond a double's.
local function leading(a)
  if is_native(a) then return a + 0.0, 0 end
  local v, last = 0.0, math.max(1, #a - 3)
  for k = #a, last, -1 do v = v * BASE + a[k] end
  return a.sign * v, (last - 1) * BITS
end

---The double nearest to a / b but for a few units in the last place, b not 0.
---@return number
function M.quotient(a, b)
  local x, up = leading(a)
  local y, down = leading(b)
  return x / y * 2.0 ^ (up - down)
end

---floor(a / b) for b > 0 and a quotient below 2^50: an estimate in double, corrected exactly.
---@return integer
function M.floor_div(a, b)
  if is_native(a) and is_native(b) then return a // b end
  local q = math.floor(M.quotient(a, b))
  local rest = M.add(a, M.neg(M.mul(q, b)))
  while M.compare(rest, 0) < 0 do
    q, rest = q - 1, M.add(rest, b)
  end
  while M.compare(rest, b) >= 0 do
    q, rest = q + 1, M.add(rest, M.neg(b))
  end
  return q
end

return M
