-- SPDX-License-Identifier: MIT
-- Tensors of a spec.
--
-- Purpose: from what a user wrote as `x` to a tensor with layout and dtype, or all its mistakes.
-- Invariant: `report(code, path, shown, fields)` gets each mistake; the result is a tensor whose
-- rank is certain, or nil.

local lists = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local schema = require "upweave.spec.schema"
local suggest = require "upweave.util.suggest"
local tensors = require "upweave.ops.tensor"
local text = require "upweave.util.text"

local M = {}

local DEFAULT_DTYPE <const> = "f32"

local function check_keys(name, raw, report)
  for _, key in ipairs(ordered.keys(raw)) do
    if not lists.contains(schema.tensor, key) then
      report("E029", { name, key }, nil, {
        owner = "a tensor",
        keys = table.concat(schema.tensor, ", "),
        hint = suggest.nearest(tostring(key), schema.tensor) or false,
      })
    end
  end
end

-- A value that is missing or of the wrong type.
local function report_type(path, raw, expected, reason, report)
  local hint = ("%s = tensor { 1, 64, 112, 112 }"):format(path[1])
  if raw == nil then
    report("E030", path, {}, { reason = reason, hint = hint })
  else
    report("E031", path, {}, { expected = expected, got = text.value(raw), hint = hint })
  end
end

local function check_sizes(path, shape, report)
  local sizes = {}
  for i, n in ipairs(shape) do
    sizes[i] = type(n) == "number" and math.tointeger(n)
    if not sizes[i] or sizes[i] < (i == 1 and 0 or 1) then
      report("E034", path, nil, {
        expected = "whole numbers of at least 1 (the batch: 0)",
        reason = ("number %d is %s"):format(i, text.value(n)),
        hint = false,
      })
      return nil
    end
  end
  return sizes
end

local function check_shape(name, shape, report)
  local path = { name, "shape" }
  if type(shape) ~= "table" or #shape == 0 or not ordered.is_list(shape) then
    report_type(path, shape, "a list of sizes", "a tensor has a shape", report)
    return nil
  end
  local sizes = check_sizes(path, shape, report)
  if sizes and (#sizes < 3 or #sizes > 5) then
    report("E033", path, nil, {
      got = #sizes,
      expected = "3, 4 or 5",
      reason = "batch, channels and one to three spatial axes",
      hint = false,
    })
    return nil
  end
  return sizes
end

local function check_layout(name, layout, rank, report)
  local path, names = { name, "layout" }, tensors.layout_names(rank)
  if layout == nil or layout == schema.open_layout then
    return names[1] -- channels first, also for a rank that is unknown because the shape is wrong
  end
  local known = tensors.layout(layout)
  if not known then
    local values = table.concat(tensors.layout_names(), ", ")
    local near = suggest.nearest(tostring(layout), names) or names[1]
    report("E032", path, nil, { values = values, hint = ('layout = "%s"'):format(near) })
    return nil
  elseif rank and known.rank ~= rank then
    report("E035", path, { name .. ".layout", name .. ".shape" }, {
      layout = layout,
      expected = known.rank + 2,
      got = rank + 2,
      hint = ('layout = "%s"'):format(names[known.planar and 1 or 2]),
    })
    return nil
  end
  return layout
end

-- The type that was probably meant: other libraries say float16, bfloat16, uint8.
local function nearest_dtype(dtype, dtypes)
  local word = tostring(dtype):gsub("^(b?f)loat", "%1"):gsub("^uint", "u")
  return suggest.nearest(word, dtypes) or dtypes[1]
end

local function check_dtype(name, dtype, op, report)
  local path, supported = { name, "dtype" }, table.concat(op.dtypes, ", ")
  if dtype == nil then
    return DEFAULT_DTYPE
  elseif lists.contains(op.dtypes, dtype) then
    return dtype
  elseif lists.contains(tensors.dtypes, dtype) then
    report("E100", path, nil, { what = "dtype " .. dtype, supported = supported })
  else
    local values = table.concat(tensors.dtypes, ", ")
    local near = nearest_dtype(dtype, op.dtypes)
    report("E032", path, nil, { values = values, hint = ('dtype = "%s"'):format(near) })
  end
end

--- Validates a tensor.
---@param name string the field that holds it
---@param raw any
---@param op table
---@param report fun(code: string, path: string[], shown: string[]?, fields: table)
---@return upweave.Tensor?
function M.read(name, raw, op, report)
  if type(raw) ~= "table" then
    report_type({ name }, raw, "a tensor", op.name .. " reads it", report)
    return nil
  end
  check_keys(name, raw, report)
  local shape = check_shape(name, raw.shape, report)
  local layout = check_layout(name, raw.layout, shape and #shape - 2, report)
  local dtype = check_dtype(name, raw.dtype, op, report)
  if not (shape and layout and dtype) then
    return nil
  end
  local tensor = { shape = shape, layout = layout, dtype = dtype }
  local code, fields = tensors.limit(name, tensor)
  if code then
    report(code, { name, "shape" }, {}, fields)
    return nil
  end
  return tensor
end

return M
