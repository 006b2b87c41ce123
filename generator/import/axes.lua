-- SPDX-License-Identifier: MIT
-- Tensors of any rank as tensors of a spec.
--
-- Purpose: an operator of ONNX may change any axes of a tensor with any number of them; a spec's
-- tensor has a batch, channels and one to three spatial axes. In memory, neighbouring axes that
-- nothing happens to are one: those before the first changed one become batch and channels, those
-- behind the last one the channels of an interleaved layout, those in between one spatial axis
-- that stays as it is.
-- Invariant: the bytes of both views are the same, so the kernel of one is that of the other.

local M = {}

local MOST <const> = 3
local LAYOUTS <const> = {
  planar = { "NCW", "NCHW", "NCDHW" },
  interleaved = { "NWC", "NHWC", "NDHWC" },
}

---@class upweave.AxesView
---@field shape integer[] in memory order of the layout
---@field layout string
---@field spatial integer[] for each spatial axis the axis that changes, or 0 for one that stays

local function product(shape, first, last)
  local count = 1
  for axis = first, last do
    count = count * shape[axis]
  end
  return count
end

-- The axes from the first to the last changed one: { size, axis }. Neighbours that stay are one,
-- those of size 1 none.
local function groups(shape, changed, first, last)
  local list = {}
  for axis = first, last do
    local before = list[#list]
    if not changed[axis] and before and before.axis == 0 then
      before.size = before.size * shape[axis]
    elseif changed[axis] or shape[axis] ~= 1 or first == last then
      list[#list + 1] = { size = shape[axis], axis = changed[axis] and axis or 0 }
    end
  end
  return list
end

-- The first and the last changed axis; the last axis of all where nothing changes.
local function range(changed, rank)
  local first, last
  for axis = 1, rank do
    if changed[axis] then
      first, last = first or axis, axis
    end
  end
  return first or rank, last or rank
end

--- A shape as a spec's tensor, or nil and how many spatial axes that would need.
---@param shape integer[] at least one axis
---@param changed boolean[]
---@return upweave.AxesView?
---@return integer? needed
function M.view(shape, changed)
  local rank = #shape
  local first, last = range(changed, rank)
  local list = groups(shape, changed, first, last)
  if #list > MOST then
    return nil, #list
  end
  local behind = product(shape, last + 1, rank)
  local interleaved = behind ~= 1
  local split = interleaved and first or math.max(first - 1, 1)
  local view = { shape = { product(shape, 1, split - 1) }, spatial = {},
    layout = LAYOUTS[interleaved and "interleaved" or "planar"][#list] }
  view.shape[2] = not interleaved and product(shape, split, first - 1) or nil
  for index, group in ipairs(list) do
    view.shape[#view.shape + 1] = group.size
    view.spatial[index] = group.axis
  end
  view.shape[#view.shape + 1] = interleaved and behind or nil
  return view
end

M.most = MOST

return M
