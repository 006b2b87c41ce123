-- SPDX-License-Identifier: MIT
-- Prefetches: hints without meaning, kept, printed with an address that may lie anywhere.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile "tests/lib/ir.lua" (tap)
local eval = require "upweave.ir.eval"
local printer = require "upweave.emit.printer"
local prune = require "upweave.ir.prune"
local verify = require "upweave.ir.verify"

local b = ir.new()
local x, y = b:input("x", "f32", 8), b:output("y", "f32", 8)
b:tasks(2, 1, function(task)
  b:prefetch(x, task * 4 + 4096)
  b:store(y, task * 4, b:load(x, task * 4, 4))
end)
ir.passes(function() verify.verify(prune.prune(b), 16) end, "an address outside is no fault")

local memory = { x = ir.array { 1, 2, 3, 4, 5, 6, 7, 8 }, y = {} }
eval.eval(b, memory)
tap.is(memory.y[7], 8, "and means nothing")

printer.print({ b }, {}, "kernel")
local text = table.concat(b.lines, "\n")
local address = "(const void *)((uintptr_t)x + (uintptr_t)(task * 16 + 16384))"
tap.ok(text:find(("__builtin_prefetch(%s);"):format(address), 1, true),
  "in C an integer address, in bytes")

tap.done()
