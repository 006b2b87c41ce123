-- SPDX-License-Identifier: MIT
-- The catalogue of diagnostics: its order, and a test of the exact text for each code.

local tap = dofile "tests/lib/tap.lua"
local catalogue = require "upweave.util.catalogue"
local diagnostics = require "upweave.util.diagnostics"
local uv = require "luv"

-- The exit statuses of a code's hundreds.
local EXITS <const> =
  { [0] = { 2, 3 }, { 4 }, { 3 }, { 5 }, {}, { 6 }, { 7 }, { 8 }, { 9 }, { 1, 10 } }

local texts = {}
local folder = uv.fs_scandir("tests/errors")
local name = uv.fs_scandir_next(folder)
while name do
  if name:find("%.txt$") then
    local file <close> = io.open("tests/errors/" .. name)
    texts[#texts + 1] = file:read("a")
  end
  name = uv.fs_scandir_next(folder)
end
local all = table.concat(texts, "\n")

local last = ""
for _, entry in ipairs(catalogue) do
  local code = entry.code
  tap.ok(code:find("^E%d%d%d$") and code > last, code .. " follows " .. last)
  tap.ok(all:find("\nerror%[" .. code .. "%]: "), code .. " has a test of its text in tests/errors")
  local fits = false
  for _, exit in ipairs(EXITS[tonumber(code:sub(2, 2))]) do
    fits = fits or exit == entry.exit
  end
  tap.ok(fits, code .. " has an exit status of its layer")
  last = code
end
for code in all:gmatch("\nerror%[(E%d+)%]") do
  if not pcall(diagnostics.new, code, setmetatable({}, { __index = function() return "" end })) then
    tap.ok(false, code .. " of the tests is in the catalogue")
  end
end

-- The form.
local one = diagnostics.new("E203", { place = "schedule", where = "a.lua:1", knob = "rows",
  value = "9", values = "1, 2", hint = "rows=2" })
tap.is(one.exit, 3, "a diagnostic has its exit status")
tap.is(diagnostics.exit { one, diagnostics.new("E025", { where = "a.lua" }) }, 3, "first exit")
tap.is(diagnostics.exit {}, 0, "no diagnostics, no failure")
tap.is(diagnostics.format({ one }, { color = true }),
  "\27[1;31merror[E203]\27[0m\27[1m: schedule: knob rows cannot be `9`\27[0m\n"
    .. "  \27[36m-->\27[0m a.lua:1\n  \27[36m= because:\27[0m its legal values here are 1, 2\n"
    .. "  \27[36m= try:\27[0m rows=2\n", "in colour")
tap.ok(not pcall(diagnostics.new, "E203", {}), "a field that is missing is a bug")
tap.ok(not pcall(diagnostics.new, "E999", {}), "an unknown code is a bug")
local hostile = diagnostics.new("E010", { where = ("x"):rep(1000), reason = "a\nb\27\xff" })
tap.is(hostile.because, "a\\nb\\x1b\\xff", "control characters are escaped")
local c1 = diagnostics.new("E010", { where = "a", reason = "\u{9b}31m é" })
tap.is(c1.because, "\\xc2\\x9b31m é", "those of two bytes, too; letters are not")
tap.like(hostile.where, "… (1000 bytes)", "long values are cut")

tap.done()
