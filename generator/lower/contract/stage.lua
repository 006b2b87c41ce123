-- STAGE
-- =====
-- The inputs of a task in scratch, in values of the plan's arithmetic, so that every vector of a
-- line is one load at a constant offset: [rows of the outer axes][channel][residue][position], zero
-- where the input has no position.  For steps of S a residue has the positions that are S apart.
-- Lines are an odd number of vectors long, and so are the distances of rows: neither channels nor
-- rows meet in the few places of a cache.  Rows outside the input are not staged; the tables of the
-- outer axes leave them out.

local outer = require "upweave.lower.contract.outer"
local parts = require "upweave.lower.contract.parts"
local transpose = require "upweave.lower.contract.transpose"
local vector = require "upweave.lower.vector"

local M = {}

-- Positions times channels next to each other that shuffles still take apart well.
local MOST_SPREAD = 8

local function clip(v, lo, hi) return math.max(lo, math.min(v, hi)) end

---@class lower.contract.Stage
---@field low integer          element 0 of a line is position low * step of its piece
---@field span integer         elements that a line has more than its piece has outputs of a phase
---@field residues integer[]   positions modulo the step that taps read
---@field index table<integer, integer>   number of a residue, from 0
---@field pitch integer        elements of a line
---@field c integer            elements between channels
---@field axes integer[]       elements between rows of the outer axes
---@field needs integer[][][]  rows that the parts of each outer axis read
---@field size integer         elements

-- Residues of the positions and the range of their quotients.
local function residues_of(step, positions)
  local s = { residues = {}, index = {}, low = positions[1] and math.huge or 0 }
  local high = positions[1] and -math.huge or 0
  for _, position in ipairs(positions) do
    local quotient, residue = position.at // step, position.at % step
    s.low, high = math.min(s.low, quotient), math.max(high, quotient)
    if not s.index[residue] then
      s.index[residue], s.residues[#s.residues + 1] = #s.residues, residue
    end
  end
  s.span = high - s.low
  return s
end

--- How the inputs of a task lie in scratch; `pieces` are the runs of vectors that lines are for.
---@param plan upweave.plan.contract
---@param positions lower.contract.Position[]
---@param pieces { from: integer, to: integer }[]
---@param strips integer   parts of the outermost of the outer axes
---@param lanes integer    of a register
---@return lower.contract.Stage
function M.layout(plan, positions, pieces, strips, lanes)
  local s, longest = residues_of(plan.axes[plan.rank].step, positions), 0
  for _, piece in ipairs(pieces) do longest = math.max(longest, piece.to - piece.from) end
  if s.low < 0 then    -- position 0 of a piece begins a vector: copies and a third of the loads do
    local low = -((lanes - 1 - s.low) // lanes * lanes)
    s.span, s.low = s.span + s.low - low, low
  end
  s.pitch = ((longest + s.span + lanes - 1) // lanes | 1) * lanes
  s.c = math.max(1, #s.residues) * s.pitch
  s.axes, s.needs, s.size = {}, {}, s.c * plan.ci
  for d = plan.rank - 1, 1, -1 do
    local most = 1
    s.needs[d] = outer.needs(plan.axes[d], d == 1 and strips or 1)
    for _, need in ipairs(s.needs[d]) do
      if need[1] then most = math.max(most, need[#need] - need[1] + 1) end
    end
    s.axes[d] = (s.size // lanes | 1) * lanes
    s.size = s.axes[d] * most
  end
  return s
end

--- Where output q of a piece finds its input at a position, in the line of its channel.
function M.offset(s, step, at, q) return s.index[at % step] * s.pitch + at // step - s.low + q end

-- What of a piece's line comes from the input: elements first … last - 1 of all residues, and
-- element `last` of the first `tail` of them; `at` is the quotient of element `first`.
-- It has whole vectors, which are loaded where lanes are taken from the middle of two.
local function line_of(axis, s, piece, lanes)
  local origin = piece.from + s.low
  local length = (piece.to - piece.from + s.span + lanes - 1) // lanes * lanes
  local whole = axis.input // axis.step
  local first = clip(-origin, 0, length)
  local last = clip(whole - origin, first, length)
  local open = last < length and origin + last == whole
  local line = {
    first = first, last = last, tail = open and axis.input % axis.step or 0, length = length,
    at = origin + first,
  }
  line.key = ("%d %d %d %d"):format(first, last, line.tail, length)
  return { line }
end

-- Tables of the rows of an outer axis: for each part how many, their inputs and their places.
local function rows_of(b, name, needs)
  local most, count, source, slot = 1, {}, {}, {}
  for _, need in ipairs(needs) do most = math.max(most, #need) end
  for p, need in ipairs(needs) do
    count[p] = #need
    for j = 1, most do
      source[#source + 1] = need[j] or need[#need] or 0
      slot[#slot + 1] = source[#source] - (need[1] or 0)
    end
  end
  count = b:table(name .. "_rows", "i32", count, 1, "rows of the input that a part reads")
  source, slot = b:table(name .. "_row", "i32", source, most), b:table(name .. "_slot", "i32", slot)
  return {
    count = function(part) return b:fetch(count, part) end,
    source = function(part, j) return b:fetch(source, part * most + j) end,
    slot = function(part, j) return b:fetch(slot, part * most + j) end,
  }
end

--- Declare the scratch and the tables of k.stage.
function M.declare(k, pieces)
  local plan, s, lists = k.plan, k.stage, {}
  s.buffer, s.rows = k.b:scratch("stage", plan.work, s.size), {}
  for d, needs in ipairs(s.needs) do s.rows[d] = rows_of(k.b, plan.axes[d].name, needs) end
  for p, piece in ipairs(pieces) do lists[p] = line_of(plan.axes[plan.rank], s, piece, k.lanes) end
  s.lines = parts.new(k.b, "line", lists, { "at" })
end

-- copying -------------------------------------------------------------------------------------

-- fn(offset in x, offset in the stage) for each row of a part.
local function each_row(k, part, fn)
  local s, from = k.stage, k.frame.from.axes
  local function level(d, x, to)
    local rows, p = s.rows[d], d == 1 and part or 0
    if not rows then return fn(x, to) end
    k.b:each("s" .. k.plan.axes[d].name, 0, rows.count(p), function(j)
      level(d + 1, rows.source(p, j) * from[d] + x, rows.slot(p, j) * s.axes[d] + to)
    end)
  end
  level(1, 0, 0)
end

-- Zeros from element `from` to before `to` of a line, and beside them, where inputs come later.
local function zeros(k, line, from, to)
  local lanes = k.lanes
  local zero = k.b:const(k.plan.work, lanes, 0)
  for at = from, to - 1, lanes do
    k.b:store(line, math.min(at, k.stage.pitch - lanes), zero)
  end
end

-- The zeros of the lines of a channel that begin at `line`.
local function pads(k, line, shape)
  for i, residue in ipairs(k.stage.residues) do
    local own = k.b:view("pad", line, (i - 1) * k.stage.pitch)
    zeros(k, own, 0, shape.first)
    zeros(k, own, shape.last + (residue < shape.tail and 1 or 0), shape.length)
  end
end

-- Elements of x that go by turns to several lines: where[f + 1] is the line of those with number f
-- of `count`.
local function spread(k, source, line, shape, count, where)
  local b, n = k.b, shape.last - shape.first
  local function copy(g, lanes)
    local sources = {}
    for v = 0, count - 1 do sources[v + 1] = b:load(source, g * count + v * lanes, lanes, "x") end
    for f = 0, count - 1 do
      if where[f + 1] then
        local picks = {}
        for l = 0, lanes - 1 do
          local e = l * count + f
          picks[l + 1] = { source = e // lanes + 1, lane = e % lanes }
        end
        b:store(line, g + where[f + 1] + shape.first, vector.pick(b, sources, picks))
      end
    end
  end
  if n > 0 then vector.sweep_row(b, "x", n, k.lanes, 4, copy) end
  for f = 0, shape.tail * (count // k.plan.axes[k.plan.rank].step) - 1 do
    if where[f + 1] then
      b:store(line, where[f + 1] + shape.last, b:load(source, n * count + f, 1))
    end
  end
end

-- Lines of the residues, each of so many channels, in the order of x.
local function places(k, channels)
  local s, out = k.stage, {}
  for residue = 0, k.plan.axes[k.plan.rank].step - 1 do
    for c = 0, channels - 1 do
      local i = s.index[residue]
      out[#out + 1] = i and i * s.pitch + c * s.c or false
    end
  end
  return out
end

-- Planar inputs: a row of a channel is a line, or several.
local function copy_planar(k, part, shape)
  local b, s, step = k.b, k.stage, k.plan.axes[k.plan.rank].step
  b:each("sc", 0, k.plan.ci, function(c)
    each_row(k, part, function(x, to)
      local line = b:view("line", s.buffer, to + c * s.c)
      pads(k, line, shape)
      local row = b:view("row", k.source, x + c * k.frame.from.c + shape.at * step)
      spread(k, row, line, shape, step, places(k, 1))
    end)
  end)
end

-- Positions of a residue x channels, turned in registers.
local function turn(k, source, line, shape, residue)
  local b, s, plan = k.b, k.stage, k.plan
  local pixel, step = k.frame.from.axes[plan.rank], plan.axes[plan.rank].step
  local count = shape.last - shape.first + (residue < shape.tail and 1 or 0)
  if count == 0 then return end
  local to = s.index[residue] * s.pitch + shape.first
  local most = math.min(k.lanes, vector.pow2_floor(plan.ci))
  vector.sweep_row(b, "x", count, most, 1, function(e, n)
    vector.sweep_row(b, "sc", plan.ci, most, 1, function(c, lanes)
      local rows = {}
      for j = 0, n - 1 do
        rows[j + 1] = b:load(source, (e + j) * (step * pixel) + c + residue * pixel, lanes, "x")
      end
      transpose.columns(b, rows, function(j, column)
        b:store(line, c * s.c + j * s.c + e + to, column)
      end)
    end)
  end)
end

-- Interleaved inputs: few channels are picked from vectors of all, many are turned.
local function copy_interleaved(k, part, shape)
  local b, s, plan = k.b, k.stage, k.plan
  local step = plan.axes[plan.rank].step
  each_row(k, part, function(x, to)
    local line = b:view("line", s.buffer, to)
    local row = b:view("row", k.source, shape.at * (step * k.frame.from.axes[plan.rank]) + x)
    b:each("sc", 0, plan.ci, function(c) pads(k, b:view("line", line, c * s.c), shape) end)
    if plan.groups == 1 and step * plan.ci <= MOST_SPREAD then
      spread(k, row, line, shape, step * plan.ci, places(k, plan.ci))
    else
      for _, residue in ipairs(s.residues) do turn(k, row, line, shape, residue) end
    end
  end)
end

--- Copy the inputs of a part.
function M.fill(k, part)
  local copy = k.plan.planar and copy_planar or copy_interleaved
  k.stage.lines:each("line", k.plan.rank == 1 and part or 0, function(line)
    copy(k, part, line)
  end)
end

return M
