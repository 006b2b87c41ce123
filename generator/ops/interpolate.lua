-- SPDX-License-Identifier: MIT
-- Operator: interpolate.
--
-- Purpose: resizing of the spatial axes, with the arguments, rules and meaning of the framework
-- that the kernel's profile names. What differs between frameworks lies in interpolate/, one file
-- each; the modes themselves are data of resample/.
-- Invariants: a problem has `size`; it has `scale_factor` only where that enters the coordinates.

local formula = require "upweave.ops.interpolate.formula"
local reference = require "upweave.ops.interpolate.reference"
local resample = require "upweave.resample"
local schema = require "upweave.ops.interpolate.schema"
local tensor = require "upweave.ops.tensor"

local M = {
  name = "interpolate",
  aliases = { interpolate1d = 1, interpolate2d = 2, interpolate3d = 3 },
  summary = "resizes the spatial axes (torch.nn.functional.interpolate)",
  inputs = { "x" },
  outputs = { "y" },
  dtypes = { "f32", "f64", "f16", "bf16", "u8" },
  ranks = { 1, 2, 3 },
  attributes = schema,
  formula = formula,
  reference = reference,
}

local RULES <const> = {
  torch = require "upweave.ops.interpolate.torch",
  onnx = require "upweave.ops.interpolate.onnx",
  tflite = require "upweave.ops.interpolate.tflite",
  paddle = require "upweave.ops.interpolate.paddle",
}

--- Checks typed fields against the rules of the framework; `report(code, key, shown keys, fields)`
--- takes each mistake. The result is a problem only if nothing was reported.
---@param given table fields of the right types, plain defaults filled in
---@param report fun(code: string, key: string, shown: string[], fields: table)
---@return table? problem
function M.check(given, report) return RULES[given.profile].check(given, report) end

--- The kernel's tensors in the order of its arguments.
---@param problem table
---@return table[]
function M.tensors(problem)
  return { tensor.record("x", "input", problem.x), tensor.record("y", "output", problem.y) }
end

--- The mathematics: a plan of the form resample.
---@param problem table
---@return table plan
function M.plan(problem) return resample.plan(problem) end

return M
