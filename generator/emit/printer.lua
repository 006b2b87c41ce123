-- PRINTER
-- =======
-- Kernel IR to C11 with Clang's vector extensions.  The text is meant to be read: values are named
-- by role, braces are name scopes, so that unrolled copies look alike; a value used once is
-- printed inside its user; carried values share one variable.

local expression = require "upweave.emit.expression"
local literal = require "upweave.emit.literal"
local types = require "upweave.ir.types"
local walk = require "upweave.ir.walk"

---@class emit.Printer
---@field lines string[]      statements of the current function
---@field types table         vector types used, in order of use (also a set by name)
---@field helpers table       helper functions used: { kind, type }, in order (also a set by name)
---@field constants table[]   vector constants, printed at file scope
---@field all table           every name given so far, as a set
---@field patterns table      lane patterns of shuffles, in order of use (also an index by text)
local P = {}
P.__index = P

local M = {}

-- Columns of a line.
local WIDTH = 100
-- Values longer than this many nested operations get a statement of their own.
local MAX_NESTING = 3
local prefix = {
  load = "x", gather = "x", convert = "x", convert_pairs = "x", shuffle = "x", narrow = "x",
  cast = "x", splat = "w", add = "sum", mul = "sum", fma = "sum", neighbours = "sum",
  shift = "sum", average = "mean", band = "bits", bxor = "bits", div = "quotient", sqrt = "root",
  max = "greater", min = "lesser", lt = "chosen",
}

-- What a value without a role is called.
local function role(n)
  if n.op == "sub" then return n.ty.elem == "u8" and "mean" or "difference" end
  return prefix[n.op]
end

local function new()
  return setmetatable({
    lines = {}, depth = 1, scope = { names = {} }, types = {}, helpers = {}, constants = {},
    patterns = {}, all = {},
  }, P)
end

function P:line(fmt, ...)
  local text = select("#", ...) > 0 and fmt:format(...) or fmt
  self.lines[#self.lines + 1] = ("  "):rep(self.depth) .. text
end

--- A name that nothing in this or an enclosing scope bears.
function P:unique(hint)
  local function taken(name)
    local s = self.scope
    while s do
      if s.names[name] then return true end
      s = s.up
    end
  end
  local name, k = hint, 1
  while taken(name) do
    k = k + 1
    name = hint .. "_" .. k
  end
  self.scope.names[name], self.all[name] = true, true
  return name
end

--- A name for file scope: one that nothing bears or will bear in any scope.
function P:global(hint)
  local outermost = self.scope
  while outermost.up do outermost = outermost.up end
  local name, k = hint, 1
  while self.all[name] or outermost.names[name] do
    k = k + 1
    name = hint .. "_" .. k
  end
  self.all[name], outermost.names[name] = true, true
  return name
end

function P:open()
  self.scope = { names = {}, up = self.scope }
  self.depth = self.depth + 1
end

function P:close()
  self.scope = self.scope.up
  self.depth = self.depth - 1
  self:line("}")
end

-- statements ------------------------------------------------------------------------------------

local statement = {}

-- The address is an integer: it may lie outside the buffer, where a pointer may not.
function statement.prefetch(p, n)
  local at = expression.index(p, n.index * types.element_bytes[n.base.root.elem])
  p:line("__builtin_prefetch((const void *)((uintptr_t)%s + (uintptr_t)(%s)));", n.base.cname, at)
end

function statement.note(p, n) p:line("/* %s */", n.text) end

function statement.view(p, n)
  local target = expression.pointer(p, n.base, n.offset)
  n.cname = p:unique(n.hint)
  local const = n.written and "" or "const "
  p:line("%s%s *%s = %s;", const, literal.ctype[n.root.elem], n.cname, target)
end

function statement.store(p, n)
  local ty, value = n[1].ty, expression.operand(p, n[1])
  if ty.lanes == 1 then
    local place = ("%s[%s]"):format(n.base.cname, expression.index(p, n.index))
    local breaks = 2 * p.depth + #place + #value + 4 > WIDTH
    p:line("%s =%s%s;", place, breaks and "\n" .. ("  "):rep(p.depth + 2) or " ", value)
  else
    p:line("%s(%s, %s%s);", expression.helper(p, n.streaming and "stream" or "store", ty),
      expression.pointer(p, n.base, n.index), value, n.streaming and ", aligned" or "")
  end
end

function statement.call(p, n)
  local list = {}
  for i, a in ipairs(n.arguments) do list[i] = expression.pointer(p, a.base, a.index) end
  if n.routine.streams then list[#list + 1] = "aligned" end
  local opening = n.routine.cname .. "("
  local text = opening .. table.concat(list, ", ") .. ");"
  if 2 * p.depth + #text <= WIDTH then return p:line("%s", text) end
  for i, argument in ipairs(list) do       -- an argument a line
    p:line("%s%s%s", i == 1 and opening or (" "):rep(#opening), argument, i < #list and "," or ");")
  end
end

local function all_blocks(block)
  for _, n in ipairs(block) do
    if n.op ~= "block" then return false end
  end
  return true
end

function statement.block(p, n)
  while #n.body == 1 and n.body[1].op == "block" do n = n.body[1] end
  if all_blocks(n.body) then
    for _, inner in ipairs(n.body) do statement.block(p, inner) end
    return
  end
  p:line("{")
  p:open()
  p:block(n.body)
  p:close()
end

-- The C variable of a carried value: that of the value it starts from where nothing else uses it
-- and no loop between the two starts from it again.
local function carry(p, loop, phi, init)
  local chained = (init.op == "out" or init.op == "phi") and init.uses == 1
    and init.block == loop.block
  if chained then
    phi.cname = init.cname
  else
    local start = expression.operand(p, init)
    phi.cname = p:unique(phi.hint or "sum")
    p:line("%s %s = %s;", expression.type_name(p, phi.ty), phi.cname, start)
  end
end

-- At the end of an iteration all carried variables change at once: where there are several, what
-- reads a variable is copied first.
local function advance(p, loop)
  local pending = {}
  for i, phi in ipairs(loop.phis) do
    local nx = loop.nexts[i]
    local done = nx.updates == phi or nx.cname == phi.cname
    if not done then pending[#pending + 1] = { phi, nx } end
  end
  local assigned, values = {}, {}
  for k, pair in ipairs(pending) do
    local nx = pair[2]
    local fixed = nx.op == "const" or nx.cname and nx.op ~= "phi" and nx.op ~= "out"
    values[k] = expression.operand(p, nx)
    if #pending > 1 and not fixed then
      local saved = p:unique("next_" .. pair[1].cname)
      p:line("const %s %s = %s;", expression.type_name(p, pair[1].ty), saved, values[k])
      values[k] = saved
    end
    assigned[k] = pair[1]
  end
  for k, phi in ipairs(assigned) do p:line("%s = %s;", phi.cname, values[k]) end
end

statement["for"] = function(p, n)
  for i, phi in ipairs(n.phis) do
    carry(p, n, phi, n.inits[i])
    local nx = n.nexts[i]
    local reads = nx[1] == phi or nx[2] == phi or nx[3] == phi or nx[4] == phi
    nx.updates = reads and phi.uses == 1 and nx.uses == 1 and nx.block == n.body and phi or nil
  end
  local lo, hi = expression.index(p, n.lo), expression.index(p, n.hi)
  if n.var.parameter then lo, hi = "begin", "end" end
  p:open()
  local i = p:unique(n.var.hint)
  n.var.cname = i
  p.depth = p.depth - 1
  p:line("for (ptrdiff_t %s = %s; %s < %s; ++%s) {", i, lo, i, hi, i)
  p.depth = p.depth + 1
  p:block(n.body)
  advance(p, n)
  p:close()
  for k, out in ipairs(n.outs) do out.cname = n.phis[k].cname end
end

-- Printed inside its user: pure, used once, in the same block, without a role of its own.
-- A load of scratch stays where it is: a store could come between.
local function inlined(n)
  if n.uses > 1 or n.hint or n.user ~= n.block then return false end
  if n.op == "load" then
    local mode = n.base.root.mode
    return mode == "input" or mode == "table"
  end
  return n.op ~= "gather" and (n.op ~= "shuffle" or n[1] == n[2])
end

local function nesting(n)
  local deepest = 0
  for _, a in ipairs(n) do
    if not a.cname then deepest = math.max(deepest, a.nesting or 0) end
  end
  n.nesting = deepest + 1
  return n.nesting
end

local function value(p, n)
  if n.updates then
    p:line("%s = %s;", n.updates.cname, expression.text(p, n))
    n.cname = n.updates.cname
  elseif not inlined(n) or nesting(n) > MAX_NESTING then
    local text = expression.text(p, n)
    n.cname = p:unique(n.hint or role(n))
    p:line("const %s %s = %s;", expression.type_name(p, n.ty), n.cname, text)
  end
end

-- A long block is set in paragraphs: one ends with its stores.
local function starts_paragraph(last, n)
  return last and last.op == "store" and n.op ~= "store" and not n.body
end

--- Print the items of a block.
function P:block(block)
  while #block == 1 and block[1].op == "block" do block = block[1].body end
  local last
  for _, n in ipairs(block) do
    local before = #self.lines
    if statement[n.op] then statement[n.op](self, n) else value(self, n) end
    if #self.lines > before then
      if starts_paragraph(last, n) then table.insert(self.lines, before + 1, "") end
      last = n
    end
  end
end

local function forget(block)
  for _, n in ipairs(block) do
    n.cname, n.nesting, n.updates = nil, nil, nil
    if n.body then forget(n.body) end
  end
end

local function has_streams(block)
  for _, n in ipairs(block) do
    if n.streaming or n.body and has_streams(n.body) then return true end
  end
  return false
end

local function is_argument(buf) return buf.mode == "input" or buf.mode == "output" end

-- The names that a function begins with: parameters, arguments, scratch.
local function name_locals(p, unit)
  for _, parameter in ipairs(unit.parameters or {}) do
    parameter.cname = p:unique(parameter.name)
  end
  for _, buf in ipairs(unit.buffers or {}) do
    if is_argument(buf) then p.scope.names[buf.name] = true end
  end
  for _, buf in ipairs(unit.buffers or {}) do
    if buf.mode == "scratch" then buf.cname = p:unique(buf.name) end
  end
end

-- Print one function's body with lines of its own.
local function print_unit(p, unit)
  local outer_scope, outer_lines = p.scope, p.lines
  p.scope, p.lines = { names = {}, up = outer_scope }, {}
  name_locals(p, unit)
  p:block(unit.body)
  unit.lines = p.lines
  p.scope, p.lines = outer_scope, outer_lines
end

-- Arguments bear their own names, whatever the kernel is called: no table has them.
local function name_buffers(p, modules)
  local function each(fn)
    for _, module in ipairs(modules) do
      for _, buf in ipairs(module.buffers) do fn(buf) end
    end
  end
  each(function(buf)
    if is_argument(buf) then buf.cname, p.all[buf.name] = buf.name, true end
  end)
  each(function(buf)
    if buf.mode == "table" then buf.cname = p:global(buf.name) end
  end)
end

--- Print the functions of pruned modules that share a file; returns types, helpers, constants and
--- patterns used.
--- Every unit (routine or the module itself) gets `lines`, a routine also `cname` and `streams`.
--- `reserved` are names that the frame uses, among them `aligned`: whether non-temporal stores are
--- possible; `symbol` begins the names of routines.
---@param modules ir.Builder[]
---@param reserved string[]
---@param symbol string
---@return emit.Printer
function M.print(modules, reserved, symbol)
  local p = new()
  for _, name in ipairs(reserved) do p.scope.names[name] = true end
  name_buffers(p, modules)
  for _, module in ipairs(modules) do
    for _, c in ipairs(module.consts) do c.cname = nil end
    for _, r in ipairs(module.routines) do
      r.cname, r.streams = p:global(symbol .. "_" .. r.name), has_streams(r.body)
    end
  end
  for _, module in ipairs(modules) do
    for _, unit in ipairs(walk.units(module)) do
      forget(unit.body)
      print_unit(p, unit)
    end
  end
  table.sort(p.constants, function(a, b) return a.id < b.id end)
  return p
end

return M
