-- SPDX-License-Identifier: MIT
-- Attributes of conv and conv_transpose.
--
-- Purpose: what a spec may say, with the frameworks' names, defaults and rules. An attribute with
-- `same_as` is another one by the name that its framework has for it.
-- Invariants: order is that of the documentation; within one profile a name is unique; what
-- `same_as` names stands before.

local json = require "upweave.util.json"
local post = require "upweave.ops.contract.post"

local M = {}

local ALL <const> = { "torch", "onnx", "tflite", "paddle" }
local ONNX <const> = { "onnx" }
local MOST <const> = 2147483647 -- positions and sums of products of two such numbers fit 64 bits
local PER_AXIS <const> = "one for each spatial axis; a single number stands for all of them"

local function per_axis(name, profiles, least, default, doc)
  return {
    name = name, profiles = profiles, kind = "int_list", min = least, max = MOST,
    default = default, reason = PER_AXIS, doc = doc,
  }
end

local function by_name_of_onnx(name, same_as, least)
  local attribute = per_axis(name, ONNX, least, nil, ("ONNX's name of %s"):format(same_as))
  attribute.same_as = same_as
  return attribute
end

local function padding(profiles, least, words, doc)
  return {
    name = "padding", profiles = profiles, kind = "padding", min = least, max = MOST,
    words = words, words_only = profiles[1] == "tflite", doc = doc,
    default = profiles[1] == "tflite" and "VALID" or 0,
  }
end

local function required(attribute, reason, hint)
  attribute.required, attribute.hint = reason, hint
  return attribute
end

local function channels()
  return required({
    name = "out_channels", profiles = ALL, kind = "int", min = 1, max = MOST,
    doc = "channels of y; a multiple of groups",
  }, "nothing else determines the channels of y", "out_channels = 64")
end

local function kernel_size()
  return required(per_axis("kernel_size", ALL, 1, nil, "the kernel's size"),
    "nothing else determines the size of the weights", "kernel_size = 3")
end

local function onnx_names()
  return {
    by_name_of_onnx("kernel_shape", "kernel_size", 1),
    by_name_of_onnx("strides", "stride", 1),
    by_name_of_onnx("dilations", "dilation", 1),
    {
      name = "pads", profiles = ONNX, kind = "padding", min = 0, max = MOST, same_as = "padding",
      doc = "ONNX's name of padding",
    },
    {
      name = "group", profiles = ONNX, kind = "int", min = 1, max = MOST, same_as = "groups",
      doc = "ONNX's name of groups",
    },
    {
      name = "auto_pad", profiles = ONNX, kind = "enum",
      values = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID" }, default = "NOTSET",
      doc = "SAME: as many outputs as ceil(input / stride), or input * stride of conv_transpose;"
        .. " of an odd padding UPPER puts the larger half at the end, LOWER at the begin",
    },
    {
      name = "opset", profiles = ONNX, kind = "int", min = 1, max = 22, default = 22,
      doc = "the version of the operator; bf16 from 22 on; before 11 conv_transpose has the halves"
        .. " of an odd total of output_shape and auto_pad the other way round",
    },
  }
end

local function epilogues()
  return {
    {
      name = "post", profiles = ALL, kind = "texts", default = json.list {},
      doc = "what is done to y before it is stored, in this order: " .. post.documentation
        .. "; at most " .. post.most,
    },
    {
      name = "eps", profiles = ALL, kind = "number",
      doc = "added to the variance of batch_norm in post, by default 1e-5; at least 0",
    },
  }
end

local function joined(...)
  local all = {}
  for _, part in ipairs { ... } do table.move(part, 1, #part, #all + 1, all) end
  return all
end

local SIDES <const> = "zeros on both sides of x; one number, one for each axis, or one for each"
  .. " side: all begins, then all ends"

--- Attributes of conv.
M.conv = joined({
  channels(), kernel_size(),
  per_axis("stride", ALL, 1, 1, "inputs from one output to the next"),
  padding({ "torch" }, 0, { "same", "valid" }, SIDES .. '; "same" gives y the size of x, stride 1'
    .. ' only, the larger half at the end; "valid" is 0'),
  padding({ "paddle" }, 0, { "SAME", "VALID", "same", "valid" }, SIDES .. '; "SAME" gives'
    .. ' ceil(input / stride) outputs and dilation 1; "VALID" is 0'),
  padding({ "onnx" }, 0, nil, SIDES),
  padding({ "tflite" }, 0, { "SAME", "VALID" }, '"SAME" gives ceil(input / stride) outputs, of an'
    .. ' odd padding the larger half at the end; "VALID" is 0'),
  per_axis("dilation", ALL, 1, 1, "inputs from one tap to the next"),
  { name = "groups", profiles = ALL, kind = "int", min = 1, max = MOST, default = 1,
    doc = "parts of the channels that do not mix; divides those of x and of y" },
  { name = "bias", profiles = ALL, kind = "bool", default = true, doc = "whether bias is added" },
}, onnx_names(), epilogues())

local CUT <const> = "outputs cut off on both sides; one number, one for each axis, or one for each"
  .. " side: all begins, then all ends"

--- Attributes of conv_transpose.
M.conv_transpose = joined({
  channels(), kernel_size(),
  per_axis("stride", ALL, 1, 1, "outputs from one input to the next"),
  padding({ "torch" }, 0, nil, CUT),
  padding({ "paddle" }, 0, { "SAME", "VALID", "same", "valid" }, CUT .. '; "SAME" is that of a conv'
    .. ' on x, with dilation 1; "VALID" is 0'),
  padding({ "onnx" }, -MOST, nil, CUT),
  padding({ "tflite" }, -MOST, { "SAME", "VALID" }, '"SAME" and "VALID" are those of a conv from y'
    .. " to x"),
  per_axis("output_padding", ALL, 0, 0,
    "outputs added at the end; smaller than stride or dilation; not in tflite"),
  {
    name = "output_size", profiles = ALL, kind = "sizes", min = 1, max = MOST, reason = PER_AXIS,
    doc = "spatial sizes of y instead of output_padding, which they determine (torch also takes"
      .. " batch and channels before them, and does not look at these); onnx: padding, too;"
      .. " tflite needs it",
  },
  {
    name = "output_shape", profiles = ONNX, kind = "sizes", min = 1, max = MOST, reason = PER_AXIS,
    same_as = "output_size", doc = "ONNX's name of output_size",
  },
  per_axis("dilation", ALL, 1, 1, "outputs from one tap to the next; not in tflite"),
  { name = "groups", profiles = ALL, kind = "int", min = 1, max = MOST, default = 1,
    doc = "parts of the channels that do not mix; divides those of x and of y; not in tflite" },
  { name = "bias", profiles = ALL, kind = "bool", default = true, doc = "whether bias is added" },
}, onnx_names(), epilogues())

return M
