-- BUILDER
-- =======
-- A kernel module is a list of buffers and one block of items.  A lowering is ordinary Lua that
-- calls the methods below; loops of Lua unroll, numbers of Lua specialise.  Constructors check
-- types when they are called, fold constants, and share equal values, so nothing has to be
-- simplified afterwards.  Items (tables with `op`):
--   pure values   const splat load gather shuffle, add mul fma, the integer operations, convert
--                 cast, phi out (of a loop)
--   effects       view (a named pointer), store, prefetch, for, block, call, note
-- A routine is a function of its own with pointers as parameters: what it keeps in registers does
-- not compete with the loops around its calls.
-- Invariants: values are in SSA form; a value is used only where it was defined or deeper; a
-- loop carries values only through `fold`.

local index = require "upweave.ir.index"
local operations = require "upweave.ir.operations"
local types = require "upweave.ir.types"

---@class ir.Builder
---@field name string
---@field target table    reads target.fma only; widths are the lowering's affair
---@field work string      element type of the arithmetic, of scratch and of weights
---@field buffers table   list of buffers in declaration order
---@field body table      list of items
---@field routines table  list of routines in order of definition
---@field paired boolean?  values may fill two registers
local B = setmetatable({}, { __index = operations })
B.__index = B

local M = {}

--- A new, empty kernel module.
---@param name string
---@param target table
---@param work string
---@return ir.Builder
function M.new(name, target, work)
  local b = {
    name = name, target = target, work = work, buffers = {}, body = {}, routines = {}, consts = {},
    const_of = {},
  }
  b.block, b.scope = b.body, { seen = {} }
  return setmetatable(b, B)
end

-- buffers -------------------------------------------------------------------------------------

local function buffer(b, name, elem, size, mode, work)
  for _, other in ipairs(b.buffers) do
    if other.name == name then error("two buffers named " .. name) end
  end
  local buf = {
    op = "buffer", name = name, elem = elem, work = work or elem, size = size, mode = mode,
    id = index.next_id(),
  }
  buf.root = buf
  b.buffers[#b.buffers + 1] = buf
  return buf
end

--- An input (read only), output (write only) or scratch buffer of `size` elements.  With `work`
--- the values of the elements are of that type: loads and stores convert.  Where the field `paired`
--- of such a buffer is set, they convert by pairs.
function B:input(name, elem, size, work)
  return buffer(self, name, elem, size, "input", work)
end
function B:output(name, elem, size, work)
  return buffer(self, name, elem, size, "output", work)
end
function B:scratch(name, elem, size) return buffer(self, name, elem, size, "scratch") end

--- A constant table; values are rounded to its type.  `columns` elements belong together (a row of
--- the table as it is printed), `note` says what they are.
function B:table(name, elem, values, columns, note)
  local rounded, uniform = {}, true
  for i, v in ipairs(values) do
    rounded[i] = types.round(elem, v)
    uniform = uniform and rounded[i] == rounded[1] and 1 / rounded[i] == 1 / rounded[1]
  end
  local tab = buffer(self, name, elem, #rounded, "table")
  tab.values, tab.columns, tab.note, tab.uniform = rounded, columns or 1, note, uniform
  return tab
end

--- Element i of a constant integer table as an index expression; without the table where its
--- elements are evenly spaced.
---@return ir.Index
function B:fetch(tab, i)
  assert(tab.mode == "table" and tab.elem == "i32", "fetch reads a table of i32")
  i = index.of(i)
  if tab.step == nil then tab.step = index.step(tab) end
  if tab.step then return i * tab.step + tab.values[1] end
  if #i.terms == 0 then return index.of(tab.values[i.c + 1]) end
  return index.atom { op = "fetch", table = tab, arg = i }
end

--- Bounds lo[i], hi[i] of consecutive ranges as tables: one of n + 1 elements where each range
--- starts at the end of the one before, else two.  Returns fetch(i) → lo, hi.
function B:ranges(name, lo, hi, note)
  local joined = true
  for i = 2, #lo do joined = joined and lo[i] == hi[i - 1] end
  if joined then
    local bounds = table.move(lo, 1, #lo, 1, {})
    bounds[#bounds + 1] = hi[#hi]
    local tab = self:table(name, "i32", bounds, 1, note)
    return function(i) return self:fetch(tab, i), self:fetch(tab, i + 1) end
  end
  local first = self:table(name .. "_from", "i32", lo, 1, note)
  local last = self:table(name .. "_to", "i32", hi)
  return function(i) return self:fetch(first, i), self:fetch(last, i) end
end

-- items ---------------------------------------------------------------------------------------

local function emit(b, item)
  item.id = index.next_id()
  item.block = b.block
  b.block[#b.block + 1] = item
  return item
end

--- A named pointer `offset` elements into a buffer or view; it must stay inside the buffer.
function B:view(name, base, offset)
  return emit(self, {
    op = "view", hint = name, base = base, root = base.root, offset = index.of(offset),
  })
end

--- A comment in the generated code.
function B:note(fmt, ...) emit(self, { op = "note", text = fmt:format(...) }) end

--- A value that equal values of open scopes share, under a key: one of them always dominates its
--- users.
function B:shared(key, item)
  local s = self.scope
  while s do
    if s.seen[key] then return s.seen[key] end
    s = s.up
  end
  self.scope.seen[key] = emit(self, item)
  return item
end

--- A constant: one number for all lanes or a list of one number a lane.
function B:const(elem, lanes, value, hint)
  local ty, splat, values = types.of(elem, lanes), true, {}
  for i = 1, lanes do
    values[i] = types.round(elem, type(value) == "table" and value[i] or value)
    -- 1/v tells -0 from 0, which are equal but not the same constant
    splat = splat and values[i] == values[1] and 1 / values[i] == 1 / values[1]
  end
  local text = {}
  for i = 1, splat and 1 or lanes do text[i] = ("%a"):format(values[i]) end
  local key = ty.name .. " " .. table.concat(text, ",")
  local c = self.const_of[key]
  if not c then
    c = { op = "const", ty = ty, hint = hint, values = values, splat = splat, id = index.next_id() }
    self.const_of[key] = c
    self.consts[#self.consts + 1] = c
  end
  return c
end

local function immutable(root) return root.mode == "input" or root.mode == "table" end

--- `lanes` consecutive elements at base[at].
function B:load(base, at, lanes, hint)
  at = index.of(at)
  local root = base.root
  local ty = types.of(root.elem, lanes or 1)
  if root.uniform and base == root then return self:const(root.elem, ty.lanes, root.values[1]) end
  local item = { op = "load", ty = ty, base = base, index = at, hint = hint }
  if immutable(root) then
    item = self:shared(("load %d %s %s"):format(base.id, ty.name, at:key()), item)
  else
    emit(self, item)
  end
  return self:convert(item, root.work, root.paired)
end

--- Lane i is base[at + entries[first + i]]: for the aperiodic rest that no shuffle serves.
---@param entries table   a constant i32 table
function B:gather(base, at, entries, first, lanes, hint)
  assert(entries.mode == "table" and entries.elem == "i32", "gather is driven by a table of i32")
  local root = base.root
  return self:convert(emit(self, {
    op = "gather", ty = types.of(root.elem, lanes), base = base, index = index.of(at),
    entries = entries, first = index.of(first), hint = hint,
  }), root.work)
end

--- Store at base[at]; `streaming` asks for a non-temporal store where the target has one.
function B:store(base, at, value, streaming)
  local root = base.root
  assert(root.mode == "output" or root.mode == "scratch", root.name .. " cannot be written")
  assert(root.work == value.ty.elem, "store of another element type")
  emit(self, {
    op = "store", base = base, index = index.of(at), streaming = streaming or nil,
    self:convert(value, root.elem, root.paired),
  })
end

--- Ask for the cache line of base[at], which may lie outside the buffer: a hint, without meaning.
function B:prefetch(base, at) emit(self, { op = "prefetch", base = base, index = index.of(at) }) end

-- control -------------------------------------------------------------------------------------

local function inside(b, block, fn, ...)
  local outer_block, outer_scope = b.block, b.scope
  b.block, b.scope = block, { seen = {}, up = outer_scope }
  local result = fn(...)
  b.block, b.scope = outer_block, outer_scope
  return result
end

local function same(x, y)
  if x.ty ~= y.ty then error(("types differ: %s, %s"):format(x.ty.name, y.ty.name), 3) end
end

local function loop_of(b, var, lo, hi, inits, fn)
  local loop = { op = "for", var = var, lo = lo, hi = hi, body = {}, inits = inits, phis = {} }
  for i, v in ipairs(inits) do
    loop.phis[i] = {
      op = "phi", ty = v.ty, loop = loop, id = index.next_id(), hint = v.hint, block = loop.body,
    }
  end
  var.op = "var"
  local i = index.atom(var)
  loop.nexts = inside(b, loop.body, fn, i, { table.unpack(loop.phis) }) or {}
  if #loop.nexts ~= #inits then error("fold must return as many values as it carries") end
  emit(b, loop)
  loop.outs = {}
  for k, v in ipairs(inits) do
    same(v, loop.nexts[k])
    loop.outs[k] = {
      op = "out", ty = v.ty, loop = loop, id = index.next_id(), hint = v.hint, block = b.block,
    }
  end
  return loop.outs
end

--- The functional loop: for i = lo, hi-1: values = fn(i, values); returns the final values.
--- Trip counts 0 and 1 that are known, even between symbolic bounds, leave no loop.
---@param name string
---@param lo integer|ir.Index
---@param hi integer|ir.Index
---@param inits table   values carried into the first iteration
---@param fn fun(i: ir.Index, values: table): table
---@return table
function B:fold(name, lo, hi, inits, fn)
  lo, hi = index.of(lo), index.of(hi)
  local trip = index.static(hi - lo)
  if trip and trip <= 0 then return inits end
  if trip == 1 then return fn(lo, inits) end
  return loop_of(self, { hint = name }, lo, hi, inits, fn)
end

--- A loop without carried values.
function B:each(name, lo, hi, fn)
  self:fold(name, lo, hi, {}, function(i)
    fn(i)
    return {}
  end)
end

--- The loop over the independent units of work that the caller asked for: [begin, end) within
--- [0, count).  At most one in a module, outermost.  Tasks t and t + period do the same work on
--- other data.
function B:tasks(count, period, fn)
  assert(self.block == self.body and not self.task_count, "tasks is the outermost loop")
  self.task_count = count
  local var = { hint = "task", parameter = true, period = period }
  loop_of(self, var, index.of(0), index.of(count), {}, function(i)
    fn(i)
    return {}
  end)
end

--- A brace block: a repeated straight-line piece may use the same names in every copy.
function B:group(fn)
  local item = { op = "block", body = {} }
  inside(self, item.body, fn)
  emit(self, item)
end

--- A routine: fn(parameters…) builds its body from its parameters and tables only.
---@param name string
---@param parameters { name: string, like: table, size: integer, written: boolean? }[]   pointers
---  to elements of the type of a buffer or view
---@param fn function
---@return table
function B:routine(name, parameters, fn)
  local r = { op = "routine", name = name, parameters = {}, body = {}, id = index.next_id() }
  for i, p in ipairs(parameters) do
    local mode = p.written and "output" or "input"
    local root = p.like.root
    local buf = {
      op = "buffer", name = p.name, elem = root.elem, work = root.work, size = p.size, mode = mode,
    }
    buf.root, buf.id = buf, index.next_id()
    r.parameters[i] = buf
  end
  self.routines[#self.routines + 1] = r
  local block, scope = self.block, self.scope
  self.block, self.scope = r.body, { seen = {} }
  fn(table.unpack(r.parameters))
  self.block, self.scope = block, scope
  return r
end

--- Call a routine; each argument is { base, index }: the pointer base + index.
function B:call(routine, arguments)
  assert(#arguments == #routine.parameters, "a routine is called with all its parameters")
  local list = {}
  for i, a in ipairs(arguments) do
    assert(a[1].root.elem == routine.parameters[i].elem, "a pointer of the parameter's type")
    list[i] = { base = a[1], index = index.of(a[2]) }
  end
  emit(self, { op = "call", routine = routine, arguments = list })
end

--- Give a value the name of its role.
function B:named(hint, v)
  if v.op ~= "const" then v.hint = v.hint or hint end
  return v
end

return M
