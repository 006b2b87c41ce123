-- PRUNE
-- =====
-- Drops values, views, tables and routines that nothing uses and counts the uses of the others:
-- `uses` is their number, `user` the block of them all, nil if they are in several.  The printer
-- decides by these what deserves a name.  Marks views that are stored through (`written`) and
-- tables that are loaded as vectors (`wide`).

local index = require "upweave.ir.index"
local walk = require "upweave.ir.walk"

local function use(v, block)
  v.uses = (v.uses or 0) + 1
  v.user = v.uses == 1 and block or (v.user == block and block or nil)
end

local function forget(events)
  for _, event in ipairs(events) do
    local n = event.item
    n.uses = nil
    for _, list in ipairs { n.phis or {}, n.outs or {} } do
      for _, v in ipairs(list) do v.uses = nil end
    end
  end
end

local function sweep(block)
  local kept = {}
  for _, n in ipairs(block) do
    if walk.effect(n) or n.uses then kept[#kept + 1] = n end
    if n.body then sweep(n.body) end
  end
  for i = 1, math.max(#block, #kept) do block[i] = kept[i] end
end

local function mark_written(base)
  while base.op == "view" do
    base.written = true
    base = base.base
  end
end

local function mark_access(n)
  if n.op == "store" then
    mark_written(n.base)
  elseif n.op == "call" then
    for i, parameter in ipairs(n.routine.parameters) do
      if parameter.mode == "output" then mark_written(n.arguments[i].base) end
    end
  elseif n.op == "load" and n.ty.lanes > 1 then
    n.base.root.wide = true
  end
end

local function mark_tables(n, mark)
  if n.entries then mark(n.entries) end
  for _, pointer in ipairs(walk.pointers(n)) do
    mark(pointer.base.root)
    index.tables(pointer.index or pointer.offset, mark)
  end
  if n.first then index.tables(n.first, mark) end
  if n.op == "for" then
    index.tables(n.lo, mark)
    index.tables(n.hi, mark)
  end
end

-- Only the buffers that items refer to; inputs and outputs are the kernel's arguments and stay,
-- marked if they are `unused`.
local function keep_buffers(module)
  local used = {}
  local function mark(buf) used[buf] = true end
  for _, unit in ipairs(walk.units(module)) do
    for _, event in ipairs(walk.events(unit)) do
      mark_tables(event.item, mark)
      mark_access(event.item)
    end
  end
  local kept = {}
  for _, buf in ipairs(module.buffers) do
    buf.unused = not used[buf] or nil
    if used[buf] or buf.mode == "input" or buf.mode == "output" then kept[#kept + 1] = buf end
  end
  module.buffers = kept
end

local function prune_unit(unit)
  local events = walk.events(unit)
  forget(events)
  for i = #events, 1, -1 do
    local event = events[i]
    local n = event.item
    if walk.effect(n) or n.uses then
      local block = event.kind == "close" and n.body or n.block
      for _, v in ipairs(walk.operands(event)) do use(v, block) end
      for _, pointer in ipairs(walk.pointers(n)) do use(pointer.base, block) end
    end
  end
  sweep(unit.body)
end

-- Only the routines that are called; each calls only those that were there before it.
local function keep_routines(module)
  local called, kept = {}, {}
  local function mark(unit)
    for _, event in ipairs(walk.events(unit)) do
      if event.item.op == "call" then called[event.item.routine] = true end
    end
  end
  mark(module)
  for i = #module.routines, 1, -1 do
    local routine = module.routines[i]
    if called[routine] then
      mark(routine)
      table.insert(kept, 1, routine)
    end
  end
  module.routines = kept
end

--- Prune a module in place.
---@param module ir.Builder
---@return ir.Builder
local function prune(module)
  keep_routines(module)
  for _, unit in ipairs(walk.units(module)) do prune_unit(unit) end
  keep_buffers(module)
  return module
end

return { prune = prune }
