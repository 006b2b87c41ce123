-- SPDX-License-Identifier: MIT
-- Registry of profiles: the frameworks whose rules can be had.
--
-- A profile is `{ name, axis }`: `axis(problem, i, x)` picks filter, coordinates and arithmetic of
-- one spatial axis; `fill(problem, specs)` says which outputs no tap gives, if there are such.
-- Nothing else in resample/ knows a framework.

local list = require "upweave.util.list"

local M = {}

--- All profiles, in the order of the documentation.
M.list = {
  require "upweave.resample.profiles.torch",
  require "upweave.resample.profiles.onnx",
  require "upweave.resample.profiles.tflite",
  require "upweave.resample.profiles.paddle",
}

---@param name string
---@return table profile
function M.find(name)
  return assert(list.named(M.list, name), "a profile of a validated problem")
end

return M
