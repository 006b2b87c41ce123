-- ROW PASS
-- ========
-- One row through the axis map of its elements: every output vector is a weighted sum of taps,
-- each tap a constant permutation of windows of the input that all taps share.  Equal vectors
-- become loops (plan.runs).  Weights that an iteration changes come from a table; a pattern that
-- never repeats is driven by tables, element by element, once straight-line code grows too long.

local index = require "upweave.ir.index"
local runs = require "upweave.plan.runs"
local vector = require "upweave.lower.vector"

local M = {}

-- Straight-line tap operations a row may spend before the table-driven form takes over: about
-- 24 KB of code.  Text must not grow with the image.
local MAX_OPERATIONS = 384
-- Longest period looked for, in vectors: 21 channels at scale 8 repeat after 21.
local MAX_PERIOD = 32
-- Iterations up to which a run is straight-line.
local FEW_ITERATIONS = 3

---@class lower.Row
---@field input integer    elements of the source row
---@field output integer   elements of the destination row
---@field form lower.Form  how a vector comes from its taps
---@field taps integer     vectors of taps of a vector, at most

---@class lower.Form
---@field expand fun(map: plan.Axis, at: integer, lanes: integer): integer[][], number[][]
---  the input elements that make up the vectors of taps of `lanes` outputs; as many weight vectors,
---  or as many for each of them, or none
---@field combine fun(b: ir.Builder, weights: table, values: table): table
---@field step (fun(b: ir.Builder, weights: table, value: table, carried: table?): table)?
---  one vector of taps more, where a loop can do it: carried values
---@field finish (fun(b: ir.Builder, carried: table): table)?   the output vector
---@field weight string?   element type of the weights, where it is not that of the arithmetic
---@field apart boolean?   every vector of taps has windows of its own
---@field working integer   registers that are not for constants

-- Weighted sums.  A missing tap repeats the lane's own last one with weight 0, so it reads nothing
-- new.
local SUMS = {
  working = 6,
  combine = function(b, weights, values) return b:dot(weights, values) end,
  step = function(b, weights, value, carried)
    return { carried and b:fma(weights[1], value, carried[1]) or b:mul(weights[1], value) }
  end,
  finish = function(_, carried) return carried[1] end,
}

function SUMS.expand(map, at, lanes)
  local taps = 0
  for l = 1, lanes do taps = math.max(taps, #map.taps[at + l].index) end
  local from, weight = {}, {}
  for k = 1, taps do
    from[k], weight[k] = {}, {}
    for l = 1, lanes do
      local t = map.taps[at + l]
      from[k][l] = t.index[math.min(k, #t.index)]
      weight[k][l] = t.weight[k] or 0
    end
  end
  return from, weight
end

local function extent(from)
  local lo, hi = math.maxinteger, math.mininteger
  for _, list in ipairs(from) do
    lo = math.min(lo, table.unpack(list))
    hi = math.max(hi, table.unpack(list))
  end
  return lo, hi
end

-- The work item of one output vector: pos = { first input element, first output element }.
local function item(map, v, form)
  local from, weight = form.expand(map, v.at, v.lanes)
  local lo, hi = extent(from)
  local window = #from[1]
  local span = ((hi - lo) // window + 1) * window
  local base = math.max(0, math.min(lo, map.input - span))
  local sig = { v.lanes }
  for k, list in ipairs(from) do
    for l, i in ipairs(list) do list[l] = i - base end
    sig[k + 1] = table.concat(list, ",")
  end
  return {
    pos = { base, v.at }, lanes = v.lanes, from = from, weight = weight, window = window,
    sig = table.concat(sig, ";"),
  }
end

--- Prepare the pass for rows through an axis map with vectors of at most `lanes`.
---@param map plan.Axis
---@param lanes integer
---@param form lower.Form?   weighted sums unless given
---@return lower.Row
function M.new(map, lanes, form)
  form = form or SUMS
  local items, taps = {}, 0
  for i, v in ipairs(vector.cover(map.output, lanes)) do
    items[i] = item(map, v, form)
    taps = math.max(taps, #items[i].from)
  end
  local list = runs.runs(items, MAX_PERIOD)
  return {
    input = map.input, output = map.output, form = form, items = items, runs = list, taps = taps,
    straight = runs.pieces(list) * taps <= MAX_OPERATIONS,
  }
end

-- tables ----------------------------------------------------------------------------------------

local function same_weights(a, b)
  for k, list in ipairs(a.weight) do
    for l, w in ipairs(list) do
      if b.weight[k][l] ~= w then return false end
    end
  end
  return true
end

local function append(values, list) table.move(list, 1, #list, #values + 1, values) end

--- True if a run's weights are constants.
---@param pass lower.Row
---@param run plan.Run
---@return boolean
function M.steady(pass, run)
  for j in ipairs(run.items) do
    if not runs.constant(pass.items, run, j, same_weights) then return false end
  end
  return true
end

-- Members whose weights change get a place in the table `values`.
local function weight_places(pass, values)
  for _, run in ipairs(pass.runs) do
    for j, it in ipairs(run.items) do
      if not runs.constant(pass.items, run, j, same_weights) then
        it.place = #values
        for g = 0, run.count - 1 do
          for _, list in ipairs(runs.item(pass.items, run, g, j).weight) do append(values, list) end
        end
      end
    end
  end
end

-- Padded to `taps` vectors of taps for every vector: { weights, elements }.
local function element_tables(pass)
  local weights, elements, first = {}, {}, pass.items[1]
  pass.parts = #first.weight // #first.from       -- weight vectors of a vector of taps
  for _, it in ipairs(pass.items) do
    for k = 1, pass.taps do
      for _, i in ipairs(it.from[math.min(k, #it.from)]) do
        elements[#elements + 1] = it.pos[1] + i
      end
      for part = 1, pass.parts do
        local own = it.weight[(k - 1) * pass.parts + part]
        for l = 1, #first.weight[1] do weights[#weights + 1] = own and own[l] or 0 end
      end
    end
  end
  return weights, elements
end

--- Declare the tables that the pass needs; call once, before the first `emit`.
function M.declare(b, pass)
  local weights, elements = {}, nil
  if pass.straight then weight_places(pass, weights)
  else weights, elements = element_tables(pass) end
  pass.weights = #weights > 0 and b:table("column_weight", pass.form.weight or b.work, weights, 1,
    "weights of the taps of each output vector") or nil
  pass.elements = elements and b:table("column_element", "i32", elements, 1,
    "inputs of the taps of each output vector") or nil
end

-- emission --------------------------------------------------------------------------------------

-- The plain way to fetch: loads from the row at `src`.
local function loads(b, src)
  return function(at, lanes, hint) return b:load(src, at, lanes, hint) end
end

-- A fetch that gives the same vector again when asked again: taps share their windows.
local function once(fetch)
  local known = {}
  return function(at, lanes, hint)
    local key = ("%s x%d"):format(at:key(), lanes)
    known[key] = known[key] or fetch(at, lanes, hint)
    return known[key]
  end
end

-- Weight vectors of a run's member in iteration g: constants or, one after the other, a table.
local function weight_vectors(b, pass, it, g)
  local entries, at, out = 0, it.place, {}
  for _, list in ipairs(it.weight) do entries = entries + #list end
  for k, list in ipairs(it.weight) do
    local role = "wx" .. k - 1
    if it.place then
      out[k] = b:load(pass.weights, g * entries + at, #list, role)
      at = at + #list
    else
      out[k] = b:const(pass.form.weight or b.work, #list, list, role)
    end
  end
  return out
end

--- Output vector of a run's member in iteration g.
function M.value(b, pass, run, it, g, fetch)
  local shared, values = once(fetch), {}
  local origin = g * run.stride[1] + it.pos[1]
  local limit = pass.input - it.pos[1] - (run.count - 1) * run.stride[1]
  local w = math.min(it.window, vector.pow2_floor(pass.input))
  local bases = vector.windows(it.from, w, limit)
  for k, list in ipairs(it.from) do
    if pass.form.apart then bases = vector.windows({ list }, w, limit) end
    values[k] = b:named("x" .. k - 1, vector.take(b, shared, origin, list, bases, w))
  end
  return pass.form.combine(b, weight_vectors(b, pass, it, g), values)
end

-- Constants a member's code keeps in registers inside a loop: permutations and weights.
local function constants_of(it)
  local windows = 1
  local lo, hi = extent(it.from)
  if hi - lo >= it.window then windows = (hi - lo) // it.window end
  return #it.from * windows + (it.place and 0 or #it.weight)
end

--- Elements of the permutations and weights that one pass over a row reads.
---@param pass lower.Row
---@return integer
function M.constants(pass)
  local count = 0
  for _, run in ipairs(pass.runs) do
    for _, it in ipairs(run.items) do count = count + constants_of(it) * it.window end
  end
  return count
end

-- A few iterations are straight-line; a loop of one short vector is mostly loop and gets copies,
-- fewer where memory is what it waits for.
local function copies(run, streaming)
  if run.count <= FEW_ITERATIONS then return run.count end
  return math.max(1, (streaming and 2 or 4) // run.period)
end

--- Emit a straight pass; write(run, member, g) stores the vector of a member in iteration g.
function M.sweep(b, pass, write, streaming)
  for _, run in ipairs(pass.runs) do
    local last = runs.item(pass.items, run, run.count - 1, run.period)
    b:note("elements %d to %d", run.items[1].pos[2], last.pos[2] + last.lanes - 1)
    -- parts whose constants fit the registers are loops of their own, or Clang would spill what it
    -- moves out of the one loop
    for _, part in ipairs(runs.parts(run, constants_of, b.target.registers - pass.form.working)) do
      vector.sweep(b, "v", run.count, copies(run, streaming), function(g)
        for _, it in ipairs(part) do
          b:group(function() write(run, it, g) end)
        end
      end)
    end
  end
end

local function emit_straight(b, pass, fetch, dst, streaming)
  M.sweep(b, pass, function(run, it, g)
    local at = g * run.stride[2] + it.pos[2]
    b:store(dst, at, M.value(b, pass, run, it, g, fetch), streaming)
  end, streaming)
end

--- Output vector number v of a pass that tables drive, from the row at `src`: a loop over its taps,
--- elements and weights from tables.
function M.value_by_table(b, pass, v, src)
  local first, form = pass.items[1], pass.form
  local entries = first.weight[1] and #first.weight[1]
  local function tap(k, carried)
    local at, weights = v * pass.taps + k, {}
    for part = 1, pass.parts do
      weights[part] = b:load(pass.weights, (at * pass.parts + part - 1) * entries, entries, "wx")
    end
    local value = b:gather(src, 0, pass.elements, at * first.window, first.window, "x")
    carried = form.step(b, weights, value, carried)
    for _, c in ipairs(carried) do b:named("acc", c) end
    return carried
  end
  return form.finish(b, b:fold("k", 1, pass.taps, tap(0), tap))
end

--- Loop over the vectors of a pass that tables drive: write(number, first output element).
function M.each_by_table(b, pass, write)
  local lanes = pass.items[1].lanes
  local full = pass.output // lanes
  b:each("v", 0, full, function(v) write(v, v * lanes) end)
  if pass.output % lanes ~= 0 then
    b:group(function() write(index.of(full), index.of(pass.output - lanes)) end)
  end
end

local function emit_by_table(b, pass, src, dst, streaming)
  M.each_by_table(b, pass, function(v, at)
    b:store(dst, at, M.value_by_table(b, pass, v, src), streaming)
  end)
end

--- The output vectors of the row at `src` as values, in the order of vector.cover: for rows that
--- stay in registers.  The pass must be straight.
function M.values(b, pass, src)
  local out, fetch = {}, loads(b, src)
  for _, run in ipairs(pass.runs) do
    for g = 0, run.count - 1 do
      for _, it in ipairs(run.items) do
        out[#out + 1] = M.value(b, pass, run, it, index.of(g), fetch)
      end
    end
  end
  return out
end

--- Emit the pass: `src` points to a row of `pass.input` elements, `dst` to one of `pass.output`.
function M.emit(b, pass, src, dst, streaming)
  if pass.straight then emit_straight(b, pass, loads(b, src), dst, streaming)
  else emit_by_table(b, pass, src, dst, streaming) end
end

--- The pass as a routine of its own, `row`: its constants stay out of the caller's registers.
--- Rows are of the elements of `from` and `into`.
--- Returns call(src, at, dst, to): the row from src[at] on to dst[to].
function M.routine(b, pass, from, into, streaming)
  local routine = b:routine("row", {
    { name = "in", like = from, size = pass.input },
    { name = "out", like = into, size = pass.output, written = true },
  }, function(src, dst) M.emit(b, pass, src, dst, streaming) end)
  return function(src, at, dst, to) b:call(routine, { { src, at }, { dst, to } }) end
end

--- Emit a straight pass over a row that fetch(at, lanes, hint) computes where it is read.
function M.emit_fetched(b, pass, fetch, dst, streaming)
  emit_straight(b, pass, fetch, dst, streaming)
end

return M
