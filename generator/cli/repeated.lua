-- SPDX-License-Identifier: MIT
-- The command that repeats a result.
--
-- Purpose: what a user pastes into a shell to see one kernel's result again. Invariant: every word
-- is quoted for a POSIX shell; it is printed, never run.

local flags = require "upweave.read.flags"
local words = require "upweave.toolchain.words"

local M = {}

local OVERRIDES <const> = { "numerics", "profile", "layout", "schedule", "cc", "runner", "db" }

---@param verb string
---@param options table
---@param kernel string
---@param target string
---@param seed integer|string|nil
---@return string
function M.command(verb, options, kernel, target, seed)
  local list = { "upweave", verb }
  local function add(option, value)
    if type(value) == "table" then value = #value > 0 and words.join(value) or nil end
    if not value then return end
    list[#list + 1] = option
    list[#list + 1] = tostring(value)
  end
  if #options.words == 0 then
    local kernel_words = flags.words(options)
    table.move(kernel_words, 1, #kernel_words, #list + 1, list)
  else
    for _, path in ipairs(options.words) do
      list[#list + 1] = path:sub(1, 1) == "-" and "./" .. path or path
    end
    add("--only", kernel)
  end
  for _, field in ipairs(OVERRIDES) do add("--" .. field, options[field]) end
  add("--cflags", options.cflags)
  add("--target", target)
  add("--seed", seed)
  add("--rounds", options.rounds)
  return words.join(list)
end

return M
