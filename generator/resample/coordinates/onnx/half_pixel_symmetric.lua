-- SPDX-License-Identifier: MIT
-- Coordinates: ONNX's half_pixel_symmetric. Half pixel, moved so that the centres of both pictures
-- coincide although the output was cut to whole pixels.
--
--   source = input/2 * (1 - output/width) + (o + 1/2)/scale - 1/2

local scale = require "upweave.resample.coordinates.onnx.scale"

local M = { name = "half_pixel_symmetric", of = "scale", ratio = scale.ratio,
  text = "in/2*(1 - out/(scale*in)) + (o + 1/2)/scale - 1/2" }

---@param A table   arithmetic
---@param axis upweave.resample.axis_spec
---@return fun(o: integer): any   source coordinate of an output position
function M.source(A, axis)
  local s, half = scale.of(A, axis), A.constant(0.5)
  local adjustment = A.div(A.int(axis.output), (scale.width(A, axis)))
  local centre = A.div(A.int(axis.input), A.int(2))
  local offset = A.mul(centre, A.sub(A.int(1), adjustment))
  return function(o)
    return A.sub(A.add(offset, A.div(A.add(A.int(o), half), s)), half)
  end
end

return M
