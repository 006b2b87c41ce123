-- SPDX-License-Identifier: MIT
-- ONNX's Resize and Upsample as interpolate of profile onnx.
--
-- Purpose: what each version of the two operators has (attributes, inputs), and the fields of a
-- spec that say the same. What the values mean, and which go together, is for ops/ to judge.
-- Invariants: no attribute or input that counts is dropped. An axis stays as it is if its
-- scale is exactly 1 and no region of interest is cut out of it; that holds for all coordinate
-- rules (for tf_half_pixel_for_nn as runtimes do it: they pass such axes over), and lets
-- import/axes.lua merge it with its neighbours.

local axes = require "upweave.import.axes"
local list = require "upweave.util.list"
local text = require "upweave.util.text"

local M = {}

local MODE <const> = { "mode", "string" }
local RULES <const> = { MODE, { "coordinate_transformation_mode", "string" },
  { "nearest_mode", "string" }, { "cubic_coeff_a", "float" }, { "exclude_outside", "int" },
  { "extrapolation_value", "float" } }
local ALL <const> = table.move(RULES, 1, #RULES, 4, { { "antialias", "int" }, { "axes", "ints" },
  { "keep_aspect_ratio_policy", "string" } })
local INPUTS <const> = { "X", "roi", "scales", "sizes" }

-- The versions, oldest first: attributes and inputs.
local VERSIONS <const> = {
  Upsample = {
    { since = 7, attributes = { MODE, { "scales", "floats" } }, inputs = { "X" } },
    { since = 9, attributes = { MODE }, inputs = { "X", "scales" } },
    { since = 10 },
  },
  Resize = {
    { since = 7 },
    { since = 10, attributes = { MODE }, inputs = { "X", "scales" } },
    { since = 11, attributes = RULES, inputs = INPUTS },
    { since = 13, attributes = RULES, inputs = INPUTS },
    { since = 18, attributes = ALL, inputs = INPUTS },
    { since = 19, attributes = ALL, inputs = INPUTS },
  },
}

M.operators = { "Resize", "Upsample" }

local FLAGS <const> = { "antialias", "exclude_outside" }
-- What becomes a list of one number for each axis, or decides it.
local SHAPING <const> = { "axes", "scales" }

local function read_x(self)
  self.shape, self.dtype = self:tensor("X")
  return self.shape
end

-- The axes that scales, sizes and roi speak of, counted from 1.
local function read_axes(self)
  local rank, given = #self.shape, self:attribute("axes")
  self.axes = {}
  if not given then
    for axis = 1, rank do
      self.axes[axis] = axis
    end
    return true
  end
  for index, axis in ipairs(given) do
    local at = axis < 0 and axis + rank + 1 or axis + 1
    if at < 1 or at > rank or list.contains(self.axes, at) then
      return self:invalid("axes", ("X has %d axes; each may stand there once"):format(rank), given)
    end
    self.axes[index] = at
  end
  return true
end

local function check_length(self, key, values, wanted)
  if values and #values ~= wanted then
    return self:invalid(key, ("%d axes are resized, so %d numbers are needed"):format(#self.axes,
      wanted), values)
  end
  return true
end

-- Either scales or sizes.
local function read_scales(self)
  local wrong
  self.scales, wrong = self:attribute("scales"), false
  if not self.scales then
    self.scales, wrong = self:constant("scales", { "f32" })
  end
  if not wrong then
    self.sizes, wrong = self:constant("sizes", { "i64" })
  end
  if wrong then
    return nil
  elseif not self.scales == not self.sizes then
    return self:invalid("scales", self.scales and "only one of scales and sizes may be given"
      or "neither scales nor sizes are given")
  end
  return check_length(self, "scales", self.scales, #self.axes)
    and check_length(self, "sizes", self.sizes, #self.axes)
end

-- The region that is cut out: starts of all axes, then ends. Other rules pay no heed to it.
local function read_roi(self)
  if self:attribute("coordinate_transformation_mode") ~= "tf_crop_and_resize" then
    return true
  end
  local wrong
  self.roi, wrong = self:constant("roi", { "f32", "f64", "f16" })
  if not self.roi then
    return not wrong and self:invalid("roi", "tf_crop_and_resize needs it")
  end
  return check_length(self, "roi", self.roi, 2 * #self.axes)
end

-- The result ------------------------------------------------------------------------------------

local CHOICES <const> = { not_larger = math.min, not_smaller = math.max }

-- Finds the one scale that keep_aspect_ratio_policy gives to all axes, also to those that no kernel
-- sees. If it is 1, the sizes are those of X, and there is no ratio left to keep; nor is there with
-- scales, of which the policy does not speak.
local function settle_ratio(self)
  local choose = CHOICES[self:attribute("keep_aspect_ratio_policy")]
  if not choose or not self.sizes then
    self.settled = choose ~= nil
    return
  end
  local scale, same = nil, {}
  for index, axis in ipairs(self.axes) do
    local ratio = self.sizes[index] / self.shape[axis]
    scale, same[index] = scale and choose(scale, ratio) or ratio, self.shape[axis]
  end
  self.common = scale
  if scale == 1 then
    self.sizes, self.common, self.settled = same, nil, true
  end
end

-- Whether the index-th of the resized axes stays as it is.
local function stays(self, index)
  local axis, count = self.axes[index], #self.axes
  local same = self.scales and self.scales[index] == 1
    or self.sizes and self.sizes[index] == self.shape[axis] and not self.common
  return same and not (self.roi and (self.roi[index] ~= 0 or self.roi[index + count] ~= 1))
end

local function view_of(self)
  local changed, index_of = {}, {}
  for index, axis in ipairs(self.axes) do
    changed[axis], index_of[axis] = not stays(self, index), index
  end
  local view, needed = axes.view(self.shape, changed)
  if not view then
    return self:unsupported("X", "a resize of such axes",
      ("at most %d axes are resized or lie between those; X is %s, these are %d"):format(axes.most,
        text.shape(self.shape), needed))
  end
  return view, index_of
end

-- The axes of x, counted from 0, that the kernel's numbers speak of. A policy that gives all of
-- them one scale must not see those that stay.
local function spoken_of(view, common)
  local spoken, first = {}, view.layout:find("C", 1, true) == 2 and 2 or 1
  for index, axis in ipairs(view.spatial) do
    if axis ~= 0 or not common then
      spoken[#spoken + 1] = { axis = axis, at = first + index - 1 }
    end
  end
  return spoken
end

-- For each axis of the kernel its number of `values`, or what stands for an axis that stays.
local function pick(values, spoken, index_of, kept)
  local picked = {}
  for index, one in ipairs(spoken) do
    picked[index] = one.axis == 0 and kept(one) or values[index_of[one.axis]]
  end
  return picked
end

local function add_numbers(self, fields, view, index_of)
  local spoken = spoken_of(view, self.common)
  local function of(values, kept)
    return pick(values, spoken, index_of, kept)
  end
  if #spoken < #view.spatial then
    fields.axes = list.column(spoken, "at")
  end
  if self.scales then
    fields.scale_factor = of(self.scales, function() return 1.0 end)
  else
    fields.size = of(self.sizes, function(one) return view.shape[one.at + 1] end)
  end
  if self.roi then
    local count = #self.axes
    local ends = of(table.move(self.roi, count + 1, 2 * count, 1, {}), function() return 1.0 end)
    fields.roi = of(self.roi, function() return 0.0 end)
    table.move(ends, 1, #ends, #fields.roi + 1, fields.roi)
  end
end

local function fields_of(self)
  settle_ratio(self)
  local view, index_of = view_of(self)
  if not view then
    return nil
  end
  local fields = { op = "interpolate", profile = "onnx", opset = self.version.since,
    x = { shape = view.shape, layout = view.layout, dtype = self.dtype } }
  for _, name in ipairs(self.names) do
    local dropped = list.contains(SHAPING, name)
      or self.settled and name == "keep_aspect_ratio_policy"
    fields[name] = not dropped and self:attribute(name) or nil
  end
  for _, name in ipairs(FLAGS) do
    if fields[name] then
      fields[name] = fields[name] ~= 0
    end
  end
  add_numbers(self, fields, view, index_of)
  return fields, view, { x = self:input("X") }
end

--- The fields of the kernel that a node is.
---@param self upweave.NodeReader
---@return table? fields
---@return upweave.AxesView? view
---@return table<string, string>? tensors
function M.fields(self)
  local sound = self:check(VERSIONS[self.node.op]) and read_x(self) and read_axes(self)
    and read_scales(self) and read_roi(self)
  if sound then
    return fields_of(self)
  end
end

return M
