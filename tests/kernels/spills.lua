-- SPDX-License-Identifier: MIT
-- No register is spilled or reloaded in an innermost loop of the bench's kernels.
--
-- Clang's assembly says of every block which loop it is in, and of every access to the stack that
-- it is a spill or a reload.  (Its remarks do not do: they may give a loop the line of another.)
-- The compiler only has to know the targets: this runs on every machine.  Clang 19 is the one
-- measured.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local workloads = dofile "tests/lib/workloads.lua"

-- Every convolution for two of the four, by turns.
local TARGETS <const> = { "x86-64-v3", "x86-64-v4", "icelake", "aarch64" }

-- On AArch64 not all that resample: its conversions and 8-bit sums take registers that the formulas
-- of the strategies do not count, and one f32 kernel spills once.
local function problems_for(target)
  local list = workloads.turn(workloads.problems("contract"), target, 2)
  for _, problem in ipairs(workloads.problems("resample")) do
    local counted = problem.x.dtype == "f32" and problem.name ~= "u12f32_interleaved"
    if target ~= "aarch64" or counted then list[#list + 1] = problem end
  end
  return list
end

-- Of a line of assembly: the routine or block that begins, the block's name in Clang's comments.
local function begins(line)
  local label = line:match("^([%w_.]+):") or line:match("^[#/]+ (%%bb%.%d+):")
  if not label then return nil end
  return label, label:match("^%.L(BB%d+_%d+)$")
end

-- The loop that a comment of a block names: its header, and whether no loop is inside.
local function loop_of(line, block)
  local header = line:match("in Loop: Header=(BB%d+_%d+) ")
  if header then return header end
  local inner = line:match("=>%s*This (I?n?n?e?r? ?)Loop Header")
  if inner then return block, inner ~= "" end
end

-- Spills and reloads in loops, calls in loops, innermost loops, and routines that have loops.
local function read(text)
  local seen = { accesses = {}, calls = {}, innermost = {}, looping = {} }
  local routine, block, loop
  for line in text:gmatch("([^\n]*)\n") do
    local label, name = begins(line)
    if label then
      block, loop = name, nil
      if not label:find("^[.%%]") then routine = label end
    end
    local header, inner = loop_of(line, block)
    if header then
      loop, seen.looping[routine] = header, true
      seen.innermost[header] = inner or seen.innermost[header]
    end
    local access = line:match("[#/]+ (%d+%-byte [%a ]+)$")
    if loop and access then
      seen.accesses[#seen.accesses + 1] = { loop = loop, text = routine .. ": " .. access }
    end
    local callee = line:match("^%s+callq?%s+([%w_]+)") or line:match("^%s+bl%s+([%w_]+)")
    if loop and callee then seen.calls[#seen.calls + 1] = { loop = loop, callee = callee } end
  end
  return seen
end

-- What is spilled and reloaded in innermost loops: a loop that calls another is none, and packing,
-- which is done once, does not count.
local function spills(text)
  local seen, list, numbers = read(text), {}, {}
  for _, call in ipairs(seen.calls) do
    if seen.looping[call.callee] then seen.innermost[call.loop] = false end
  end
  for _, access in ipairs(seen.accesses) do
    if seen.innermost[access.loop] and not access.text:find("^[%w_]+_fill: ") then
      local place = access.loop .. " of " .. access.text
      if not numbers[place] then list[#list + 1] = place end
      numbers[place] = (numbers[place] or 0) + 1
    end
  end
  for i, place in ipairs(list) do list[i] = ("%d × %s"):format(numbers[place], place) end
  return list
end

-- the parser of this test on texts whose loops are known
tap.same(spills [[
f:                                      # @f
# %bb.0:
  movq  %rax, -16(%rsp)                 # 8-byte Spill
.LBB1_2:                                # =>This Loop Header: Depth=1
                                        #     Child Loop BB1_4 Depth 2
  movq  -72(%rsp), %rcx                 # 8-byte Reload
.LBB1_4:                                #   Parent Loop BB1_2 Depth=1
                                        # =>  This Inner Loop Header: Depth=2
  vmovaps  %zmm1, 896(%rsp)                # 64-byte Spill
# %bb.5:                                #   in Loop: Header=BB1_4 Depth=2
  vunpcklpd  320(%rsp), %zmm30, %zmm30 # 64-byte Folded Reload
  vmovaps  %zmm2, 960(%rsp)                # 64-byte Spill
  jne  .LBB1_4
# %bb.6:                                #   in Loop: Header=BB1_2 Depth=1
  movq  -72(%rsp), %rcx                 # 8-byte Reload
  jne  .LBB1_2
.LBB1_7:
  movq  -72(%rsp), %rcx                 # 8-byte Reload
]], { "2 × BB1_4 of f: 64-byte Spill", "1 × BB1_4 of f: 64-byte Folded Reload" },
  "those of an innermost loop count")

tap.same(spills [[
f:                                      // @f
// %bb.0:
  str  x8, [sp, #16]                   // 8-byte Folded Spill
.LBB0_1:                                // =>This Inner Loop Header: Depth=1
  ldp  x14, x13, [sp, #344]            // 16-byte Folded Reload
  bl  row
g:                                      // @g
.LBB1_1:                                // =>This Inner Loop Header: Depth=1
  ldr  q11, [sp, #144]                 // 16-byte Folded Reload
  bl  flat
row:                                    // @row
.LBB2_1:                                // %.preheader
                                        // =>This Inner Loop Header: Depth=1
  str  q11, [sp, #144]                 // 16-byte Folded Spill
flat:                                   // @flat
  str  q11, [sp, #144]                 // 16-byte Folded Spill
k_fill:                                 // @k_fill
.LBB4_1:                                // =>This Inner Loop Header: Depth=1
  str  q11, [sp, #144]                 // 16-byte Folded Spill
]], { "1 × BB1_1 of g: 16-byte Folded Reload", "1 × BB2_1 of row: 16-byte Folded Spill" },
  "a loop around a call of a loop is not innermost")

-- a kernel whose loop carries forty vectors: it must be reported, else this test shows nothing
local function hungry(count, flags)
  local sums, uses, ends = {}, {}, {}
  for i = 1, count do
    sums[i] = ("  v s%d = p[%d];"):format(i, i)
    uses[i] = ("    s%d = s%d * p[i] + q[i + %d];"):format(i, i, i)
    ends[i] = ("  q[%d] = s%d;"):format(i, i)
  end
  local text = ([[
typedef float v __attribute__((ext_vector_type(4)));
void f(v *p, v *q, long n);
void f(v *p, v *q, long n) {
%s
  for (long i = 0; i < n; ++i) {
%s
  }
%s
}
]]):format(table.concat(sums, "\n"), table.concat(uses, "\n"), table.concat(ends, "\n"))
  return { name = "hungry", source = "f.c", text = text, files = { { name = "f.c", text = text } },
    flags = table.move(flags, 1, #flags, 3, { "-O2", "-S" }) }
end

local function self_test(compiler, machine, flags)
  local few, many = table.unpack(compiled.compile(compiler,
    { hungry(8, flags), hungry(40, flags) }))
  tap.ok(few.ok and #spills(few.object) == 0, machine .. ": eight sums in a loop do not spill")
  tap.ok(many.ok and #spills(many.object) > 0, machine .. ": forty are seen to")
end

local function check(unit, result, target)
  local faults = result.ok and spills(result.object) or { result.stderr }
  tap.ok(#faults == 0, ("%s for %s"):format(unit.name, target))
  for _, fault in ipairs(faults) do tap.diag(fault) end
end

local compiler = compiled.compiler(19)
if compiler then
  self_test(compiler, "x86-64", { "--target=x86_64-linux-gnu", "-march=x86-64-v4" })
  self_test(compiler, "AArch64", { "--target=aarch64-linux-gnu" })
  for _, target in ipairs(TARGETS) do
    local units = workloads.units(compiler, target, problems_for(target), { "-S" })
    for i, outcome in ipairs(compiled.compile(compiler, units)) do
      check(units[i], outcome, target)
    end
  end
else
  tap.skip("spills", "clang-19 is not installed")
end

compiled.command.clean()
tap.done()
