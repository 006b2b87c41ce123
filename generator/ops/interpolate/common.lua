-- SPDX-License-Identifier: MIT
-- What the profiles of interpolate share in judging their arguments.
--
-- Purpose: ranks, element types, the output size and its limits, a stated y. `report(code, key,
-- shown keys, fields)` takes each mistake.
-- Invariant: a kernel that states `y` is in canonical form: every default is explicit there, so the
-- rules on which arguments may stand side by side give way to the check that y is what comes out.

local json = require "upweave.util.json"
local list = require "upweave.util.list"
local tensor = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {}

local function becomes(x, size)
  return ("    (y becomes %s)"):format(text.shape(tensor.resized(x, size).shape))
end

---A mode for this rank that is accepted, as a hint.
---@param modes table[]
---@param rank integer
---@param accepts fun(mode: table): boolean
---@return string|false
function M.mode_for(modes, rank, accepts)
  for _, mode in ipairs(modes) do
    if list.contains(mode.ranks, rank) and accepts(mode) then
      return ('mode = "%s"'):format(mode.name)
    end
  end
  return false
end

---@param given table
---@param modes table[]
---@param mode table
---@param alike fun(mode: table): boolean   whether another mode is like it
---@param report fun(...)
function M.check_rank(given, modes, mode, alike, report)
  local rank = tensor.rank(given.x)
  if list.contains(mode.ranks, rank) then return end
  report("E055", "mode", { "mode", "x.shape" }, {
    mode = mode.name,
    ranks = table.concat(mode.ranks, ", "),
    shape = text.shape(given.x.shape),
    got = rank,
    hint = M.mode_for(modes, rank, alike),
  })
end

---8-bit tensors of frameworks whose arithmetic on them is not built: they can be moved.
---@param given table
---@param report fun(...)
function M.check_moved(given, report)
  if given.x.dtype == "u8" and given.mode ~= "nearest" then
    report("E100", { "x", "dtype" }, { "x.dtype", "mode", "profile" }, {
      what = ("mode %s on u8 in profile %s"):format(given.mode, given.profile),
      supported = "f32, f64, f16 and bf16, and u8 with mode nearest,",
    })
  end
end

---Which of size and scale_factor holds.
---@param given table
---@param report fun(...)
function M.check_source(given, report)
  if given.size and given.scale_factor and not given.y then
    report("E050", "size", { "size", "scale_factor" }, {
      hint = "leave out scale_factor" .. becomes(given.x, given.size),
    })
  elseif not given.size and not given.scale_factor then
    report("E051", "size", {}, {})
  end
end

---trunc(I * s) of the double product; a number beyond integers stays a number for the limits.
---@param input integer
---@param factor number
---@return number
function M.scaled(input, factor)
  local product = input * factor
  return math.tointeger(product - math.fmod(product, 1)) or product
end

---The sizes that a rule gives for scale factors.
---@param x upweave.Tensor
---@param factors number[]
---@param rule fun(input: integer, factor: number): number
---@return number[]
function M.sizes(x, factors, rule)
  local size = tensor.spatial(x)
  for i, n in ipairs(size) do size[i] = rule(n, factors[i]) end
  return size
end

---Whether a size that scale factors gave can be; reports it otherwise.
---@param given table
---@param size number[]
---@param key string         what it came from
---@param factors number[]|nil
---@param report fun(...)
---@return boolean
function M.check_size(given, size, key, factors, report)
  local input, possible, empty = tensor.spatial(given.x), {}, nil
  for i, n in ipairs(size) do
    possible[i] = math.max(n, 1)
    empty = empty or (n < 1 and i)
  end
  if empty then
    report("E056", key, { key, "x.shape" }, {
      input = input[empty],
      scale = json.number(factors[empty]),
      hint = key == "scale_factor" and ("size = %s instead of scale_factor"):format(
        text.value(possible)) .. becomes(given.x, possible),
    })
    return false
  end
  local code, fields = tensor.limit("y", tensor.resized(given.x, size))
  if code then report(code, key, { key, "x.shape" }, fields) end
  return not code
end

---A stated y or size must be what comes out.
---@param given table
---@param y upweave.Tensor
---@param report fun(...)
function M.check_stated(given, y, report)
  local size = given.size
  if given.y and not tensor.equal(given.y, y) then
    report("E058", "y", { "y" }, { y = tensor.describe(y) })
  elseif given.y and size and text.shape(size) ~= text.shape(tensor.spatial(y)) then
    report("E058", "size", { "size", "scale_factor" }, { y = tensor.describe(y) })
  end
end

---Infers the size where a scale factor gives it, and judges it; nil if that was reported.
---@param given table
---@param rule fun(input: integer, factor: number): number
---@param report fun(...)
---@return integer[]|nil size
---@return upweave.Tensor|nil y
function M.infer(given, rule, report)
  local factors = given.scale_factor
  local size = factors and M.sizes(given.x, factors, rule) or given.size
  local key = factors and "scale_factor" or "size"
  if not size or not M.check_size(given, size, key, factors, report) then return nil end
  local y = tensor.resized(given.x, size)
  M.check_stated(given, y, report)
  return size, y
end

return M
