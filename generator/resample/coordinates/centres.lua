-- SPDX-License-Identifier: MIT
-- Coordinates: centres. Other coordinates' ratio, asked at the centre of the output pixel: TFLite's
-- half_pixel_centers for nearest.
--
--   source = ratio * (o + 1/2), measured from the left border of the input's pixels

local M = {}

---@param base table   coordinates
---@return table coordinates
function M.of(base)
  local rule = { name = "centres", text = base.text:gsub("o", "(o + 1/2)", 1), of = base.of,
    ratio = base.ratio, point = { input = 0, output = 0.5 } }
  function rule.source(A, axis)
    local ratio, half = base.ratio(A, axis), A.constant(0.5)
    return function(o) return A.mul(A.add(A.int(o), half), ratio) end
  end
  return rule
end

return M
