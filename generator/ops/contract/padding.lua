-- SPDX-License-Identifier: MIT
-- Padding: from words to numbers, by the rules of each framework.
--
-- Invariant: the result is all begins, then all ends.

local common = require "upweave.ops.contract.common"
local tensor = require "upweave.ops.tensor"

local M = {}

--- Begins and ends from the total of each axis; of an odd total the end gets the larger half, or
--- the begin.
---@param totals integer[]
---@param larger_begin boolean
---@return integer[]
function M.halves(totals, larger_begin)
  local pads, rank = {}, #totals
  for i, total in ipairs(totals) do
    local small = total // 2
    pads[i] = larger_begin and total - small or small
    pads[i + rank] = total - pads[i]
  end
  return pads
end

---@param rank integer
---@return integer[]
function M.none(rank)
  local pads = {}
  for i = 1, 2 * rank do pads[i] = 0 end
  return pads
end

--- What a conv from `input` lacks for ceil(input / stride) outputs, along each axis.
---@param input integer[]
---@param given table
---@return integer[]
function M.lacking(input, given)
  local totals = {}
  for i, n in ipairs(input) do
    local stride = given.stride[i]
    local outputs = (n + stride - 1) // stride
    totals[i] = math.max(0, (outputs - 1) * stride + common.reach(given, i) - n)
  end
  return totals
end

--- PaddlePaddle's "SAME" also means that there is no dilation.
---@param given table
function M.undilate(given)
  given.dilation = {}
  for i = 1, tensor.rank(given.x) do given.dilation[i] = 1 end
end

-- PyTorch's "same" is for stride 1 and looks at the kernel alone.
local function same_of_torch(given, report)
  local totals = {}
  for i, stride in ipairs(given.stride) do
    totals[i] = common.reach(given, i) - 1
    if stride ~= 1 then
      report("E047", "padding", { "padding", "stride" }, {
        hint = ("padding = %d"):format(totals[i] // 2),
      })
      return nil
    end
  end
  return M.halves(totals, false)
end

local SAME <const> = {
  torch = same_of_torch,
  tflite = function(given) return M.halves(M.lacking(tensor.spatial(given.x), given), false) end,
  paddle = function(given)
    M.undilate(given)
    return M.halves(M.lacking(tensor.spatial(given.x), given), false)
  end,
}

--- Whether ONNX's auto_pad stands beside padding that says otherwise.
---@param given table
---@param report fun(...)
---@return boolean
function M.contradicts(given, report)
  if not given.auto_pad or given.auto_pad == "NOTSET" then return false end
  for _, pad in ipairs(given.padding) do
    if pad ~= 0 then
      report("E062", "auto_pad", { "auto_pad", "padding", "pads" }, {
        circumstance = "beside padding", reason = "each says how x is padded",
        hint = 'leave out padding, or auto_pad = "NOTSET"',
      })
      return true
    end
  end
  return false
end

local function of_onnx(given, report)
  if M.contradicts(given, report) then return nil end
  if given.auto_pad == "NOTSET" or given.auto_pad == "VALID" then return given.padding end
  local totals = M.lacking(tensor.spatial(given.x), given)
  return M.halves(totals, given.auto_pad == "SAME_LOWER")
end

--- Numbers where TFLite has words: in canonical form only.
---@param given table
---@param report fun(...)
---@return boolean
function M.is_allowed(given, report)
  if given.profile ~= "tflite" or given.y or type(given.padding) == "string" then return true end
  report("E031", "padding", nil, {
    expected = '"SAME" or "VALID"', got = "in numbers", hint = 'padding = "SAME"',
  })
  return false
end

--- The padding of a conv; nil if that was reported.
---@param given table
---@param report fun(...)
---@return integer[]?
function M.of_conv(given, report)
  if given.profile == "onnx" then return of_onnx(given, report) end
  if not M.is_allowed(given, report) then return nil end
  if given.padding == "same" then return SAME[given.profile](given, report) end
  return given.padding == "valid" and M.none(tensor.rank(given.x)) or given.padding
end

return M
