-- SPDX-License-Identifier: MIT
-- TFLite's rules of resizing for one output of one axis, written from its reference kernels: float
-- throughout, nothing fused.

local floats = dofile "tests/lib/reference/floats.lua"
local f32 = floats.f32

local M = {}

function M.case(problem)
  return { mode = problem.mode, align = problem.align_corners, half = problem.half_pixel_centers }
end

local function ratio_of(c)
  if c.align and c.O > 1 then return f32((c.I - 1) / (c.O - 1)) end
  return f32(c.I / c.O)
end

---The taps {index, weight} of one output, also of weight 0.
function M.taps(c, o)
  local scaled = f32((o + (c.half and 0.5 or 0)) * ratio_of(c))
  if c.mode == "nearest" then
    local i = math.floor(c.align and scaled + 0.5 or scaled)
    return { { math.max(0, math.min(i, c.I - 1)), 1.0 } }
  end
  if c.half then scaled = f32(scaled - 0.5) end
  local lower = math.max(math.floor(scaled), 0)
  local upper = math.max(0, math.min(math.ceil(scaled), c.I - 1))
  local d = f32(scaled - lower)
  return { { lower, f32(1 - d) }, { upper, d } }
end

return M
