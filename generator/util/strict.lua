-- SPDX-License-Identifier: MIT
-- Strict globals.
--
-- Purpose: after `require "upweave.util.strict"` reading or writing a global that does not exist is
-- an error at once, with the name, instead of a nil that surfaces elsewhere.
-- Invariant: the two Lua libraries that Upweave uses may probe for globals of other Lua versions;
-- all other code is checked.

local third_party = { dkjson = true, argparse = true }

local function checked()
  local info = debug.getinfo(3, "S")
  if not info or info.what == "C" then
    return false
  end
  local stem = info.source:match("([^/]+)%.lua$")
  return not third_party[stem]
end

return setmetatable(_G, {
  __index = function(_, name)
    if checked() then
      error(("undefined global '%s'"):format(tostring(name)), 2)
    end
  end,
  __newindex = function(t, name, value)
    if checked() then
      error(("assignment to undefined global '%s'"):format(tostring(name)), 2)
    end
    rawset(t, name, value)
  end,
})
