-- RUNS
-- ====
-- The one way from a long list of nearly identical work items to a few loops.  An item has
-- pos = { integers } and sig = text; items belong to the same loop if their signatures repeat
-- with some period while their positions advance by a constant stride.  Edges are runs of one
-- item: no lowering has code for edges.

local M = {}

---@class plan.Run
---@field first integer    index of its first item in the list
---@field period integer   items per iteration
---@field count integer    iterations
---@field stride integer[] what one iteration adds to pos
---@field items table[]    the items of the first iteration

-- The constant difference of positions, nil if signatures differ or the stride is another one.
local function advance(a, b, stride)
  if a.sig ~= b.sig then return nil end
  local d = {}
  for k, v in ipairs(b.pos) do
    d[k] = v - a.pos[k]
    if stride and d[k] ~= stride[k] then return nil end
  end
  return d
end

-- Number of items from i on that repeat with period p, and the stride.
local function repeats(items, i, p)
  local stride = items[i + p] and advance(items[i], items[i + p])
  if not stride then return 0 end
  local j = i
  while items[j + p] and advance(items[j], items[j + p], stride) do j = j + 1 end
  return (j - i) // p + 1, stride
end

local function longest(items, i, max_period)
  local best = { first = i, period = 1, count = 1, stride = {} }
  for p = 1, math.min(max_period, (#items - i + 1) // 2) do
    local count, stride = repeats(items, i, p)
    if count >= 2 and count * p > best.count * best.period then
      best = { first = i, period = p, count = count, stride = stride }
    end
  end
  return best
end

--- Split a list of items into runs, the longest cover first.
---@param items table[]
---@param max_period integer
---@return plan.Run[]
function M.runs(items, max_period)
  local out, i = {}, 1
  while i <= #items do
    local run = longest(items, i, max_period)
    run.items = table.move(items, i, i + run.period - 1, 1, {})
    if #run.stride == 0 then
      for k in ipairs(items[i].pos) do run.stride[k] = 0 end
    end
    out[#out + 1] = run
    i = i + run.count * run.period
  end
  return out
end

--- Item `member` of iteration `iteration` (0-based) of a run over `items`.
function M.item(items, run, iteration, member)
  return items[run.first + iteration * run.period + member - 1]
end

--- True if member `member` of a run is the same in every iteration, by same(first, other).
function M.constant(items, run, member, same)
  for g = 1, run.count - 1 do
    if not same(run.items[member], M.item(items, run, g, member)) then return false end
  end
  return true
end

--- The members of a run in parts whose needs, need(item) each, fit a budget together; a member
--- that alone exceeds it is a part.
---@param run plan.Run
---@param need fun(item: table): integer
---@param budget integer
---@return table[][]
function M.parts(run, need, budget)
  local out, room = {}, 0
  for _, item in ipairs(run.items) do
    local n = need(item)
    if #out == 0 or n > room then
      out[#out + 1] = {}
      room = budget
    end
    table.insert(out[#out], item)
    room = room - n
  end
  return out
end

--- Straight-line pieces that a list of runs needs.
---@param list plan.Run[]
---@return integer
function M.pieces(list)
  local n = 0
  for _, run in ipairs(list) do n = n + run.period end
  return n
end

return M
