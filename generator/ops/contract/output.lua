-- SPDX-License-Identifier: MIT
-- The output of conv_transpose: padding, output_padding and output_size, by the rules of each
-- framework.
--
-- Invariants: padding is all begins, then all ends; with it and output_padding an axis has
-- (input - 1) * stride + reach - begin - end + output_padding outputs.

local common = require "upweave.ops.contract.common"
local padding = require "upweave.ops.contract.padding"
local tensor = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {}

local function constant(rank, value)
  local values = {}
  for i = 1, rank do values[i] = value end
  return values
end

--- Sizes of y.
---@param given table
---@param pads integer[]
---@param extra integer[]   output_padding
---@return integer[]
function M.sizes(given, pads, extra)
  local size = tensor.spatial(given.x)
  for i, input in ipairs(size) do
    size[i] = (input - 1) * given.stride[i] + common.reach(given, i) - pads[i] - pads[i + #size]
      + extra[i]
  end
  return size
end

local function is_zero(values)
  for _, value in ipairs(values) do
    if value ~= 0 then return false end
  end
  return true
end

-- Of ONNX and TFLite only canonical padding may be negative.
local function check_sign(given, report)
  for _, pad in ipairs(given.y and {} or given.padding) do
    if pad < 0 then
      report("E034", "padding", { "padding", "pads" }, {
        expected = "whole numbers of at least 0", reason = "it cuts outputs off", hint = false,
      })
      return false
    end
  end
  return true
end

-- The largest output_padding that is smaller than stride or dilation.
local function most(given, axis) return math.max(given.stride[axis], given.dilation[axis]) - 1 end

local function check_output_padding(given, pads, report)
  local possible, wrong = {}, false
  for i, extra in ipairs(given.output_padding) do
    possible[i] = math.min(extra, most(given, i))
    wrong = wrong or possible[i] < extra
  end
  if not wrong then return true end
  local size, fits = M.sizes(given, pads, possible), true
  for _, n in ipairs(size) do fits = fits and n > 0 end
  local y = tensor.resized(given.x, size)
  y.shape[tensor.planar(y) and 2 or #y.shape] = given.out_channels
  local same = true
  for _, n in ipairs(possible) do same = same and n == possible[1] end
  report("E041", "output_padding", { "output_padding", "stride", "dilation" }, {
    hint = ("output_padding = %s"):format(text.value(same and possible[1] or possible))
      .. (fits and common.becomes(y) or ""),
  })
  return false
end

-- output_size takes the place of output_padding, so that one of them is to be left out.
local function check_alone(given, report)
  if not given.output_size or is_zero(given.output_padding) then return true end
  report("E062", "output_padding", { "output_padding", "output_size" }, {
    circumstance = "beside output_size", reason = "the output size determines it",
    hint = "leave out output_padding",
  })
  return false
end

local function clamped(values, least, largest)
  local list = {}
  for i, value in ipairs(values) do list[i] = math.max(least[i], math.min(value, largest[i])) end
  return list
end

-- What PyTorch and PaddlePaddle add at the end for an output size.
local function extra_of(given, pads, report)
  if not given.output_size then return given.output_padding end
  local least = M.sizes(given, pads, constant(tensor.rank(given.x), 0))
  local extra, largest = {}, {}
  for i, n in ipairs(least) do largest[i] = n + given.stride[i] - 1 end
  for i, n in ipairs(given.output_size) do
    extra[i] = n - least[i]
    if n < least[i] or n > largest[i] then
      report("E042", "output_size", { "output_size", "stride", "x.shape" }, {
        least = text.shape(least), most = text.shape(largest),
        hint = least[i] > 0 and "output_size = " .. text.value(clamped(given.output_size, least,
          largest)),
      })
      return nil
    end
  end
  return extra
end

local function of_torch(given, report)
  if given.profile == "paddle" and given.padding == "same" then
    padding.undilate(given)
    given.padding = padding.halves(padding.lacking(tensor.spatial(given.x), given), false)
  elseif given.padding == "valid" then
    given.padding = padding.none(tensor.rank(given.x))
  end
  local pads = given.padding
  if not check_alone(given, report) or not check_output_padding(given, pads, report) then
    return nil
  end
  local extra = extra_of(given, pads, report)
  if extra then return pads, extra end
end

-- ONNX: the padding that an output size leaves. Where nothing was asked for and y is larger than
-- all that the inputs reach, its reference adds outputs at the end only.
local function pads_for(given, size)
  local totals = M.sizes(given, padding.none(#size), given.output_padding)
  local automatic = given.auto_pad:find("^SAME") ~= nil
  for i, n in ipairs(size) do totals[i] = totals[i] - n end
  local larger_begin = given.auto_pad ~= "SAME_UPPER"
  if given.opset < 11 then larger_begin = not larger_begin end
  local pads = padding.halves(totals, larger_begin)
  for i, total in ipairs(totals) do
    if total < 0 and not automatic then pads[i], pads[i + #size] = 0, total end
  end
  return pads
end

local function size_of_onnx(given)
  if given.output_size or not given.auto_pad:find("^SAME") then return given.output_size end
  local size = tensor.spatial(given.x)
  for i, input in ipairs(size) do size[i] = input * given.stride[i] end
  return size
end

local function check_onnx(given, report)
  if not check_sign(given, report) or padding.contradicts(given, report) then return false end
  if given.output_size and not is_zero(given.padding) then
    report("E062", "padding", { "padding", "pads", "output_size", "output_shape" }, {
      circumstance = "beside output_size", reason = "the output size determines it",
      hint = "leave out padding",
    })
    return false
  end
  return check_output_padding(given, given.padding, report)
end

local function of_onnx(given, report)
  if not check_onnx(given, report) then return nil end
  local size = size_of_onnx(given)
  return size and pads_for(given, size) or given.padding, given.output_padding
end

-- What TFLite's operator does not have may stand there with its default only, as in canonical form.
local ABSENT <const> = {
  { key = "dilation", default = 1 }, { key = "output_padding", default = 0 },
  { key = "groups", default = 1 },
}

local function check_absent(given, report)
  for _, row in ipairs(ABSENT) do
    local value, other = given[row.key], false
    for _, n in ipairs(type(value) == "table" and value or { value }) do
      other = other or n ~= row.default
    end
    if other then
      report("E060", row.key, { row.key, "profile" }, {
        profile = "tflite", profiles = "torch, onnx, paddle",
        hint = ('leave out %s, or profile = "torch"'):format(row.key),
      })
      return false
    end
  end
  return true
end

-- TFLite: the padding of the conv from y to x at the begin, and what is left at the end.
local function of_tflite(given, report)
  if not padding.is_allowed(given, report) or not check_absent(given, report) then return nil end
  if type(given.padding) == "table" then return given.padding, given.output_padding end
  local size = given.output_size
  if not size then
    report("E030", "output_size", {}, {
      reason = "TFLite's TransposeConv is told the shape of y",
      hint = "output_size = " .. text.value(M.sizes(given, padding.none(tensor.rank(given.x)),
        given.output_padding)),
    })
    return nil
  end
  local pads = padding.none(#size)
  if given.padding == "same" then
    pads = padding.halves(padding.lacking(size, given), false)
  end
  local reached = M.sizes(given, pads, given.output_padding)
  for i, n in ipairs(size) do pads[i + #size] = pads[i + #size] + reached[i] - n end
  return pads, given.output_padding
end

local RULES <const> = {
  torch = of_torch, paddle = of_torch, onnx = of_onnx, tflite = of_tflite,
}

--- Padding and output_padding; nil if something was reported.
---@param given table
---@param report fun(...)
---@return integer[]? padding
---@return integer[]? output_padding
function M.of(given, report) return RULES[given.profile](given, report) end

return M
