-- SPDX-License-Identifier: MIT
-- Parameters that are baked into kernels: from the files that specs name to the files of a kernel;
-- identities, what is printed and read back, where files may lie, that the rest of the kernel is
-- the same.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local diagnostics = require "upweave.util.diagnostics"
local driver = require "upweave.driver"
local json_spec = require "upweave.read.json_spec"
local lua_spec = require "upweave.read.lua_spec"
local npy = require "upweave.read.npy"
local pack = require "upweave.ir.pack"
local parameters = require "upweave.spec.parameters"
local read = require "upweave.read"
local sha256 = require "upweave.util.sha256"
local spec = require "upweave.spec"
local types = require "upweave.ir.types"
local uv = require "luv"

local folder = command.folder()
local function put(name, dtype, shape, data)
  return command.write(folder .. "/" .. name, npy.encode(dtype, shape, data))
end
local function floats(count, first)
  local out = {}
  for i = 1, count do out[i] = string.pack("<f", (first + i) / 8) end
  return table.concat(out)
end
local WEIGHT <const>, BIAS <const> = floats(2 * 3 * 4, 0), floats(4, 7)
put("w.npy", "f32", { 4, 3, 2, 1 }, WEIGHT)
put("b.npy", "f32", { 4 }, BIAS)

-- The document of one kernel; or the text of what is wrong.
local function document_of(fields, options)
  local source = ('kernel "k" { op = "conv", x = tensor { 1, 3, 5, 6 }, out_channels = 4,'
    .. " kernel_size = { 2, 1 }, %s }"):format(fields)
  local kernels, faults = lua_spec.read(folder .. "/a.lua", source)
  local document
  if kernels then document, faults = spec.validate(kernels, options) end
  return document or diagnostics.format(faults)
end
local BAKED <const> = 'weight = npy "w.npy", bias = npy "b.npy"'

-- What the problem says, and what the kernel gets.
local document = document_of(BAKED)
local problem = document.kernels[1]
local function hash(name) return sha256.hex(command.read(folder .. "/" .. name)) end
tap.same(problem.weight, { npy = "w.npy", sha256 = hash "w.npy" }, "the problem names the file")
tap.same(problem.bias, { npy = "b.npy", sha256 = hash "b.npy" }, "a bias is one that is there")
tap.is(document.baked[1].weight.bytes, WEIGHT, "the bytes are beside the problem")
tap.is(document.baked[1].weight.path, folder .. "/w.npy", "as is the path")
tap.is(document_of("groups = 1").baked[1], nil, "nothing is baked that no file is of")

-- The canonical form reads back; identities.
local text = spec.document_text(document)
local again = spec.validate(json_spec.read(folder .. "/b.json", text))
tap.is(spec.document_text(again), text, "the canonical form reads back")
tap.is(again.baked[1].bias.bytes, BIAS, "with its files")
local function identity_of(fields)
  return spec.identity(document_of(fields).kernels[1])
end
local identity = spec.identity(problem)
uv.fs_mkdir(folder .. "/deep", 448)
put("deep/same.npy", "f32", { 4, 3, 2, 1 }, WEIGHT)
put("other.npy", "f32", { 4, 3, 2, 1 }, floats(24, 1))
tap.is(identity_of 'weight = npy "deep/same.npy", bias = npy "./b.npy"', identity,
  "the identity does not depend on where the file lies")
tap.ok(identity_of 'weight = npy "other.npy", bias = npy "b.npy"' ~= identity,
  "it depends on what the file holds")
tap.ok(identity_of "groups = 1" ~= identity, "it is not that of the kernel that packs")
tap.is(identity_of(('weight = { npy = "w.npy", sha256 = "%s" }, bias = npy "b.npy"'):format(
  hash "w.npy")), identity, "a hash may be stated")

-- Without the files it is the kernel that packs.
local plain = document_of("groups = 1").kernels[1]
tap.is(spec.text(parameters.unbaked(problem)), spec.text(plain), "the problem without its files")
tap.ok(parameters.unbaked(plain) == plain, "a problem without files is itself")
local target = require("upweave.target").find "generic"
local chosen = driver.compile(plain, { target = target, stop_after = "schedule" }).schedule
local schedule = require("upweave.schedule").text(chosen)
tap.is(driver.fingerprint(problem, target, schedule).c_sha256,
  driver.fingerprint(plain, target, schedule).c_sha256, "what is measured is the kernel that packs")

-- Overrides and layouts that are left open.
local relaid = document_of(BAKED, { layout = "NHWC" })
tap.is(relaid.kernels[1].x.layout .. relaid.kernels[1].weight.npy, "NHWCw.npy", "another layout")
local source = ('kernel "k" { op = "conv", x = tensor { 1, 3, 5, 6, layout = "any" },'
  .. " out_channels = 4, kernel_size = { 2, 1 }, %s }"):format(BAKED)
local open = spec.validate(lua_spec.read(folder .. "/a.lua", source))
tap.is(#open.open[1], 2, "an open layout")
tap.same(open.open[1][2].weight, problem.weight, "each layout has the parameters")

-- The files of a kernel.
local numbers = {}
for _, name in ipairs { "weight", "bias" } do
  numbers[name] = types.numbers("f32", document.baked[1][name].bytes)
end
local function library(one, options)
  options.targets = options.targets or { "generic" }
  local made, faults = driver.library(one, options)
  if not made then tap.diag(diagnostics.format(faults)) end
  local files = {}
  for _, file in ipairs(made.files) do files[file.name] = file.text end
  return files, made.results[1]
end
local linked, result = library(problem, { baked = numbers })
tap.is(linked["k.weights"], pack.pack(result.ir.pack, numbers), "the weights are packed")
tap.ok(not linked["k.h"]:find "k_pack", "linked: nothing to pack with")
tap.like(linked["k.c"], '.incbin \\"k.weights\\"', "linked: the object has them")
tap.like(linked["k.json"], '"packed_bytes": null', "linked: nothing is packed")
local apart = library(problem, { baked = numbers, apart = true })
tap.is(apart["k.weights"], linked["k.weights"], "apart: the same weights")
tap.ok(not apart["k.c"]:find "incbin", "apart: the object does not have them")
tap.like(apart["k.c"], "gen --target generic --weights file SPEC", "apart: the head says so")
tap.is(apart["k.h"], library(plain, {})["k.h"], "apart: the header of the kernel that packs")
local several = library(problem, { baked = numbers, targets = { "generic", "x86-64-v4" } })
tap.ok(several["k__generic.weights"] and several["k__x86_64_v4.weights"], "each variant has one")
tap.is(library(problem, { baked = numbers })["k.c"], linked["k.c"], "the same bytes again")

-- Every type, also bf16 as other libraries write it.
local bf16 = npy.encode("bf16", { 1, 1, 1 }, "\x80\x3f")
command.write(folder .. "/opaque.npy", (bf16:gsub("<u2", "|V2")))
put("f64.npy", "f64", { 1, 1, 1 }, string.pack("<d", 0 / 0))
put("f16.npy", "f16", { 1, 1, 1 }, "\x00\xfc")
command.write(folder .. "/bf16.npy", bf16)
for _, case in ipairs { { "bf16", "bf16" }, { "bf16", "opaque" }, { "f64", "f64" },
  { "f16", "f16" } } do
  local kernels = lua_spec.read(folder .. "/a.lua", ('kernel "k" { op = "conv", kernel_size = 1,'
    .. ' x = tensor { 1, 1, 4, dtype = "%s" }, out_channels = 1, bias = false,'
    .. ' weight = npy "%s.npy" }'):format(case[1], case[2]))
  tap.ok(spec.validate(kernels), ("%s of %s.npy"):format(case[1], case[2]))
end

-- Where files may lie.
local outside = command.folder()
command.write(outside .. "/w.npy", command.read(folder .. "/w.npy"))
assert(uv.fs_symlink(outside .. "/w.npy", folder .. "/link.npy"))
assert(uv.fs_symlink(folder .. "/w.npy", folder .. "/inner.npy"))
assert(uv.fs_symlink(outside, folder .. "/away"))
local function with(path) return ('weight = npy "%s", bias = npy "b.npy"'):format(path) end
tap.like(document_of(with "link.npy"), "symbolic link leads out", "a link out of the folder")
tap.like(document_of(with "away/w.npy"), "symbolic link leads out", "a folder that is a link")
tap.is(type(document_of(with "inner.npy")), "table", "a link within the folder")
tap.like(document_of(with "deep/../w.npy"), "leads out", "no way up, not even to come back")
tap.like(document_of(with "w.npy\\0"), "control characters", "a zero byte")
tap.like(document_of(with "deep\\\\w.npy"), "has a character", "a backslash")
tap.like(document_of(with(("x"):rep(2000))), "empty or too long", "a long path")
command.write(folder .. "/short.npy", command.read(folder .. "/w.npy"):sub(1, -2))
tap.like(document_of(with "short.npy"), "do not have the size", "a file that is cut off")
local large <close> = io.open(folder .. "/large.npy", "wb")
large:seek("set", 256 << 20)
large:write("x")
large:flush()
tap.like(document_of(with "large.npy"), "more than 268435456 bytes", "a monstrous file")

-- Flags: files are named by their options.
local values = { op = "conv", x = "1x3x5x6", out_channels = "4", kernel_size = "2,1",
  weight = "tests/errors/data/w.npy", bias = "tests/errors/data/b.npy" }
local _, faults = read.flags(values)
tap.like(diagnostics.format(faults), "it holds 2x1x1x1 float32", "options name files")
values.x, values.out_channels, values.kernel_size = "1x1x3x3", "2", "1"
tap.is(read.flags(values).baked[1].bias.bytes, string.pack("<ff", 3, 4), "and are read")

command.clean()
tap.done()
