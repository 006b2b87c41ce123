-- OPERATIONS
-- ==========
-- The pure operations of the builder.  Constructors check types, fold what changes nothing, and
-- give an equal value that is in scope rather than a new one.

local types = require "upweave.ir.types"

---@class ir.Operations
---@field shared fun(self: ir.Builder, key: string, item: table): table
---@field const fun(self: ir.Builder, elem: string, lanes: integer, value: any): table
local B = {}

local function pure(b, op, ty, args, lanes)
  local key = { op, ty.name }
  for i, a in ipairs(args) do key[i + 2] = a.id end
  if lanes then key[#key + 1] = table.concat(lanes, ",") end
  return b:shared(table.concat(key, " "),
    { op = op, ty = ty, lanes = lanes, table.unpack(args) })
end

--- A value as another element type: exact where that is wider, else rounded to nearest even.
--- Paired, the lanes of the wider type are those of the even elements, then those of the odd ones:
--- every second half of a word is cheaper than halves in a row.
function B:convert(v, elem, paired)
  if v.ty.elem == elem then return v end
  if v.ty.lanes > 1 then
    local op = paired and "convert_pairs" or "convert"
    return pure(self, op, types.of(elem, v.ty.lanes), { v })
  end
  -- conversions are vector instructions, with one lane in use
  return self:shuffle(self:convert(self:splat(v, 4), elem), nil, { 0 })
end

--- A scalar in every lane.
function B:splat(v, lanes)
  assert(v.ty.lanes == 1, "splat takes a scalar")
  if lanes == 1 then return v end
  if v.op == "const" then return self:const(v.ty.elem, lanes, v.values[1]) end
  if v.op == "shuffle" and v[1].op == "convert" and v[1][1].op == "splat" then
    return self:convert(self:splat(v[1][1][1], lanes), v.ty.elem)   -- a converted scalar
  end
  return pure(self, "splat", types.of(v.ty.elem, lanes), { v })
end

-- arithmetic ----------------------------------------------------------------------------------

local function same(x, y)
  if x.ty ~= y.ty then error(("types differ: %s, %s"):format(x.ty.name, y.ty.name), 3) end
end
local function is_const(v, x) return v.op == "const" and v.splat and v.values[1] == x end

--- x · y.  A factor 1 disappears (exact for every input).
function B:mul(x, y)
  same(x, y)
  if y.op == "const" then x, y = y, x end
  if is_const(x, 1) then return y end
  return pure(self, "mul", x.ty, { x, y })
end

function B:add(x, y)
  same(x, y)
  return pure(self, "add", x.ty, { x, y })
end

--- x · y + z, rounded once where the target has FMA, else twice.
function B:fma(x, y, z)
  same(x, y)
  same(x, z)
  if y.op == "const" then x, y = y, x end
  if is_const(x, 1) then return self:add(y, z) end
  if not self.target.fma then return self:add(self:mul(x, y), z) end
  return pure(self, "fma", x.ty, { x, y, z })
end

-- Operands in one order, a constant last: x + y and y + x are one value.
local function commutative(b, op, x, y)
  same(x, y)
  local swapped = x.id > y.id
  if x.op == "const" or y.op == "const" then swapped = x.op == "const" end
  if swapped then x, y = y, x end
  return pure(b, op, x.ty, { x, y })
end

--- Bytes: (x + y + 1) >> 1.
function B:average(x, y) return x == y and x or commutative(self, "average", x, y) end

--- Bytes: (x + y) >> 1.
function B:floor_average(x, y)
  if x == y then return x end
  local odd = self:band(commutative(self, "bxor", x, y), self:const(x.ty.elem, x.ty.lanes, 1))
  return pure(self, "sub", x.ty, { self:average(x, y), odd })
end

--- Bitwise and of integers.
function B:band(x, y) return commutative(self, "band", x, y) end

--- Integers divided by a power of two and rounded down: shifted to the right, by their sign if
--- they have one.
function B:shift(x, digits)
  if digits == 0 then return x end
  return self:shared(("shift %d %d"):format(x.id, digits),
    { op = "shift", ty = x.ty, digits = digits, x })
end

--- The bits of x as elements of another type.
function B:cast(x, elem)
  local lanes = x.ty.bytes // types.element_bytes[elem]
  local ty = types.of(elem, lanes)
  if ty == x.ty then return x end
  if x.op == "const" then
    return self:const(elem, lanes, types.reinterpret(x.values, x.ty.elem, elem), x.hint)
  end
  return pure(self, "cast", ty, { x })
end

--- sum + products of neighbours: sum is i32, x u8 and y i8 (four to a lane of the sum) or both i16
--- (two).
function B:neighbours(sum, x, y)
  local bytes = x.ty.elem == "u8" and y.ty.elem == "i8"
  assert(bytes or x.ty.elem == "i16" and y.ty.elem == "i16", "neighbours are u8 and i8, or i16")
  assert(sum.ty.elem == "i32" and sum.ty.bytes == x.ty.bytes and x.ty.bytes == y.ty.bytes)
  if is_const(y, 0) then return sum end
  return pure(self, "neighbours", sum.ty, { sum, x, y })
end

local HALF = { i32 = "i16", i16 = "u8" }

--- Integers of two vectors as the next shorter type, saturated: in every 16 bytes of the result
--- first those of x, then those of y.
function B:narrow(x, y)
  same(x, y)
  local half = assert(HALF[x.ty.elem], "narrow takes i32 or i16")
  return pure(self, "narrow", types.of(half, 2 * x.ty.lanes), { x, y })
end

--- Σ weights[k] · values[k], summed in order of k.
function B:dot(weights, values)
  local sum = self:mul(weights[1], values[1])
  for k = 2, #values do sum = self:fma(weights[k], values[k], sum) end
  return sum
end

--- Lane i of the result is lane lanes[i] of x followed by y (none: x alone); -1 is "any value".
function B:shuffle(x, y, lanes)
  y = y or x
  same(x, y)
  local n, identity = x.ty.lanes, #lanes == x.ty.lanes
  for i, l in ipairs(lanes) do
    if l < -1 or l >= 2 * n then error("shuffle lane out of range", 2) end
    identity = identity and (l < 0 or l == i - 1)
  end
  if identity then return x end
  return pure(self, "shuffle", types.of(x.ty.elem, #lanes), { x, y }, lanes)
end

return B
