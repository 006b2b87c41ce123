-- BANDS
-- =====
-- Rows of the output that are made together because they read the same rows of the input: a row
-- that is loaded meets all rows of the kernel that want it.  Bands alike in which of their rows
-- meets which input share code; the rows of the kernel may differ and come from tables.

local contract = require "upweave.plan.contract"

local M = {}

---@class lower.contract.Band
---@field output integer    its first row
---@field n integer         how many
---@field rows integer[]    input rows, ascending, counted from `input`
---@field input integer     the first input row
---@field taps table<integer, integer>[]   for each row of the band: input row (number in `rows`)
---  to kernel row (number in `kernel`)
---@field kernel integer[]  rows of the kernel, in order of first use
---@field key string
---@field part integer

---@class lower.contract.Rows   the rows of y, those of all planes in a row
---@field size integer    rows of a plane; no band crosses its end
---@field unit integer    rows that a part has at least
---@field count integer   units
---@field taps fun(o: integer): { row: integer, k: integer }[]   taps inside, by input row

-- Taps inside of output o of an axis.
local function taps_inside(axis, o)
  local first, last = contract.inside(axis, o)
  local taps, out = axis.taps[o % axis.phases + 1], {}
  for t = first, last do
    out[#out + 1] = { row = o // axis.phases * axis.step + taps[t].at, k = taps[t].k }
  end
  return out
end

-- The rows of two axes as one.
local function nested(planes, axis)
  return function(o)
    local out, inner = {}, taps_inside(axis, o % axis.output)
    for _, d in ipairs(taps_inside(planes, o // axis.output)) do
      for _, y in ipairs(inner) do
        out[#out + 1] = { row = d.row * axis.input + y.row, k = d.k * axis.kernel + y.k }
      end
    end
    return out
  end
end

--- The rows of a plan: those of all its axes but the last.
---@param plan upweave.plan.contract
---@return lower.contract.Rows
function M.rows(plan)
  local axis, planes = plan.axes[plan.rank - 1], plan.axes[plan.rank - 2]
  if not axis then
    return { size = 1, unit = 1, count = 1, taps = function() return { { row = 0, k = 0 } } end }
  end
  local size = axis.output
  if planes then
    return { size = size, unit = size, count = planes.output, taps = nested(planes, axis) }
  end
  return { size = size, unit = 1, count = size, taps = function(o) return taps_inside(axis, o) end }
end

-- Numbers of distinct values, in order of first use.
local function numbered()
  local list, of = {}, {}
  return list, function(v)
    if not of[v] then
      list[#list + 1] = v
      of[v] = #list
    end
    return of[v]
  end
end

local function band_of(rows, o, n, part)
  local lists, all, known = {}, {}, {}
  for i = 1, n do lists[i] = rows.taps(o + i - 1) end
  for _, list in ipairs(lists) do
    for _, tap in ipairs(list) do
      if not known[tap.row] then all[#all + 1], known[tap.row] = tap.row, true end
    end
  end
  table.sort(all)
  local band = { output = o, n = n, part = part, input = all[1] or 0, rows = {}, taps = {} }
  for j, r in ipairs(all) do band.rows[j], known[r] = r - band.input, j end
  local kernel, number = numbered()
  local key = { n }
  for i, list in ipairs(lists) do
    band.taps[i], key[#key + 1] = {}, "/"
    for _, tap in ipairs(list) do
      band.taps[i][known[tap.row]] = number(tap.k)
      key[#key + 1] = ("%d:%d"):format(tap.row - band.input, number(tap.k))
    end
  end
  band.kernel, band.key = kernel, table.concat(key, " ")
  return band
end

-- Bands of a part whose firsts are `offset` modulo `most`, but for the part's own first.
local function cut(rows, part, from, to, most, offset)
  local out, o = {}, from
  while o < to do
    local y = o % rows.size
    local n = math.min(to - o, most - (y - offset) % most, rows.size - y)
    out[#out + 1], o = band_of(rows, o, n, part), o + n
  end
  return out
end

-- The offset that has bands read the fewest rows in the middle of a plane.
local function best_offset(rows, most)
  local best, least = 0, math.huge
  local plane = rows.count * rows.unit // rows.size // 2 * rows.size
  local from, to = rows.size // 3, rows.size - rows.size // 3
  for offset = 0, most - 1 do
    local reads = 0
    for _, band in ipairs(cut(rows, 1, plane + from, plane + to, most, offset)) do
      reads = reads + #band.rows
    end
    if reads < least then best, least = offset, reads end
  end
  return best
end

-- Input rows that each band has to add to those at hand, [from, to), and how many are at hand at
-- most; `lowest` is the first that it or a later one of its part reads.
local function fills(list)
  local lowest, depth, have, part = math.huge, 1, -1, nil
  for i = #list, 1, -1 do
    local band = list[i]
    if band.part ~= part then lowest, part = math.huge, band.part end
    if band.rows[1] then lowest = math.min(lowest, band.input) end
    band.lowest = lowest
  end
  part = nil
  for _, band in ipairs(list) do
    if band.part ~= part then have, part = -1, band.part end
    local last = band.rows[1] and band.input + band.rows[#band.rows] or have
    local from = band.lowest < math.huge and math.max(have + 1, band.lowest) or have + 1
    band.from, band.to = from, math.max(from, last + 1)
    have = math.max(have, last)
    if band.rows[1] then depth = math.max(depth, have - band.lowest + 1) end
  end
  return depth
end

--- The bands of a plan's rows, at most `most` rows in each, in so many parts.
---@param rows lower.contract.Rows
---@param parts integer
---@param most integer
---@return lower.contract.Band[]
---@return integer depth   input rows that are at hand at the same time
function M.list(rows, parts, most)
  local offset, out = best_offset(rows, most), {}
  for p = 1, parts do
    local from, to = (p - 1) * rows.count // parts, p * rows.count // parts
    for _, band in ipairs(cut(rows, p, from * rows.unit, to * rows.unit, most, offset)) do
      out[#out + 1] = band
    end
  end
  return out, fills(out)
end

---@class lower.contract.BandClass   bands of equal code
---@field like lower.contract.Band
---@field list lower.contract.Band[]
---@field ends integer[]   how many of them there are up to each of all bands
---@field output fun(i: ir.Index): ir.Index   first row of its band i
---@field input fun(i: ir.Index): ir.Index    first input row
---@field kernel (fun(i: ir.Index): ir.Index)[]   rows of the kernel

--- Bands in classes, in order of first appearance.
---@param list lower.contract.Band[]
---@return lower.contract.BandClass[]
function M.classes(list)
  local classes, of = {}, {}
  for _, band in ipairs(list) do
    local class = of[band.key]
    if not class then
      class = { like = band, list = {}, ends = {} }
      of[band.key], classes[#classes + 1] = class, class
    end
    class.list[#class.list + 1] = band
  end
  for _, class in ipairs(classes) do
    local n = 0
    for i, band in ipairs(list) do
      n = n + (band.key == class.like.key and 1 or 0)
      class.ends[i] = n
    end
  end
  return classes
end

-- Bands of each part: [from, to).
local function parts_of(list, parts)
  local lo, hi, at = {}, {}, 0
  for p = 1, parts do
    lo[p] = at
    while list[at + 1] and list[at + 1].part == p do at = at + 1 end
    hi[p] = at
  end
  return lo, hi
end

---@class lower.contract.Bands   bands as tables
---@field classes lower.contract.BandClass[]
---@field part fun(p: ir.Index): ir.Index, ir.Index
---@field fill fun(band: ir.Index): ir.Index, ir.Index

-- field(band) of a class's bands as a function of their number.
local function column(b, name, class, field)
  local values = {}
  for i, band in ipairs(class.list) do values[i] = field(band) end
  local tab = b:table(name, "i32", values)
  return function(i) return b:fetch(tab, i) end
end

local function declare_class(b, name, class, alone)
  class.output = column(b, name .. "_out", class, function(band) return band.output end)
  class.input = column(b, name .. "_in", class, function(band) return band.input end)
  class.kernel = {}
  for k in ipairs(class.like.kernel) do
    class.kernel[k] = column(b, ("%s_k%d"):format(name, k - 1), class, function(band)
      return band.kernel[k]
    end)
  end
  if alone then return end
  local lo = { 0 }
  table.move(class.ends, 1, #class.ends - 1, 2, lo)
  class.range = b:ranges(name, lo, class.ends)
end

--- Declare the tables of bands in so many parts.
---@param b ir.Builder
---@param list lower.contract.Band[]
---@param parts integer
---@return lower.contract.Bands
function M.declare(b, list, parts)
  local t, lo, hi = { classes = M.classes(list) }, {}, {}
  t.part = b:ranges("part", parts_of(list, parts))
  for i, band in ipairs(list) do lo[i], hi[i] = band.from, band.to end
  t.fill = b:ranges("fill", lo, hi, "input rows that each band is the first to read")
  for c, class in ipairs(t.classes) do
    declare_class(b, "band" .. c - 1, class, #t.classes == 1)
  end
  return t
end

--- fn(class, i) for the class of a band, which is its band i.
function M.each_class(b, t, band, fn)
  for _, class in ipairs(t.classes) do
    if not class.range then return fn(class, band) end
    local lo, hi = class.range(band)
    b:each("of", lo, hi, function(i) fn(class, i) end)
  end
end

return M
