-- SPDX-License-Identifier: MIT
-- Targets: what each says of its machine, and which one a machine gets.

local tap = dofile "tests/lib/tap.lua"
local targets = require "upweave.target"

local function names()
  local out = {}
  for i, t in ipairs(targets.list()) do out[i] = t.name end
  return table.concat(out, " ")
end
tap.is(names(), "generic x86-64-v2 x86-64-v3 x86-64-v4 icelake aarch64 riscv64",
  "those of a machine from least to most capable")
tap.is(targets.find "x86-64-v3".name, "x86-64-v3", "found by name")
tap.is(targets.find "x86-64-v9", nil, "an unknown one is none")
tap.is(table.concat(targets.flags, " "),
  "-std=c11 -O2 -fno-unroll-loops -fno-slp-vectorize -fno-builtin-memcpy -fno-builtin-memmove"
    .. " -fno-builtin-memset -ffp-contract=off",
  "flags of all targets")

-- name, bytes of a vector, registers, FMA, non-temporal stores, flags
local facts = {
  { "generic", 16, 16, false, false, "" },
  { "x86-64-v2", 16, 16, false, true, "-march=x86-64-v2" },
  { "x86-64-v3", 32, 16, true, true, "-march=x86-64-v3" },
  { "x86-64-v4", 64, 32, true, true, "-march=x86-64-v4 -mprefer-vector-width=512" },
  { "icelake", 64, 32, true, true, "-march=icelake-server -mprefer-vector-width=512" },
  { "aarch64", 16, 32, true, false, "--target=aarch64-linux-gnu", "aarch64" },
  { "riscv64", 16, 32, true, false, "--target=riscv64-linux-gnu -march=rv64gcv", "riscv64" },
}
for _, fact in ipairs(facts) do
  local t = targets.find(fact[1])
  tap.is(t.vector_bytes, fact[2], fact[1] .. ": bytes of a vector")
  tap.is(t.registers, fact[3], fact[1] .. ": registers")
  tap.is(t.fma, fact[4], fact[1] .. ": FMA")
  tap.is(t.fence, fact[5] and "__builtin_ia32_sfence()" or nil, fact[1] .. ": fence")
  tap.is(table.concat(t.flags, " "), fact[6], fact[1] .. ": flags")
  tap.is(t.arch, fact[7] or fact[1] == "generic" and "any" or "x86_64", fact[1] .. ": machine")
end

-- which one a machine gets
local function best(arch, ...)
  local has = {}
  for _, list in ipairs { ... } do
    for _, feature in ipairs(list) do has[feature] = true end
  end
  return targets.best(arch, function(feature) return has[feature] == true end).name
end
local v2, v3 = { "sse4_2", "ssse3", "popcnt" }, { "avx2", "fma", "bmi2", "f16c" }
local v4 = { "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl" }
local more = { "avx512vbmi", "avx512_vbmi2", "avx512_vnni", "gfni", "vaes", "vpclmulqdq" }
tap.is(best("x86_64"), "generic", "no feature")
tap.is(best("x86_64", v2), "x86-64-v2", "SSE4.2")
tap.is(best("x86_64", v2, v3), "x86-64-v3", "AVX2")
tap.is(best("x86_64", v2, v3, v4), "x86-64-v4", "AVX-512")
tap.is(best("x86_64", v2, v3, v4, more), "icelake", "and VBMI, VNNI")
tap.is(best("aarch64"), "aarch64", "NEON and FMA are in every AArch64")
tap.is(best("aarch64", v2, v3, v4, more), "aarch64", "another machine's features do not matter")
tap.is(best("riscv64"), "generic", "RISC-V without vectors")
tap.is(best("riscv64", { "v" }), "riscv64", "RISC-V with vectors")
tap.is(best("s390x", v2, v3, v4, more), "generic", "another machine")
tap.is(best("x86_64", v2, { "avx2", "fma" }), "x86-64-v2", "not all features of AVX2")
for missing = 1, #v4 do
  local list = table.move(v4, 1, #v4, 1, {})
  list[missing] = "none"
  tap.is(best("x86_64", v2, v3, list, more), "x86-64-v3", "without " .. v4[missing])
end
tap.is(best("x86_64", v2, v3, v4, { "avx512vbmi" }), "x86-64-v4", "VBMI alone is not Ice Lake")

-- one library is for one machine, and so is its generic part
local function find(...)
  local list = {}
  for i, name in ipairs { ... } do list[i] = targets.find(name) end
  return list
end
tap.is(#targets.together(find("generic", "x86-64-v3"))[1].flags, 0, "generic beside x86")
tap.same(targets.together(find "generic"), find "generic", "generic alone is for any machine")
local list = targets.together(find("generic", "riscv64"))
tap.is(list[1].name, "generic", "generic beside another machine's is compiled for that")
tap.is(list[1].arch, "riscv64", "it runs there")
tap.is(list[1].emulator, targets.find "riscv64".emulator, "or in its emulator")
tap.is(table.concat(list[1].flags, " "), "--target=riscv64-linux-gnu",
  "with the flags of the machine, not of its best CPUs")
tap.is(targets.find "generic".arch, "any", "generic itself stays")
local none, faults = targets.together(find("x86-64-v2", "generic", "aarch64"))
tap.is(none, nil, "two machines are none")
tap.is(faults[1].code, "E009", "and a mistake")
tap.same(targets.machine_flags(targets.find "icelake"), {}, "x86 is the machine that Clang is for")

-- what the dispatcher asks the compiler's runtime for
local builtin = {
  ["x86-64-v2"] = "sse4.2 ssse3 popcnt", ["x86-64-v3"] = "avx2 fma bmi2",
  ["x86-64-v4"] = "avx512f avx512bw avx512cd avx512dq avx512vl",
}
for _, name in ipairs { "x86-64-v2", "x86-64-v3", "x86-64-v4" } do
  tap.is(table.concat(targets.find(name).builtin, " "), builtin[name], name .. ": CPU check")
end
tap.is(#targets.find "generic".builtin, 0, "generic: no CPU check")

tap.done()
