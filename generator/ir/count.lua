-- COUNT
-- =====
-- How often a kernel loads, stores and calculates vectors in one run, counted over its loops.
-- A loop multiplies, unless bounds inside depend on its variable: then it is stepped through, and
-- what one step counts is remembered by the variables that it depends on, so that nested loops cost
-- the sum of their lengths, not the product.  Tasks repeat with the module's `task_period`.

local index = require "upweave.ir.index"

local M = {}

local kinds = {
  load = "loads", gather = "loads", store = "stores", add = "arithmetic", mul = "arithmetic",
  fma = "arithmetic", shuffle = "shuffles", convert = "arithmetic", convert_pairs = "arithmetic",
  average = "arithmetic", bxor = "arithmetic", band = "arithmetic", sub = "arithmetic",
  div = "arithmetic", sqrt = "arithmetic", max = "arithmetic", min = "arithmetic",
  lt = "arithmetic", shift = "arithmetic", neighbours = "arithmetic", narrow = "shuffles",
}

local KINDS <const> = { "loads", "stores", "arithmetic", "shuffles" }

local function nothing() return { loads = 0, stores = 0, arithmetic = 0, shuffles = 0 } end

local function add(totals, other, times)
  for _, kind in ipairs(KINDS) do totals[kind] = totals[kind] + times * other[kind] end
end

local function body_of(n) return n.body or n.op == "call" and n.routine.body end

local function each_variable(e, fn)
  for _, term in ipairs(index.of(e).terms) do
    local atom = term[2]
    if atom.op == "var" then fn(atom) else each_variable(atom.arg, fn) end
  end
end

-- Appends the variables from outside that bounds of loops in a block depend on; `seen` has those
-- of loops inside, too.
local function add_outer(block, list, seen)
  local function see(variable)
    if not seen[variable] then list[#list + 1] = variable end
    seen[variable] = true
  end
  for _, n in ipairs(block) do
    if n.op == "for" then
      each_variable(n.lo, see)
      each_variable(n.hi, see)
      seen[n.var] = true
    end
    local body = body_of(n)
    if body then add_outer(body, list, seen) end
  end
end

-- What is known of a loop: the variables that its body's totals depend on, whether its own is one
-- of them, and the totals by their values.
local function knowledge(n, known)
  if not known[n] then
    local outer, seen = {}, {}
    add_outer(n.body, outer, seen)
    local own = false
    for _, variable in ipairs(outer) do own = own or variable == n.var end
    known[n] = { outer = outer, steps = own, totals = {} }
  end
  return known[n]
end

local count_block

-- Totals of a loop's body for the present values of the variables.
local function count_body(n, known)
  local loop, values = knowledge(n, known), {}
  for i, variable in ipairs(loop.outer) do values[i] = variable.value end
  local key = table.concat(values, " ")
  loop.totals[key] = loop.totals[key] or count_block(n.body, known)
  return loop.totals[key]
end

local function add_loop(n, totals, known)
  local value = function(a) return a.value end
  local lo, hi = index.evaluate(n.lo, value), index.evaluate(n.hi, value)
  if hi <= lo then return end
  n.var.value = lo
  if not knowledge(n, known).steps then return add(totals, count_body(n, known), hi - lo) end
  local times = 1
  if n.var.parameter then
    times = hi // n.var.period
    hi = n.var.period
  end
  for i = lo, hi - 1 do
    n.var.value = i
    add(totals, count_body(n, known), times)
  end
end

function count_block(block, known)
  local totals = nothing()
  for _, n in ipairs(block) do
    local body = body_of(n)
    if n.op == "for" then add_loop(n, totals, known)
    elseif body then add(totals, count_block(body, known), 1)
    elseif kinds[n.op] and (n.ty or n[1].ty).lanes > 1 then
      totals[kinds[n.op]] = totals[kinds[n.op]] + 1
    end
  end
  return totals
end

--- Totals of one run of all tasks.
---@param module ir.Builder
---@return { loads: integer, stores: integer, arithmetic: integer, shuffles: integer }
function M.count(module) return count_block(module.body, {}) end

return M
