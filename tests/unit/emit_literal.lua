-- SPDX-License-Identifier: MIT
-- Numbers and strings as C text: what is read back is what was written.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local literal = require "upweave.emit.literal"

-- numbers
for text, value in pairs {
  ["0.0f"] = 0.0, ["-0.0f"] = -0.0, ["1.0f"] = 1.0, ["-3.0f"] = -3.0, ["0.25f"] = 0.25,
  ["100000.0f"] = 1e5, ["1e+06f"] = 1e6, ["0.1f"] = string.unpack("<f", string.pack("<f", 0.1)),
  ["3.4028235e+38f"] = 0x1.fffffep127, ["1.1754944e-38f"] = 2.0 ^ -126,
  ["1.4013e-45f"] = 2.0 ^ -149, ["-1.4013e-45f"] = -2.0 ^ -149,
  ["1.1754942e-38f"] = 2.0 ^ -126 - 2.0 ^ -149, ["16777216.0f"] = 16777216.0,
} do
  tap.is(literal.number("f32", value), text, text)
end
tap.is(literal.number("f32", 2), "2.0f", "an integer is a float, too")
tap.is(literal.number("i32", -7), "-7", "an i32")
tap.is(literal.number("i32", 2147483647), "2147483647", "the largest i32")
ir.fails(function() literal.number("f32", 0 / 0) end, "not a finite f32", "NaN")
ir.fails(function() literal.number("f32", math.huge) end, "not a finite f32", "infinity")
ir.fails(function() literal.number("f32", 0.1) end, "not a finite f32", "a number that is no float")

-- every float comes back, bit for bit
local random = ir.random(1)
local wrong
for _ = 1, 3000 do
  local bits = random(1 << 32)
  local value = string.unpack("<f", string.pack("<I4", bits))
  if value - value == 0 then
    local text = literal.number("f32", value)
    local back = string.unpack("<f", string.pack("<f", tonumber(text:sub(1, -2))))
    if ir.bits(back) ~= bits or text:sub(-1) ~= "f" then wrong = text end
    if not text:find("^%-?%d+[.e]") then wrong = text .. " is no float in C" end
  end
end
tap.ok(not wrong, "3000 floats of all sizes come back")
if wrong then tap.diag(wrong) end

-- lists
local function values(text)
  local out = {}
  for word in text:gsub("[{}\n]", " "):gmatch("[^, ]+") do out[#out + 1] = word end
  return table.concat(out, " ")
end
tap.is(literal.definition("t", "i32", { 1, -2, 3 }), "t = {1, -2, 3};", "a short list")
tap.is(literal.definition("t", "f32", { 0.5 }), "t = {0.5f};", "one element")
local name = ("n"):rep(87)
tap.is(literal.definition(name, "i32", { 1, 2, 3 }), name .. " = {1, 2, 3};", "100 columns")
tap.is(literal.definition(name .. "n", "i32", { 1, 2, 3 }), name .. "n = {\n  1, 2, 3\n};",
  "a line more where the name makes it too long")
local long, words = {}, {}
for i = 1, 200 do long[i], words[i] = i * 1000, tostring(i * 1000) end
local text = literal.definition("t", "i32", long):gsub("^t = ", ""):gsub(";$", "")
tap.is(values(text), table.concat(words, " "), "a long list has all its elements")
local widest = 0
for line in text:gmatch("[^\n]+") do widest = math.max(widest, #line) end
tap.ok(widest <= 100 and widest > 90, "in lines of at most 100 columns")
tap.is(select(2, text:gsub(",", "")), 199, "with commas between them, none at the end")
tap.is(literal.definition("t", "i32", { 1, 2, 3, 4 }, 2), "t = {{1, 2}, {3, 4}};", "rows of two")
local rows = literal.definition("t", "i32", long, 4):gsub("^t = ", ""):gsub(";$", "")
tap.is(values(rows), table.concat(words, " "), "a long list of rows has all its elements")
tap.is(select(2, rows:gsub("{%d+, %d+, %d+, %d+}", "")), 50, "in braces")

-- strings: what C reads is the text
local function read_back(source)
  local inner = source:match('^"(.*)"$')
  if not inner or inner:find("[%c\128-\255]") then return nil end
  return (inner:gsub("\\(%d%d%d)", function(octal) return string.char(tonumber(octal, 8)) end)
    :gsub('\\(["\\])', "%1"))
end
for _, given in ipairs {
  "", "plain", 'quotes "in" it', "tab\tnewline\nreturn\r", "zero\0byte", "trigraph ??=", "\\",
  "Zoë", "*/", "\127\128\255", "1\0012", "%s ${x}",
} do
  tap.is(read_back(literal.string(given)), given, ("string %q"):format(given):gsub("\n", "n"))
end
tap.ok(not literal.string("what??/"):find("??", 1, true), "no trigraph")
tap.is(literal.string "a\1b2", '"a\\001b2"', "three octal digits, whatever follows")

-- lines
tap.is(table.concat(literal.paragraph("one two three four", 9), "|"), "one two|three|four",
  "words in lines")
tap.is(table.concat(literal.wrap("a,bb,ccc,d", 5), "|"), "a,bb,|ccc,d", "broken after commas")
tap.is(table.concat(literal.wrap("abc", 2), "|"), "abc", "what cannot be broken is not")
tap.is(table.concat(literal.wrap('{"a":1,"b":[1,2,3]}', 8)), '{"a":1,"b":[1,2,3]}',
  "nothing is lost")

tap.done()
