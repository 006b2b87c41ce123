-- SPDX-License-Identifier: MIT
-- Generated C is clean: no warning from either compiler for any target, headers that stand alone
-- in C and C++, no symbol from outside, single files that need nothing else.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local elf = dofile "tests/lib/elf.lua"
local problems = dofile "tests/lib/problems.lua"
local workloads = dofile "tests/lib/workloads.lua"
local clang = require "upweave.toolchain.clang"
local cross = require "upweave.toolchain.cross"
local driver = require "upweave.driver"
local targets = require "upweave.target"

local STRICT <const> = { "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
  "-Werror", "-fsyntax-only" }

local function report(list, name, count)
  tap.ok(#list == 0, ("%s: %d kernels"):format(name, count))
  for _, text in ipairs(list) do tap.diag(text) end
end

-- objects of the workloads for a target, by turns
local function check_objects(compiler, target)
  local list = workloads.turn(workloads.problems(), target.name, compiler.major >= 19 and 2 or 4)
  local units = workloads.units(compiler, target.name, list)
  local faults, foreign = {}, {}
  for i, result in ipairs(compiled.compile(compiler, units)) do
    if not result.ok or result.stderr:find("warning", 1, true) then
      faults[#faults + 1] = units[i].name .. ": " .. result.stderr
    else
      local names = elf.undefined(result.object)
      if names ~= "" then foreign[#foreign + 1] = units[i].name .. " needs " .. names end
    end
  end
  local name = ("clang-%d, %s"):format(compiler.major, target.name)
  report(faults, name .. ", no warning", #units)
  report(foreign, name .. ", no symbol from outside", #units)
end

-- the second compiler has one target of each width and machine; the first has them all
local OLD_TARGETS <const> = {
  generic = true, ["x86-64-v3"] = true, icelake = true, aarch64 = true, riscv64 = true,
}

local function check_compiler(major)
  local compiler = compiled.compiler(major)
  if not compiler then return tap.skip("clang-" .. major, "it is not installed") end
  local text = "void *memcpy(void *, const void *, unsigned long);\nextern int outside;\n"
    .. "void f(void *p, void *q, unsigned long n);\n"
    .. "void f(void *p, void *q, unsigned long n) { memcpy(p, q, n + (unsigned)outside); }\n"
  local unit = { name = "f", source = "f.c", files = { { name = "f.c", text = text } },
    flags = { "-O2", "-fno-pic", "-Werror" } }
  local object = compiled.compile(compiler, { unit })[1].object
  tap.is(object and elf.undefined(object), "memcpy outside", "symbols from outside are seen")
  for _, target in ipairs(targets.list()) do
    local missing = cross.missing(compiler, target)[1] -- among it the headers
    if missing then
      tap.skip(("clang-%d, %s"):format(major, target.name), missing.message)
    elseif major >= 19 or OLD_TARGETS[target.name] then
      check_objects(compiler, target)
    end
  end
end
check_compiler(19)
check_compiler(14)

-- many files in one run of the compiler, which only looks at them
local function look(program, flags, texts, name)
  if not clang.which(program) then return tap.skip(name, program .. " is not installed") end
  local folder = compiled.command.folder()
  local command = table.move(flags, 1, #flags, 2, { program })
  for _, file in ipairs(texts) do
    compiled.command.write(folder .. "/" .. file.name, file.text)
    if not file.silent then command[#command + 1] = file.name end
  end
  local result = compiled.process.run(command, { cwd = folder, seconds = 100 })
  local clean = result.ok and result.stderr == ""
  if not tap.ok(clean, name) then tap.diag(result.stderr:sub(1, 3000)) end
end

-- Headers: each alone, twice, and all together, in C and in C++.
local list = workloads.problems()
local function header_files()
  local headers, out, together = {}, {}, {}
  for i, problem in ipairs(list) do
    local library = driver.library(problem, { targets = { "generic", "x86-64-v3" } })
    headers[i] = { name = library.files[2].name, text = library.files[2].text, silent = true }
    together[i] = ('#include "%s.h"'):format(problem.name)
    out[i] = { name = problem.name .. "_alone.c",
      text = ('#include "%s.h"\n#include "%s.h"\nint f_%d(void);\n'):format(problem.name,
        problem.name, i) }
  end
  out[#out + 1] = { name = "together.c", text = table.concat(together, "\n") .. "\n" }
  return table.move(headers, 1, #headers, #out + 1, out)
end
local headers = header_files()
for _, major in ipairs { 19, 14 } do
  look("clang-" .. major, STRICT, headers, ("clang-%d: headers alone and together"):format(major))
  local cpp = table.move(STRICT, 2, #STRICT, 3, { "-std=c++11", "-xc++" })
  look("clang-" .. major, cpp, headers, ("clang-%d: headers in C++"):format(major))
end

-- Single files compile where no library is.
local function check_single(target)
  local singles, whole = {}, true
  for i, problem in ipairs(list) do
    if i % 3 == 1 then
      local library = driver.library(problem, { targets = { target.name }, single = true })
      local text = library.files[1].text
      singles[#singles + 1] = { name = problem.name .. ".c", text = text }
      whole = whole and not text:find('#include "', 1, true)
    end
  end
  tap.ok(whole, target.name .. " --single includes no file of ours")
  local flags = table.move(STRICT, 1, #STRICT, 1, {})
  flags[#flags + 1] = "-ffreestanding"
  table.move(target.flags, 1, #target.flags, #flags + 1, flags)
  look("clang-19", flags, singles, "clang-19: --single for " .. target.name .. ", freestanding")
end
check_single(targets.find "generic")
check_single(targets.find "x86-64-v3")

-- What the C may include.
local function included()
  local seen, names = { ['"k.h"'] = true }, {}
  for _, case in ipairs(problems.small()) do
    local library = driver.library(problems.make(case.fields), { targets = { "icelake" } })
    for _, file in ipairs(library.files) do
      for name in file.text:gmatch("#include ([^\n]+)") do
        if not seen[name] then names[#names + 1] = name end
        seen[name] = true
      end
    end
  end
  table.sort(names)
  return table.concat(names, " ")
end
tap.is(included(), "<stddef.h> <stdint.h>", "standard headers, and no others")

compiled.command.clean()
tap.done()
