-- TYPES
-- =====
-- The value types of the kernel IR: an element type and a number of lanes, interned, so that two
-- equal types are the same table.  A mask is an i32 vector whose lanes are 0 or -1.

local M = {}

---@class ir.Type
---@field elem string     element type: "f32" or "i32"
---@field lanes integer   1 for a scalar
---@field name string     "f32", "f32x16", …
---@field bytes integer   size of the whole value

--- Bytes of one element.
M.element_bytes = { f32 = 4, i32 = 4 }

local interned = {}

--- The type of `lanes` elements of type `elem`.
---@param elem string
---@param lanes integer
---@return ir.Type
function M.of(elem, lanes)
  local name = lanes == 1 and elem or elem .. "x" .. lanes
  local ty = interned[name]
  if not ty then
    local size = M.element_bytes[elem] or error("unknown element type " .. tostring(elem))
    assert(lanes >= 1 and lanes & (lanes - 1) == 0, "lanes must be a power of two")
    ty = { elem = elem, lanes = lanes, name = name, bytes = size * lanes }
    interned[name] = ty
  end
  return ty
end

--- Round a number to the precision of an element type.
---@param elem string
---@param value number
---@return number
function M.round(elem, value)
  if elem == "f32" then return (string.unpack("<f", string.pack("<f", value))) end
  assert(math.type(value) == "integer", "an i32 constant must be an integer")
  return value
end

return M
