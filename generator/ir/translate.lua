-- TRANSLATE
-- =========
-- A module as a function in Lua that gives what the interpreter gives, some twenty times as fast:
-- for packing millions of weights.  Every lane of a value is a text: a constant, or an element of
-- one table of numbers; so splats, shuffles and widening conversions are no code at all.
-- Of the IR it knows what packing needs; of other modules it makes nothing: they are interpreted.

local eval = require "upweave.ir.eval"
local index = require "upweave.ir.index"
local types = require "upweave.ir.types"

local M = {}

local Text = {}
Text.__index = Text

function Text:line(fmt, ...) self.lines[#self.lines + 1] = fmt:format(...) end

-- A new element of the table of numbers.
function Text:slot()
  self.count = self.count + 1
  return ("v[%d]"):format(self.count)
end

local function number(v)
  if v ~= v then return "(0 / 0)" end
  if v - v ~= 0 then return v > 0 and "(1 / 0)" or "(-1 / 0)" end
  return (math.type(v) == "integer" and "(%d)" or "(%a)"):format(v)
end

-- Texts of a value's lanes.
function Text:lanes_of(v)
  if v.op == "const" and not self.lanes[v] then
    local out = {}
    for i, value in ipairs(v.values) do out[i] = number(value) end
    self.lanes[v] = out
  end
  return self.lanes[v]
end

function Text:index(e)
  local function name(var) return "i" .. var.id end
  local function element(tab, at) return ("%s[%s]"):format(self.memory[tab], self:index(at)) end
  return (index.text(e, name, element):gsub(" / ", " // "))
end

-- Memory and element number of base[at].
function Text:place(base, at)
  local text = self:index(at)
  if base.op == "view" then text = ("%s + (%s)"):format(self.offset[base], text) end
  return self.memory[base.root], text
end

-- values ----------------------------------------------------------------------------------------

local formulas = {
  add = "(%s + %s)", sub = "(%s - %s)", mul = "(%s * %s)", div = "(%s / %s)", sqrt = "sqrt(%s)",
  max = "larger(%s, %s)", min = "smaller(%s, %s)", lt = "chosen(%s, %s, %s, %s)",
}
-- Those whose result is one of their operands.
local exact = { max = true, min = true, lt = true }

-- One lane after another: fn(i) is its text.
local function compute(t, n, fn)
  local out = {}
  for i = 1, n.ty.lanes do
    out[i] = t:slot()
    t:line("%s = %s", out[i], fn(i))
  end
  t.lanes[n] = out
end

local function arithmetic(t, n)
  local operands = {}
  for k, v in ipairs(n) do operands[k] = t:lanes_of(v) end
  local round = n.ty.elem == "f64" or exact[n.op]
  compute(t, n, function(i)
    local list = {}
    for k, lanes in ipairs(operands) do list[k] = lanes[i] end
    local text = formulas[n.op]:format(table.unpack(list))
    return round and text or "f32" .. (text:find("^%(") and text or "(" .. text .. ")")
  end)
end

local values = {}

for op in ("add sub mul div sqrt max min lt"):gmatch("%a+") do values[op] = arithmetic end

function values.fma(t, n)
  local a, b, c = t:lanes_of(n[1]), t:lanes_of(n[2]), t:lanes_of(n[3])
  compute(t, n, function(i) return ("fma_%s(%s, %s, %s)"):format(n.ty.elem, a[i], b[i], c[i]) end)
end

function values.splat(t, n)
  local one, out = t:lanes_of(n[1])[1], {}
  for i = 1, n.ty.lanes do out[i] = one end
  t.lanes[n] = out
end

function values.shuffle(t, n)
  local a, b, out = t:lanes_of(n[1]), t:lanes_of(n[2]), {}
  for i, l in ipairs(n.lanes) do out[i] = l < 0 and "(0 / 0)" or a[l + 1] or b[l - #a + 1] end
  t.lanes[n] = out
end

function values.convert(t, n)
  local from = t:lanes_of(n[1])
  if types.element_bytes[n.ty.elem] > n[1].ty.bytes // n[1].ty.lanes then
    t.lanes[n] = from
  else
    compute(t, n, function(i) return ("%s(%s)"):format(n.ty.elem, from[i]) end)
  end
end

function values.load(t, n)
  local memory, at = t:place(n.base, n.index)
  compute(t, n, function(i) return ("%s[%s + %d]"):format(memory, at, i - 1) end)
end

-- statements ------------------------------------------------------------------------------------

local statements = {}

function statements.note() end

function statements.prefetch() end

function statements.view(t, n)
  local _, at = t:place(n.base, n.offset)
  t.offset[n] = t:slot()
  t:line("%s = %s", t.offset[n], at)
end

function statements.store(t, n)
  local memory, at = t:place(n.base, n.index)
  for i, lane in ipairs(t:lanes_of(n[1])) do t:line("%s[%s + %d] = %s", memory, at, i - 1, lane) end
end

function statements.block(t, n) t:block(n.body) end

-- All carried values change at once.
local function assign(t, phis, from)
  local left, right = {}, {}
  for k, phi in ipairs(phis) do
    for i, lane in ipairs(t:lanes_of(from[k])) do
      left[#left + 1], right[#right + 1] = t.lanes[phi][i], lane
    end
  end
  if #left > 0 then t:line("%s = %s", table.concat(left, ", "), table.concat(right, ", ")) end
end

statements["for"] = function(t, n)
  for k, phi in ipairs(n.phis) do
    local slots = {}
    for i = 1, phi.ty.lanes do slots[i] = t:slot() end
    t.lanes[phi], t.lanes[n.outs[k]] = slots, slots
  end
  assign(t, n.phis, n.inits)
  t:line("for i%d = %s, %s - 1 do", n.var.id, t:index(n.lo), t:index(n.hi))
  t:block(n.body)
  assign(t, n.phis, n.nexts)
  t:line("end")
end

function Text:block(block)
  for _, n in ipairs(block) do
    local fn = statements[n.op] or values[n.op]
    fn(self, n)
  end
end

local function known(block)
  for _, n in ipairs(block) do
    if not (statements[n.op] or values[n.op]) or n.body and not known(n.body) then return false end
  end
  return true
end

local environment = {
  sqrt = math.sqrt, fma_f32 = eval.fma, fma_f64 = eval.fma64, f32 = types.rounder "f32",
  f16 = types.rounder "f16", bf16 = types.rounder "bf16", f64 = types.rounder "f64",
  larger = function(a, b) return a > b and a or b end,
  smaller = function(a, b) return a < b and a or b end,
  chosen = function(a, b, yes, no) return a < b and yes or no end,
}

local function zero_based(list) return table.move(list, 1, #list, 0, {}) end

--- A function like eval.eval of this module without tasks, or nil.
---@param module ir.Builder
---@return fun(memory: table<string, number[]>)?
function M.translate(module)
  if not known(module.body) then return nil end
  local t = setmetatable({ lines = {}, lanes = {}, memory = {}, offset = {}, count = 0 }, Text)
  local names, arrays = {}, {}
  for i, buf in ipairs(module.buffers) do
    names[i] = "m" .. i
    t.memory[buf] = names[i]
    arrays[i] = buf.mode == "table" and zero_based(buf.values) or buf.name
  end
  t:block(module.body)
  local text = ("local v, %s = {}, ...\n%s"):format(table.concat(names, ", "),
    table.concat(t.lines, "\n"))
  local chunk = load(text, "=packing", "t", environment)
  return chunk and function(memory)
    local list = {}
    for i, array in ipairs(arrays) do
      list[i] = type(array) == "table" and array or memory[array] or {}
    end
    chunk(table.unpack(list))
  end
end

return M
