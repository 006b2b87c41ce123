-- SPDX-License-Identifier: MIT
-- ONNX's Conv and ConvTranspose as conv and conv_transpose of profile onnx.
--
-- Purpose: what each version of the two operators has, and the fields of a spec that say the same,
-- under ONNX's names. What the values mean, and which go together, is for ops/ to judge.
-- Invariant: what the shapes of W and B say agrees with the attributes, or the node is refused.

local tensors = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {}

local COMMON <const> = { { "auto_pad", "string" }, { "dilations", "ints" }, { "group", "int" },
  { "kernel_shape", "ints" }, { "pads", "ints" }, { "strides", "ints" } }
local SPREAD <const> = table.move(COMMON, 1, #COMMON, 3, { { "output_padding", "ints" },
  { "output_shape", "ints" } })
local INPUTS <const> = { "X", "W", "B" }

local function versions(attributes)
  local list = {}
  for index, since in ipairs { 1, 11, 22 } do
    list[index] = { since = since, attributes = attributes, inputs = INPUTS }
  end
  return list
end

local VERSIONS <const> = { Conv = versions(COMMON), ConvTranspose = versions(SPREAD) }

M.operators = { "Conv", "ConvTranspose" }

local function read_x(self)
  self.shape, self.dtype = self:tensor("X")
  local rank = #(self.shape or {})
  self.layout = tensors.layout_names(rank - 2)[1]
  return self.layout or self.shape and self:unsupported("X", "a convolution of such axes",
    ("X is %s; there are one to three axes behind batch and channels"):format(
      text.shape(self.shape)))
end

-- The weights: their shape says the channels of the output and the kernel's size.
local function read_w(self)
  local shape, dtype = self:tensor("W")
  if not shape then
    return nil
  elseif #shape ~= #self.shape or dtype ~= self.dtype then
    return self:invalid("W", ("it is %s {%s}; X is %s {%s}"):format(dtype, text.shape(shape),
      self.dtype, text.shape(self.shape)))
  end
  local group, channels = self:attribute("group") or 1, self.shape[2]
  local spreads = self.node.op == "ConvTranspose"
  self.out_channels = spreads and shape[2] * math.max(group, 1) or shape[1]
  if channels ~= (spreads and shape[1] or shape[2] * group) then
    return self:invalid("W", ("{%s} does not fit %d channels in %d groups"):format(
      text.shape(shape), channels, group))
  end
  self.kernel = table.move(shape, 3, #shape, 1, {})
  local said = self:attribute("kernel_shape")
  if said and text.shape(said) ~= text.shape(self.kernel) then
    return self:invalid("kernel_shape", ("W is {%s}"):format(text.shape(shape)), said)
  end
  return true
end

local function read_b(self)
  if not self:input("B") then return true end
  local shape, dtype = self:tensor("B")
  if shape and (#shape ~= 1 or shape[1] ~= self.out_channels or dtype ~= self.dtype) then
    return self:invalid("B", ("it is %s {%s} and must be %s {%d}"):format(dtype,
      text.shape(shape), self.dtype, self.out_channels))
  end
  return shape
end

local function fields_of(self)
  local fields = { op = self.node.op == "Conv" and "conv" or "conv_transpose", profile = "onnx",
    opset = self.version.since, out_channels = self.out_channels, kernel_shape = self.kernel,
    x = { shape = self.shape, layout = self.layout, dtype = self.dtype } }
  for _, name in ipairs(self.names) do fields[name] = self:attribute(name) end
  if not self:input("B") then fields.bias = false end
  return fields, nil, { x = self:input("X"), weight = self:input("W"), bias = self:input("B") }
end

--- The fields of the kernel that a node is.
---@param self upweave.NodeReader
---@return table? fields
---@return nil view   the axes are those of the node
---@return table<string, string>? tensors
function M.fields(self)
  local sound = self:check(VERSIONS[self.node.op]) and read_x(self) and read_w(self)
    and read_b(self)
  if sound then return fields_of(self) end
end

return M
