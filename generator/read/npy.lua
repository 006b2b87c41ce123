-- SPDX-License-Identifier: MIT
-- NumPy's .npy files, small and plain ones.
--
-- Purpose: parameters that a spec bakes into a kernel; hands tensors to the compiled program of the
-- kernels and takes its results back. What a user runs kernels on is read by runtime/src/npy.c.
-- Invariants: little-endian data in C order only, versions 1 and 2 of the format; whatever the
-- bytes are, the answer is a tensor or a reason.

local M = {}

local MAGIC <const> = "\x93NUMPY"
local ALIGNMENT <const> = 64
local LONGEST_HEADER <const> = 4096

-- NumPy has no bf16: its bits travel as 16-bit integers.
local DESCR <const> = { f32 = "<f4", f64 = "<f8", f16 = "<f2", bf16 = "<u2", u8 = "|u1", i8 = "|i1",
  i32 = "<i4", i64 = "<i8" }
-- The other way round. |V2 is how libraries that know bf16 write it: as opaque values.
local DTYPE <const> = { ["<f4"] = "f32", ["<f8"] = "f64", ["<f2"] = "f16", ["<u2"] = "bf16",
  ["|V2"] = "bf16", ["|u1"] = "u8", ["|i1"] = "i8", ["<i4"] = "i32", ["<i8"] = "i64" }

--- The bytes of a file.
---@param dtype string as specs say it
---@param shape integer[]
---@param data string the elements, little-endian
---@return string
function M.encode(dtype, shape, data)
  local sizes = {}
  for axis, n in ipairs(shape) do
    sizes[axis] = ("%d,"):format(n)
  end
  local head = ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"):format(DESCR[dtype],
    table.concat(sizes, " "))
  local room = -(#head + #MAGIC + 4 + 1) % ALIGNMENT
  head = head .. (" "):rep(room) .. "\n"
  return MAGIC .. "\1\0" .. string.pack("<s2", head) .. data
end

-- The header's text and the position of the data.
local function split(bytes)
  local major = bytes:byte(7)
  if bytes:sub(1, 6) ~= MAGIC or (major ~= 1 and major ~= 2) then
    return nil, "it is no .npy file of version 1 or 2"
  end
  local width = major == 1 and 2 or 4
  if #bytes < 8 + width then
    return nil, "its header is cut off"
  end
  local length = string.unpack("<I" .. width, bytes, 9)
  local first = 9 + width
  if length > LONGEST_HEADER or first + length - 1 > #bytes then
    return nil, "its header is cut off or too long"
  end
  return bytes:sub(first, first + length - 1), first + length
end

local function shape_of(text)
  local shape, elements = {}, 1.0
  for number in text:gmatch("[^,%s]+") do
    local n = number:find("^%d+$") and #number < 18 and math.tointeger(tonumber(number))
    if not n then
      return nil
    end
    shape[#shape + 1], elements = n, elements * n
  end
  return shape, elements
end

-- What values of the header's dictionary look like.
local VALUES <const> = { "'[^']*'", "%a+", "%b()" }

-- The entries of the header, a literal of Python; nil if it is none, or has an entry twice.
local function entries_of(head)
  local rest, entries = head:match("^%s*{%s*(.-)%s*}%s*$"), {}
  while rest and rest ~= "" do
    local key, value, after
    for _, form in ipairs(VALUES) do
      key, value, after = rest:match("^'([%a_]+)'%s*:%s*(" .. form .. ")%s*(.*)$")
      if key then break end
    end
    local comma = after and after:match("^,%s*(.*)$")
    if not key or entries[key] or not comma and after ~= "" then return nil end
    entries[key], rest = value, comma or ""
  end
  return rest and entries
end

-- What the header says: descr, shape and number of elements; nil and the reason.
local function read_head(head)
  local entries = entries_of(head) or {}
  local descr = (entries.descr or ""):match("^'(.*)'$")
  local inside = (entries.shape or ""):match("^%((.*)%)$")
  local shape, elements = shape_of(inside or "?")
  if not descr or not shape then
    return nil, "its header says no plain array"
  elseif not DTYPE[descr] then
    return nil, ("its dtype '%s' is not read"):format(descr)
  elseif entries.fortran_order == "True" then
    return nil, "it is in Fortran order: numpy.ascontiguousarray brings it into C order"
  elseif entries.fortran_order ~= "False" then
    return nil, "its header says no order"
  end
  return { descr = descr, dtype = DTYPE[descr], shape = shape }, elements
end

---@class upweave.NpyArray
---@field descr string
---@field dtype string as specs say it; integers of 16 bits are the bits of bf16
---@field shape integer[]
---@field bytes string

--- The array in the bytes of a file.
---@param bytes string
---@return upweave.NpyArray?
---@return string? reason
function M.decode(bytes)
  local head, first = split(bytes)
  if not head then
    return nil, first --[[@as string]]
  end
  local array, elements = read_head(head)
  if not array then
    return nil, elements --[[@as string]]
  elseif elements * tonumber(array.descr:sub(-1)) ~= #bytes - first + 1 then
    return nil, "its data do not have the size that its header says"
  end
  array.bytes = bytes:sub(first)
  return array
end

--- What a file of this dtype says in its header.
---@param dtype string
---@return string
function M.descr(dtype)
  return DESCR[dtype]
end

return M
