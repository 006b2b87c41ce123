-- SPDX-License-Identifier: MIT
-- Small things that tests of the kernel IR share: modules built by hand, errors, test data.

local builder = require "upweave.ir.builder"
local types = require "upweave.ir.types"

local M = {}

local tap

--- A builder on a made-up machine, with or without FMA.
function M.new(fma) return builder.new("kernel", { name = "test", fma = fma or false }, "f32") end

--- fn(...) is an error whose text contains `part`.
function M.fails(fn, part, name)
  local ok, fault = pcall(fn)
  if not tap.ok(not ok and tostring(fault):find(part, 1, true) ~= nil, name) then
    tap.diag(ok and "no error" or "error: " .. tostring(fault))
  end
end

--- fn() is no error.
function M.passes(fn, name)
  local ok, fault = pcall(fn)
  if not tap.ok(ok, name) then tap.diag(tostring(fault)) end
end

--- n deterministic values in (-1, 1) with all bits of a float in use.
function M.noise(n, seed)
  local out, state = {}, 0x9E3779B97F4A7C15 ~ (seed or 0) * 0x2545F4914F6CDD1D
  for i = 1, n do
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    out[i] = types.round("f32", (state >> 11) * 2.0 ^ -52 - 1)
  end
  return out
end

--- A pseudo-random number generator: integers in [0, n).
function M.random(seed)
  local state = 0x2545F4914F6CDD1D ~ seed * 0x9E3779B97F4A7C15
  return function(n)
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    return (state >> 1) % n
  end
end

--- A list as a 0-based array.
function M.array(list) return table.move(list, 1, #list, 0, {}) end

--- Bits of a float; NaN is one value.
function M.bits(v)
  if v ~= v then return 0x7fc00000 end
  return (string.unpack("<I4", string.pack("<f", v)))
end

return function(the_tap)
  tap = the_tap
  return M
end
