-- SPDX-License-Identifier: MIT
-- The rule of an interpolate problem's outermost spatial axis: filter, coordinates, stretch.
--
-- Purpose: what the formula and the reference say of a problem comes from where plans have it.

local profiles = require "upweave.resample.profiles"
local tensor = require "upweave.ops.tensor"

---@param problem table
---@return table   fields of an upweave.resample.axis_spec
return function(problem)
  local x = problem.x
  return profiles.find(problem.profile).axis(problem, 1, {
    rank = tensor.rank(x),
    channels = tensor.channels(x),
    planar = tensor.planar(x),
    space = tensor.spatial(x),
  })
end
