-- SPDX-License-Identifier: MIT
-- Plan of the form `resample`: a separable linear map, one axis map per spatial axis.
--
-- Mathematics only: sizes, axis maps, costs. Invariants: the product of the axes' sizes, batch and
-- channels is the tensors' element count; axes stand outermost first, W last; every weight is a
-- number of `work`, in fixed point an integer of 16 bits beside the axis' precision.

local types = require "upweave.ir.types"

local M = {}

---@class upweave.plan.resample
---@field form "resample"
---@field dtype string        of the tensors
---@field work string         of the arithmetic: f32, f64, or dtype where values are only moved
---@field fixed boolean|nil   integer arithmetic, axis by axis, innermost first: see below
---@field fill table|nil      outputs outside the input: see below
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

-- Whether a float is a weight: by splitting, which is quicker than packing, where that is safe.
local function is_float(w)
  local c = 536870913.0 * w
  if c - (c - w) == w and w * w > 1e-70 and w * w < 1e70 then return true end
  return types.round("f32", w) == w
end

local EXACT <const> = {
  f32 = is_float,
  f64 = function(w) return math.type(w) == "float" end,
  fixed = function(w) return math.type(w) == "integer" and w >= -0x8000 and w <= 0x7fff end,
}

local function check_weights(axes, kind)
  local fits = EXACT[kind]
  for _, axis in ipairs(axes) do
    assert(kind ~= "fixed" or axis.precision >= 0, "a fixed-point axis has a precision")
    for o, taps in ipairs(axis.taps) do
      for _, w in ipairs(taps.weight) do
        if not fits(w) then
          error(("axis %s: output %d: weight %s is not of %s"):format(axis.name, o - 1, w, kind))
        end
      end
    end
  end
end

---A plan. `work` is the type of the arithmetic if there is any.
---
---In a fixed-point plan an axis of precision p > 0 turns the values x of its taps into
---clamp(((1 << (p - 1)) + sum of weight * x) >> p, 0, 255), rounded to u8 before the next axis; one
---of precision 0 moves values.
---
---`fill` is `{ value, lo, hi }`: an output with any coordinate outside lo[axis] <= o < hi[axis] is
---`value`, whatever its taps say; `value` is a number of dtype.
---@param fields table   dtype, work, fixed, fill, batch, channels, planar, axes, terms
---@return upweave.plan.resample
function M.new(fields)
  local planes = fields.batch * fields.channels
  local bytes = types.element_bytes[fields.dtype]
  local read, written, copy = planes, planes, true
  for _, axis in ipairs(fields.axes) do
    read, written = read * axis.input, written * axis.output
    copy = copy and axis:is_copy()
  end
  check_weights(fields.axes, fields.fixed and "fixed" or fields.work == "f64" and "f64" or "f32")
  return {
    form = "resample",
    dtype = fields.dtype,
    work = copy and fields.dtype or fields.work,
    fixed = fields.fixed and not copy or nil,
    fill = fields.fill,
    batch = fields.batch,
    channels = fields.channels,
    planar = fields.planar,
    rank = #fields.axes,
    axes = fields.axes,
    terms = fields.terms,
    copy = copy,
    flops = planes * flops(fields.axes),
    limit_flops = 0,
    bytes_read = read * bytes,
    bytes_written = written * bytes,
  }
end

return M
