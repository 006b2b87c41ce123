-- SPDX-License-Identifier: MIT
-- Baked kernels as a user meets them: bit for bit what the kernels give that pack, on this machine
-- and in an emulator; through every verb; the cache knows the bytes; mistakes write nothing.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local machines = dofile "tests/lib/machines.lua"
local cache = require "upweave.toolchain.cache"
local clang = require "upweave.toolchain.clang"
local harness = require "upweave.toolchain.harness"
local host = require "upweave.toolchain.host"
local json = require "upweave.read.json"
local npy = require "upweave.read.npy"
local read = require "upweave.read"
local tools = require "upweave.cli.tools"
local types = require "upweave.ir.types"
local words = require "upweave.toolchain.words"

local folder = command.folder()
local function at(name) return folder .. "/" .. name end

-- The kernels: name, fields, shapes of tensors that are in files.
local KERNELS <const> = {
  { "folded", 'op = "conv", x = tensor { 1, 5, 6, 3, layout = "NHWC" }, out_channels = 4,'
    .. ' kernel_size = 3, padding = 1, post = { "batch_norm", "add", "relu" }', "f32",
    { x = { 1, 5, 6, 3 }, residual = { 1, 5, 6, 4 } },
    { weight = { 4, 3, 3, 3 }, bias = { 4 }, gamma = { 4 }, beta = { 4 }, mean = { 4 },
      var = { 4 } } },
  { "half", 'op = "conv_transpose", x = tensor { 2, 4, 5, 6, dtype = "f16" }, out_channels = 3,'
    .. " kernel_size = 4, stride = 2, padding = 1, bias = false", "f16",
    { x = { 2, 4, 5, 6 } }, { weight = { 4, 3, 4, 4 } } },
  { "brain", 'op = "conv", x = tensor { 1, 4, 9, dtype = "bf16" }, out_channels = 4,'
    .. ' kernel_size = 2, groups = 2, post = { "prelu" }', "bf16",
    { x = { 1, 4, 9 } }, { weight = { 4, 2, 2 }, bias = { 4 }, slope = { 4 } } },
  { "wide", 'op = "conv", x = tensor { 1, 2, 3, 4, 5, dtype = "f64" }, out_channels = 2,'
    .. " kernel_size = 2", "f64",
    { x = { 1, 2, 3, 4, 5 } }, { weight = { 2, 2, 2, 2, 2 }, bias = { 2 } } },
  { "tiled", 'op = "conv", x = tensor { 1, 12, 13, 8, layout = "NHWC" }, out_channels = 9,'
    .. ' kernel_size = 3, padding = 1, numerics = "fast", schedule = "winograd"', "f32",
    { x = { 1, 12, 13, 8 } }, { weight = { 9, 8, 3, 3 }, bias = { 9 } } },
}

local state = 1
local function noise()
  state = (state * 1103515245 + 12345) % 2 ^ 31
  return state // 65536 / 16384 - 1
end

local function put(name, shape, dtype, positive)
  local count, values = 1, {}
  for _, n in ipairs(shape) do count = count * n end
  for i = 1, count do
    values[i] = types.round(dtype, positive and 0.5 + noise() ^ 2 or noise())
  end
  command.write(at(name), command.npy(shape, values, dtype))
end

-- Two specs of the same kernels.
local free, baked = {}, {}
for _, row in ipairs(KERNELS) do
  local name, fields, dtype, inputs, parameters = table.unpack(row)
  local files = {}
  for tensor, shape in pairs(inputs) do put(name .. "." .. tensor .. ".npy", shape, dtype) end
  for tensor, shape in pairs(parameters) do
    local file = name .. "." .. tensor .. ".npy"
    put(file, shape, dtype, tensor == "var")
    files[#files + 1] = ('%s = npy "%s"'):format(tensor, file)
  end
  table.sort(files)
  free[#free + 1] = ("kernel %q { %s }\n"):format(name, fields)
  baked[#baked + 1] = ("kernel %q { %s,\n  %s }\n"):format(name, fields,
    table.concat(files, ",\n  "))
end
local without = command.write(at "free.lua", table.concat(free))
local with = command.write(at "baked.lua", table.concat(baked))

local function succeeds(name, arguments)
  local result = command.run(arguments)
  if not tap.is(result.code, 0, name .. ": exit 0") then tap.diag(result.stderr) end
  return result
end

local function results()
  local out = {}
  for i, row in ipairs(KERNELS) do out[i] = command.read(at(row[1] .. ".y.npy")) end
  return out
end

local function same(name, more)
  succeeds(name .. ", packed", { "run", without, "--data", folder, table.unpack(more) })
  local want = results()
  for _, row in ipairs(KERNELS) do command.write(at(row[1] .. ".y.npy"), "") end
  succeeds(name .. ", baked", { "run", with, "--data", folder, table.unpack(more) })
  local got = results()
  for i, row in ipairs(KERNELS) do
    tap.ok(#got[i] > 128 and got[i] == want[i], ("%s: %s is the same"):format(name, row[1]))
  end
end
same("here", {})
same("generic", { "--target", "generic" })
for _, machine in ipairs(machines.others(clang.find {})) do
  if machine.lacks then
    tap.skip("baked kernels on " .. machine.arch, machine.lacks)
  else
    same(machine.arch, { "--target", machine.arch, "--runner", words.join(machine.runner) })
  end
end

-- Against the reference, which has the parameters from the same files.
local verified = succeeds("verify", { "verify", with, "--json" })
tap.is(#json.decode(verified.stdout).results, #KERNELS, "all are verified")
local benched = json.decode(succeeds("bench", { "bench", with, "--seconds", "0.02",
  "--json" }).stdout)
tap.is(#benched.results, #KERNELS, "all are timed")
local timed = json.decode(succeeds("bench, packed", { "bench", without, "--only", "tiled",
  "--seconds", "0.02", "--json" }).stdout)
tap.is(benched.results[5].in_bytes, timed.results[1].in_bytes, "what is read is the same")

-- The reference sees the numbers themselves: a kernel with others is wrong.
local function check_fault()
  local target = host.native()
  local kit = { compiler = clang.find {}, store = cache.open(command.cache) }
  local libraries = tools.generate(read.file(with, { only = { "half", "wide" } }), { target }, {})
  local weight = libraries[1].baked.weight
  libraries[1].baked = { weight = { bytes = weight.bytes:sub(3) .. weight.bytes:sub(1, 2) } }
  local program = harness.build(kit, libraries, target)
  local records = harness.run(program, { "verify" }, { seconds = 60, what = "verify", total = 2 })
  tap.is(records[1].kind, "value", "a kernel with other weights is wrong")
  tap.is(records[2].ok, true, "the other one is not")
end
check_fault()

-- The other verbs.
tap.like(succeeds("explain", { "explain", with }).stdout, "baked from folded.gamma.npy", "explain")
tap.like(succeeds("dump", { "dump", with, "--after=c", "--only", "half" }).stdout, "half.weights",
  "dump")
tap.ok(succeeds("dump asm", { "dump", with, "--after=asm", "--only", "half" }).stdout:find
  "half_weights:", "dump of the assembly")
local printed = succeeds("spec", { "spec", with, "--json" }).stdout
local again = command.write(at "again.json", printed)
tap.is(succeeds("spec again", { "spec", again, "--json" }).stdout, printed, "spec reads itself")
local tuned = succeeds("tune", { "tune", with, "--only", "tiled", "--trials", "2", "--db",
  at "db.jsonl", "--json" })
tap.is(json.decode(tuned.stdout).results[1].trials, 2, "tune")
tap.like(succeeds("tuned", { "explain", with, "--only", "wide", "--db", at "db.jsonl" }).stdout,
  "heuristic", "what is not tuned")

-- Libraries: nothing to pack, and weights in a file.
local function generated(name, ...)
  succeeds(name, { ... })
  local out = {}
  for _, file in ipairs(command.list(at(name))) do
    out[#out + 1] = file .. "\n" .. command.read(at(name .. "/" .. file))
  end
  return table.concat(out)
end
local first = generated("one", "gen", with, "-o", at "one", "--target", "generic", "--target",
  "x86-64-v3")
tap.is(generated("two", "gen", with, "-o", at "two", "--target", "generic", "--target",
  "x86-64-v3"), first, "the same bytes again")
local several = succeeds("several targets", { "build", with, "-o", at "several", "--target",
  "generic", "--target", "x86-64-v3" })
tap.ok(not several.stderr:find "warns", "without a warning")
generated("single", "gen", with, "-o", at "single", "--single", "--depfile", at "depends")
tap.like(command.read(at "depends"), at "folded.gamma.npy", "the outputs depend on the files")
tap.ok(command.read(at "single/half.weights"), "--single has its weights beside it")
generated("apart", "build", with, "-o", at "apart", "--weights", "file")
tap.like(command.read(at "apart/half.h"), "int half_pack(", "a library whose weights are apart")
local packed = json.decode(command.read(at "apart/half.json")).packed_bytes
tap.is(#command.read(at "apart/half.weights"), packed, "they are all that it takes")
local refused = command.run { "gen", with, "-o", at "no", "--weights", "file", "--target",
  "generic", "--target", "x86-64-v3" }
tap.is(refused.code, 2, "a file is for one target")
tap.like(refused.stderr, "E007", "which is said")

-- The cache knows the bytes.
local fresh = { env = { UPWEAVE_CACHE = at "cache" } }
local function compilations(name)
  local result = command.run({ "build", with, "-o", at "cached", "--only", "wide" }, fresh)
  tap.is(result.code, 0, name .. ": exit 0")
  return select(2, result.stderr:gsub("compile wide%.c", ""))
end
tap.is(compilations "first", 1, "a kernel is compiled")
local object = command.read(at "cached/wide.o")
tap.is(compilations "again", 0, "and not again")
put("wide.bias.npy", { 2 }, "f64")
tap.is(compilations "other numbers", 1, "other numbers are another object")
tap.ok(command.read(at "cached/wide.o") ~= object, "with other bytes")

-- A mistake writes nothing.
command.write(at "wide.bias.npy", npy.encode("f64", { 3 }, ("x"):rep(24)))
local wrong = command.run { "build", with, "-o", at "nothing" }
tap.is(wrong.code, 3, "a file that does not fit: exit 3")
tap.like(wrong.stderr, "error[E066]: conv.bias", "which is said")
tap.is(#command.list(at "nothing"), 0, "nothing is written")

command.clean()
tap.done()
