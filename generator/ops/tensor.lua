-- SPDX-License-Identifier: MIT
-- Tensors: layouts, dtypes, sizes.
--
-- Purpose: what a shape means. A shape stands in the memory order of its layout; everything that
-- asks for batch, channels or the spatial axes asks here.
-- Invariant: a tensor that passes `limit` has sizes that fit every index and byte count computed
-- from it, also in 32 bits within one plane.

local list = require "upweave.util.list"
local text = require "upweave.util.text"

local M = {}

---@class upweave.Tensor
---@field shape integer[] in memory order of the layout
---@field layout string
---@field dtype string

---@class upweave.Layout
---@field name string
---@field rank integer spatial axes
---@field planar boolean channels before the spatial axes

--- All layouts; for each rank the default first.
---@type upweave.Layout[]
M.layouts = {
  { name = "NCW", rank = 1, planar = true },
  { name = "NWC", rank = 1, planar = false },
  { name = "NCHW", rank = 2, planar = true },
  { name = "NHWC", rank = 2, planar = false },
  { name = "NCDHW", rank = 3, planar = true },
  { name = "NDHWC", rank = 3, planar = false },
}

--- All dtypes of the spec language and their bytes. What an operator supports it says itself.
M.dtypes = { "f32", "f16", "bf16", "f64", "u8", "i8" }
M.bytes = { f32 = 4, f16 = 2, bf16 = 2, f64 = 8, u8 = 1, i8 = 1 }

--- What NumPy calls them in .npy files. It has no bf16, whose bits travel as integers.
M.numpy = {
  f32 = "float32", f64 = "float64", f16 = "float16", bf16 = "uint16", u8 = "uint8", i8 = "int8",
  i32 = "int32", i64 = "int64",
}

local BYTES_LIMIT <const> = 2.0 ^ 40
local PLANE_LIMIT <const> = 2.0 ^ 31 - 1

--- The layout of that name.
---@param name any
---@return upweave.Layout?
function M.layout(name)
  return list.named(M.layouts, name)
end

--- The names of the layouts with so many spatial axes (of all, without a rank).
---@param rank? integer
---@return string[]
function M.layout_names(rank)
  local names = {}
  for _, layout in ipairs(M.layouts) do
    if not rank or layout.rank == rank then
      names[#names + 1] = layout.name
    end
  end
  return names
end

---@param tensor upweave.Tensor
---@return integer
function M.rank(tensor)
  return #tensor.shape - 2
end

---@param tensor upweave.Tensor
---@return boolean
function M.planar(tensor)
  return M.layout(tensor.layout).planar
end

---@param tensor upweave.Tensor
---@return integer
function M.channels(tensor)
  return M.planar(tensor) and tensor.shape[2] or tensor.shape[#tensor.shape]
end

-- The place of the first spatial axis in the shape.
local function first_axis(layout)
  return layout.planar and 3 or 2
end

--- The spatial sizes, outermost first.
---@param tensor upweave.Tensor
---@return integer[]
function M.spatial(tensor)
  local first = first_axis(M.layout(tensor.layout))
  return table.move(tensor.shape, first, first + M.rank(tensor) - 1, 1, {})
end

--- A tensor like this one, with other spatial sizes.
---@param tensor upweave.Tensor
---@param sizes integer[]
---@return upweave.Tensor
function M.resized(tensor, sizes)
  local shape = table.move(tensor.shape, 1, #tensor.shape, 1, {})
  table.move(sizes, 1, #sizes, first_axis(M.layout(tensor.layout)), shape)
  return { shape = shape, layout = tensor.layout, dtype = tensor.dtype }
end

--- The same tensor in another layout of its rank: the shape follows.
---@param tensor upweave.Tensor
---@param name string
---@return upweave.Tensor
function M.relaid(tensor, name)
  local to = M.layout(name)
  local shape = { tensor.shape[1] }
  shape[to.planar and 2 or to.rank + 2] = M.channels(tensor)
  table.move(M.spatial(tensor), 1, to.rank, first_axis(to), shape)
  return { shape = shape, layout = name, dtype = tensor.dtype }
end

--- Whether two tensors are the same in everything.
---@param a upweave.Tensor
---@param b upweave.Tensor
---@return boolean
function M.equal(a, b)
  return a.layout == b.layout and a.dtype == b.dtype and text.shape(a.shape) == text.shape(b.shape)
end

---@param tensor upweave.Tensor
---@return string
function M.describe(tensor)
  return text.shape(tensor.shape) .. " " .. tensor.layout .. " " .. tensor.dtype
end

--- Why a tensor is too large: a code and its fields, or nil. Sizes may be numbers beyond integers;
--- without a layout there are no planes.
---@param name string
---@param tensor upweave.Tensor
---@return string? code
---@return table? fields
function M.limit(name, tensor)
  local plane, bytes = 1.0, 1.0 * M.bytes[tensor.dtype]
  for _, n in ipairs(M.layout(tensor.layout) and M.spatial(tensor) or {}) do
    plane = plane * n
  end
  for _, n in ipairs(tensor.shape) do
    bytes = bytes * math.max(n, 1) -- an empty batch must not hide a monstrous plane
  end
  local fields = { tensor = name, shape = text.shape(tensor.shape), dtype = tensor.dtype }
  if bytes > BYTES_LIMIT then
    return "E037", fields
  elseif plane > PLANE_LIMIT then
    return "E038", fields
  end
end

--- A tensor as an operator's `tensors` lists it.
---@param name string
---@param role "input"|"output"|"parameter"
---@param tensor upweave.Tensor
---@return table
function M.record(name, role, tensor)
  local elems = 1
  for _, n in ipairs(tensor.shape) do
    elems = elems * n
  end
  return {
    name = name,
    role = role,
    shape = tensor.shape,
    layout = tensor.layout,
    dtype = tensor.dtype,
    elems = elems,
    bytes = elems * M.bytes[tensor.dtype],
  }
end

return M
