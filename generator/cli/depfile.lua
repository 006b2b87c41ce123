-- SPDX-License-Identifier: MIT
-- Dependency files for make and ninja.
--
-- Purpose: says that the outputs are made from the specs. Invariant: what a make file cannot name
-- (a path with a line break) is refused, never written wrongly.

local M = {}

local function escape(path)
  if path:find("[\n\r]") then return nil end
  return (path:gsub("[ \t#\\:%%]", "\\%0"):gsub("%$", "$$"))
end

local function escape_all(paths)
  local list = {}
  for index, path in ipairs(paths) do
    list[index] = escape(path)
    if not list[index] then return nil, path end
  end
  return table.concat(list, " \\\n  ")
end

---@param outputs string[]
---@param inputs string[]
---@return string|nil text
---@return string? reason
function M.text(outputs, inputs)
  local left, bad = escape_all(outputs)
  local right, worse = escape_all(inputs)
  if not (left and right) then
    return nil, string.format("a make file cannot name %q", bad or worse)
  end
  local lines = { left .. ":" .. (right ~= "" and " \\\n  " .. right or "") }
  -- An empty rule each: a spec that was deleted is no error.
  for _, path in ipairs(inputs) do lines[#lines + 1] = escape(path) .. ":" end
  return table.concat(lines, "\n") .. "\n"
end

return M
