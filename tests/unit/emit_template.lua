-- SPDX-License-Identifier: MIT
-- The template engine: text, values, lines of Lua; errors name the template's own line.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local template = require "upweave.emit.template"

local function is(source, values, want, name)
  tap.is(template.fill(source, "t", values), want, name)
end

is("", {}, "\n", "nothing is an empty line")
is("plain\n", {}, "plain\n", "text")
is("no end of line", {}, "no end of line\n", "the last line ends")
is("a\n\nb\n", {}, "a\n\nb\n", "empty lines")
is("${x}\n", { x = 3 }, "3\n", "a value")
is("<${x}${y}>\n", { x = "a", y = "b" }, "<ab>\n", "two values")
is("${x.y[1]}\n", { x = { y = { "in" } } }, "in\n", "an expression")
is("${x}\n", { x = false }, "false\n", "false is a value")
is("${x}\n", { x = "${y} % \\ \"q\" \n%z" }, "${y} % \\ \"q\" \n%z\n", "values are not templates")
is("\"quotes\" \\n %d 100% $x { } ]]\n", {}, "\"quotes\" \\n %d 100% $x { } ]]\n", "any text")
is("% for _, v in ipairs(list) do\n- ${v}\n% end\nend\n", { list = { 1, 2 } }, "- 1\n- 2\nend\n",
  "a loop")
is("% if x then\nyes\n% else\nno\n% end\n", { x = false }, "no\n", "a condition")
is(" % not Lua\n", {}, " % not Lua\n", "only a line that starts with % is Lua")
is("\t${x}\r\n", { x = 1 }, "\t1\r\n", "blanks stay")

ir.fails(function() template.fill("one\ntwo ${nothing}\n", "frame.c", {}) end, "frame.c:2:",
  "an undefined variable: the line")
ir.fails(function() template.fill("one\ntwo ${nothing}\n", "frame.c", {}) end,
  "undefined template variable 'nothing'", "its name")
ir.fails(function() template.fill("a\n% if b then\n% end\n", "frame.c", {}) end, "frame.c:2:",
  "an undefined variable in a line of Lua")
ir.fails(function() template.fill("a\n${x.y}\n", "frame.c", { x = {} }) end, "frame.c:2:",
  "a value that is nil: the line")
ir.fails(function() template.fill("a\n${x.y}\n", "frame.c", { x = {} }) end, "a value is nil",
  "what is wrong")
ir.fails(function() template.fill("a\n% for\n", "frame.c", {}) end, "frame.c:2:",
  "no Lua: the line")
ir.fails(function() template.fill("a\nb\n${(}\n", "frame.c", {}) end, "frame.c:3:",
  "no expression: the line")
ir.fails(function() template.fill("${os.time()}\n", "frame.c", {}) end,
  "undefined template variable 'os'", "nothing of Lua's is there")
ir.fails(function() template.render("no-such-frame", {}) end, "no-such-frame", "a missing frame")
tap.done()
