-- SPDX-License-Identifier: MIT
-- SHA-256 (FIPS 180-4).
--
-- Purpose: identities of kernels and keys of caches, without a rock in the core.
-- Invariant: a pure function of the bytes. 32-bit words live in Lua's 64-bit integers; each is
-- masked where its high bits could reach a shift to the right.

local M = {}

-- The constants are the first 32 bits of the fractions of the cube (and square) roots of the first
-- primes. The roots are below 18, so a double holds those bits with many to spare.
local function fraction_bits(prime, n)
  return math.floor(prime ^ (1 / n) * 2 ^ 32) & 0xffffffff
end

local K, H0 = {}, {}
do
  local candidate = 2
  while #K < 64 do
    local prime = true
    for divisor = 2, math.floor(math.sqrt(candidate)) do
      prime = prime and candidate % divisor ~= 0
    end
    if prime then
      K[#K + 1] = fraction_bits(candidate, 3)
      if #H0 < 8 then
        H0[#H0 + 1] = fraction_bits(candidate, 2)
      end
    end
    candidate = candidate + 1
  end
end

local MASK <const> = 0xffffffff
local BLOCK <const> = ">" .. ("I4"):rep(16)

-- A rotation to the right of x by n is the low half of (x, x) >> n: doubling the word once makes
-- each rotation a single shift.
local function expand(w)
  for t = 17, 64 do
    local a, b = w[t - 15], w[t - 2]
    local aa, bb = a | a << 32, b | b << 32
    local s0 = (aa >> 7) ~ (aa >> 18) ~ (a >> 3)
    local s1 = (bb >> 17) ~ (bb >> 19) ~ (b >> 10)
    w[t] = (w[t - 16] + (s0 & MASK) + w[t - 7] + (s1 & MASK)) & MASK
  end
end

local function compress(state, w)
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for t = 1, 64 do
    local ee, aa = e | e << 32, a | a << 32
    local s1 = ((ee >> 6) ~ (ee >> 11) ~ (ee >> 25)) & MASK
    local t1 = h + s1 + ((e & f) ~ (~e & g)) + K[t] + w[t]
    local s0 = ((aa >> 2) ~ (aa >> 13) ~ (aa >> 22)) & MASK
    local t2 = s0 + ((a & b) ~ (a & c) ~ (b & c))
    h, g, f, e, d, c, b, a = g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK
  end
  for i, word in ipairs { a, b, c, d, e, f, g, h } do
    state[i] = (state[i] + word) & MASK
  end
end

--- The SHA-256 of a string, as 64 lower-case hexadecimal digits.
---@param bytes string
---@return string
function M.hex(bytes)
  local padding = (55 - #bytes) % 64
  local message = bytes .. "\x80" .. ("\0"):rep(padding) .. (">I8"):pack(#bytes * 8)
  local state = { table.unpack(H0) }
  for at = 1, #message, 64 do
    local w = { BLOCK:unpack(message, at) }
    expand(w)
    compress(state, w)
  end
  return (("%08x"):rep(8)):format(table.unpack(state))
end

return M
