-- SPDX-License-Identifier: MIT
-- Registry of profiles: the frameworks whose rules can be had.
--
-- A profile is `{ name, axis }`: `axis(problem, i, x)` picks filter, coordinates and arithmetic of
-- one spatial axis; `fill(problem, specs)` says which outputs no tap gives, if there are such.
-- Nothing else in resample/ knows a framework.

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
  for _, profile in ipairs(M.list) do
    if profile.name == name then return profile end
  end
  error("no profile " .. tostring(name))
end

return M
