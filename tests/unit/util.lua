-- SPDX-License-Identifier: MIT
-- The utilities: ordered keys, canonical JSON, SHA-256, suggestions, lists, texts, strict globals.

local tap = dofile "tests/lib/tap.lua"
local json = require "upweave.util.json"
local list = require "upweave.util.list"
local ordered = require "upweave.util.ordered"
local sha256 = require "upweave.util.sha256"
local suggest = require "upweave.util.suggest"
local text = require "upweave.util.text"

-- Ordered keys.
tap.same(ordered.keys { b = 1, a = 2, [3] = 3, [1.5] = 4, [-1] = 5 }, { -1, 1.5, 3, "a", "b" },
  "numbers, then strings, each ascending")
tap.is(#ordered.keys { [true] = 1, [{}] = 2, [false] = 3, x = 4 }, 4, "keys of other types")
local seen = {}
for key, value in ordered.pairs { z = 1, y = 2 } do
  seen[#seen + 1] = key .. value
end
tap.same(seen, { "y2", "z1" }, "pairs in order")
tap.is(ordered.count { 1, 2, x = 3 }, 3, "count")
tap.ok(ordered.is_list { 1, 2 } and ordered.is_list {}, "lists")
tap.ok(not ordered.is_list { 1, x = 2 }, "not a list")

-- JSON: numbers.
for number, want in ordered.pairs {
  [0] = "0", [1] = "1", [-7] = "-7", [2.0 ^ 40] = "1099511627776", [0.1] = "0.1", [1 / 3] =
  "0.3333333333333333", [2 / 3] = "0.6666666666666666", [1e300] = "1e+300", [-0.75] = "-0.75",
  [5e-324] = "4.94065645841247e-324", [0.1 + 0.2] = "0.30000000000000004",
  [math.maxinteger] = "9223372036854775807", [1.7976931348623157e308] = "1.7976931348623157e+308",
} do
  tap.is(json.number(number), want, "number " .. want)
  tap.ok(tonumber(json.number(number)) == number, "reads back: " .. want)
end
tap.is(json.number(2.0), "2", "a whole float has no fraction")
tap.is(json.number(-0.0), "-0.0", "the sign of zero")
tap.ok(not pcall(json.number, 0 / 0) and not pcall(json.number, 1 / 0), "NaN and infinity raise")

-- JSON: texts and structure.
tap.is(json.string('a"\\\n\t\1é'), [["a\"\\\n\t\u0001é"]], "a string")
tap.is(json.encode { b = { 1, 2.5, true, json.null }, a = {}, c = json.list {} },
  '{"a":{},"b":[1,2.5,true,null],"c":[]}', "sorted keys, lists, empty tables")
tap.is(json.encode({ a = { { x = 1 }, { y = ("z"):rep(100) } }, b = { 1, 2 } }, { pretty = true }),
  '{\n  "a": [\n    {"x": 1},\n    {\n      "y": "' .. ("z"):rep(100)
    .. '"\n    }\n  ],\n  "b": [1, 2]\n}', "for people: on one line what fits")
tap.ok(not pcall(json.encode, { print }), "a function raises")
tap.ok(not pcall(json.encode, { x = 1, 2 }), "a table of both kinds raises")

-- SHA-256: FIPS 180-4 examples and lengths around the block.
for message, want in ordered.pairs {
  [""] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  [("a"):rep(1000000)] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  [("a"):rep(55)] = "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318",
  [("a"):rep(56)] = "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a",
  [("a"):rep(63)] = "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34",
  [("a"):rep(64)] = "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb",
} do
  tap.is(sha256.hex(message), want, ("SHA-256 of %d bytes"):format(#message))
end

-- Suggestions.
tap.is(suggest.nearest("scale_facter", { "size", "scale_factor" }), "scale_factor", "a change")
tap.is(suggest.nearest("szie", { "mode", "size" }), "size", "a swap")
tap.is(suggest.nearest("NCWH", { "nhwc", "nchw" }), "nchw", "case")
tap.is(suggest.nearest("scale", { "size", "scale_factor" }), "scale_factor", "a beginning")
tap.is(suggest.nearest("padding", { "size", "mode" }), nil, "nothing near")
tap.is(suggest.nearest(("x"):rep(100000), { "x" }), nil, "a hostile word")
tap.is(suggest.hint("q", { "aa", "bb" }), "one of aa, bb", "otherwise all of them")

-- Lists and texts.
tap.ok(list.contains({ 1, 2 }, 2) and not list.contains({}, 2), "contains")
tap.same(list.column({ { n = 1 }, { n = 2 } }, "n"), { 1, 2 }, "column")
tap.is(text.value { 1, 2.0, "a", x = { y = true } }, '{1, 2, "a", x = {y = true}}', "a value")
local loop = {}
loop.t = loop
tap.is(text.value(loop), "{t = {t = {t = {…}}}}", "a table in itself")
tap.is(text.shape { 1, 64, 112, 112 }, "1x64x112x112", "a shape")

-- Strict globals.
tap.ok(not pcall(load("return undefined_global")), "reading an undefined global raises")
tap.ok(not pcall(load("undefined_global = 1")), "so does assigning one")

tap.done()
