-- SPDX-License-Identifier: MIT
-- NumPy's .npy files, small and plain ones.
--
-- Purpose: hands tensors to the compiled program of the kernels and takes its results back. What
-- users give is read by the runtime (runtime/src/npy.c), in C.
-- Invariants: little-endian data in C order only, versions 1 and 2 of the format; whatever the
-- bytes are, the answer is a tensor or a reason.

local M = {}

local MAGIC <const> = "\x93NUMPY"
local ALIGNMENT <const> = 64
local LONGEST_HEADER <const> = 4096

-- NumPy has no bf16: its bits travel as 16-bit integers.
local DESCR <const> = { f32 = "<f4", f64 = "<f8", f16 = "<f2", bf16 = "<u2", u8 = "|u1", i8 = "|i1",
  i32 = "<i4", i64 = "<i8" }
local BYTES <const> = { ["<f4"] = 4, ["<f8"] = 8, ["<f2"] = 2, ["<u2"] = 2, ["|u1"] = 1,
  ["|i1"] = 1, ["<i4"] = 4, ["<i8"] = 8 }

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

---@class upweave.NpyArray
---@field descr string
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
  local descr = head:match("'descr':%s*'([^']*)'")
  local shape, elements = shape_of(head:match("'shape':%s*%(([^)]*)%)") or "?")
  if not BYTES[descr] or not shape or not head:find("'fortran_order':%s*False") then
    return nil, "its header says no plain array in C order"
  elseif elements * BYTES[descr] ~= #bytes - first + 1 then
    return nil, "its data do not have the size that its header says"
  end
  return { descr = descr, shape = shape, bytes = bytes:sub(first) }
end

--- What a file of this dtype says in its header.
---@param dtype string
---@return string
function M.descr(dtype)
  return DESCR[dtype]
end

return M
