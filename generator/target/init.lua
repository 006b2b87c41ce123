-- TARGETS
-- =======
-- One file an instruction set, those of one machine from least to most capable.  A target says how
-- wide its registers are, how many, what it can do, and how Clang is told; no other module knows an
-- ISA.

local diagnostics = require "upweave.util.diagnostics"
local list = require "upweave.util.list"

local M = {}

--- Clang flags of every target.  The generator owns unrolling (Clang's own cost up to 25 %) and
--- vectors (of scalars side by side Clang 19.1.7 makes wrong ones where it prefers 512 bits; of the
--- bench kernels none loses by it), every fused multiply-add is written as one, and a loop that
--- copies stays one: Clang would call memcpy, and the kernel needed a C library.  (Without any
--- builtin Clang 14 calls sqrt.)
M.flags = {
  "-std=c11", "-O2", "-fno-unroll-loops", "-fno-slp-vectorize", "-fno-builtin-memcpy",
  "-fno-builtin-memmove", "-fno-builtin-memset", "-ffp-contract=off",
}

---@class Target
---@field name string
---@field arch string            "any" or the machine name of the triple
---@field vector_bytes integer   width of a vector register
---@field registers integer      vector registers
---@field fma boolean            has a fused multiply-add
---@field ahead integer?          registers of operands that Clang loads ahead of products, which
---                              take none from memory
---@field half boolean?          converts between f16 and f32
---@field twice boolean?         values of two registers are as good as two values; on x86 Clang
---                              warns of their ABI where AVX-512 is absent
---@field integers table<string, string>?  names of instructions, see emit/integers.lua
---@field fence string?          C text after non-temporal stores; nil: it has no such stores
---@field flags string[]         Clang flags
---@field cpu string[]           features that must be present, as Linux names them
---@field builtin string[]       the same features as __builtin_cpu_supports names them
---@field check {header: string, text: string}?  C condition for what that function cannot ask
---@field emulator string?       command that runs its programs elsewhere

local order = {
  require "upweave.target.generic",
  require "upweave.target.x86_64_v2",
  require "upweave.target.x86_64_v3",
  require "upweave.target.x86_64_v4",
  require "upweave.target.icelake",
  require "upweave.target.aarch64",
  (require "upweave.target.riscv64"), -- one value: require gives the path, too
}

--- All targets, least capable first.
---@return Target[]
function M.list() return order end

--- The target of that name, or nil.
---@param name string
---@return Target?
function M.find(name) return list.named(order, name) end

--- Those of a target's flags that choose the machine, not among its CPUs: whatever is linked with
--- the target's objects is compiled with them.
---@param record Target
---@return string[]
function M.machine_flags(record)
  local flags = {}
  for _, flag in ipairs(record.flags) do
    if flag:find("^%-%-target=") then flags[#flags + 1] = flag end
  end
  return flags
end

-- A target for any machine, compiled for that of another.
local function moved(record, other)
  if record.arch ~= "any" or not other then return record end
  local changes = { arch = other.arch, flags = M.machine_flags(other), emulator = other.emulator }
  return setmetatable(changes, { __index = record })
end

--- Targets of one library or one run, which is for one machine: `generic` is compiled for it.
---@param records Target[]
---@return Target[]?
---@return upweave.Diagnostic[]? faults
function M.together(records)
  local other
  for _, record in ipairs(records) do
    if record.arch ~= "any" then
      if other and other.arch ~= record.arch then
        return nil, { diagnostics.new("E009", { place = "--target", first = other.name,
          second = record.name, arch = other.arch, other_arch = record.arch }) }
      end
      other = other or record
    end
  end
  local out = {}
  for i, record in ipairs(records) do out[i] = moved(record, other) end
  return out
end

--- The most capable target whose features `has(feature)` confirms.
---@param arch string
---@param has fun(feature: string): boolean
---@return Target
function M.best(arch, has)
  local best = order[1]
  for _, target in ipairs(order) do
    local fits = target.arch == "any" or target.arch == arch
    for _, feature in ipairs(target.cpu) do fits = fits and has(feature) end
    if fits then best = target end
  end
  return best
end

return M
