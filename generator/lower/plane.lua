-- PLANE
-- =====
-- resample, tiny images: a whole plane, or several planes in a row, is one axis whose taps are
-- products of the taps of its axes, so the row pass computes it from registers with no buffer
-- between passes.  A 4x4 plane is one register: 17x a plain loop.

local blend = require "upweave.lower.resample.blend"
local compose = require "upweave.plan.compose"
local frame = require "upweave.lower.resample.frame"
local row = require "upweave.lower.resample.row"

local M = { name = "plane", form = "resample" }

-- Output elements, and products of elements and taps, of a task's code at most; more is what rows
-- are for.
local MAX_OUTPUT, MAX_PRODUCTS = 2048, 16384

local function plane_axis(plan)
  local map = plan.axes[1]
  for i = 2, plan.rank do map = compose.product(map, plan.axes[i], plan.work) end
  return compose.interleaved(map, plan.planar and 1 or plan.channels)
end

local function plane_outputs(plan)
  local n = plan.planar and 1 or plan.channels
  for _, axis in ipairs(plan.axes) do n = n * axis.output end
  return n
end

local function planes_of(plan) return plan.batch * (plan.planar and plan.channels or 1) end

-- Why so many planes in a task are too much code, or nil.
local function too_much(plan, planes)
  local size = plane_outputs(plan) * planes
  if size > MAX_OUTPUT then
    return ("%d output elements are straight-line code, at most %d"):format(size, MAX_OUTPUT)
  end
  local products = size
  for _, axis in ipairs(plan.axes) do products = products * blend.most_taps(axis) end
  if products > MAX_PRODUCTS then
    return ("%d products of elements and taps, at most %d"):format(products, MAX_PRODUCTS)
  end
end

--- Knobs: planes in one task; by default enough to fill vectors.
function M.knobs(plan)
  local values, default = { 1 }, 1
  for _, n in ipairs { 2, 4, 8, 16, 32 } do
    if planes_of(plan) % n == 0 and not too_much(plan, n) then
      values[#values + 1] = n
      if n * plane_outputs(plan) <= 256 then default = n end
    end
  end
  return {
    { name = "planes", values = values, default = default, doc = "planes that are one row" },
  }
end

--- Legal while the planes of a task are small.
function M.legal(plan, knobs)
  local reason = too_much(plan, knobs.planes)
  if reason then return nil, reason end
  return true
end

--- Build the kernel.
function M.lower(plan, knobs, target)
  local map = compose.repeated(plane_axis(plan), knobs.planes)
  local geometry = { planes = planes_of(plan) // knobs.planes, inner = 1, x = map }
  local f = frame.new(plan, target, geometry)
  local pass = row.new(map, f.lanes)
  row.declare(f.b, pass)
  frame.tasks(f, 1, function(src, dst) row.emit(f.b, pass, src, dst) end)
  return f.b
end

return M
