-- SPDX-License-Identifier: MIT
-- ONNX's Resize and Upsample as interpolate of profile onnx.
--
-- Purpose: what each version of the two operators has (attributes, inputs), and the fields of a
-- spec that say the same. What the values mean, and which go together, is for ops/ to judge.
-- Invariants: an attribute or input that the version does not have is an error, none is dropped.
-- An axis stays as it is if its scale is exactly 1 and no region of interest is cut out of it; that
-- holds for all coordinate rules (for tf_half_pixel_for_nn as runtimes do it: they pass such axes
-- over), and lets import/axes.lua merge it with its neighbours.

local axes = require "upweave.import.axes"
local graphs = require "upweave.import.graph"
local list = require "upweave.util.list"
local tensors = require "upweave.import.tensor"
local text = require "upweave.util.text"

local M = {}

local MOST_ELEMENTS <const> = 2.0 ^ 40

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

-- A node in hand: what it says, and where its mistakes go.
local Node = {}
Node.__index = Node

function Node:fail(code, key, fields, value)
  self.report(code, ("%s.%s"):format(self.node.op, key), value ~= nil and
    ("%s = %s"):format(key, text.value(value)) or nil, fields)
  return nil
end

function Node:invalid(key, reason, value)
  return self:fail("E071", key, { reason = reason }, value)
end

function Node:unsupported(key, what, reason, hint)
  return self:fail("E110", key, { what = what, reason = reason, hint = hint or false })
end

-- The version ---------------------------------------------------------------------------------

local function version_of(op, opset)
  local found
  for _, version in ipairs(VERSIONS[op]) do
    found = version.since <= opset and version or found
  end
  return found
end

local function check_version(self)
  if self.version.attributes then
    return true
  end
  return self:invalid("opset", ("opset %d does not have the operator"):format(self.graph.opset))
end

local function check_attributes(self)
  local kinds = {}
  for _, row in ipairs(self.version.attributes) do
    kinds[row[1]] = row[2]
  end
  for _, name in ipairs(self.names) do
    local attribute = self.node.attributes[name]
    if not kinds[name] then
      return self:invalid(name, ("%s of opset %d has no such attribute"):format(self.node.op,
        self.version.since))
    elseif attribute.kind ~= kinds[name] then
      return self:invalid(name, ("it must be of type %s, not %s"):format(kinds[name],
        attribute.kind))
    end
  end
  return true
end

local function check_inputs(self)
  local inputs = self.version.inputs
  if #self.node.inputs > #inputs or (self.node.inputs[1] or "") == "" then
    return self:invalid("input", ("it has %d inputs; the operator has %s"):format(
      #self.node.inputs, table.concat(inputs, ", ")))
  elseif #self.node.outputs ~= 1 then
    return self:invalid("output", ("it has %d outputs and must have 1"):format(
      #self.node.outputs))
  end
  return true
end

-- The inputs ------------------------------------------------------------------------------------

-- Every size of X, each a known number.
local function check_sizes(self, name, shape)
  local count = 1.0
  for axis, n in ipairs(shape) do
    if type(n) == "string" then
      local open = n == "?" and "not given" or "`" .. n .. "`"
      return self:unsupported("X", "an input of open shape",
        ("size %d of `%s` is %s"):format(axis - 1, name, open),
        n ~= "?" and ("--dim %s=1"):format(n))
    elseif n < 0 then
      return self:invalid("X", ("size %d of `%s` is %d"):format(axis - 1, name, n))
    end
    count = count * math.max(n, 1)
  end
  if #shape == 0 or count > MOST_ELEMENTS then
    return self:unsupported("X", "an input of shape {" .. text.shape(shape) .. "}",
      "a tensor has at least one axis and at most 2^40 bytes")
  end
  return true
end

-- The shape and dtype of X.
local function read_x(self)
  local name = self.node.inputs[1]
  local value = self.graph.values[name] or {}
  if not value.shape then
    return self:unsupported("X", "an input of unknown shape",
      ("the model does not say the shape of `%s`"):format(name),
      "onnx.shape_inference.infer_shapes(model)")
  elseif not value.dtype then
    return self:unsupported("X", "an input of this data type",
      ("`%s` holds none of f32, f64, f16, bf16 and u8"):format(name))
  end
  self.shape, self.dtype = value.shape, value.dtype
  return check_sizes(self, name, value.shape)
end

-- The name of an input; "" if it is left out or the version does not have it.
local function name_of(self, key)
  for index, name in ipairs(self.version.inputs) do
    if name == key then
      return self.node.inputs[index] or ""
    end
  end
  return ""
end

-- The numbers of an input that must be constant: nil if it is left out or empty, nil and true if
-- something is wrong with it.
local function constant(self, key, dtypes)
  local name = name_of(self, key)
  local tensor, faults = graphs.constant(self.graph, name)
  if name == "" then
    return nil
  elseif faults then
    self.adopt(faults)
  elseif not tensor then
    self:unsupported(key, ("%s that are computed"):format(key),
      ("`%s` is no constant of the model, and shapes must be known"):format(name),
      "onnxsim, or another tool that folds constants")
  elseif not list.contains(dtypes, tensor.dtype) or #tensor.shape ~= 1 then
    self:invalid(key, ("it must be a list of %s; it is %s {%s}"):format(
      table.concat(dtypes, " or "), tensor.dtype, text.shape(tensor.shape)))
  else
    return #tensor.bytes > 0 and tensors.values(tensor) or nil
  end
  return nil, true
end

local function attribute(self, name)
  local found = self.node.attributes[name]
  return found and found.value
end

-- The axes that scales, sizes and roi speak of, counted from 1.
local function read_axes(self)
  local rank, given = #self.shape, attribute(self, "axes")
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
  self.scales, wrong = attribute(self, "scales"), false
  if not self.scales then
    self.scales, wrong = constant(self, "scales", { "f32" })
  end
  if not wrong then
    self.sizes, wrong = constant(self, "sizes", { "i64" })
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
  if attribute(self, "coordinate_transformation_mode") ~= "tf_crop_and_resize" then
    return true
  end
  local wrong
  self.roi, wrong = constant(self, "roi", { "f32", "f64", "f16" })
  if not self.roi then
    return not wrong and self:invalid("roi", "tf_crop_and_resize needs it")
  end
  return check_length(self, "roi", self.roi, 2 * #self.axes)
end

-- The result ------------------------------------------------------------------------------------

-- The scale that keep_aspect_ratio_policy gives to all axes, or nil.
local function common_scale(self)
  local policy = attribute(self, "keep_aspect_ratio_policy") or "stretch"
  if policy == "stretch" or not self.sizes then
    return nil
  end
  local choose = policy == "not_larger" and math.min or math.max
  local scale
  for index, axis in ipairs(self.axes) do
    local ratio = self.sizes[index] / self.shape[axis]
    scale = scale and choose(scale, ratio) or ratio
  end
  return scale
end

-- Whether the index-th of the resized axes stays as it is.
local function stays(self, index, common)
  local axis, count = self.axes[index], #self.axes
  local same = common == 1
  if not common then
    same = self.scales and self.scales[index] == 1
      or self.sizes and self.sizes[index] == self.shape[axis]
  end
  return same and not (self.roi and (self.roi[index] ~= 0 or self.roi[index + count] ~= 1))
end

local function view_of(self)
  local changed, common, index_of = {}, common_scale(self), {}
  for index, axis in ipairs(self.axes) do
    changed[axis], index_of[axis] = not stays(self, index, common), index
  end
  local view, needed = axes.view(self.shape, changed)
  if not view then
    return self:unsupported("X", "a resize of such axes",
      ("at most %d axes are resized or lie between those; X is %s, these are %d"):format(axes.most,
        text.shape(self.shape), needed))
  end
  return view, index_of
end

-- For each spatial axis its number of `values`, or what stands for an axis that stays.
local function pick(values, view, index_of, kept)
  local picked = {}
  for index, axis in ipairs(view.spatial) do
    picked[index] = axis == 0 and kept(index) or values[index_of[axis]]
  end
  return picked
end

local function sizes_and_regions(self, fields, view, index_of)
  local first = view.layout:find("C", 1, true) == 2 and 2 or 1 -- sizes before the spatial ones
  if self.scales then
    fields.scale_factor = pick(self.scales, view, index_of, function() return 1.0 end)
  else
    fields.size = pick(self.sizes, view, index_of, function(i) return view.shape[first + i] end)
  end
  if self.roi then
    local count = #self.axes
    local ends = table.move(self.roi, count + 1, 2 * count, 1, {})
    fields.roi = pick(self.roi, view, index_of, function() return 0.0 end)
    ends = pick(ends, view, index_of, function() return 1.0 end)
    table.move(ends, 1, #ends, #fields.roi + 1, fields.roi)
  end
end

local function fields_of(self)
  local view, index_of = view_of(self)
  if not view then
    return nil
  end
  local fields = { op = "interpolate", profile = "onnx", opset = self.version.since,
    x = { shape = view.shape, layout = view.layout, dtype = self.dtype } }
  for _, name in ipairs(self.names) do
    if not list.contains(SHAPING, name) then
      fields[name] = attribute(self, name)
    end
  end
  for _, name in ipairs(FLAGS) do
    if fields[name] then
      fields[name] = fields[name] ~= 0
    end
  end
  sizes_and_regions(self, fields, view, index_of)
  return fields, view
end

--- The fields of the kernel that a node is.
---@param graph upweave.OnnxGraph
---@param node upweave.OnnxNode
---@param names string[] of its attributes, in order
---@param report fun(code: string, place: string, shown: string?, fields: table)
---@param adopt fun(faults: upweave.Diagnostic[])
---@return table? fields
---@return upweave.AxesView? view
function M.fields(graph, node, names, report, adopt)
  local self = setmetatable({ graph = graph, node = node, names = names, report = report,
    adopt = adopt, version = version_of(node.op, graph.opset) }, Node)
  local sound = check_version(self) and check_attributes(self) and check_inputs(self)
    and read_x(self) and read_axes(self) and read_scales(self) and read_roi(self)
  if sound then
    return fields_of(self)
  end
end

return M
