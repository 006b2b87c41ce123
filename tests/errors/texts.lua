-- SPDX-License-Identifier: MIT
-- Must-fail tests: the exact text of every diagnostic.
--
-- Purpose: runs the cases of tests/errors/*.txt. A case is
--   === its name
--   --- how the lines below are read
--   a spec, …
--   --- text
--   what is printed
-- `lua` and `json` read a spec called a.lua or a.json, `fields` those of one interpolate kernel,
-- `file` a path; key=value beside them sets options such as `only=a*` or `layout=NHWC`.
-- `onnx` is an expression in Lua for the bytes of a model called a.onnx (tests/lib/onnx.lua).
-- `flags key=value …` has no lines; `diagnostic CODE` reads the fields of a diagnostic.
-- Each file of cases opens with a line or two on what it holds.

local tap = dofile "tests/lib/tap.lua"
package.path = "tests/lib/?.lua;" .. package.path
local diagnostics = require "upweave.util.diagnostics"
local rejected = require "rejected"

local FILES <const> = { "spec", "interpolate", "contract", "parameters", "read",
  "import", "others" }

local function options_of(words)
  local options = {}
  for key, value in words:gmatch("([%w_]+)=(%S+)") do
    options[key] = key == "only" and { value } or value
  end
  return options
end

local function text_of(how, words, source)
  if how == "diagnostic" then
    local fields = load("return {" .. source .. "}")()
    return diagnostics.format { diagnostics.new(words:match("%w+"), fields) }
  elseif how == "flags" then
    return rejected.flags(options_of(words))
  end
  return rejected[how](source, options_of(words))
end

for _, name in ipairs(FILES) do
  local file <close> = io.open("tests/errors/" .. name .. ".txt")
  local count = 0
  for case in (file:read("a") .. "\n=== "):gsub("^.-\n=== ", ""):gmatch("(.-)\n=== ") do
    local title, how, words, source, want =
      case:match("^([^\n]*)\n%-%-%- (%w+)([^\n]*)\n(.-)%-%-%- text\n(.-)\n*$")
    local got = text_of(how, words, (source:gsub("\n$", "")))
    tap.is(got, want .. "\n", name .. ": " .. title)
    count = count + 1
  end
  tap.ok(count > 10, ("%s: %d cases"):format(name, count))
end

tap.done()
