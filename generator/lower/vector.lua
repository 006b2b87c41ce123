-- VECTOR IDIOMS
-- =============
-- What lowerings build from loads and constant shuffles: windows that cover scattered elements,
-- permutations across several registers, tilings of a length by vectors, unrolled loops.

local index = require "upweave.ir.index"

local M = {}

--- The largest power of two that is at most n.
function M.pow2_floor(n)
  local p = 1
  while 2 * p <= n do p = 2 * p end
  return p
end

--- Vectors that cover n elements: full width, then one that overlaps its neighbour (a tail costs
--- one vector, never a scalar loop).  List of { at, lanes }.
function M.cover(n, width)
  local lanes, out = math.min(width, M.pow2_floor(n)), {}
  for at = 0, n - lanes, lanes do out[#out + 1] = { at = at, lanes = lanes } end
  if n % lanes ~= 0 then out[#out + 1] = { at = n - lanes, lanes = lanes } end
  return out
end

--- Pieces of powers of two that make up n elements, largest first.  List of { at, lanes }.
function M.pieces(n)
  local out, at = {}, 0
  while at < n do
    local lanes = M.pow2_floor(n - at)
    out[#out + 1], at = { at = at, lanes = lanes }, at + lanes
  end
  return out
end

--- First elements of the fewest windows of w elements, inside [0, limit), that cover all indices
--- in a list of index lists.
function M.windows(lists, w, limit)
  local wanted, bases = {}, {}
  for _, list in ipairs(lists) do table.move(list, 1, #list, #wanted + 1, wanted) end
  table.sort(wanted)
  for _, i in ipairs(wanted) do
    local last = bases[#bases]
    if not last or i >= last + w then bases[#bases + 1] = math.min(i, limit - w) end
  end
  return bases
end

-- Sources in order of first use, and the rank of each.
local function ranks(picks)
  local order, rank = {}, {}
  for _, p in ipairs(picks) do
    if not rank[p.source] then
      order[#order + 1] = p.source
      rank[p.source] = #order
    end
  end
  return order, rank
end

local function widened(b, v, lanes)
  if v.ty.lanes == lanes then return v end
  local picks = {}
  for i = 1, lanes do picks[i] = i <= v.ty.lanes and i - 1 or -1 end
  return b:shuffle(v, v, picks)
end

--- A vector whose lane i is lane picks[i].lane of sources[picks[i].source]: two sources a shuffle.
function M.pick(b, sources, picks)
  local order, rank = ranks(picks)
  local n, lanes = #picks, {}
  local first = sources[order[1]]
  local second = sources[order[2]] or first
  for i, p in ipairs(picks) do
    local r = rank[p.source]
    lanes[i] = r <= 2 and p.lane + (r - 1) * first.ty.lanes or -1
  end
  local out = b:shuffle(first, second, lanes)
  for r = 3, #order do
    local merge = {}
    for i, p in ipairs(picks) do
      merge[i] = rank[p.source] < r and i - 1 or rank[p.source] == r and n + p.lane or -1
    end
    out = b:shuffle(out, widened(b, sources[order[r]], n), merge)
  end
  return out
end

local function is_run(list)
  for i, v in ipairs(list) do
    if v ~= list[1] + i - 1 then return false end
  end
  return true
end

local function is_single(list)
  for _, v in ipairs(list) do
    if v ~= list[1] then return false end
  end
  return true
end

--- Elements list[i] after `origin` of a row as one vector: a plain load, a broadcast, or windows
--- of w elements (first elements `bases`) and shuffles.  fetch(at, lanes, hint) loads from the row.
function M.take(b, fetch, origin, list, bases, w)
  local n = #list
  if is_single(list) then return b:splat(fetch(origin + list[1], 1), n) end
  if is_run(list) then return fetch(origin + list[1], n) end
  local sources, picks = {}, {}
  for i, base in ipairs(bases) do sources[i] = fetch(origin + base, w, "win") end
  for i, v in ipairs(list) do
    local s = 1
    while v >= bases[s] + w do s = s + 1 end
    picks[i] = { source = s, lane = v - bases[s] }
  end
  return M.pick(b, sources, picks)
end

--- for i = 0, count-1: fn(i), `unroll` copies an iteration, the remainder straight-line.
function M.sweep(b, name, count, unroll, fn)
  local copies = math.max(1, math.min(unroll, count))
  local main = count // copies
  local function piece(i) b:group(function() fn(i) end) end
  b:each(name, 0, main, function(i)
    for copy = 0, copies - 1 do piece(i * copies + copy) end
  end)
  for i = main * copies, count - 1 do piece(index.of(i)) end
end

--- Sweep over the vectors that cover n elements: fn(at, lanes).
function M.sweep_row(b, name, n, width, unroll, fn)
  local vectors = M.cover(n, width)
  local lanes = vectors[1].lanes
  M.sweep(b, name, n // lanes, unroll, function(i) fn(i * lanes, lanes) end)
  if n % lanes ~= 0 then
    b:group(function() fn(index.of(n - lanes), lanes) end)
  end
end

return M
