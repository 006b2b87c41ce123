-- SPDX-License-Identifier: MIT
-- TAP producer for tests in Lua, run from the root of the checkout.
--
-- Purpose: `local tap = dofile "tests/lib/tap.lua"` gives the assertions and makes the modules of
-- generator/ loadable in strict mode. Invariants: one line a test on stdout, diagnostics as
-- comments, the plan last; done() ends the process with 1 if a test failed.

dofile("generator/searcher.lua")(os.getenv("UPWEAVE_TEST_ROOT") or ".")
require "upweave.util.strict"

local M = {}

local count, failed = 0, 0

local function text_of(value)
  if type(value) == "string" then return string.format("%q", value) end
  return tostring(value)
end

---@param text string
function M.diag(text)
  io.stdout:write("# ", (tostring(text):gsub("\n", "\n# ")), "\n")
end

---@param condition any
---@param name string
---@return boolean
function M.ok(condition, name)
  count = count + 1
  local label = tostring(name or ""):gsub("[\n#]", " ")
  io.stdout:write(condition and "ok " or "not ok ", count, " - ", label, "\n")
  if not condition then
    failed = failed + 1
    local where = debug.traceback("", 2):match("(%S+%.lua:%d+): in main chunk") or ""
    if where ~= "" then M.diag("at " .. where) end
  end
  return not not condition
end

---@return boolean
function M.is(got, want, name)
  -- NaN is NaN to a test; 1 and 1.0 are told apart, as in the emitted text.
  local same = (got == want and math.type(got) == math.type(want)) or (got ~= got and want ~= want)
  if not M.ok(same, name) then
    M.diag("  got:  " .. text_of(got))
    M.diag("  want: " .. text_of(want))
    return false
  end
  return true
end

--- The text contains the plain substring.
---@return boolean
function M.like(text, substring, name)
  local found = type(text) == "string" and text:find(substring, 1, true) ~= nil
  if not M.ok(found, name) then
    M.diag("  text: " .. text_of(text))
    M.diag("  does not contain: " .. text_of(substring))
    return false
  end
  return true
end

--- Path of the first difference of two values, compared deeply; nil if there is none.
local function difference(got, want, path)
  if type(got) ~= "table" or type(want) ~= "table" then
    if got == want or (got ~= got and want ~= want) then return nil end
    return string.format("%s: got %s, want %s", path, text_of(got), text_of(want))
  end
  for key, value in pairs(want) do
    local found = difference(got[key], value, path .. "." .. tostring(key))
    if found then return found end
  end
  for key, value in pairs(got) do
    if want[key] == nil then
      return string.format("%s.%s: got %s, want nothing", path, tostring(key), text_of(value))
    end
  end
  return nil
end

--- Deep equality of tables.
---@return boolean
function M.same(got, want, name)
  local found = difference(got, want, "value")
  if not M.ok(not found, name) then
    M.diag("  " .. found)
    return false
  end
  return true
end

---@param name string
---@param reason string
function M.skip(name, reason)
  count = count + 1
  io.stdout:write("ok ", count, " - ", tostring(name), " # SKIP ", tostring(reason), "\n")
end

--- Print the plan and end the process.
function M.done()
  io.stdout:write("1..", count, "\n")
  io.stdout:flush()
  -- Without closing the state: libuv may still hold handles, which its finalisers cannot order.
  os.exit(failed == 0)
end

return M
