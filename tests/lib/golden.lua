-- SPDX-License-Identifier: MIT
-- Texts that are compared with files of tests/golden/, word for word.
--
-- UPDATE_GOLDEN=1 writes the files instead: read the difference before it is committed.

local M = {}

local tap
local update = os.getenv("UPDATE_GOLDEN") == "1"

local function first_difference(got, want)
  local number, other = 0, (want .. "\n"):gmatch("([^\n]*)\n")
  for line in (got .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local there = other()
    if line ~= there then return number, line, there or "nothing" end
  end
  return number + 1, "nothing", other() or "nothing"
end

--- The text is that of the file.
---@param text string
---@param name string   of a file in tests/golden/
function M.is(text, name)
  local path = "tests/golden/" .. name
  if update then
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end
  local file = io.open(path, "rb")
  local want = file and file:read("a") or ""
  if file then file:close() end
  if not tap.ok(text == want, "as in " .. path) then
    local number, line, there = first_difference(text, want)
    tap.diag(("line %d\n  got:  %s\n  want: %s\nUPDATE_GOLDEN=1 writes the file anew"):format(
      number, line, there))
  end
end

return function(the_tap)
  tap = the_tap
  return M
end
