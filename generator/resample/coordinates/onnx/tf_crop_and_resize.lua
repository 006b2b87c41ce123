-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's tf_crop_and_resize. The window `roi` of the input, whose borders are the
-- centres of its corner pixels; what it has outside the input is filled.
--
--   source = start*(input - 1) + o * (stop - start)*(input - 1)/(width - 1)
-- and the middle of the window for a width of one.

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "tf_crop_and_resize", of = "scale",
  text = "start*(in - 1) + o*(end - start)*(in - 1)/(scale*in - 1)" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return any start   where the window begins, in pixels
---@return any extent  its size as a share of the input
---@return any span    from the first to the last centre of the input
local function window(A, axis)
  local start, stop = A.given(axis.roi[1]), A.given(axis.roi[2])
  local span = A.int(axis.input - 1)
  return A.mul(start, span), A.sub(stop, start), span
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return any ratio   input pixels per output pixel
function M.ratio(A, axis)
  local _, extent, span = window(A, axis)
  local width, single = scale.width(A, axis)
  if single then return A.int(0) end
  return A.div(A.mul(extent, span), A.sub(width, A.int(1)))
end

---@param A table
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local start, extent, span = window(A, axis)
  local width, single = scale.width(A, axis)
  if single then
    local middle = A.add(A.div(A.mul(extent, span), A.int(2)), start)
    return function() return middle end
  end
  local steps = A.sub(width, A.int(1))
  return function(o)
    return A.add(A.div(A.mul(A.mul(A.int(o), extent), span), steps), start)
  end
end

---The outputs that lie on the input: sources are monotone, so they are a range.
---@param A table
---@param axis upweave.resample.axis_spec
---@return integer lo   the first of them; 0 where there is none
---@return integer hi   the one after the last
function M.inside(A, axis)
  local source, low, high = M.source(A, axis), A.int(0), A.int(axis.input - 1)
  local lo, hi = 0, 0
  for o = 0, axis.output - 1 do
    local x = source(o)
    if not A.less(x, low) and not A.less(high, x) then
      lo, hi = hi == 0 and o or lo, o + 1
    end
  end
  return lo, hi
end

return M
