-- SPDX-License-Identifier: MIT
-- Plan of the form `resample`: a separable linear map, one axis map per spatial axis.
--
-- Mathematics only: sizes, axis maps, costs. Invariant: the product of the axes' sizes, batch and
-- channels is the tensors' element count; axes stand outermost first, W last.

local M = {}

---@class upweave.plan.resample
---@field form "resample"
---@field dtype string
---@field batch integer
---@field channels integer
---@field planar boolean      channels outside the spatial axes
---@field rank integer
---@field axes upweave.axis[]
---@field terms integer       most terms that the framework sums for one output
---@field copy boolean        a pure index map
---@field flops integer
---@field limit_flops integer arithmetic that no schedule can avoid, for the limit: none, the order
---                           of the axes and what is shared between outputs are the schedule's
---@field bytes_read integer
---@field bytes_written integer

---Operations of one plane when the axes are applied in the given order.
local function flops_in_order(axes, order)
  local sizes, total = {}, 0
  for i, axis in ipairs(axes) do sizes[i] = axis.input end
  for _, at in ipairs(order) do
    local lines = 1
    for i, size in ipairs(sizes) do
      if i ~= at then lines = lines * size end
    end
    total = total + lines * axes[at]:cost().flops
    sizes[at] = axes[at].output
  end
  return total
end

---The cheaper of innermost first and outermost first.
local function flops(axes)
  local inward, outward = {}, {}
  for i = 1, #axes do
    inward[i], outward[i] = i, #axes + 1 - i
  end
  return math.min(flops_in_order(axes, inward), flops_in_order(axes, outward))
end

local BYTES = { f32 = 4 }

---@param fields table   dtype, batch, channels, planar, axes, terms
---@return upweave.plan.resample
function M.new(fields)
  local planes = fields.batch * fields.channels
  local read, written, copy = planes, planes, true
  for _, axis in ipairs(fields.axes) do
    read, written = read * axis.input, written * axis.output
    copy = copy and axis:is_copy()
  end
  return {
    form = "resample",
    dtype = fields.dtype,
    batch = fields.batch,
    channels = fields.channels,
    planar = fields.planar,
    rank = #fields.axes,
    axes = fields.axes,
    terms = fields.terms,
    copy = copy,
    flops = planes * flops(fields.axes),
    limit_flops = 0,
    bytes_read = read * BYTES[fields.dtype],
    bytes_written = written * BYTES[fields.dtype],
  }
end

return M
