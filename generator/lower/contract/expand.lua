-- EXPAND
-- ======
-- Rows of the input in scratch as rows of the output see them: element m of an expanded line is the
-- input that one tap of output m uses, so that a vector of outputs is one load a tap, whatever its
-- phases and channels.  Taps that are whole repetitions apart read the same line further on; the
-- others have lines of their own.  Lines are zero where a tap lies outside, and where a phase lacks
-- it: 0 times an infinity would be no number.
--
-- Inputs follow each other in a line, each repeated for a run of outputs: lines exist where the
-- inputs of a tap ascend from phase to phase.  Lines are an odd number of vectors long: they never
-- meet in a cache by their distances.

local axis_map = require "upweave.plan.axis"
local compose = require "upweave.plan.compose"
local row = require "upweave.lower.resample.row"
local runs = require "upweave.plan.runs"
local vector = require "upweave.lower.vector"

local M = {}

-- Straight-line vectors of a row pass; beyond, pixels are copied one after the other.
local MAX_PIECES = 24

---@class lower.contract.Lines
---@field bases integer[][]   for each line the input of the first output of every phase
---@field taps { line: integer, shift: integer }[]   line and repetitions further on
---@field kernel integer[][]  for each tap its kernel position by phase; nil where a phase lacks it

local function at_of(taps, t) return taps[math.min(t, #taps)].at end

local function ascending(axis, base)
  for r = 1, axis.phases do
    if base[r] > (base[r + 1] or base[1] + axis.step) then return false end
  end
  return true
end

-- Lines by the residues of the distances between taps, of which all phases have as many.
local function shared(axis, count)
  local l, number, first = { bases = {}, taps = {} }, {}, axis.taps[1]
  local apart = count > 1 and first[2].at - first[1].at or 0
  for t = 0, count - 1 do
    local residue = t * apart % axis.step
    if not number[residue] then
      local base = {}
      for r, taps in ipairs(axis.taps) do base[r] = taps[1].at + residue end
      l.bases[#l.bases + 1], number[residue] = base, #l.bases
    end
    l.taps[t + 1] = { line = number[residue], shift = t * apart // axis.step }
  end
  return l
end

-- A line for each tap; a phase that lacks it has the place of its own last one.
local function apart(axis, count)
  local l = { bases = {}, taps = {} }
  for t = 1, count do
    local base = {}
    for r, taps in ipairs(axis.taps) do base[r] = at_of(taps, t) end
    l.bases[t], l.taps[t] = base, { line = t - 1, shift = 0 }
  end
  return l
end

--- The lines of an axis; nil and the reason where there are none.
---@param axis upweave.contract.axis
---@return lower.contract.Lines?
---@return string?
function M.lines(axis)
  local least, most = math.huge, 0
  for _, taps in ipairs(axis.taps) do
    least, most = math.min(least, #taps), math.max(most, #taps)
  end
  if least == 0 then return nil, "an output without taps has no expanded row" end
  local l = (least == most and shared or apart)(axis, most)
  l.kernel = {}
  for t = 1, most do
    l.kernel[t] = {}
    for r, taps in ipairs(axis.taps) do l.kernel[t][r] = taps[t] and taps[t].k end
  end
  for _, base in ipairs(l.bases) do
    if not ascending(axis, base) then return nil, "taps go back from one phase to the next" end
  end
  return l
end

-- Which inputs a line has: `count` of them from `first` on, `step` apart, each for `run` outputs
-- from `at` on, up to before output `reach`.
local function extent(axis, base, reach)
  if axis.phases == 1 then
    local at = math.min(reach, math.max(0, -(base[1] // axis.step)))
    local last = math.min(reach - 1, (axis.input - 1 - base[1]) // axis.step)
    return {
      at = at, first = at * axis.step + base[1], run = 1, step = axis.step, count = last - at + 1,
    }
  end
  local run, origin = axis.phases, -(base[axis.phases] + 1) * axis.phases
  while origin // run + base[origin % run + 1] < 0 do origin = origin + 1 end
  local first = math.max(0, -((origin + run - 1) // run))
  local last = math.min(axis.input - 1, (reach - 1 - origin) // run)
  return {
    at = math.min(reach, origin + first * run), first = first, run = run, step = 1,
    count = last - first + 1,
  }
end

-- Whether an output lacks the tap of a line, by the output's number; nil if none does.
local function lacks_of(axis, kernel)
  local function lacks(o) return not kernel[o % axis.phases + 1] end
  for o = 0, axis.phases - 1 do
    if lacks(o) then return lacks end
  end
end

---@class lower.contract.Expansion
---@field lines lower.contract.Lines
---@field extents table[]
---@field inner integer    elements of a pixel
---@field lead integer     elements of a line before its output 0
---@field pitch integer    elements from line to line
---@field size integer     elements of all lines of a row

--- Lines of so many elements a pixel for rows of `lanes` wide vectors.
---@param axis upweave.contract.axis
---@param lines lower.contract.Lines
---@param inner integer
---@param lanes integer
---@return lower.contract.Expansion
function M.layout(axis, lines, inner, lanes)
  local e = { lines = lines, inner = inner, lanes = lanes, extents = {} }
  local function whole(n) return (n + lanes - 1) // lanes * lanes end
  local further = 0
  for _, tap in ipairs(lines.taps) do further = math.max(further, tap.shift) end
  local reach = axis.output + further * axis.phases
  e.lead = whole((axis.phases - 1) * inner)
  local size = whole(axis.output * inner) + further * axis.phases * inner
  for i, base in ipairs(lines.bases) do
    local x = extent(axis, base, reach)
    x.lacks = lacks_of(axis, lines.kernel[i])
    e.extents[i], size = x, math.max(size, (x.at + x.count * x.run) * inner)
  end
  e.pitch = (whole(e.lead + size) // lanes | 1) * lanes
  e.size = #lines.bases * e.pitch
  return e
end

--- Where a tap of output 0 finds its input in the lines of a row.
function M.place(e, axis, t)
  local tap = e.lines.taps[t]
  return tap.line * e.pitch + e.lead + tap.shift * axis.phases * e.inner
end

-- The row pass of a line, or nil where it would be long.
local function pass_of(axis, e, x)
  local taps = {}
  for o = 0, x.count * x.run - 1 do
    taps[o + 1] = { index = { x.first + o // x.run * x.step }, weight = { 1 } }
  end
  local map = axis_map.new { name = axis.name, input = axis.input, output = #taps, taps = taps }
  local pass = row.new(compose.interleaved(map, e.inner), e.lanes)
  return pass.straight and runs.pieces(pass.runs) <= MAX_PIECES and pass or nil
end

--- Prepare the copies.
---@param b ir.Builder
---@param axis upweave.contract.axis
---@param e lower.contract.Expansion
function M.declare(b, axis, e)
  for _, x in ipairs(e.extents) do
    x.pass = x.count > 0 and pass_of(axis, e, x)
    if x.pass then row.declare(b, x.pass) end
  end
end

-- Pixels one after the other, each `run` times.
local function copy_pixels(b, e, x, src, dst)
  local channels = vector.cover(e.inner, e.lanes)
  vector.sweep(b, "ix", x.count, #channels * x.run < 4 and 4 or 1, function(i)
    for _, v in ipairs(channels) do
      local value = b:load(src, (i * x.step + x.first) * e.inner + v.at, v.lanes, "x")
      for copy = 0, x.run - 1 do
        if not (x.lacks and x.lacks(x.at + copy)) then
          b:store(dst, (i * x.run + copy) * e.inner + v.at, value)
        end
      end
    end
  end)
end

-- Zeros in a filled line where outputs lack its tap.
local function blank(b, e, x, line)
  local zero = b:const(b.work, e.lanes, 0)
  for v = x.at * e.inner // e.lanes, ((x.at + x.count * x.run) * e.inner - 1) // e.lanes do
    local picks, some = {}, false
    for l = 0, e.lanes - 1 do
      local lacks = x.lacks((v * e.lanes + l) // e.inner)
      picks[l + 1], some = lacks and e.lanes + l or l, some or lacks
    end
    if some then
      b:store(line, v * e.lanes, b:shuffle(b:load(line, v * e.lanes, e.lanes), zero, picks))
    end
  end
end

--- Expand the row of the input at `src` to the lines at `dst`.
function M.fill(b, e, src, dst)
  for i, x in ipairs(e.extents) do
    local origin = (i - 1) * e.pitch + e.lead
    local line = b:view("line", dst, origin + x.at * e.inner)
    if x.pass then
      row.emit(b, x.pass, src, line)
      if x.lacks then blank(b, e, x, b:view("line", dst, origin)) end
    elseif x.count > 0 then
      copy_pixels(b, e, x, src, line)
    end
  end
end

--- Zeros where the lines of `rows` rows have no input, before anything else is there.
function M.clear(b, e, buffer, rows)
  local zero = b:const(b.work, e.lanes, 0)
  local function zeros(from, to)
    b:each("v", 0, (to - from + e.lanes - 1) // e.lanes, function(v)
      b:each("row", 0, rows, function(r) b:store(buffer, r * e.size + v * e.lanes + from, zero) end)
    end)
  end
  for i, x in ipairs(e.extents) do
    local from, to = (i - 1) * e.pitch, i * e.pitch
    zeros(from + e.lead, from + e.lead + math.max(0, x.at) * e.inner)
    local rest = to - (from + e.lead + (x.at + math.max(0, x.count) * x.run) * e.inner)
    if x.lacks then rest = to - from end
    zeros(to - (rest + e.lanes - 1) // e.lanes * e.lanes, to)
  end
end

return M
