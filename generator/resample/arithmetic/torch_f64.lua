-- SPDX-License-Identifier: MIT
-- Arithmetic: float64 as PyTorch uses it for coordinates on the pixel grid.
--
-- Doubles, but the position left of a source coordinate is taken with `floorf`: the coordinate is
-- rounded to float32 first, so one that lies just below a pixel may count as the pixel itself.

local f64 = require "upweave.resample.arithmetic.f64"
local rounding = require "upweave.resample.arithmetic.rounding"

local M = setmetatable({ name = "torch_f64" }, { __index = f64 })

M.floor = function(a) return math.floor(rounding.single(a)) end

return M
