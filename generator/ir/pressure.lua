-- PRESSURE
-- ========
-- Peak number of vector registers that are live at once, in program order.  It predicted spills
-- exactly on all tiles measured (constants and scalars are free), so legal tiles are chosen
-- without compiling.  Each value lives from its definition to its last use; a use inside a loop
-- of a value from outside lasts to the end of that loop.

local walk = require "upweave.ir.walk"

local function registers(v, width)
  if v.op == "const" or not v.ty or v.ty.lanes == 1 then return 0 end
  return (v.ty.bytes + width - 1) // width
end

-- Walks the events and notes for every value where it is defined (from) and last used (to).
local Lifetimes = {}
Lifetimes.__index = Lifetimes

function Lifetimes:define(v, at)
  v.from, v.to, v.depth = at, at, #self.loops
  self.values[#self.values + 1] = v
end

function Lifetimes:use(v, at)
  if v.op == "const" or not v.from then return end
  -- the outermost loop that is open now and was not where v was defined
  local loop = self.loops[v.depth + 1]
  v.to = math.max(v.to, loop and self.close_at[loop] or at)
end

function Lifetimes:open(n, at)
  self.loops[#self.loops + 1] = n
  for _, phi in ipairs(n.phis) do self:define(phi, at) end
end

function Lifetimes:close(n, at)
  self.loops[#self.loops] = nil
  for _, out in ipairs(n.outs) do self:define(out, at) end
end

local function lifetimes(events)
  local l = setmetatable({ values = {}, loops = {}, close_at = {} }, Lifetimes)
  for at, event in ipairs(events) do
    if event.kind == "close" then l.close_at[event.item] = at end
  end
  for at, event in ipairs(events) do
    local n = event.item
    for _, v in ipairs(walk.operands(event)) do l:use(v, at) end
    if event.kind == "item" then
      if n.ty then l:define(n, at) end
    elseif n.op == "for" then
      l[event.kind](l, n, at)
    end
  end
  return l.values
end

local function unit_pressure(unit, width)
  local events = walk.events(unit)
  local change = {}
  for i = 1, #events + 1 do change[i] = 0 end
  for _, v in ipairs(lifetimes(events)) do
    -- an operand's register is free for the result of the same instruction: half-open (from, to]
    local count = registers(v, width)
    change[v.from] = change[v.from] + count
    change[v.to] = change[v.to] - count
    v.from, v.to, v.depth = nil, nil, nil
  end
  local live, peak = 0, 0
  for i = 1, #events do
    live = live + change[i]
    peak = math.max(peak, live)
  end
  return peak
end

--- Peak live vector registers of `width` bytes in any function of a module.
---@param module ir.Builder
---@param width integer
---@return integer
local function pressure(module, width)
  local peak = 0
  for _, unit in ipairs(walk.units(module)) do
    peak = math.max(peak, unit_pressure(unit, width))
  end
  return peak
end

return { pressure = pressure }
