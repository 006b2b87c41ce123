-- SPDX-License-Identifier: MIT
-- Building and running for another machine, as a user meets it: what is written, what runs in an
-- emulator, and what is said where a part is missing.

local tap = dofile "tests/lib/tap.lua"
local command = dofile "tests/lib/command.lua"
local dkjson = require "dkjson"
local clang = require "upweave.toolchain.clang"
local host = require "upweave.toolchain.host"
local machines = dofile "tests/lib/machines.lua"
local uv = require "luv"

local ELF_MACHINES <const> = { aarch64 = 183, riscv64 = 243 }

local folder = command.folder()
local spec = command.write(folder .. "/demo.lua", command.tiny("up"))

local function ends(code, arguments, options, ...)
  local result = command.run(arguments, options)
  local name = "upweave " .. table.concat(arguments, " "):gsub("/tmp/%S*/", "")
  if not tap.is(result.code, code, name .. ": exit " .. code) then tap.diag(result.stderr) end
  for _, text in ipairs { ... } do tap.like(result.stderr, text, name .. " says " .. text) end
  return result
end

-- What needs no compiler for it.
local function check_texts(machine)
  local name = machine.runs[#machine.runs].name
  local hint = host.runner(machine.runs[#machine.runs])
  for _, arguments in ipairs { { "verify", spec }, { "bench", spec },
    { "run", spec, "--data", folder } } do
    table.move({ "--target", name }, 1, 2, #arguments + 1, arguments)
    ends(9, arguments, nil, "error[E800]", "not " .. machine.arch, hint)
  end
  local out = folder .. "/c-" .. name
  ends(0, { "gen", spec, "--target", name, "--target", "generic", "-o", out })
  local files = { "up.c", "up.h", "up.json", "up__" .. name .. ".c", "up__generic.c" }
  table.sort(files)
  tap.same(command.list(out), files, name .. ": gen writes a dispatcher over it and generic")
  for _, verb in ipairs { "gen", "build" } do
    ends(2, { verb, spec, "--target", "x86-64-v2", "--target", name, "-o", folder .. "/none" }, nil,
      "error[E009]", "x86_64 or " .. machine.arch)
  end
  tap.ok(not uv.fs_stat(folder .. "/none"), name .. ": nothing is written for two machines")
end

-- The machine of an ELF file.
local function elf_machine(path)
  return (string.unpack("<I2", command.read(path), 0x12 + 1))
end

local function check_build(machine)
  local name, out = machine.runs[#machine.runs].name, folder .. "/o-" .. machine.arch
  ends(0, { "build", spec, "--target", "generic", "--target", name, "-o", out, "--cflags=-Werror" })
  for _, file in ipairs { "libdemo.so", "up.o", "up__generic.o", "up__" .. name .. ".o" } do
    tap.is(elf_machine(out .. "/" .. file), ELF_MACHINES[machine.arch], name .. ": " .. file)
  end
  tap.ok(command.read(out .. "/libdemo.a"), name .. ": an archive of them")
  local runner = table.concat(machine.runner, " ")
  local verified = dkjson.decode(ends(0, { "verify", spec, "--target", "generic", "--target", name,
    "--runner", runner, "--rounds", "1", "--json" }).stdout)
  tap.is(#verified.results, 2, name .. ": verify in the emulator, generic compiled for it")
  command.write(folder .. "/up.x.npy", command.npy({ 1, 1, 4, 5 }, { 1, 2,
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 }))
  ends(0, { "run", spec, "--data", folder })
  local here = command.read(folder .. "/up.y.npy")
  ends(0, { "run", spec, "--data", folder, "--target", name, "--runner", runner })
  tap.is(command.read(folder .. "/up.y.npy"), here, name .. ": run gives this machine's bytes")
  ends(0, { "bench", spec, "--target", name, "--runner", runner, "--seconds", "0.05" })
end

-- A PATH with nothing but a compiler and what starts the command.
local function check_missing(machine, compiler)
  local name, tools = machine.runs[#machine.runs].name, folder .. "/tools"
  local environment = { env = { PATH = tools } }
  uv.fs_mkdir(tools, 448)
  for _, program in ipairs { "lua5.4", "sh", "dirname", "readlink", compiler.command[1] } do
    uv.fs_symlink(assert(clang.which(program)), tools .. "/" .. program)
  end
  local doctor = ends(0, { "doctor" }).stdout
  tap.like(doctor, ("%s    with %s\n"):format(name, host.runner(machine.runs[#machine.runs])),
    "doctor says how to run it")
  local build = { "build", spec, "--target", name, "-o", folder .. "/none" }
  ends(5, build, environment, "error[E300]", "ld.lld not found", "apt-get install lld-")
  build[#build + 1] = "--cflags=--sysroot=" .. folder
  ends(5, build, nil, "error[E300]", "the C library of " .. machine.arch, "apt-get install libc6-")
  tap.ok(not uv.fs_stat(folder .. "/none"), name .. ": then nothing is written")
  ends(9, { "verify", spec, "--target", name }, environment, "error[E800]",
    "apt-get install qemu-user")
  doctor = ends(5, { "doctor" }, environment).stdout -- there is no archiver, either
  tap.like(doctor, name .. "    no: ld.lld not found", "doctor names what is missing")
end

local compiler = clang.find {}
if not compiler then
  tap.skip("other machines", "no clang is installed")
else
  for _, machine in ipairs(machines.others(compiler)) do
    check_texts(machine)
    if machine.lacks then
      tap.skip("building for " .. machine.arch, machine.lacks)
    else
      check_build(machine)
      check_missing(machine, compiler)
    end
  end
end

command.clean()
tap.done()
