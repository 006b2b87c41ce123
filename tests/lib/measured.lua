-- SPDX-License-Identifier: MIT
-- Reads one spec file in a process of its own: `lua5.4 tests/lib/measured.lua PATH`.
-- Prints its own peak of memory in KiB, then the diagnostics or "accepted".

dofile "generator/searcher.lua"(".")
require "upweave.util.strict"
local diagnostics = require "upweave.util.diagnostics"
local read = require "upweave.read"

local document, list = read.file(arg[1])
local text = document and "accepted\n" or diagnostics.format(list)
local status = io.open("/proc/self/status"):read("a")
io.write(status:match("VmHWM:%s*(%d+)"), "\n", text)
