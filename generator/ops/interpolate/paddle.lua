-- SPDX-License-Identifier: MIT
-- Rules of interpolate's arguments: paddle.nn.functional.interpolate.
--
-- Invariant: a problem has `scale_factor` only where that enters the coordinates, which
-- align_corners excludes; align_mode is 0 where it has no effect.

local common = require "upweave.ops.interpolate.common"
local list = require "upweave.util.list"
local modes = require("upweave.resample.profiles.paddle").modes
local types = require "upweave.ir.types"

local M = {}

-- trunc(I * s), both floats and the product, too; what is no float is too large anyway.
local function scaled(input, factor)
  if input * factor >= 2.0 ^ 63 then return input * factor end
  local product = types.round("f32", types.round("f32", input) * types.round("f32", factor))
  return math.tointeger(math.floor(product))
end

local function check_area(given, report)
  if given.mode ~= "area" then return end
  if given.scale_factor then
    report("E062", "scale_factor", { "scale_factor", "mode" }, {
      circumstance = "with mode area",
      reason = "PaddlePaddle pools adaptively there, which takes an output size only",
      hint = "size instead of scale_factor",
    })
  end
  if given.align_corners then
    report("E062", "align_corners", { "align_corners", "mode" }, {
      circumstance = "with mode area",
      reason = "the mean over the pixels that an output touches has no corners",
      hint = "leave out align_corners",
    })
  end
end

---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem   what is the operator's own in it
function M.check(given, report)
  local mode = list.named(modes, given.mode)
  common.check_rank(given, modes, mode, function(other)
    return not mode.coordinates == not other.coordinates
  end, report)
  common.check_moved(given, report)
  check_area(given, report)
  common.check_source(given, report)
  local size, y = common.infer(given, scaled, report)
  if not size then return nil end
  local aligned = given.align_corners
  return {
    x = given.x,
    y = y,
    mode = given.mode,
    size = size,
    scale_factor = not aligned and given.scale_factor or nil,
    align_corners = aligned,
    align_mode = mode.points and not aligned and given.align_mode or 0,
  }
end

return M
