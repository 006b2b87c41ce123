-- DOTS
-- ====
-- Sums of bytes times 16-bit weights in 32-bit lanes, four taps to a lane at a time, exact.  Where
-- the target multiplies bytes by bytes, a weight is 256·high + low with both in a byte, and the two
-- sums are joined at the end; elsewhere even and odd bytes are widened to 16 bits, which is what
-- weights have.

local types = require "upweave.ir.types"

local M = {}

-- What the weights of a quad's parts are called.
local NAMES = { bytes = { "low", "high" }, words = { "even", "odd" } }

--- Name of part number `part` of weight `name`.
function M.name(dots, name, part)
  return dots.parts == 1 and name or name .. "_" .. NAMES[dots.bytes and "bytes" or "words"][part]
end

---@class lower.Dots
---@field bytes boolean      byte weights, low and perhaps high
---@field parts integer      weight vectors of a quad: 1 or 2
---@field elem string        their element type
---@field digits integer     the weights' binary digits after the point

-- Largest weight of a low and a high byte.
local MOST = 127 * 256 + 127

local function range(map)
  local least, most = 0, 0
  for _, t in ipairs(map.taps) do
    least, most = math.min(least, table.unpack(t.weight)), math.max(most, table.unpack(t.weight))
  end
  return least, most
end

--- How a target sums over an axis.
---@param map plan.Axis
---@param target Target
---@return lower.Dots
function M.new(map, target)
  local least, most = range(map)
  local bytes = target.integers and target.integers.neighbours_u8 and most <= MOST or false
  local short = least >= -128 and most <= 127
  return {
    bytes = bytes, parts = bytes and short and 1 or 2, elem = bytes and "i8" or "i16",
    digits = map.precision,
  }
end

--- The weights of quads, four after four, as the lists that `step` multiplies by.
---@param dots lower.Dots
---@param weights integer[]
---@return integer[][]
function M.split(dots, weights)
  local first, second = {}, {}
  for i, w in ipairs(weights) do
    if dots.bytes then
      second[i] = (w + 128) // 256
      first[i] = w - 256 * second[i]
    else
      local list = i % 2 == 1 and first or second
      list[#list + 1] = w
    end
  end
  return dots.parts == 1 and { first } or { first, second }
end

--- The same four weights in every lane: each part as an i32.
---@param dots lower.Dots
---@param weights integer[]   four
---@return integer[]
function M.packed(dots, weights)
  local out = {}
  for part, list in ipairs(M.split(dots, weights)) do
    out[part] = types.reinterpret(list, dots.elem, "i32")[1]
  end
  return out
end

-- What the sums start from: one half in the last digit that is kept.
local function start(b, dots, lanes)
  local half = dots.digits > 0 and 1 << (dots.digits - 1) or 0
  local sums = { b:const("i32", lanes, half) }
  if dots.bytes and dots.parts == 2 then sums[2] = b:const("i32", lanes, 0) end
  return sums
end

-- Even and odd bytes as 16-bit numbers.
local function words(b, value)
  local even = b:band(b:cast(value, "i16"), b:const("i16", value.ty.lanes // 2, 255))
  return even, b:cast(b:shift(b:cast(value, "u16"), 8), "i16")
end

--- One quad of taps more: carried sums.
---@param weights table[]   values, dots.parts of them
---@param value table       bytes, four taps to a lane
---@param sums table[]?
---@return table[]
function M.step(b, dots, weights, value, sums)
  sums = sums or start(b, dots, value.ty.lanes // 4)
  if not dots.bytes then
    local even, odd = words(b, value)
    return { b:neighbours(b:neighbours(sums[1], even, weights[1]), odd, weights[2]) }
  end
  local out = {}
  for part, sum in ipairs(sums) do out[part] = b:neighbours(sum, value, weights[part]) end
  return out
end

--- The sum without its digits after the point, not yet clamped.
function M.finish(b, dots, sums)
  local sum = sums[1]
  if sums[2] then
    local high = b:mul(b:named("high", sums[2]), b:const("i32", sum.ty.lanes, 256))
    sum = b:add(b:named("low", sum), high)
  end
  return b:named("sum", b:shift(sum, dots.digits))
end

--- Four vectors of sums as bytes, clamped: in every 16 bytes four of each vector.
function M.bytes(b, values)
  return b:narrow(b:narrow(values[1], values[2]), b:narrow(values[3], values[4]))
end

return M
