-- SPDX-License-Identifier: MIT
-- What drawings are written with: escaping, numbers, fractions.

local tap = dofile "tests/lib/tap.lua"
local fraction = require "upweave.draw.fraction"
local svg = require "upweave.draw.svg"

tap.is(svg.escape('<a href="x">&amp;</a>'), "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;",
  "markup is escaped")
tap.is(svg.clean("a\nb\tc\rd", 99), "a b c d", "line breaks and tabs become spaces")
tap.is(svg.clean("\0\27[31m\127", 99), "\u{FFFD}\u{FFFD}[31m\u{FFFD}", "controls are replaced")
tap.is(svg.clean("\255ä\xC3", 99), "\u{FFFD}ä\u{FFFD}", "what is not UTF-8 is replaced")
tap.is(svg.clean("\xEF\xBF\xBE\xEF\xBF\xBF", 99), "\u{FFFD}\u{FFFD}", "so is what XML forbids")
tap.is(svg.clean("äöüß", 3), "äö…", "long text is cut between characters")
tap.is(svg.clean("äöü", 3), "äöü", "text that fits is not")
tap.is(svg.clean("", 3), "", "no text")

for _, case in ipairs { { 0, "0" }, { -0.0, "0" }, { -0.004, "0" }, { 1.5, "1.5" }, { 100, "100" },
  { 0.126, "0.13" }, { -2.25, "-2.25" }, { 1e6, "1000000" } } do
  tap.is(svg.number(case[1]), case[2], "number " .. case[2])
end

local canvas = svg.new()
canvas:open { "class", "a&b" }
canvas:rect(1, 2.5, 3, 4, "cell", { "fill", '"' })
canvas:text(0, 1, "note", "<x>")
canvas:polygon({ 0, 0.5, 1, 2 }, "area")
canvas:close()
tap.is(table.concat(canvas.lines, "\n"), [[
<g class="a&amp;b">
<rect x="1" y="2.5" width="3" height="4" class="cell" fill="&quot;"/>
<text x="0" y="1" class="note">&lt;x&gt;</text>
<polygon points="0,0.5 1,2" class="area"/>
</g>]], "shapes are written in the order given")

local float = string.unpack("<f", string.pack("<f", 3 / 14))
for _, case in ipairs { { 0.25, "1/4" }, { -0.75, "-3/4" }, { 1, "1" }, { -2.0, "-2" },
  { 283 / 256, "283/256" }, { 1 / 1024, "1/1024" }, { float, "≈3/14" }, { 10 / 3, "≈10/3" },
  { 0.0999990, "≈1/10" }, { 0.00123456, "≈0.001235" }, { 0.9999999, "≈1" }, { 0, "0" },
  { -10 / 3, "-≈10/3" } } do
  tap.is(fraction.text(case[1]), case[2], "fraction " .. case[2])
end
tap.done()
