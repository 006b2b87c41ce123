-- SPDX-License-Identifier: MIT
-- What conv and conv_transpose share in judging their arguments.
--
-- Purpose: groups, epilogues, limits of tensors, a stated y. `report(code, key, shown, fields)`
-- takes each mistake.
-- Invariant: a kernel that states `y` is in canonical form: padding is numbers there, in every
-- profile and of either sign.

local json = require "upweave.util.json"
local list = require "upweave.util.list"
local post = require "upweave.ops.contract.post"
local tensor = require "upweave.ops.tensor"
local tensors = require "upweave.ops.contract.tensors"
local text = require "upweave.util.text"

local M = {}

local EPS <const> = 1e-5

--- Inputs from the first tap to the last, along an axis.
---@param given table
---@param axis integer
---@return integer
function M.reach(given, axis) return given.dilation[axis] * (given.kernel_size[axis] - 1) + 1 end

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

-- The largest number of groups up to the wanted one that can be.
local function groups_near(channels, out_channels, groups)
  local common, best = gcd(channels, out_channels), 1
  for divisor = 1, math.floor(math.sqrt(common)) do
    for _, candidate in ipairs { divisor, common // divisor } do
      local fits = common % candidate == 0 and candidate <= groups
      best = fits and math.max(best, candidate) or best
    end
  end
  return best
end

local function check_groups(given, report)
  local channels, groups = tensor.channels(given.x), given.groups
  if channels % groups == 0 and given.out_channels % groups == 0 then return end
  report("E043", "groups", { "groups", "x.shape", "out_channels" }, {
    x = channels, y = given.out_channels,
    hint = ("groups = %d"):format(groups_near(channels, given.out_channels, groups)),
  })
end

local function check_post(given, report)
  local work, records = given.x.dtype == "f64" and "f64" or "f32", {}
  if #given.post > post.most then
    report("E033", "post", {}, {
      got = #given.post, expected = "at most " .. post.most, hint = false,
      reason = "each epilogue of a kernel is code in its innermost store",
    })
    return nil
  end
  for i, one in ipairs(given.post) do
    local record, code, fields = post.parse_one(one, work)
    if not record then
      report(code, "post", nil, fields)
      return nil
    end
    records[i] = record
  end
  return records
end

local function check_eps(given, records, report)
  if given.eps == nil then return end
  if not list.named(records, "batch_norm") then
    report("E062", "eps", { "eps", "post" }, {
      circumstance = "without batch_norm", reason = "it is added to the variance there",
      hint = "leave out eps",
    })
  elseif given.eps < 0 then
    report("E034", "eps", nil, {
      expected = "at least 0", reason = "it is added to a variance, which has a square root then",
      hint = "eps = 1e-5",
    })
  end
end

--- Judges what does not depend on sizes.
---@param given table
---@param report fun(...)
---@return table[]? epilogues   nil if something is wrong with them
function M.check(given, report)
  check_groups(given, report)
  local records = check_post(given, report)
  if records then check_eps(given, records, report) end
  if given.opset and given.opset < 22 and given.x.dtype == "bf16" then
    report("E061", { "x", "dtype" }, { "x.dtype", "opset" }, {
      opset = given.opset, what = "bf16 here", range = "opset 22", hint = 22,
    })
  end
  return records
end

--- The output of these spatial sizes, if it and the weights can be.
---@param given table
---@param size number[]
---@param key string   what the sizes come from
---@param transposed boolean
---@param report fun(...)
---@return upweave.Tensor?
function M.output(given, size, key, transposed, report)
  local y = tensor.resized(given.x, size)
  y.shape[tensor.planar(y) and 2 or #y.shape] = given.out_channels
  local code, fields = tensor.limit("y", y)
  if code then
    report(code, key, { key, "x.shape", "out_channels" }, fields)
    return nil
  end
  code, fields = tensor.limit("weight", tensors.weight(given, transposed))
  if code then
    report(code, "kernel_size", { "kernel_size", "x.shape", "out_channels" }, fields)
    return nil
  end
  if given.y and not tensor.equal(given.y, y) then
    report("E058", "y", { "y" }, { y = tensor.describe(y) })
  end
  return y
end

--- What both operators' problems have.
---@param given table
---@param y upweave.Tensor
---@param padding integer[]   all begins, then all ends
---@param records table[]     epilogues
---@return table problem
function M.problem(given, y, padding, records)
  local texts = {}
  for i, record in ipairs(records) do texts[i] = post.text(record) end
  return {
    x = given.x, y = y, out_channels = given.out_channels, kernel_size = given.kernel_size,
    stride = given.stride, dilation = given.dilation, padding = padding, groups = given.groups,
    bias = given.bias, post = json.list(texts),
    eps = list.named(records, "batch_norm") and (given.eps or EPS) or nil, opset = given.opset,
  }
end

--- How y turns out, for hints.
---@param y upweave.Tensor
---@return string
function M.becomes(y) return ("    (y becomes %s)"):format(text.shape(y.shape)) end

return M
