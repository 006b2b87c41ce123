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

local storage = { f16 = true, bf16 = true }

--- A value as another element type: exact where that is wider, else rounded to nearest even.  f16
--- and bf16 convert from and to f32, floats to integers by `to_integer`.
--- Paired, the lanes of the wider type are those of the even elements, then those of the odd ones:
--- every second half of a word is cheaper than halves in a row.
function B:convert(v, elem, paired)
  if v.ty.elem == elem then return v end
  local stored = storage[v.ty.elem] or storage[elem]
  assert(types.fractional(elem), "floats become integers by to_integer")
  if v.ty.lanes > 1 or not stored then
    local op = paired and "convert_pairs" or "convert"
    return pure(self, op, types.of(elem, v.ty.lanes), { v })
  end
  -- conversions of halves are vector instructions, with one lane in use
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

function B:sub(x, y)
  same(x, y)
  return pure(self, "sub", x.ty, { x, y })
end

function B:div(x, y)
  same(x, y)
  if is_const(y, 1) then return x end
  return pure(self, "div", x.ty, { x, y })
end

function B:sqrt(x) return pure(self, "sqrt", x.ty, { x }) end

--- x · y + z, rounded once where the target has FMA, else twice.
function B:fma(x, y, z)
  same(x, y)
  same(x, z)
  if y.op == "const" then x, y = y, x end
  if is_const(x, 1) then return self:add(y, z) end
  if not self.target.fma then return self:add(self:mul(x, y), z) end
  return pure(self, "fma", x.ty, { x, y, z })
end

-- comparisons ---------------------------------------------------------------------------------

--- x > y ? x : y, the instruction of x86: where one of the two is NaN, and for zeros of both signs,
--- the second.  So max(0, x) keeps a NaN in x, and max(x, 0) does not.
function B:max(x, y)
  same(x, y)
  return x == y and x or pure(self, "max", x.ty, { x, y })
end

--- x < y ? x : y; the second as for max.
function B:min(x, y)
  same(x, y)
  return x == y and x or pure(self, "min", x.ty, { x, y })
end

--- x < y ? yes : no in each lane; no where x or y is NaN.  The elements of all are equally long.
function B:lt(x, y, yes, no)
  same(x, y)
  same(yes, no)
  assert(x.ty.lanes == yes.ty.lanes and x.ty.bytes == yes.ty.bytes, "lanes of one length")
  return yes == no and yes or pure(self, "lt", yes.ty, { x, y, yes, no })
end

-- bits ----------------------------------------------------------------------------------------

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
  local odd = self:band(self:bxor(x, y), self:const(x.ty.elem, x.ty.lanes, 1))
  return self:sub(self:average(x, y), odd)
end

--- Bitwise and of integers.
function B:band(x, y) return commutative(self, "band", x, y) end

--- Bitwise exclusive or of integers.
function B:bxor(x, y) return commutative(self, "bxor", x, y) end

--- Integers divided by a power of two and rounded down: shifted to the right, by their sign if
--- they have one.  Negative digits shift to the left; what is shifted out is lost.
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
  assert(x.ty.lanes > 1 and lanes > 1, "scalars have no bits")
  if x.op == "const" then
    return self:const(elem, lanes, types.reinterpret(x.values, x.ty.elem, elem), x.hint)
  end
  return pure(self, "cast", ty, { x })
end

-- Bits of a vector of floats as words, and the constant with the sign bits (or all others) set.
local function sign_mask(b, x, others)
  local sign = others and 0x7fffffff or 0x80000000
  local mask = { sign }
  if x.ty.elem == "f64" then mask = { others and 0xffffffff or 0, sign } end
  local words, list = b:cast(x, "u32"), {}
  for i = 1, words.ty.lanes do list[i] = mask[(i - 1) % #mask + 1] end
  return words, b:const("u32", words.ty.lanes, list)
end

--- |x| of a vector of floats.
function B:abs(x) return self:cast(self:band(sign_mask(self, x, true)), x.ty.elem) end

--- -x of a vector of floats, of zero and NaN too.
function B:neg(x) return self:cast(self:bxor(sign_mask(self, x)), x.ty.elem) end

--- x, which has no sign of its own, with the sign of y; vectors of floats.
function B:with_sign(x, y)
  same(x, y)
  return self:cast(self:bxor(self:cast(x, "u32"), self:band(sign_mask(self, y))), x.ty.elem)
end

-- 1.5·2^23: what is added to it is rounded to nearest even, and stands in the lower bits.
local MAGIC <const>, MAGIC_BITS <const> = 0x1.8p23, 0x4b400000

--- The integers nearest to a vector of f32 (ties to even), each less than 2^22, as i32.  Their
--- conversion by one instruction is one instruction less, but ends QEMU 7.2 for RISC-V.
function B:to_integer(x)
  assert(x.ty.elem == "f32", "to_integer takes f32")
  local bits = self:cast(self:add(x, self:const("f32", x.ty.lanes, MAGIC)), "i32")
  return self:sub(bits, self:const("i32", x.ty.lanes, MAGIC_BITS))
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
