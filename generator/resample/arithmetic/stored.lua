-- SPDX-License-Identifier: MIT
-- Arithmetic: float32 whose finished weights are kept in a shorter type.
--
-- PyTorch's generic kernels hold the weights of f16 and bf16 tensors in the tensor's type, before
-- weights that meet on one pixel are added.

local f32 = require "upweave.resample.arithmetic.f32"
local types = require "upweave.ir.types"

local M = {}

---@param type string   f16 or bf16
---@return table arithmetic
function M.of(type)
  local A = setmetatable({ name = "f32 stored as " .. type }, { __index = f32 })
  A.stored = function(w) return types.round(type, w) end
  return A
end

return M
