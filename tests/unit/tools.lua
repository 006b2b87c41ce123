-- SPDX-License-Identifier: MIT
-- The tools that judge the source: tokens, planted faults.

package.path = "tools/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local files = require "files"
local lexer = require "lexer"
local mutations = require "mutations"

--- The tokens and the blanks between them are the source again.
local function rebuilt(source)
  local parts, at = {}, 1
  for _, token in ipairs(lexer.tokens(source)) do
    parts[#parts + 1] = source:sub(at, token.from - 1)
    parts[#parts + 1] = token.text
    at = token.to + 1
  end
  return table.concat(parts) .. source:sub(at)
end

local function kinds(source)
  local list = {}
  for at, token in ipairs(lexer.tokens(source)) do list[at] = token.kind .. ":" .. token.text end
  return table.concat(list, " ")
end

tap.is(kinds 'local x <const> = 0x1p-4 .. "a\\"b" -- c',
  'keyword:local name:x operator:< name:const operator:> operator:= number:0x1p-4 operator:.. '
  .. 'string:"a\\"b" comment:-- c', "tokens")
tap.is(kinds "a=[==[ ]] ]==]--[[x\ny]] b", "name:a operator:= string:[==[ ]] ]==] "
  .. "comment:--[[x\ny]] name:b", "long brackets")
tap.is(kinds "a//b..c...", "name:a operator:// name:b operator:.. name:c operator:...", "operators")

for _, path in ipairs(files.list("tools", "%.lua$")) do
  local source = files.read(path)
  tap.is(rebuilt(source), source, path .. " is the sum of its tokens")
end

local spans = lexer.functions(lexer.tokens [[
local function f()
  for i = 1, 2 do
    repeat g() until x
  end
end
return function() end]])
tap.same(spans, { { first = 1, last = 5 }, { first = 6, last = 6 } }, "functions and their lines")

local SOURCE <const> = [[
local N <const> = 3
local function f(a, b)
  if a < b and not (a == 1) then return g(a, b) end
  t.count = t.count + 1
  error("at " .. 7)
  return math.max(a, b)
end
return f
]]
local mutants, seen = mutations.all("x.lua", SOURCE), {}
for _, mutant in ipairs(mutants) do
  local text = mutations.apply(SOURCE, mutant)
  tap.ok(text ~= SOURCE and load(text), "a mutant differs and loads: " .. mutant.kind)
  seen[mutations.line_text(text, mutant.line)] = true
end
for _, want in ipairs {
  "local N <const> = 4", "local N <const> = 2",
  "if a <= b and not (a == 1) then return g(a, b) end",
  "if a < b or not (a == 1) then return g(a, b) end",
  "if a < b and not (a ~= 1) then return g(a, b) end",
  "if a < b and not (a == 1) then return g(b, a) end",
  "if not (a < b and not (a == 1)) then return g(a, b) end",
  "t.count = t.count - 1", "return math.min(a, b)", "",
} do
  tap.ok(seen[want], "planted: " .. want)
end
tap.ok(not seen['error("at " .. 8)'], "messages are left alone")
tap.ok(not seen["return math.max(b, a)"], "arguments whose order does not matter are left alone")
tap.same(mutations.all("x.lua", SOURCE), mutants, "the same source gives the same faults")
tap.done()
