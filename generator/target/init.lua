-- TARGETS
-- =======
-- One file an instruction set, listed from least to most capable.  A target says how wide its
-- registers are, how many, what it can do, and how Clang is told; no other module knows an ISA.

local M = {}

--- Clang flags of every target.  The generator owns unrolling (Clang's own cost up to 25 %), and
--- every fused multiply-add is written as one.
M.flags = { "-std=c11", "-O2", "-fno-unroll-loops", "-ffp-contract=off" }

---@class Target
---@field name string
---@field arch string            "any" or the machine name of the triple
---@field vector_bytes integer   width of a vector register
---@field registers integer      vector registers
---@field fma boolean            has a fused multiply-add
---@field fence string?          C text after non-temporal stores; nil: it has no such stores
---@field flags string[]         Clang flags
---@field cpu string[]           features that must be present, as Linux names them
---@field builtin string[]       the same features as __builtin_cpu_supports names them

local order = {
  require "upweave.target.generic",
  require "upweave.target.x86_64_v2",
  require "upweave.target.x86_64_v3",
  require "upweave.target.x86_64_v4",
  (require "upweave.target.icelake"), -- one value: require gives the path, too
}

--- All targets, least capable first.
---@return Target[]
function M.list() return order end

--- The target of that name, or nil.
---@param name string
---@return Target?
function M.find(name)
  for _, target in ipairs(order) do
    if target.name == name then return target end
  end
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
