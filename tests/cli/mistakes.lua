-- SPDX-License-Identifier: MIT
-- Mistakes of users and faults of the toolchain: exit codes, texts, and nothing half written.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local dkjson = require "dkjson"
local host = require "upweave.toolchain.host"
local target = require "upweave.target"
local uv = require "luv"

local folder = command.folder()
local spec = command.write(folder .. "/demo.lua", command.tiny("up"))
local wrong = command.write(folder .. "/wrong.lua",
  'kernel "a" { op = "interpolate", x = tensor { 1, 1, 4, 4 }, mode = "bilinaer", size = 8 }\n')
local later = command.write(folder .. "/later.lua",
  'kernel "a" { op = "max_pool", x = tensor { 1, 1, 4, 4 }, kernel_size = 2 }\n')

--- One failing command: exit code, and what standard error contains.
local function fails(code, arguments, ...)
  local name = "upweave " .. table.concat(arguments, " "):gsub("/tmp/%S*/", "")
  local result = command.run(arguments)
  if not tap.is(result.code, code, name .. ": exit " .. code) then tap.diag(result.stderr) end
  if code ~= 6 then tap.is(result.stdout, "", name .. ": nothing on stdout") end
  for _, text in ipairs { ... } do tap.like(result.stderr, text, name .. " says " .. text) end
  return result
end

local function script(name, text)
  local path = command.write(folder .. "/" .. name, "#!/bin/sh\n" .. text)
  assert(uv.fs_chmod(path, 448))
  return path
end

fails(2, {}, "usage: upweave VERB")
fails(2, { "bulid", spec }, "error[E001]", "`bulid`", "= try: build")
fails(2, { "report", spec }, "error[E001]")
fails(2, { "help", "nothing" }, "error[E001]")
fails(2, { "--json", "spec", spec }, "error[E002]", "a verb comes first")
fails(2, { "spec", "--verbos", spec }, "error[E002]", "= try: --verbose")
fails(2, { "spec", "--align-corner", spec }, "error[E002]", "= try: --align-corners")
fails(2, { "spec", "--json=1", spec }, "error[E002]")
fails(2, { "doctor", "x" }, "error[E006]", "no argument")
fails(2, { "spec", "--only" }, "error[E003]", "`--only`")
fails(2, { "spec", spec, "--color", "red" }, "error[E004]", "auto, always, never")
fails(2, { "verify", spec, "--seed", "-1" }, "error[E004]", "`-1`")
fails(2, { "verify", spec, "--rounds", "0" }, "error[E004]")
fails(2, { "bench", spec, "--seconds", "nan" }, "error[E004]")
fails(2, { "build", spec, "-o", "x", "-j", "1.5" }, "error[E004]", "`--jobs`")
fails(2, { "build", spec, "-o", "x", "--cflags", "'" }, "error[E004]", "single quote")
fails(2, { "verify", spec, "--runner", " " }, "error[E004]", "`--runner`")
fails(2, { "verify", spec, "--runner", "nobody -v" }, "error[E004]", "no program `nobody`")
fails(2, { "gen", spec, "-o", folder .. "/no", "--target", "x86-64-v33" }, "error[E005]",
  "= try: x86-64-v3")
fails(2, { "gen", spec }, "error[E006]", "-o DIR")
fails(2, { "run", spec }, "error[E006]", "--data DIR")
fails(2, { "dump", spec }, "error[E006]", "--after")
fails(2, { "dump", spec, "--after=irr" }, "error[E004]", "= try: ir")
fails(2, { "spec" }, "error[E006]", "a SPEC")
fails(2, { "spec", spec, "--op", "interpolate" }, "error[E007]", "--op")
fails(2, { "gen", spec, "-o", folder .. "/no", "--single", "--target", "generic", "--target",
  "x86-64-v3" }, "error[E007]", "--single")
fails(2, { "spec", spec, "--only", "x*" }, "error[E008]", "x*")
fails(2, { "spec", folder .. "/none.lua" }, "error[E010]", "none.lua")
fails(2, { "spec", folder }, "error[E014]")
fails(2, { "run", spec, "--data", folder }, "error[E012]", "up.x.npy", "1x1x4x5", "float32")
command.write(folder .. "/up.x.npy", command.npy({ 1, 1, 4, 4 }, {}))
fails(2, { "run", spec, "--data", folder }, "error[E013]", "up.x.npy",
  "shape is (1, 1, 4, 4), x has (1, 1, 4, 5)")
local good = command.npy({ 1, 1, 4, 5 }, {}) .. ("\0"):rep(80)
for _, bad in ipairs {
  { "", "not an npy file" },
  { good:sub(1, 40), "file ends inside its header" },
  { good:sub(1, -2), "file is truncated: 79 of 80 data bytes" },
  { good .. "x", "file goes on after its data" },
  { (good:gsub("<f4", ">f4")), "dtype '>f4' is not read" },
  { (good:gsub("<f4", "<f8")), "dtype is <f8, x has <f4" },
  { (good:gsub("False", " True")), "array is in Fortran order" },
  { (good:gsub("%(1, 1,", "(4294967296, 4294967296,")), "has more bytes than memory can have" },
  { (good:gsub("\1\0", "\9\0", 1)), "npy format 9.0 is not read" },
} do
  command.write(folder .. "/up.x.npy", bad[1])
  fails(2, { "run", spec, "--data", folder }, "error[E013]", "up.x.npy", bad[2])
end

fails(3, { "spec", wrong }, "error[E032]", "bilinear", "wrong.lua:1 kernel \"a\"")
fails(3, { "gen", wrong, "-o", folder .. "/no" }, "error[E032]")
fails(3, { "spec", spec, "--numerics", "exact" }, "error[E032]", "--numerics")
fails(3, { "explain", spec, "--schedule", "nothing:a=1" }, "error[E201]", "nothing")
fails(3, { "gen", spec, "-o", folder .. "/no", "--schedule", "rolling:rows=77" }, "error[E203]")
fails(3, { "spec", "--op", "interpolate", "--x", "1x1x4x4", "--scale-factor", "-2" }, "error[E034]")
fails(3, { "spec", "--op", "interpolate", "--x", "1x1x4x4", "--size", "8",
  "--align-corners=maybe" }, "error[E031]", "maybe")
fails(4, { "spec", later }, "error[E100]", "max_pool")

local both = command.run { "spec", wrong, later }
tap.is(both.code, 3, "two specs with a mistake each: exit of the first")
tap.like(both.stderr, "E032", "the first is reported")
tap.like(both.stderr, "E100", "so is the second")

local as_data = command.run { "spec", wrong, "--json" }
local value = dkjson.decode(as_data.stdout)
tap.is(value and value.ok, false, "--json: mistakes are data, too")
tap.is(value and value.diagnostics[1].code, "E032", "--json: with their code")

fails(5, { "build", spec, "-o", folder .. "/no", "--cc", "no-such-clang" }, "error[E300]",
  "no-such-clang")
fails(5, { "build", spec, "-o", folder .. "/no", "--cc", script("gcc", "echo gcc 12.2.0\n") },
  "error[E300]", "is not Clang")
fails(5, { "build", spec, "-o", folder .. "/no", "--cc",
  script("old", "echo clang version 13.0.1\n") }, "error[E303]", "13.0.1")
fails(5, { "build", spec, "-o", folder .. "/no", "--cflags=-DX='a b' -fno-such-flag" },
  "error[E301]", "-fno-such-flag", "'-DX=a b'", "up.c")
local function imposter(name, action)
  return script(name, 'case "$*" in *--version*) echo clang version 19.9.9 ' .. name
    .. ';; *) ' .. action .. ' ;; esac\n')
end
fails(5, { "build", spec, "-o", folder .. "/no", "--cc", imposter("slow", "sleep 60"),
  "--compile-seconds", "0.3" }, "error[E302]", "longer than")
fails(5, { "build", spec, "-o", folder .. "/no", "--cc", imposter("killed", "kill -9 $$") },
  "error[E301]", "signal 9")
fails(5, { "build", spec, "-o", folder .. "/no", "--cc",
  imposter("angry", "echo because of this >&2; exit 3") }, "error[E301]", "exit code 3",
  "| because of this")
local long = fails(5, { "build", spec, "-o", folder .. "/no", "--cc",
  imposter("talker", "seq 1000 >&2; exit 1") }, "| 20", "980 more lines")
tap.ok(not long.stderr:find("\n  | 21\n"), "what a compiler says is cut")
tap.ok(not uv.fs_stat(folder .. "/no"), "none of these wrote anything")

-- A kernel that is wrong: an emulator that says so stands in for the program.
local liar = script("liar", [[
printf '{"kernel":"up","ok":false,"index":[0,0,1,2],"got":1.5,'
printf '"want":"nan","ulp":12,"seed":7,"case":"nan"}\n'
exit 6
]])
fails(6, { "verify", spec, "--runner", liar, "--target", "generic", "--seed", "7" }, "error[E500]",
  "[0,0,1,2]", "1.5", "nan", "12 ULP", "seed 7", "--only up --runner", "--target generic --seed 7")
local crash = script("crash", "kill -11 $$\n")
fails(6, { "verify", spec, "--runner", crash }, "error[E501]", "signal 11")
local flagged = command.run { "verify", "--op", "interpolate", "--x", "1x1x4x5", "--size", "8,9",
  "--name", "up", "--runner", liar }
tap.is(flagged.code, 6, "a mismatch of a kernel given by flags: exit 6")
tap.like(flagged.stderr, "= try: upweave verify --op", "its repetition has the flags")
fails(7, { "bench", spec, "--runner", crash }, "error[E600]", "signal 11")
local headless = command.write(folder .. "/headless", "#!/no/such/interpreter\n")
assert(uv.fs_chmod(headless, 448))
fails(7, { "bench", spec, "--runner", headless }, "error[E600]", "could not be started")

local strange
for _, record in ipairs(target.list()) do
  if #host.lacks(record) > 0 then strange = record.name end
end
if strange then
  fails(9, { "run", spec, "--data", folder, "--target", strange }, "error[E800]", strange)
  fails(9, { "verify", spec, "--target", strange }, "error[E800]", strange)
  fails(9, { "bench", spec, "--target", strange }, "error[E800]", strange)
else
  tap.skip("a target that cannot run here: exit 9", "this CPU runs them all")
end

local impossible = host.cannot_run { name = "future", arch = "any", cpu = { "flux9" } }
tap.is(impossible and impossible.exit, 9, "a target whose features this CPU lacks: exit 9")
tap.like(impossible and impossible.because, "flux9", "the lacking feature is named")

local full = io.open("/dev/full", "w")
if full then
  full:close()
  local code, handle
  handle = uv.spawn(command.program, { args = { "ops" },
    stdio = { nil, assert(uv.fs_open("/dev/full", "w", 0)), nil } },
    function(status) code = status end)
  uv.run()
  handle:close()
  tap.is(code, 1, "a full disk under standard output is no success")
end

command.clean()
tap.done()
