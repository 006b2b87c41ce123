-- IR TEXT
-- =======
-- A stable listing of a module for `dump --after=ir` and for tests: buffers, then one item a line
-- with values numbered in program order.

local index = require "upweave.ir.index"

local function numbers(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = ("%.9g"):format(v) end
  return table.concat(out, " ")
end

local Listing = {}
Listing.__index = Listing

function Listing:name(v)
  if v.op == "const" then
    return ("%s(%s)"):format(v.ty.name, v.splat and ("%.9g"):format(v.values[1]) or
      numbers(v.values))
  end
  if not self.names[v] then
    self.count = self.count + 1
    self.names[v] = ("%%%d%s"):format(self.count, v.hint and ":" .. v.hint or "")
  end
  return self.names[v]
end

function Listing:index(e)
  return index.text(e, function(thing)
    return thing.op == "var" and self:name(thing) or thing.name
  end)
end

function Listing:place(n, at)
  local base = n.base.op == "view" and self:name(n.base) or n.base.name
  return ("%s[%s]"):format(base, self:index(at))
end

function Listing:values(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = self:name(v) end
  return table.concat(out, ", ")
end

local texts = {
  note = function(_, n) return "; " .. n.text end,
  prefetch = function(l, n) return "prefetch " .. l:place(n, n.index) end,
  view = function(l, n) return ("%s = view %s"):format(l:name(n), l:place(n, n.offset)) end,
  load = function(l, n)
    return ("%s = load %s %s"):format(l:name(n), n.ty.name, l:place(n, n.index))
  end,
  gather = function(l, n)
    return ("%s = gather %s %s by %s[%s]"):format(l:name(n), n.ty.name, l:place(n, n.index),
      n.entries.name, l:index(n.first))
  end,
  store = function(l, n)
    return ("%s %s, %s"):format(n.streaming and "stream" or "store", l:place(n, n.index),
      l:name(n[1]))
  end,
}

function texts.call(l, n)
  local list = {}
  for i, a in ipairs(n.arguments) do list[i] = l:place(a, a.index) end
  return ("call %s(%s)"):format(n.routine.name, table.concat(list, ", "))
end

local function plain(l, n)
  local lanes = n.lanes and " [" .. table.concat(n.lanes, " ") .. "]" or ""
  return ("%s = %s %s %s%s"):format(l:name(n), n.op, n.ty.name, l:values(n), lanes)
end

function Listing:line(text) self.lines[#self.lines + 1] = ("  "):rep(self.depth) .. text end

function Listing:loop(n)
  local carried = ""
  if #n.phis > 0 then
    carried = (" carry %s from %s"):format(self:values(n.phis), self:values(n.inits))
  end
  self:line(("for %s = %s .. %s%s {"):format(self:name(n.var), self:index(n.lo),
    self:index(n.hi), carried))
end

function Listing:block(block)
  for _, n in ipairs(block) do
    if n.body then
      if n.op == "for" then self:loop(n) else self:line("{") end
      self.depth = self.depth + 1
      self:block(n.body)
      if n.nexts and #n.nexts > 0 then self:line("next " .. self:values(n.nexts)) end
      self.depth = self.depth - 1
      self:line(n.outs and #n.outs > 0 and "} -> " .. self:values(n.outs) or "}")
    else
      self:line((texts[n.op] or plain)(self, n))
    end
  end
end

--- The listing of a module.
---@param module ir.Builder
---@return string
local function print_module(module)
  local l = setmetatable({ lines = {}, names = {}, count = 0, depth = 0 }, Listing)
  for _, buf in ipairs(module.buffers) do
    l:line(("%s %s %s[%d]"):format(buf.mode, buf.elem, buf.name, buf.size))
    if buf.values then l:line("  " .. numbers(buf.values)) end
  end
  for _, r in ipairs(module.routines) do
    local list = {}
    for i, p in ipairs(r.parameters) do list[i] = ("%s %s[%d]"):format(p.mode, p.name, p.size) end
    l:line(("routine %s(%s) {"):format(r.name, table.concat(list, ", ")))
    l.depth = 1
    l:block(r.body)
    l.depth = 0
    l:line("}")
  end
  l:block(module.body)
  return table.concat(l.lines, "\n") .. "\n"
end

return { print = print_module }
