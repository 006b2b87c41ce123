-- SPDX-License-Identifier: MIT
-- Winograd's minimal filtering algorithms, made from their points.
--
-- F(m, r) computes m neighbouring outputs of r taps with n = m + r - 1 products:
--   y = At [ (G g) · (Bt d) ]
-- d are the n inputs of a tile, g the taps. In two axes the matrices act on both, and n·n products
-- stand for m·m·r·r. Cook and Toom: a product of polynomials, whose values at n - 1 points and at
-- infinity determine it, transposed. All fractions go into G, which acts on weights only, offline
-- and in double; At and Bt hold numbers that floats hold exactly.
-- Where m = r, more taps than r are no other algorithm: they are cut into spans of r. The step from
-- a span to the next is that of tiles, so that all spans read the same transformed tiles, and the
-- products of span s with tile t + s are summed like those of channels.
-- Invariant: At, G and Bt of every algorithm satisfy the identity that `check` tests, exactly.
--
-- The points decide the error (docs/numerics.md). Pairs of opposite ones share most of their
-- arithmetic, so every set is symmetric: F(4,2) has an unpaired fourth point whatever one takes,
-- and loses a factor of 7 in its maximal error against F(3,2).

local fraction = require "upweave.util.fraction"

local M = {}

---@class upweave.winograd.algorithm
---@field name string       "F(4,3)"
---@field m integer         outputs of a tile
---@field r integer         taps
---@field points upweave.fraction[]
---@field class string[]    numerics that allow it on r taps, by the number of axes it acts on:
---  "default", "fast", or "named" where only a schedule can ask for it

---@class upweave.winograd.matrices
---@field m integer
---@field r integer
---@field n integer          products, and inputs of a tile
---@field spans integer      blocks of r taps that the kernel is cut into
---@field at upweave.fraction[][]   m rows of n
---@field g upweave.fraction[][]    n rows of r
---@field bt upweave.fraction[][]   n rows of n

local function q(num, den) return fraction.new(num, den) end

-- Pairs ±p of points, with or without 0.
local function opposite(list, ...)
  for _, p in ipairs { ... } do
    list[#list + 1] = p
    list[#list + 1] = -p
  end
  return list
end

local FOUR = opposite({ q(0) }, q(1))
local SIX = opposite({ q(0) }, q(3, 4), q(3, 2))
local SEVEN = opposite({}, q(3, 8), q(1), q(7, 4))
local EIGHT = opposite({ q(0) }, q(1), q(2), q(1, 2))

--- In order of n, then of m.
---@type upweave.winograd.algorithm[]
M.algorithms = {
  { name = "F(2,3)", m = 2, r = 3, points = FOUR, class = { "default", "default" } },
  { name = "F(3,2)", m = 3, r = 2, points = FOUR, class = { "default", "default" } },
  { name = "F(2,5)", m = 2, r = 5, points = SIX, class = { "default", "default" } },
  { name = "F(4,3)", m = 4, r = 3, points = SIX, class = { "default", "fast" } },
  { name = "F(5,2)", m = 5, r = 2, points = SIX, class = { "fast", "fast" } },
  { name = "F(4,4)", m = 4, r = 4, points = SEVEN, class = { "default", "named" } },
  { name = "F(4,5)", m = 4, r = 5, points = EIGHT, class = { "named", "named" } },
  { name = "F(6,3)", m = 6, r = 3, points = EIGHT, class = { "named", "named" } },
}

-- Coefficients of Π (x - p) over the points but number `without`, lowest first, n of them.
local function product(points, without, n)
  local c = { q(1) }
  for i, p in ipairs(points) do
    if i ~= without then
      table.insert(c, 1, q(0))
      for k = 1, #c - 1 do c[k] = c[k] - p * c[k + 1] end
    end
  end
  for k = #c + 1, n do c[k] = q(0) end
  return c
end

-- p⁰ … pᶜ⁻¹, each over `den`.
local function powers(p, count, den)
  local row, v = {}, q(1) / den
  for k = 1, count do row[k], v = v, v * p end
  return row
end

local function unit(count)
  local row = {}
  for k = 1, count do row[k] = q(k == count and 1 or 0) end
  return row
end

local function transposed(rows)
  local out = {}
  for k = 1, #rows[1] do
    out[k] = {}
    for j, row in ipairs(rows) do out[k][j] = row[k] end
  end
  return out
end

--- Σ_j At[i][j]·G[j][k]·Bt[j][l] is 1 where l = i + k, else 0: output i takes tap k of input i + k.
---@param w upweave.winograd.matrices
function M.check(w)
  for i = 1, w.m do
    for k = 1, w.r do
      for l = 1, w.n do
        local sum = q(0)
        for j = 1, w.n do sum = sum + w.at[i][j] * w.g[j][k] * w.bt[j][l] end
        assert(sum == q(l == i + k - 1 and 1 or 0), "Winograd's identity")
      end
    end
  end
end

--- Whether an algorithm takes so many taps, in spans if need be.
---@param algorithm upweave.winograd.algorithm
---@param taps integer
---@return boolean
function M.takes(algorithm, taps)
  return taps == algorithm.r or taps > algorithm.r and algorithm.m == algorithm.r
end

--- Numerics that allow an algorithm for so many taps of each of so many axes.  One tap alone beside
--- a whole span adds the rounding of a tile, and little to the sum: its errors are larger.
---@param algorithm upweave.winograd.algorithm
---@param axes integer
---@param taps integer
---@return string
function M.class(algorithm, axes, taps)
  local class = algorithm.class[axes]
  return class == "default" and taps == algorithm.r + 1 and "fast" or class
end

--- The matrices of an algorithm, for so many taps: r if it is absent.
---@param algorithm { m: integer, r: integer, points: upweave.fraction[] }
---@param taps integer?
---@return upweave.winograd.matrices
function M.matrices(algorithm, taps)
  local m, r, points = algorithm.m, algorithm.r, algorithm.points
  local n, spans = m + r - 1, ((taps or r) + r - 1) // r
  assert(#points == n - 1, "as many points as products, but for infinity")
  local a, g, bt = {}, {}, {}
  for j, p in ipairs(points) do
    local den = q(1)
    for i, other in ipairs(points) do
      if i ~= j then den = den * (p - other) end
    end
    a[j], g[j], bt[j] = powers(p, m, q(1)), powers(p, r, den), product(points, j, n)
  end
  a[n], g[n], bt[n] = unit(m), unit(r), product(points, nil, n)
  local w = { m = m, r = r, n = n, spans = spans, at = transposed(a), g = g, bt = bt }
  M.check(w)
  return w
end

--- An axis as it is, in the same form: tiles of one output, spans of one tap.
---@param taps integer
---@return upweave.winograd.matrices
function M.untransformed(taps) return M.matrices({ m = 1, r = 1, points = {} }, taps) end

--- Which products are 0 because taps are absent: true at j if row j of G takes only absent taps.
---@param w upweave.winograd.matrices
---@param present boolean[]   of every tap
---@return boolean[]
function M.vanishing(w, present)
  local out = {}
  for j, row in ipairs(w.g) do
    out[j] = true
    for k, v in ipairs(row) do
      if present[k] and not v:is_zero() then out[j] = false end
    end
  end
  return out
end

return M
