-- SPDX-License-Identifier: MIT
-- Validation: names, selection, overrides, defaults, canonical form and identity.

local tap = dofile "tests/lib/tap.lua"
local json = require "upweave.read.json"
local names = require "upweave.spec.names"
local read = require "upweave.read"
local spec = require "upweave.spec"

-- Names.
for _, name in ipairs { "up2x", "a", "A1", "x_y", ("a"):rep(63), "upwards", "intx", "main2" } do
  tap.is(names.fault(name), nil, name .. " can be a name")
end
for _, name in ipairs { "", "2x", "a-b", "a b", "a\n", "_a", "a__b", "int", "class", "main",
  "memcpy", "uint8_t", "UPW_X", "upw_x", ("a"):rep(64), "é", "a/b", "$(x)", "NULL" } do
  local reason, instead = names.fault(name)
  tap.ok(reason, ("%q cannot"):format(name))
  tap.is(names.fault(instead or ""), nil, ("%q could instead"):format(tostring(instead)))
end

-- Wildcards.
for _, case in ipairs {
  { "*", "", true }, { "*", "abc", true }, { "a*c", "abc", true }, { "a*c", "abcd", false },
  { "a?c", "abc", true }, { "a?c", "ac", false }, { "[a-c]x", "bx", true },
  { "[a-c]x", "dx", false },
  { "[!a-c]x", "dx", true }, { "[^a]x", "ax", false }, { "[ab", "[ab", true }, { "", "", true },
  { "", "a", false }, { "a**b", "ab", true }, { "*b*", "abc", true }, { "a.c", "abc", false },
  { "up2x", "up2x", true }, { "UP2X", "up2x", false },
} do
  tap.is(names.matches(case[1], case[2]), case[3], ("%q and %q"):format(case[1], case[2]))
end
local bomb = ("*a"):rep(5000) .. "b"
tap.is(names.matches(bomb, ("a"):rep(20000)), false, "a wildcard that backtracks")

-- Raw kernels as readers make them.
local function raw(name, fields)
  fields.op = fields.op or "interpolate"
  fields.x = fields.x or { shape = { 1, 2, 8, 8 } }
  return { name = name, fields = fields, where = function()
    return "test"
  end }
end

local function codes(list)
  local found = {}
  for i, diagnostic in ipairs(list or {}) do
    found[i] = diagnostic.code
  end
  return table.concat(found, " ")
end

-- Selection: the rest is parsed, not validated.
local kernels = { raw("a1", { size = 3 }), raw("b1", { size = "?" }), raw("a2", { size = 4 }) }
local document = spec.validate(kernels, { only = { "a*" } })
tap.is(#document.kernels, 2, "--only selects")
tap.is(document.kernels[2].name, "a2", "in the order of the file")
tap.is(#spec.validate(kernels, { only = { "a2", "a1" } }).kernels, 2, "several patterns")
local _, list = spec.validate(kernels)
tap.is(codes(list), "E031", "without --only all are validated")
_, list = spec.validate(kernels, { only = { "c" } })
tap.is(codes(list), "E008", "nothing selected")
_, list = spec.validate { raw("a", { size = 3 }), raw("a", { size = 3 }) }
tap.is(codes(list), "E026", "twice the same name")
tap.ok(spec.validate { raw("a", { size = 3 }), raw("b", { size = 3 }) }, "two names")

-- Overrides.
local over = spec.validate({ raw("a", { size = { 3, 4 }, numerics = "nonsense" }) },
  { numerics = "strict", layout = "NHWC", schedule = "planar:rows=1" }).kernels[1]
tap.is(over.numerics, "strict", "--numerics replaces the field")
tap.is(over.schedule, "planar:rows=1", "--schedule does")
tap.same(over.x.shape, { 1, 8, 8, 2 }, "--layout moves the axes of the same tensor")
tap.same(over.y.shape, { 1, 3, 4, 2 }, "and with it y")
_, list = spec.validate({ raw("a", { size = 3 }) }, { profile = "caffe" })
tap.is(codes(list), "E032", "--profile is judged as the field")
tap.is(list[1].where, '--profile: profile = "caffe"', "and stands on the command line")
over = spec.validate({ raw("a", { size = 3 }) }, { profile = "onnx" }).kernels[1]
tap.is(over.opset, 22, "it brings its attributes")

-- A great many mistakes.
local many = {}
for i = 1, 2000 do
  many[i] = raw("k" .. i, { mode = "?", size = 3 })
end
_, list = spec.validate(many)
tap.is(#list, 501, "the list of mistakes is bounded")
tap.is(list[501].code, "E049", "and says so")

-- Scalars stand for all axes; whole floats are integers.
local one = spec.validate({ raw("a", { size = 3.0, x = { shape = { 1.0, 2, 8, 8 } } }) }).kernels[1]
tap.same(one.size, { 3, 3 }, "a scalar stands for all axes")
tap.is(math.type(one.size[1]), "integer", "as integers")
tap.is(math.type(one.x.shape[1]), "integer", "in shapes, too")

-- Identity.
local function identity(fields)
  return spec.identity(spec.validate({ raw("k", fields) }).kernels[1])
end
local base = identity { size = 3 }
tap.is(#base, 64, "the identity is a SHA-256")
tap.is(base, "df626c3e3bbf98f5fb7db60bb22895cc7b02f2f64f7d2232fcedd94793a605ec",
  "and does not change from version to version by accident")
tap.is(identity { size = { 3, 3 }, note = "n", schedule = "s", mode = "nearest" }, base,
  "not changed by note, schedule, spelling, defaults")
tap.ok(identity { size = 4 } ~= base, "changed by a size")
tap.ok(identity { size = 3, numerics = "strict" } ~= base, "by numerics")
tap.is(spec.text(one):find("[\n ]"), nil, "the canonical text has no blanks")

-- The canonical document is a spec that gives itself, also where defaults would be rejected.
local path = os.tmpname()
os.remove(path)
path = path .. ".json"
local function reread(problems)
  local text = spec.document_text { kernels = problems }
  local file <close> = io.open(path, "w")
  file:write(text)
  file:flush()
  local again, faults = read.file(path)
  tap.is(codes(faults), "", "the canonical document is read")
  tap.is(again and spec.document_text(again), text, "and gives itself")
  tap.is(#json.decode(text).kernels, #problems, "as JSON with all kernels")
end
for _, example in ipairs { "examples/up2x.lua", "examples/modes.lua", "examples/pyramid.lua",
  "examples/up2x.json", "examples/decoder/decoder.lua" } do
  local made, faults = read.file(example)
  tap.is(codes(faults), "", example .. " is valid")
  reread(made.kernels)
end
reread(spec.validate({
  raw("a", { scale_factor = 1.3, mode = "area" }),
  raw("b", { scale_factor = { 1.3, 0.7 }, mode = "bilinear" }),
  raw("c", { scale_factor = 1.3, mode = "bicubic", recompute_scale_factor = true }),
  raw("d", { scale_factor = 1.3, mode = "bicubic", align_corners = true, antialias = true }),
  raw("e", { size = 5, x = { shape = { 0, 3, 7 } }, mode = "linear", note = 'n"\\\n' }),
  raw("f", { scale_factor = 1 / 3, op = "interpolate2d", schedule = "planar:rows=2" }),
}).kernels)
os.remove(path)

tap.done()
