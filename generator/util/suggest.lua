-- SPDX-License-Identifier: MIT
-- Nearest names.
--
-- Purpose: answers a misspelt word with the one that was probably meant.
-- Invariant: deterministic; the first of equally near candidates wins. Words longer than any real
-- name get no suggestion, so a hostile word costs nothing.

local M = {}

local LONGEST <const> = 64
local SHORTEST <const> = 3 -- of the beginnings that say something

-- Optimal string alignment: insertions, deletions, changes and swaps of neighbours cost 1.
local function distance(a, b)
  local older, old, new = {}, {}, {}
  for j = 0, #b do
    old[j] = j
  end
  for i = 1, #a do
    new[0] = i
    for j = 1, #b do
      local change = a:byte(i) == b:byte(j) and 0 or 1
      local cost = math.min(old[j] + 1, new[j - 1] + 1, old[j - 1] + change)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        cost = math.min(cost, older[j - 2] + 1)
      end
      new[j] = cost
    end
    older, old, new = old, new, older
  end
  return old[#b]
end

-- Whether one word begins with the other: `scale` and `scale_factor`.
local function abbreviates(a, b)
  local length = math.min(#a, #b)
  return length >= SHORTEST and a:sub(1, length) == b:sub(1, length)
end

--- The candidate nearest to a word, or nil if none is near: a third of the word may be wrong, or
--- what follows its beginning.
---@param word string
---@param candidates string[]
---@return string?
function M.nearest(word, candidates)
  if #word > LONGEST then
    return nil
  end
  word = word:lower()
  local best, least = nil, math.max(1, #word // 3) + 1
  for _, candidate in ipairs(candidates) do
    local d = distance(word, candidate:lower())
    if d < least then
      best, least = candidate, d
    end
  end
  for _, candidate in ipairs(candidates) do
    best = best or (abbreviates(word, candidate:lower()) and candidate)
  end
  return best or nil
end

--- A hint for a message: the nearest candidate, otherwise all of them.
---@param word string
---@param candidates string[]
---@return string
function M.hint(word, candidates)
  local near = M.nearest(word, candidates)
  return near or "one of " .. table.concat(candidates, ", ")
end

return M
