-- SPDX-License-Identifier: MIT
-- Profile: torch. What F.interpolate of PyTorch 2.13 on a CPU does with one axis.

local list = require "upweave.util.list"
local modes = require "upweave.resample.modes"
local stretch = require "upweave.resample.stretch.cut"

local M = { name = "torch" }

local f32 = require "upweave.resample.arithmetic.f32"
local f64 = require "upweave.resample.arithmetic.torch_f64"
local stored = require "upweave.resample.arithmetic.stored"

-- 8-bit pixels have their weights from doubles, their positions in nearest from floats.
local ARITHMETIC <const> = { f32 = f32, f16 = f32, bf16 = f32, f64 = f64, u8 = f64 }
local STORED <const> = { f16 = stored.of "f16", bf16 = stored.of "bf16" }

-- The kernels that PyTorch calls vectorised keep weights of f16 and bf16 in float32.
local function has_float_weights(problem, x)
  if problem.mode ~= "bilinear" and problem.mode ~= "trilinear" then return false end
  local short = x.rank == 2 and problem.size[1] + problem.size[2] <= 128
  return short or x.channels > 3 and (not x.planar or math.max(table.unpack(x.space)) == 1)
end

local function arithmetic_of(problem, x, filter)
  local dtype = problem.x.dtype
  if dtype == "u8" and filter.taps == 1 then return f32 end
  return not has_float_weights(problem, x) and STORED[dtype] or ARITHMETIC[dtype]
end

---@param problem table
---@param i integer   spatial axis, from 1
---@param x upweave.resample.dimensions
---@return table   fields of an axis spec: filter, coordinates, arithmetic, …
function M.axis(problem, i, x)
  local mode = list.named(modes.list, problem.mode)
  local filter = problem.antialias and mode.smooth or mode.sharp
  return {
    scale = problem.scale_factor and problem.scale_factor[i],
    filter = filter,
    coordinates = problem.align_corners and mode.aligned or mode.coordinates,
    stretch = stretch,
    arithmetic = arithmetic_of(problem, x, filter),
    copies_equal_sizes = filter.copies_equal_sizes or problem.x.dtype == "u8" and filter.taps ~= 1,
  }
end

return M
