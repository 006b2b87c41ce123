-- WALK
-- ====
-- The one traversal of a kernel module.  Every analysis and printer reads the same flat list of
-- events in program order; loops and blocks open and close.  An event uses the values that
-- `operands` lists: a loop uses its initial values when it opens, its next values when it closes.

local M = {}

---@class ir.Event
---@field kind string   "item", "open" or "close"
---@field item table

local function append(block, events)
  for _, n in ipairs(block) do
    if n.body then
      events[#events + 1] = { kind = "open", item = n }
      append(n.body, events)
      events[#events + 1] = { kind = "close", item = n }
    else
      events[#events + 1] = { kind = "item", item = n }
    end
  end
end

--- All events of a module's or a routine's body in program order.
---@param unit { body: table }
---@return ir.Event[]
function M.events(unit)
  local events = {}
  append(unit.body, events)
  return events
end

--- A module's routines, then the module itself: everything with a body.
---@param module ir.Builder
---@return table[]
function M.units(module)
  local list = table.move(module.routines, 1, #module.routines, 1, {})
  list[#list + 1] = module
  return list
end

local one = {}

--- Pointers that an item uses: { base, index } each.
---@param n table
---@return table[]
function M.pointers(n)
  if n.op == "call" then return n.arguments end
  one[1] = n.base and n or nil
  return one
end

local none = {}

--- Values that an event uses.
---@param event ir.Event
---@return table[]
function M.operands(event)
  local n = event.item
  if event.kind == "item" then return n end
  if n.op ~= "for" then return none end
  return event.kind == "open" and n.inits or n.nexts
end

--- True for items that exist for what they do, not for their value.
---@param n table
---@return boolean
function M.effect(n)
  return n.op == "store" or n.op == "call" or n.op == "note" or n.op == "prefetch"
    or n.body ~= nil
end

return M
