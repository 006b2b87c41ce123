-- SPDX-License-Identifier: MIT
-- What the frameworks' rules make of a ramp: the generated part of docs/frameworks.md.
--
-- Purpose: for small sizes, the outputs of every profile and mode on the input 0, 1, 2, …, computed
-- by the plans that kernels are made from: nearest and linear then print source coordinates.
-- Invariant: a case goes the way of a spec, so a row that a profile rejects fails here.

local ops = require "upweave.ops"
local spec = require "upweave.spec"

local M = {}

local CASES <const> = {
  { title = "4 pixels to 7, `size` given", input = 4, fields = { size = { 1, 7 } } },
  { title = "5 pixels to 3, `size` given", input = 5, fields = { size = { 1, 3 } } },
  { title = "4 pixels to 1, `size` given", input = 4, fields = { size = { 1, 1 } } },
  { title = "4 pixels by `scale_factor` 1.6", input = 4, fields = { scale_factor = { 1.0, 1.6 } } },
}

local function onnx(mode, rule, more)
  local row = { "onnx", mode, coordinate_transformation_mode = rule }
  for key, value in pairs(more or {}) do row[key] = value end
  return row
end

-- Profile, mode, attributes; in groups of one kind of filter.
local ROWS <const> = {
  { "torch", "nearest" }, { "torch", "nearest-exact" },
  onnx("nearest", "asymmetric", { nearest_mode = "floor" }), onnx("nearest", "half_pixel"),
  onnx("nearest", "half_pixel", { nearest_mode = "round_prefer_ceil" }),
  onnx("nearest", "align_corners"),
  { "tflite", "nearest" }, { "tflite", "nearest", half_pixel_centers = true },
  { "tflite", "nearest", align_corners = true },
  { "paddle", "nearest" }, { "paddle", "nearest", align_corners = true },
  { "torch", "bilinear" }, { "torch", "bilinear", align_corners = true },
  onnx("linear", "half_pixel"), onnx("linear", "half_pixel_symmetric"),
  onnx("linear", "pytorch_half_pixel"), onnx("linear", "align_corners"),
  onnx("linear", "asymmetric"),
  { "tflite", "bilinear" }, { "tflite", "bilinear", half_pixel_centers = true },
  { "tflite", "bilinear", align_corners = true },
  { "paddle", "bilinear" }, { "paddle", "bilinear", align_mode = 1 },
  { "paddle", "bilinear", align_corners = true },
  { "torch", "bicubic" }, onnx("cubic", "half_pixel"),
  onnx("cubic", "half_pixel", { exclude_outside = true }), { "paddle", "bicubic" },
  { "torch", "bilinear", antialias = true },
  onnx("linear", "half_pixel", { antialias = true }),
  onnx("linear", "half_pixel", { antialias = true, exclude_outside = true }),
  { "torch", "bicubic", antialias = true },
  onnx("cubic", "half_pixel", { antialias = true, cubic_coeff_a = -0.5 }),
  onnx("cubic", "half_pixel", { antialias = true, cubic_coeff_a = -0.5, exclude_outside = true }),
}

-- The attributes of a row, in the schema's order.
local function attributes(row)
  local texts = {}
  for _, attribute in ipairs(ops.attributes(ops.find "interpolate", row[1])) do
    local value = row[attribute.name]
    if value ~= nil then texts[#texts + 1] = ("%s = %s"):format(attribute.name, tostring(value)) end
  end
  return #texts > 0 and "`" .. table.concat(texts, "`, `") .. "`" or ""
end

local function problem_of(row, case)
  local fields = { op = "interpolate", profile = row[1], mode = row[2],
    x = { shape = { 1, 1, 1, case.input } } }
  for key, value in pairs(case.fields) do fields[key] = value end
  for key, value in pairs(row) do
    if type(key) == "string" then fields[key] = value end
  end
  local document = spec.validate { { name = "k", fields = fields, where = function()
    return "ramp"
  end } }
  return document and document.kernels[1]
end

local function number(x)
  local text = ("%.3f"):format(x):gsub("0+$", ""):gsub("%.$", "")
  return text == "-0" and "0" or text
end

local function ramp(problem, input)
  local x, texts = {}, {}
  for i = 1, input do x[i] = i - 1.0 end
  for o, y in ipairs(ops.find("interpolate").plan(problem).axes[2]:apply(x)) do
    texts[o] = number(y)
  end
  return table.concat(texts, " ")
end

--- The tables as Markdown.
---@return string
function M.tables()
  local lines = {}
  local function add(line) lines[#lines + 1] = line end
  for _, case in ipairs(CASES) do
    add("### " .. case.title)
    add("")
    add("| profile | mode | attributes | outputs |")
    add("|---|---|---|---|")
    for _, row in ipairs(ROWS) do
      if case.fields.size or row[1] ~= "tflite" then -- TFLite knows sizes only
        local problem = assert(problem_of(row, case), table.concat({ row[1], row[2] }, " "))
        add(("| %s | %s | %s | %s |"):format(row[1], row[2], attributes(row),
          ramp(problem, case.input)))
      end
    end
    add("")
  end
  return table.concat(lines, "\n")
end

return M
