-- SPDX-License-Identifier: MIT
-- The hand-written C: no warning from the newest and the oldest supported Clang, also for CPUs
-- without wide vectors; public headers are valid C++ by themselves.

local tap = dofile "tests/lib/tap.lua"
local process = require "upweave.toolchain.process"

local WARNINGS <const> = { "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror" }
local INCLUDES <const> = { "-Iruntime/include", "-Iruntime/reference", "-Iruntime/harness" }
local PUBLIC <const> = {
  "runtime/include/upweave/kernel.h", "runtime/include/upweave/runtime.h",
  "runtime/reference/reference.h", "runtime/harness/harness.h",
}
local SOURCES <const> = {
  "runtime/src/npy.c", "runtime/src/parallel.c", "runtime/src/status.c",
  "runtime/reference/axis.c", "runtime/reference/contract.c",
  "runtime/reference/contract_choose.c", "runtime/reference/contract_post.c",
  "runtime/reference/dtype.c", "runtime/reference/exact.c",
  "runtime/reference/generic_contract.c",
  "runtime/reference/generic.c", "runtime/reference/interpolate.c", "runtime/reference/onnx.c",
  "runtime/reference/paddle.c", "runtime/reference/table.c", "runtime/reference/tflite.c",
  "runtime/reference/torch.c",
  "runtime/harness/bench.c", "runtime/harness/compare.c", "runtime/harness/data.c",
  "runtime/harness/faults.c",
  "runtime/harness/json.c", "runtime/harness/main.c", "runtime/harness/memory.c",
  "runtime/harness/pool.c", "runtime/harness/probe.c", "runtime/harness/run.c",
  "runtime/harness/subject.c",
  "runtime/harness/verify.c",
}

local function command(program, flags, sources)
  local list = { program, "-fsyntax-only" }
  for _, part in ipairs { flags, WARNINGS, INCLUDES, sources } do
    table.move(part, 1, #part, #list + 1, list)
  end
  return list
end

local function clean(name, program, flags, sources)
  local result = process.run(command(program, flags, sources), { seconds = 60, limit = 1 << 20 })
  if result.fault then
    tap.skip(name, program .. " is not installed")
  elseif not tap.ok(result.ok, name) then
    tap.diag(result.stderr)
  end
end

for _, compiler in ipairs { "clang-19", "clang-14" } do
  clean(compiler .. ": sources", compiler, { "-std=c11", "-D_GNU_SOURCE" }, SOURCES)
  clean(compiler .. ": sources as the tests compile them", compiler, { "-std=c11" }, SOURCES)
  clean(compiler .. ": probes for AVX2", compiler, { "-std=c11", "-march=x86-64-v3" },
    { "runtime/harness/probe.c" })
  clean(compiler .. ": probes for AVX-512", compiler, { "-std=c11", "-march=x86-64-v4" },
    { "runtime/harness/probe.c" })
  for _, header in ipairs(PUBLIC) do
    clean(compiler .. ": C++: " .. header, compiler, { "-x", "c++", "-std=c++11" }, { header })
    clean(compiler .. ": C: " .. header, compiler, { "-x", "c", "-std=c11" }, { header })
  end
end

tap.done()
