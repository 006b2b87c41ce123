-- SPDX-License-Identifier: MIT
-- Rules of interpolate's arguments: TFLite's ResizeBilinear and ResizeNearestNeighbor.

local common = require "upweave.ops.interpolate.common"
local list = require "upweave.util.list"
local modes = require("upweave.resample.profiles.tflite").modes

local M = {}

---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem   what is the operator's own in it
function M.check(given, report)
  local mode = list.named(modes, given.mode)
  common.check_rank(given, modes, mode, function() return false end, report)
  common.check_moved(given, report)
  if given.half_pixel_centers and given.align_corners and not mode.both then
    report("E062", "half_pixel_centers", { "half_pixel_centers", "align_corners", "mode" }, {
      circumstance = "with align_corners in mode " .. mode.name,
      reason = "each says where the corners lie (TFLite's ResizeBilinear allows one of them)",
      hint = "leave out one of them",
    })
  end
  common.check_source(given, report)
  local size, y = common.infer(given, common.scaled, report)
  if not size then return nil end
  return {
    x = given.x,
    y = y,
    mode = given.mode,
    size = size,
    align_corners = given.align_corners,
    half_pixel_centers = given.half_pixel_centers,
  }
end

return M
