-- SPDX-License-Identifier: MIT
-- Rules of interpolate's arguments: Resize 10 to 22 and Upsample 7 to 9 of ONNX.
--
-- Invariants: size, scale_factor and roi of a problem have one number for every spatial axis, so
-- that it needs no `axes`; `scale_factor` is there where the coordinates do not come from the
-- sizes; attributes without effect have their default.

local common = require "upweave.ops.interpolate.common"
local list = require "upweave.util.list"
local tensor = require "upweave.ops.tensor"
local text = require "upweave.util.text"
local types = require "upweave.ir.types"

local M = {}

local LAST <const> = 22

-- Since when attributes and values exist, and until when. A default is no use of an attribute.
local VERSIONS <const> = {
  { key = "size", from = 11, text = "sizes" },
  { key = "mode", value = "cubic", from = 11 },
  { key = "coordinate_transformation_mode", default = "asymmetric", from = 11 },
  { key = "coordinate_transformation_mode", value = "tf_half_pixel_for_nn", from = 11, to = 12 },
  { key = "coordinate_transformation_mode", value = "half_pixel_symmetric", from = 19 },
  { key = "nearest_mode", default = "simple", from = 11 },
  { key = "nearest_mode", value = "simple", from = 7, to = 10 },
  { key = "cubic_coeff_a", default = -0.75, from = 11 },
  { key = "exclude_outside", default = false, from = 11 },
  { key = "extrapolation_value", default = 0.0, from = 11 },
  { key = "roi", from = 11 },
  { key = "axes", from = 18 },
  { key = "keep_aspect_ratio_policy", default = "stretch", from = 18 },
  { key = "antialias", default = false, from = 18 },
}

local function is_used(given, row)
  local value = given[row.key]
  if value == nil or given.y and row.key == "size" then return false end
  if row.value ~= nil then return value == row.value end
  return value ~= row.default
end

local function check_versions(given, report)
  for _, row in ipairs(VERSIONS) do
    local to = row.to or LAST
    if is_used(given, row) and (given.opset < row.from or given.opset > to) then
      report("E061", row.key, { row.key, "opset" }, {
        opset = given.opset,
        what = row.value or row.text or row.key,
        range = ("opset %d to %d"):format(row.from, to),
        hint = given.opset < row.from and row.from or to,
      })
      return
    end
  end
end

local function check_upsample(given, report)
  for _, scale in ipairs(given.opset < 10 and given.scale_factor or {}) do
    if scale < 1 then
      report("E061", "scale_factor", { "scale_factor", "opset" }, {
        opset = given.opset,
        what = "a scale below 1",
        range = "opset 10 to 22: Resize, not Upsample",
        hint = 10,
      })
      return
    end
  end
end

-- Axes --------------------------------------------------------------------------------------------

---The axes of a tensor's shape, counted from 0, that are spatial.
local function spatial_axes(x)
  local first, axes = tensor.planar(x) and 2 or 1, {}
  for i = 1, tensor.rank(x) do axes[i] = first + i - 1 end
  return axes
end

---For each listed axis its place among the spatial ones, from 1; nil if one cannot be.
local function places_of(given, report)
  local spatial, places = spatial_axes(given.x), {}
  for i, axis in ipairs(given.axes or spatial) do
    local counted = axis < 0 and axis + #given.x.shape or axis
    local place = counted - spatial[1] + 1
    if not list.contains(spatial, counted) or list.contains(places, place) then
      report("E063", "axes", { "axes", "x.shape" }, {
        axis = axis,
        layout = given.x.layout,
        axes = table.concat(spatial, ", "),
        hint = ("axes = %s"):format(text.value(spatial)),
      })
      return nil
    end
    places[i] = place
  end
  return places
end

-- One number for every spatial axis: those of the listed ones, `rest` for the others.
local function spread(values, places, rest)
  local full = table.move(rest, 1, #rest, 1, {})
  for i, place in ipairs(places) do full[place] = values[i] end
  return full
end

local function constant(n, value)
  local values = {}
  for i = 1, n do values[i] = value end
  return values
end

-- A window: starts, then ends.
local function window(starts, ends)
  return table.move(ends, 1, #ends, #starts + 1, table.move(starts, 1, #starts, 1, {}))
end

-- Sizes -------------------------------------------------------------------------------------------

local function half_up(input, factor)
  return math.tointeger(math.floor(input * factor + 0.5)) or input * factor
end

-- The one scale that keeps the aspect ratio within (or around) the sizes of the listed axes.
local function common_scale(given, places)
  local input, scale = tensor.spatial(given.x), nil
  local choose = given.keep_aspect_ratio_policy == "not_larger" and math.min or math.max
  for i, place in ipairs(places) do
    local ratio = given.size[i] / input[place]
    scale = scale and choose(scale, ratio) or ratio
  end
  return scale
end

local function check_policy(given, report)
  if given.keep_aspect_ratio_policy ~= "stretch" and given.scale_factor and not given.y then
    report("E062", "keep_aspect_ratio_policy", { "keep_aspect_ratio_policy", "scale_factor" }, {
      circumstance = "with scale_factor",
      reason = "it says how size is meant",
      hint = "leave out keep_aspect_ratio_policy",
    })
  end
end

-- Size and scale factors of all spatial axes as the rules give them; no factors: the sizes rule.
local function resolve(given, places)
  local input = tensor.spatial(given.x)
  local keeps = given.keep_aspect_ratio_policy ~= "stretch"
  local factors = given.scale_factor
    or keeps and constant(#places, common_scale(given, places))
  factors = factors and spread(factors, places, constant(#input, 1.0)) or nil
  if not factors then return spread(given.size, places, input), nil end
  return common.sizes(given.x, factors, keeps and half_up or common.scaled), factors
end

-- The rest ----------------------------------------------------------------------------------------

local function crops(given)
  return given.coordinate_transformation_mode == "tf_crop_and_resize"
end

local function check_roi(given, places, report)
  if not crops(given) then return end
  if not given.roi then
    report("E030", "roi", { "coordinate_transformation_mode" }, {
      reason = "tf_crop_and_resize takes its window from it",
      hint = "roi = " .. text.value(window(constant(#places, 0), constant(#places, 1))),
    })
  elseif #given.roi ~= 2 * #places then
    report("E033", "roi", { "roi", "axes" }, {
      got = #given.roi,
      expected = 2 * #places,
      reason = "a start for each axis, then an end for each",
      hint = false,
    })
  end
end

local function roi_of(given, places)
  if not crops(given) then return nil end
  local rank, count = tensor.rank(given.x), #places
  local ends = table.move(given.roi, count + 1, 2 * count, 1, {})
  return window(spread(given.roi, places, constant(rank, 0.0)),
    spread(ends, places, constant(rank, 1.0)))
end

local function fits(dtype, value)
  if dtype == "u8" then return math.tointeger(value) and value >= 0 and value <= 255 end
  return math.abs(types.round(dtype, value)) < math.huge
end

local function check_value(given, report)
  local dtype = given.x.dtype
  if crops(given) and not fits(dtype, given.extrapolation_value) then
    report("E034", "extrapolation_value", { "extrapolation_value", "x.dtype" }, {
      expected = "a number of " .. dtype,
      reason = "outputs outside the input have this value",
      hint = "extrapolation_value = 0",
    })
  end
end

local function check_antialias(given, report)
  if given.antialias and given.mode == "nearest" then
    report("E062", "antialias", { "antialias", "mode" }, {
      circumstance = "with mode nearest",
      reason = "ONNX defines it for linear and cubic only",
      hint = 'mode = "linear"',
    })
  end
end

local function check_arguments(given, places, report)
  check_versions(given, report)
  check_upsample(given, report)
  check_policy(given, report)
  check_antialias(given, report)
  common.check_moved(given, report)
  check_value(given, report)
  if places then check_roi(given, places, report) end
end

-- The size that a stated y is compared with: not the limits of a policy.
local function check_stated(given, y, places, report)
  local limits = given.keep_aspect_ratio_policy ~= "stretch" and not given.scale_factor
  local size = not limits and given.size
  common.check_stated({
    y = given.y,
    size = size and spread(size, places, tensor.spatial(given.x)) or nil,
  }, y, report)
end

local function problem_of(given, size, factors, roi)
  local old = given.opset < 11
  return {
    x = given.x,
    y = tensor.resized(given.x, size),
    mode = given.mode,
    size = size,
    scale_factor = factors,
    opset = given.opset,
    coordinate_transformation_mode = given.coordinate_transformation_mode,
    nearest_mode = given.mode == "nearest" and given.nearest_mode
      or (old and "simple" or "round_prefer_floor"),
    cubic_coeff_a = given.mode == "cubic" and given.cubic_coeff_a or -0.75,
    exclude_outside = given.exclude_outside,
    extrapolation_value = roi and given.extrapolation_value or 0.0,
    roi = roi,
    keep_aspect_ratio_policy = given.keep_aspect_ratio_policy,
    antialias = given.antialias,
  }
end

-- Whether all numbers are there that the problem is made of; what is missing was reported.
local function is_complete(given, places)
  return places and (given.size or given.scale_factor)
    and (not crops(given) or #(given.roi or {}) == 2 * #places)
end

---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem   what is the operator's own in it
function M.check(given, report)
  local old = given.opset < 11
  given.coordinate_transformation_mode = given.coordinate_transformation_mode
    or (old and "asymmetric" or "half_pixel")
  given.nearest_mode = given.nearest_mode or (old and "simple" or "round_prefer_floor")
  local places = places_of(given, report)
  check_arguments(given, places, report)
  common.check_source(given, report)
  if not is_complete(given, places) then return nil end
  local size, factors = resolve(given, places)
  local key = given.scale_factor and "scale_factor" or "size"
  if not common.check_size(given, size, key, factors, report) then return nil end
  check_stated(given, tensor.resized(given.x, size), places, report)
  return problem_of(given, size, factors, roi_of(given, places))
end

return M
