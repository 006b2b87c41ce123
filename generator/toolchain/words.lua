-- SPDX-License-Identifier: MIT
-- Words of a command line.
--
-- Purpose: split what a user wrote in one argument (`--cflags`, `--runner`) into a list, and quote
-- a list for display so that a POSIX shell reads it back. Invariants: nothing is expanded; what is
-- quoted is only ever printed, never run.

local M = {}

-- One character of a word outside single quotes; returns the text and the next position.
local function escaped(text, at, quoted)
  local char = text:sub(at, at)
  if char ~= "\\" then return char, at + 1 end
  local following = text:sub(at + 1, at + 1)
  if following == "" then return nil, "a backslash ends the text" end
  if quoted and not following:find('["\\$`]') then return "\\" .. following, at + 2 end
  return following, at + 2
end

local function quoted_part(text, at)
  local quote = text:sub(at, at)
  if quote == "'" then
    local stop = text:find("'", at + 1, true)
    if not stop then return nil, "a single quote is not closed" end
    return text:sub(at + 1, stop - 1), stop + 1
  end
  local parts = {}
  at = at + 1
  while text:sub(at, at) ~= '"' do
    if at > #text then return nil, "a double quote is not closed" end
    local part, following = escaped(text, at, true)
    if not part then return nil, following end
    parts[#parts + 1] = part
    at = following
  end
  return table.concat(parts), at + 1
end

--- Split at white space; '…', "…" and \ quote as in a shell, nothing is expanded.
---@param text string
---@return string[]|nil words
---@return string? reason
function M.split(text)
  local list, word, at = {}, nil, 1
  while at <= #text do
    local char = text:sub(at, at)
    if char:find("%s") then
      list[#list + 1] = word
      word, at = nil, at + 1
    else
      local read = char:find("['\"]") and quoted_part or escaped
      local part, following = read(text, at)
      if not part then return nil, following end
      word, at = (word or "") .. part, following
    end
  end
  list[#list + 1] = word
  return list
end

---@param word string
---@return string
function M.quote(word)
  if word:find("^[%w_@%%+=:,./-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

---@param list string[]
---@return string
function M.join(list)
  local quoted = {}
  for index, word in ipairs(list) do quoted[index] = M.quote(word) end
  return table.concat(quoted, " ")
end

return M
