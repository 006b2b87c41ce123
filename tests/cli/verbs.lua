-- SPDX-License-Identifier: MIT
-- Every verb does what the contract says, and its --json is JSON.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local dkjson = require "dkjson"

local folder = command.folder()
local spec = command.write(folder .. "/demo.lua", command.tiny("up") .. command.tiny("other"))

local function succeeds(name, arguments)
  local result = command.run(arguments)
  if not tap.is(result.code, 0, name .. ": exit 0") then tap.diag(result.stderr) end
  return result
end

local function data_of(name, arguments)
  arguments[#arguments + 1] = "--json"
  local result = succeeds(name .. " --json", arguments)
  local value, at, reason = dkjson.decode(result.stdout)
  tap.ok(value and not reason, name .. " --json prints JSON")
  tap.ok(at and result.stdout:find("^%s*$", at), name .. " --json prints one value")
  return value or {}
end

local help = succeeds("help", { "help" })
for _, verb in ipairs { "spec", "ops", "explain", "gen", "build", "run", "verify", "bench",
  "tune", "sweep", "db", "import", "dump", "doctor", "help" } do
  tap.like(help.stdout, "\n  " .. verb .. " ", "help lists " .. verb)
  tap.like(succeeds("help " .. verb, { "help", verb }).stdout, "--color",
    "help " .. verb .. " lists its options")
end
for _, absent in ipairs { "report" } do
  tap.ok(not help.stdout:find("\n  " .. absent), absent .. ", not built, is absent")
end
tap.like(succeeds("--help", { "build", "--help" }).stdout, "--depfile", "VERB --help is the same")
tap.is(#data_of("help", { "help" }).verbs, 15, "help --json has the verbs")
tap.like(succeeds("--version", { "--version" }).stdout, "upweave ", "--version")

tap.like(succeeds("spec", { "spec", spec }).stdout, "1x1x4x5 -> 1x1x8x10", "spec shows shapes")
tap.is(succeeds("spec -q", { "spec", "-q", spec }).stdout, "", "spec -q is silent")
tap.is(#data_of("spec", { "spec", spec }).kernels, 2, "spec --json has the kernels")
tap.is(#data_of("spec", { "spec", "--only", "o*", spec }).kernels, 1, "--only keeps one")
local flags = { "--op", "interpolate", "--x", "1x1x4x5", "--mode", "bilinear", "--scale-factor",
  "2", "--name", "up" }
local function with_flags(verb) return table.move(flags, 1, #flags, 2, { verb }) end
tap.same(data_of("spec by flags", with_flags("spec")).kernels[1],
  data_of("spec", { "spec", "--only", "up", spec }).kernels[1], "flags say what a file says")

tap.like(succeeds("ops", { "ops" }).stdout, "interpolate", "ops lists the operators")
tap.like(succeeds("ops interpolate", { "ops", "interpolate" }).stdout, "align_corners",
  "ops OP lists its attributes")
tap.is(succeeds("ops --md", { "ops", "--md" }).stdout, command.read("docs/ops.md"),
  "ops --md is docs/ops.md")
tap.is(data_of("ops", { "ops" }).operators[1].name, "interpolate", "ops --json")

local explained = succeeds("explain", { "explain", spec, "--target", "generic" }).stdout
for _, word in ipairs { "1x1x8x10", "formula", "phase 0:", "FLOP", "schedule", "chosen by",
  "knobs", "limit" } do
  tap.like(explained, word, "explain says " .. word)
end
local facts = data_of("explain", { "explain", spec })
tap.is(facts.kernels[1].axes[1].period.outputs, 2, "explain --json has the period")
tap.like(facts.kernels[1].schedule, ":", "explain --json has the schedule")

for _, stage in ipairs { "problem", "plan", "schedule", "ir", "c", "asm" } do
  local text = succeeds("dump " .. stage, { "dump", "--after=" .. stage, "--only", "up", spec })
  tap.ok(#text.stdout > 20, "dump --after=" .. stage .. " prints something")
end
tap.is(#data_of("dump", { "dump", "--after", "plan", spec, "--target", "generic", "--target",
  "native" }).dumps, 4, "dump --json: two kernels on two targets")

local out = folder .. "/gen"
succeeds("gen", { "gen", spec, "-o", out })
tap.same(command.list(out), { "other.c", "other.h", "other.json", "up.c", "up.h", "up.json" },
  "gen writes C, header and JSON")
tap.is(dkjson.decode(command.read(out .. "/up.json")).target, "generic",
  "gen is for any machine unless said")
tap.is(#data_of("gen", { "gen", spec, "-o", out }).files, 6, "gen --json lists the files")
succeeds("gen --single", { "gen", "--single", spec, "-o", folder .. "/single", "--only", "up" })
tap.ok(not command.read(folder .. "/single/up.c"):find('#include "up.h"', 1, true),
  "gen --single needs no header")

local built = folder .. "/new/build"
succeeds("build", { "build", spec, "-o", built, "--cflags", "-Werror" })
tap.same(command.list(built), { "libdemo.a", "libdemo.so", "other.c", "other.h", "other.json",
  "other.o", "up.c", "up.h", "up.json", "up.o" }, "build writes objects and libraries, too")
local metadata = dkjson.decode(command.read(built .. "/up.json"))
tap.ok(metadata.code_bytes > 100, "build fills code_bytes")
tap.ok(metadata.compile_seconds > 0, "build fills compile_seconds")
tap.like(metadata.compiler, "clang version", "build fills compiler")
local sizes = data_of("build", { "build", spec, "-o", built }).kernels
tap.is(sizes[1].code_bytes, metadata.code_bytes, "build --json has the same code_bytes")
tap.ok(sizes[1].constant_bytes > 0, "build --json has the bytes of constants apart")
local two = folder .. "/two"
succeeds("build for two targets", { "build", spec, "-o", two, "--only", "up", "--target",
  "generic", "--target", "x86-64-v3", "--cflags=-Werror" })
tap.ok(command.read(two .. "/up__generic.c") and command.read(two .. "/up__x86_64_v3.o"),
  "two targets: a variant each")

succeeds("verify", { "verify", spec })
local verified = data_of("verify", { "verify", spec, "--seed", "7", "--rounds", "1" })
tap.is(verified.ok, true, "verify --json says ok")
tap.is(verified.results[1].seed, 7, "verify takes a seed")
local proven = folder .. "/proven"
succeeds("verify -o", { "verify", spec, "--only", "up", "-o", proven, "--target", "generic",
  "--rounds", "1" })
tap.ok(dkjson.decode(command.read(proven .. "/up.json")).verification.generic.checked > 0,
  "verify -o fills verification")
tap.ok(command.read(proven .. "/libdemo.a"), "verify -o writes what build writes")
local measured = data_of("bench", { "bench", spec, "--seconds", "0.05", "--only", "up" })
tap.ok(measured.results[1].median_ns > 0, "bench --json has times")
tap.like(succeeds("bench", { "bench", spec, "--seconds", "0.05" }).stdout, "of limit",
  "bench prints a table")

local doctor = data_of("doctor", { "doctor" })
tap.like(doctor.compiler, "clang", "doctor names the compiler")
tap.is(doctor.targets[1].name, "generic", "doctor lists the targets")
tap.like(succeeds("doctor", { "doctor" }).stdout, "native means this one", "doctor names native")

command.clean()
tap.done()
