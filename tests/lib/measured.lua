-- SPDX-License-Identifier: MIT
-- Reads one spec file in a process of its own: `lua5.4 tests/lib/measured.lua PATH`.
-- Prints its own peak of memory in KiB, its processor time and that of its children in seconds,
-- then the diagnostics or "accepted".

dofile "generator/searcher.lua"(".")
require "upweave.util.strict"
local diagnostics = require "upweave.util.diagnostics"
local read = require "upweave.read"

local document, list = read.file(arg[1])
local text = document and "accepted\n" or diagnostics.format(list)
local status = io.open("/proc/self/status"):read("a")
-- user and system time, the process's own and its children's: fields 14 to 17, after the name
local ticks, fields = 0, {}
for field in io.open("/proc/self/stat"):read("a"):match("%) (.*)"):gmatch("%S+") do
  fields[#fields + 1] = field
end
for at = 12, 15 do ticks = ticks + math.tointeger(tonumber(fields[at])) end
io.write(("%s\n%.2f\n%s"):format(status:match("VmHWM:%s*(%d+)"), ticks / 100, text))
