-- EVAL
-- ====
-- The meaning of the IR, executed on Lua arrays (0-based), bit for bit what the C computes:
-- sums and products are rounded to their type, fma once.  Scratch starts undefined: loading an
-- element that was never stored is an error, and so is an output element left unwritten.

local index = require "upweave.ir.index"
local types = require "upweave.ir.types"

local pack, unpack = string.pack, string.unpack
local function f32(v) return (unpack("<f", pack("<f", v))) end

-- The number of an odd last digit beside an inexact sum s, whose error is err: rounding that to a
-- shorter format, or after one more sum, is rounding once.
local function to_odd(s, err)
  local bits = err ~= 0 and unpack("<i8", pack("<d", s)) or 1
  if bits & 1 == 1 then return s end
  return (unpack("<d", pack("<i8", (err > 0) == (s > 0) and bits + 1 or bits - 1)))
end

-- s + err = a + b exactly.
local function two_sum(a, b)
  local s = a + b
  local t = s - a
  return s, (a - (s - t)) + (b - t)
end

-- p + err = a·b exactly, but for overflow and underflow.
local function two_product(a, b)
  local p, split = a * b, 0x1p27 + 1
  local ah, bh = a * split, b * split
  ah, bh = ah - (ah - a), bh - (bh - b)
  local al, bl = a - ah, b - bh
  return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl
end

-- a·b + c rounded once to f64 (Boldo and Melquiond, 2008).  What is exact below has lost the sign
-- of a sum of zeros, and of a product that vanishes.
local function fma64(a, b, c)
  if c == 0 then return (a == 0 or b == 0) and a * b + c or a * b end
  local s = a * b + c
  if s ~= s or s - s ~= 0 then return s end
  local uh, ul = two_product(a, b)
  local th, tl = two_sum(c, ul)
  local vh, vl = two_sum(uh, th)
  return vh + to_odd(two_sum(tl, vl))
end

-- a·b + c rounded once to f32.  a·b is exact in double; the sum is rounded to odd (its error
-- decides the last bit), after which rounding to f32 is the single rounding wanted.
local function fma(a, b, c)
  local p = a * b
  local s, err = two_sum(p, c)
  if err == 0 or s - s ~= 0 then return f32(s) end
  return f32(to_odd(s, err))
end

local fmas = { f32 = fma, f64 = fma64 }

-- What stands in a lane that a shuffle leaves open: nothing may come of it.
local undefined = setmetatable({ f64 = 0 / 0, f32 = 0 / 0, f16 = 0 / 0, bf16 = 0 / 0 }, {
  __index = function() return 85 end,
})

-- f on the lanes of two values, rounded to their type.
local function lanewise(f)
  return function(n, value)
    local a, b, out, round = value(n[1]), value(n[2]), {}, types.rounder(n.ty.elem)
    for i = 1, n.ty.lanes do out[i] = round(f(a[i], b[i])) end
    return out
  end
end

local pure = {
  add = lanewise(function(a, b) return a + b end),
  mul = lanewise(function(a, b) return a * b end),
  -- rounded twice, a quotient or root of f32 is what one rounding gives: a double has more than
  -- twice the digits
  div = lanewise(function(a, b) return a / b end),
  sqrt = function(n, value)
    local v, out, round = value(n[1]), {}, types.rounder(n.ty.elem)
    for i = 1, n.ty.lanes do out[i] = round(math.sqrt(v[i])) end
    return out
  end,
  max = lanewise(function(a, b) return a > b and a or b end),
  min = lanewise(function(a, b) return a < b and a or b end),
  lt = function(n, value)
    local a, b, yes, no, out = value(n[1]), value(n[2]), value(n[3]), value(n[4]), {}
    for i = 1, n.ty.lanes do out[i] = a[i] < b[i] and yes[i] or no[i] end
    return out
  end,
  fma = function(n, value)
    local a, b, c, out, once = value(n[1]), value(n[2]), value(n[3]), {}, fmas[n.ty.elem]
    for i = 1, n.ty.lanes do out[i] = once(a[i], b[i], c[i]) end
    return out
  end,
  convert = function(n, value)
    local v, out, round = value(n[1]), {}, types.rounder(n.ty.elem)
    for i = 1, n.ty.lanes do out[i] = round(v[i]) end
    return out
  end,
  average = lanewise(function(a, b) return (a + b + 1) >> 1 end),
  bxor = lanewise(function(a, b) return a ~ b end),
  band = lanewise(function(a, b) return a & b end),
  sub = lanewise(function(a, b) return a - b end),
  shift = function(n, value)
    local v, out, elem = value(n[1]), {}, n.ty.elem
    for i = 1, n.ty.lanes do
      out[i] = n.digits > 0 and v[i] // (1 << n.digits) or types.wrap(elem, v[i] << -n.digits)
    end
    return out
  end,
  cast = function(n, value) return types.reinterpret(value(n[1]), n[1].ty.elem, n.ty.elem) end,
  neighbours = function(n, value)
    local sum, x, y, out = value(n[1]), value(n[2]), value(n[3]), {}
    local group = #x // #sum
    for i, v in ipairs(sum) do
      for k = (i - 1) * group + 1, i * group do v = v + x[k] * y[k] end
      out[i] = types.round("i32", v)
    end
    return out
  end,
  narrow = function(n, value)
    local sources, out, half = { value(n[1]), value(n[2]) }, {}, 8 // types.element_bytes[n.ty.elem]
    local lowest, highest = types.range(n.ty.elem)
    for i = 0, n.ty.lanes - 1 do
      local block, place = i // (2 * half), i % (2 * half)
      local v = sources[place // half + 1][block * half + place % half + 1]
      out[i + 1] = math.max(lowest, math.min(highest, v))
    end
    return out
  end,
  convert_pairs = function(n, value)
    local v, out, half = value(n[1]), {}, n.ty.lanes // 2
    local widens = types.element_bytes[n.ty.elem] > types.element_bytes[n[1].ty.elem]
    for i = 0, half - 1 do
      for k = 0, 1 do
        local pair, lane = 2 * i + k + 1, k * half + i + 1
        out[widens and lane or pair] = types.round(n.ty.elem, v[widens and pair or lane])
      end
    end
    return out
  end,
  splat = function(n, value)
    local v, out = value(n[1])[1], {}
    for i = 1, n.ty.lanes do out[i] = v end
    return out
  end,
  shuffle = function(n, value)
    local a, b, out, k = value(n[1]), value(n[2]), {}, n[1].ty.lanes
    for i, l in ipairs(n.lanes) do
      if l < k then out[i] = l < 0 and undefined[n.ty.elem] or a[l + 1]
      else out[i] = b[l - k + 1] end
    end
    return out
  end,
}

local Machine = {}
Machine.__index = Machine

local function value_of(var) return var.value end

function Machine:index(e) return index.evaluate(e, value_of) end

-- Memory and offset of the pointer base + index.  A routine's parameter is bound to memory of
-- its caller.
function Machine:address(n)
  local base, at = n.base, self:index(n.index)
  if base.op == "view" then at = at + self.values[base] end
  local bound = self.bound[base.root]
  if bound then return bound.memory, bound.offset + at end
  return self.memory[base.root], at
end

function Machine:element(n, memory, at)
  local v = memory[at]
  if v == nil then error(("undefined element %d of %s is read"):format(at, n.base.root.name)) end
  return v
end

local run = {}

function run.load(self, n)
  local memory, at = self:address(n)
  local out = {}
  for i = 1, n.ty.lanes do
    out[i] = memory[at + i - 1] or self:element(n, memory, at + i - 1)
  end
  self.values[n] = out
end

function run.gather(self, n)
  local memory, at = self:address(n)
  local first, out = self:index(n.first), {}
  for i = 1, n.ty.lanes do
    out[i] = self:element(n, memory, at + n.entries.values[first + i])
  end
  self.values[n] = out
end

function run.store(self, n)
  local memory, at = self:address(n)
  for i, v in ipairs(self.value(n[1])) do memory[at + i - 1] = v end
end

function run.view(self, n)
  local outer = n.base.op == "view" and self.values[n.base] or 0
  self.values[n] = outer + self:index(n.offset)
end

function run.call(self, n)
  for i, parameter in ipairs(n.routine.parameters) do
    local memory, offset = self:address(n.arguments[i])
    self.bound[parameter] = { memory = memory, offset = offset }
  end
  self:run(n.routine.body)
end

function run.note() end

function run.prefetch() end

function run.block(self, n) self:run(n.body) end

run["for"] = function(self, n)
  local carried = {}
  for i, v in ipairs(n.inits) do carried[i] = self.value(v) end
  local lo, hi = self:index(n.lo), self:index(n.hi)
  if n.var.parameter then lo, hi = self.first or lo, self.last or hi end
  for i = lo, hi - 1 do
    n.var.value = i
    for k, phi in ipairs(n.phis) do self.values[phi] = carried[k] end
    self:run(n.body)
    for k, v in ipairs(n.nexts) do carried[k] = self.value(v) end
  end
  for k, out in ipairs(n.outs) do self.values[out] = carried[k] end
end

function Machine:run(block)
  for _, n in ipairs(block) do
    if run[n.op] then run[n.op](self, n)
    else self.values[n] = pure[n.op](n, self.value) end
  end
end

--- Execute a module.  `memory[name]` is the array of an input or output buffer (0-based); tasks
--- [first, last) of it run, all by default.  Errors if an output element is left unwritten.
---@param module ir.Builder
---@param memory table
---@param first integer?
---@param last integer?
local function eval(module, memory, first, last)
  local values = {}
  local machine = setmetatable({
    values = values, memory = {}, bound = {}, first = first, last = last,
    value = function(v) return v.op == "const" and v.values or values[v] end,
  }, Machine)
  for _, buf in ipairs(module.buffers) do
    local array = memory[buf.name] or {}
    if buf.mode == "table" then
      for i, v in ipairs(buf.values) do array[i - 1] = v end
    end
    machine.memory[buf] = array
  end
  machine:run(module.body)
  for _, buf in ipairs(module.buffers) do
    if buf.mode == "output" and not first then
      for i = 0, buf.size - 1 do
        if machine.memory[buf][i] == nil then
          error(("element %d of %s is never written"):format(i, buf.name))
        end
      end
    end
  end
end

return { eval = eval, fma = fma, fma64 = fma64 }
