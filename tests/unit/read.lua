-- SPDX-License-Identifier: MIT
-- Reading: JSON, Lua in its sandbox, flags, files.

local tap = dofile "tests/lib/tap.lua"
local flags = require "upweave.read.flags"
local json = require "upweave.read.json"
local json_spec = require "upweave.read.json_spec"
local lua_spec = require "upweave.read.lua_spec"
local read = require "upweave.read"

-- JSON: values.
tap.same(json.decode '{"a": [1, -2.5e1, true, "x\\u00e9\\n"], "b": null, "c": {}, "d": []}',
  { a = { 1, -25.0, true, "xé\n" }, c = {}, d = {} }, "values; null is nothing")
tap.is(json.decode " 3 ", 3, "a number alone")
tap.is(json.decode '"\\ud83d\\ude00"', "😀", "a surrogate pair")

-- JSON: what the grammar forbids, though dkjson takes it.
for _, text in ipairs { "", "[1,]", "[1 2]", '{"a" 1}', '{"a":1,}', "{a:1}", "[1]//", "/**/1", "01",
  "1.", ".5", "+1", "NaN", "Infinity", "nul", '"\t"', '"\\x"', "[1}", "[", "1 2", "'a'", "[,1]",
  "\xef\xbb\xbf1", "[null]", "--1", "1e", "tru e" } do
  local value, fault = json.decode(text)
  tap.ok(value == nil and fault.reason, ("%q is not JSON"):format(text))
end
local _, fault = json.decode '{"a": [{"b": 1, "b": 2}]}'
tap.is(fault.duplicate, "/a/0/b", "a key twice")
_, fault = json.decode(("["):rep(17) .. ("]"):rep(17))
tap.like(fault.large, "deep", "too deep")
tap.ok(json.decode(("["):rep(16) .. ("]"):rep(16)), "deep enough")

-- Lua: what comes over.
local function fields(source)
  local kernels, list = lua_spec.read("a.lua", source)
  return kernels and kernels[1].fields, list and list[1].because
end
tap.same(fields 'kernel "k" { a = { 1, 2.5, "x" }, b = true, c = {}, [3] = "y" }',
  { a = { 1, 2.5, "x" }, b = true, c = {}, ["[3]"] = "y" }, "plain data")
tap.same(fields 'kernel "k" { x = tensor { 1, 2, layout = "NCW" } }',
  { x = { shape = { 1, 2 }, layout = "NCW" } }, "tensor: the array part is the shape")
tap.same(fields 'kernel "k" { x = tensor { shape = { 1 } } }', { x = { shape = { 1 } } }, "or not")
tap.same(fields [[
  local t = {}
  for i, n in ipairs { 3, 5 } do t[i] = math.max(n, 4) // 1 end
  kernel "k" { a = t, b = ("%d-%s"):format(7, "x"), c = ("ab"):rep(2, "-"), d = string.rep("x", 3) }
]], { a = { 4, 5 }, b = "7-x", c = "ab-ab", d = "xxx" }, "arithmetic, format, rep")
tap.same(fields 'sweep { layout = { "NCHW" } } kernel "k" { a = 1 }', { a = 1 }, "sweep is ignored")
tap.same(fields 'kernel "k" "x"', { ["[1]"] = "x" }, "a kernel that is no table")
for _, name in ipairs { "print", "io", "os", "debug", "load", "loadstring", "dofile", "require",
  "pcall", "error", "setmetatable", "getmetatable", "rawset", "rawget", "next", "pairs", "select",
  "coroutine", "table", "utf8", "package", "collectgarbage", "arg", "_G", "tostring", "type" } do
  local _, because = fields("local x = " .. name)
  tap.like(because, "a spec knows no `" .. name .. "`", "no " .. name)
end
for _, name in ipairs { "find", "match", "gmatch", "gsub", "dump", "byte", "char", "len" } do
  local _, because = fields('local x = ("x"):' .. name .. "()")
  tap.like(because, "attempt to call a nil value", "no method " .. name)
  _, because = fields("local x = string." .. name .. "()")
  tap.like(because, "attempt to call a nil value", "no string." .. name)
end

-- Lua: places.
local source = [[
local function up(name, n)
  kernel(name) {
    op = "interpolate",
    x = tensor { 1, n, 8, 8 },
    scale_factor = 2 }
end
up("a", 1)
kernel "b" { op = "interpolate",
  size = 3,
}
kernel "c" { op = "interpolate" }
]]
local kernels = lua_spec.read("a.lua", source)
tap.is(kernels[1].where {}, 'a.lua:2 kernel "a"', "a kernel's line")
tap.is(kernels[1].where { "scale_factor" }, 'a.lua:5 kernel "a"', "a key's line")
tap.is(kernels[2].where { "size" }, 'a.lua:9 kernel "b"', "of the right kernel")
tap.is(kernels[2].where { "mode" }, 'a.lua:8 kernel "b"', "a key that is not there")
tap.is(kernels[3].where { "op" }, 'a.lua:11 kernel "c"', "on the kernel's own line")
tap.is(kernels[3].where { "%a*(" }, 'a.lua:11 kernel "c"', "a key of pattern characters")

-- JSON specs: places.
kernels = json_spec.read("a.json",
  '{"upweave":1,"kernels":[{"name":"k"},{"a/b":{"c~":[1]}}],"sweep":{}}')
tap.is(kernels[2].where { "a/b", "c~", 1 }, "a.json /kernels/1/a~1b/c~0/0", "a JSON pointer")
tap.is(kernels[1].name, "k", "a name")
tap.same(kernels[1].fields, {}, "is no field")

-- Flags.
local function flagged(options)
  return flags.read(options)[1]
end
tap.same(flagged { op = "interpolate", x = "1x2x8x8", size = "3,4", align_corners = true }.fields, {
  op = "interpolate", x = { shape = { 1, 2, 8, 8 } }, size = { 3, 4 }, align_corners = true,
}, "flags")
tap.same(flagged({ x = "1x8x8x2:NHWC", scale_factor = "1.5" }).fields,
  { x = { shape = { 1, 8, 8, 2 }, layout = "NHWC" }, scale_factor = 1.5 }, "a layout, a scalar")
tap.same(flagged({ x = "1x8x8:NWC:u8" }).fields.x,
  { shape = { 1, 8, 8 }, layout = "NWC", dtype = "u8" }, "a dtype")
tap.is(flagged({ op = "interpolate" }).name, "interpolate", "the default name")
tap.is(flagged({ op = "interpolate", name = "up" }).name, "up", "a given name")
tap.is(flagged({ x = "1x2:" }).fields.x, "1x2:", "what is no tensor stays")
tap.is(flagged({}).where { "scale_factor" }, "--scale-factor", "the place is the option")
local given = { op = "interpolate", size = "3,4", antialias = true, json = true }
local sums = flagged { op = "conv", padding = "same", post = "relu,clamp(0,6), leaky_relu(0.1)",
  bias = "false", kernel_size = "3,5" }
tap.same(sums.fields, { op = "conv", padding = "same", bias = false, kernel_size = { 3, 5 },
  post = { "relu", "clamp(0,6)", " leaky_relu(0.1)" } }, "epilogues, words and truth from flags")
local odd = flagged { op = "conv", padding = "1,2,3,4", post = "clamp(0,6", bias = "no" }
tap.same(odd.fields, { op = "conv", padding = { 1, 2, 3, 4 }, post = { "clamp(0,6" }, bias = "no" },
  "what does not read is handed on")
tap.is(flags.given(given), "--op", "an option that describes a kernel")
tap.is(flags.given { json = true }, nil, "none")
tap.same(flags.words(given), { "--op", "interpolate", "--size", "3,4", "--antialias" }, "as words")
local seen = {}
for _, row in ipairs(flags.options()) do
  tap.ok(not seen[row[1]], row[1] .. " is declared once")
  seen[row[1]] = row[3] or "switch"
end
tap.is(seen["--align-corners"], "switch", "a bool is a switch")
tap.ok(seen["--scale-factor"] ~= "switch" and seen["--x"] and seen["--mode"], "others have values")
tap.is(seen["--numerics"], nil, "overrides are declared elsewhere")

-- Files.
local document = read.file "examples/up2x.lua"
tap.same(document, read.file "examples/up2x.json", "Lua and JSON give the same")
tap.same(document, read.flags { op = "interpolate", x = "1x64x112x112", mode = "bilinear",
  scale_factor = "2", name = "up2x" }, "and so do flags")
local path = os.tmpname()
os.rename(path, path .. ".lua")
local _, list = read.file(path .. ".lua")
tap.is(list[1].code, "E025", "an empty file has no kernel")
os.remove(path .. ".lua")

tap.done()
