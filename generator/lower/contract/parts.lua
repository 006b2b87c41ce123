-- PARTS
-- =====
-- Things that lie in parts of the work, such as tiles in pieces of a row.  Things alike share their
-- code: a class of them is a loop whose bounds depend on the part, and where each of them lies is a
-- linear form or a table.

local index = require "upweave.ir.index"
local list = require "upweave.util.list"

local M = {}

---@class lower.contract.Parts
---@field b ir.Builder
---@field fields string[]
---@field classes table[]   of each `like` (the first of its things), `range` (those of a part) and
---  `place` (for each field, that of thing i)
local Parts = {}
Parts.__index = Parts

-- Numbers that are a linear form of their place, as that form.
local function linear(values)
  local first, step = values[1], (values[2] or values[1]) - values[1]
  for i, v in ipairs(values) do
    if v ~= first + (i - 1) * step then return nil end
  end
  return function(i) return index.of(i) * step + first end
end

local function positions(b, name, values)
  local form = linear(values)
  if form then return form end
  local tab = b:table(name, "i32", values)
  return function(i) return b:fetch(tab, i) end
end

-- Things by their keys, in order of first appearance, and how many there are up to each part.
local function sorted(parts)
  local classes, of = {}, {}
  for p, things in ipairs(parts) do
    for _, thing in ipairs(things) do
      local class = of[thing.key]
      if not class then
        class = { things = {}, ends = {} }
        of[thing.key], classes[#classes + 1] = class, class
      end
      class.things[#class.things + 1] = thing
      class.ends[p] = #class.things
    end
  end
  return classes
end

-- Bounds of the parts' things: a part without any is an empty range.
local function range(b, name, ends, count)
  local lo, hi = {}, {}
  for p = 1, count do
    lo[p] = hi[p - 1] or 0
    hi[p] = ends[p] or lo[p]
  end
  local first, last = linear(lo), linear(hi)
  if first and last then return function(part) return first(part), last(part) end end
  return b:ranges(name, lo, hi)
end

--- The things of all parts; those with the same key are alike.
---@param b ir.Builder
---@param name string        of the tables
---@param parts table[][]    for each part its things, each with `key`
---@param fields string[]    integers that say where a thing lies
---@return lower.contract.Parts
function M.new(b, name, parts, fields)
  local out = {}
  for c, class in ipairs(sorted(parts)) do
    local own = ("%s%d"):format(name, c - 1)
    local place = {}
    for _, field in ipairs(fields) do
      place[field] = positions(b, own .. "_" .. field, list.column(class.things, field))
    end
    out[c] = { like = class.things[1], range = range(b, own, class.ends, #parts), place = place }
  end
  return setmetatable({ b = b, fields = fields, classes = out }, Parts)
end

--- fn(thing) for the things of a part, class by class.  What is passed is like the first of its
--- class, but for where it lies.
---@param loop string   hint for the name of the variable
---@param part ir.Index|integer
---@param fn fun(thing: table)
function Parts:each(loop, part, fn)
  for _, class in ipairs(self.classes) do
    local from, to = class.range(part)
    self.b:each(loop, from, to, function(i)
      local thing = {}
      for _, field in ipairs(self.fields) do thing[field] = class.place[field](i) end
      fn(setmetatable(thing, { __index = class.like }))
    end)
  end
end

return M
