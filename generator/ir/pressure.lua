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

-- Positions of definition and last use of every value.
local function lifetimes(events)
  local values, loops, close_at = {}, {}, {}
  for at, event in ipairs(events) do
    if event.kind == "close" then close_at[event.item] = at end
  end
  local function define(v, at)
    v.from, v.to, v.depth = at, at, #loops
    values[#values + 1] = v
  end
  local function use(v, at)
    if v.op == "const" or not v.from then return end
    -- the outermost loop that is open now and was not where v was defined
    local loop = loops[v.depth + 1]
    v.to = math.max(v.to, loop and close_at[loop] or at)
  end
  for at, event in ipairs(events) do
    local n = event.item
    if event.kind == "close" then
      for _, v in ipairs(walk.operands(event)) do use(v, at) end
      if n.op == "for" then
        loops[#loops] = nil
        for _, out in ipairs(n.outs) do define(out, at) end
      end
    else
      for _, v in ipairs(walk.operands(event)) do use(v, at) end
      if event.kind == "item" then
        if n.ty then define(n, at) end
      elseif n.op == "for" then
        loops[#loops + 1] = n
        for _, phi in ipairs(n.phis) do define(phi, at) end
      end
    end
  end
  return values
end

--- Peak live vector registers of `width` bytes.
---@param module ir.Builder
---@param width integer
---@return integer
local function pressure(module, width)
  local events = walk.events(module)
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

return { pressure = pressure }
