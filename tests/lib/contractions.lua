-- SPDX-License-Identifier: MIT
-- Compiled kernels of the contract form: small problems with schedules, data for all their tensors,
-- one program that packs, runs and keeps the bytes, and what the interpreter says of them.
--
-- Invariants: tensors start at an element and end with their memory; the program gives the same
-- bytes whole and by two threads that share the tasks, or fails.

local dtypes = dofile "tests/lib/dtypes.lua"
local problems = dofile "tests/lib/problems.lua"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local ops = require "upweave.ops"
local pack = require "upweave.ir.pack"
local types = require "upweave.ir.types"

local M = {}

local compiled, ir

--- Problems of tests/lib/problems_contract.lua by name, with schedules; "" is the heuristic's.
--- What a target cannot do is left out there.
M.cases = {
  { "conv tiles planar", "winograd:algorithm=4x3" },
  { "conv groups interleaved", "" },
  { "conv plain planar", "contract-planar:channels=2,rows=2,strips=2,stage=none" },
  { "conv depthwise interleaved", "contract-depthwise:read=direct,rows=2" },
  { "conv_transpose half interleaved", "winograd:axes=last" },
  { "conv_transpose decoder interleaved", "contract-channels:pixels=2,vectors=1" },
  { "conv half planar", "contract-planar:channels=2,stage=rows" },
  { "conv bf16", "winograd:algorithm=2x3" },
  { "conv volume planar", "contract-planar:channels=3,stage=aligned" },
  { "conv odd channels interleaved", "contract-channels:pixels=3,vectors=2,strips=2,order=strips" },
  { "conv double", "winograd:algorithm=2x3,vectors=1" },
  { "conv depthwise phases interleaved", "contract-depthwise:read=expanded,order=line" },
  { "conv blocks of taps interleaved", "winograd" },
  { "conv one pixel planar", "" },
  { "conv tiles interleaved", "winograd:algorithm=6x3,axes=last" },
  { "conv_transpose many phases interleaved", "winograd:rows=0" },
  { "conv_transpose depthwise phases planar", "contract-depthwise:rows=2" },
  { "conv multiplied interleaved", "contract-channels:pixels=4" },
  { "conv half interleaved", "" },
  { "conv_transpose double", "" },
  { "conv depthwise planar", "winograd:algorithm=2x3,axes=last" },
  { "conv_transpose decoder planar", "winograd" },
  { "conv_transpose groups planar", "" },
  { "conv plain interleaved", "contract-planar:channels=5,stage=rows" },
  { "conv_transpose multiplied planar", "contract-planar:channels=2,stage=rows" },
  { "conv_transpose depthwise interleaved", "contract-depthwise:read=expanded,rows=3" },
  { "conv bf16", "contract-channels:pixels=2,rows=2" },
  { "conv tiles of a line planar", "winograd:rows=2" },
  { "conv double", "contract-planar:channels=5,stage=none" },
  { "conv_transpose phases of one pixel interleaved", "" },
}

local function fields_of(name)
  for _, case in ipairs(dofile "tests/lib/problems_contract.lua") do
    if case.name == name then return case.fields end
  end
  error("no problem is called " .. name)
end

--- A kernel for the targets, the first of which decides whether there is such; named by its number.
---@return table?
function M.kernel(case, wanted, number)
  local problem = problems.make(fields_of(case[1]))
  problem.schedule = case[2] ~= "" and case[2] or nil
  local name = compiled.name(problem, number)
  if not driver.compile(problem, { target = wanted[1].name, stop_after = "ir" }) then return nil end
  return { name = name, title = case[1] .. " " .. case[2], problem = problem,
    tensors = ops.find(problem.op).tensors(problem),
    library = compiled.must(driver.library(problem, { targets = wanted })) }
end

--- Kernels for a target: of all cases, from number `first`, one in `share`.
---@return table[]
function M.kernels(target, first, share)
  local list = {}
  for number = first, #M.cases, share do
    list[#list + 1] = M.kernel(M.cases[number], { target }, #list + 1)
  end
  return list
end

-- data --------------------------------------------------------------------------------------------

local SMALL <const> = { 0.0, -0.0, 2.0 ^ -149, -2.0 ^ -130, 2.0 ^ -126, 2.0 ^ -24, -2.0 ^ -15 }
local LARGE <const> = { 0 / 0, math.huge, -math.huge, 0x1.fffffep127, -0x1.8p127, 65504.0 }

-- Every ninth number is zero or a denormal; a few are large, so that most sums stay finite.
local function hostile_number(v, tensor, random)
  if random(9) == 0 then v = SMALL[1 + random(#SMALL)] end
  local rare = tensor.role == "parameter" and tensor.elems or math.max(20, tensor.elems // 4)
  if random(rare + 1) == 0 then v = LARGE[1 + random(#LARGE)] end
  return v
end

--- Numbers for every tensor that a kernel takes, by name, 0-based.  Hostile data has NaN,
--- infinities, zeros, denormals and large numbers.
function M.data(kernel, hostile)
  local data = {}
  for seed, tensor in ipairs(kernel.tensors) do
    local list, random, array = ir.noise(tensor.elems, seed), ir.random(seed + 1), {}
    for i, v in ipairs(list) do
      if tensor.name == "var" then v = v * v + 0.5 end
      if hostile then v = hostile_number(v, tensor, random) end
      array[i - 1] = types.round(tensor.dtype, v)
    end
    if tensor.role ~= "output" then data[tensor.name] = array end
  end
  return data
end

local function bytes_of(tensor, array)
  local out = {}
  for i = 0, tensor.elems - 1 do out[i + 1] = dtypes.of[tensor.dtype].pack(array[i]) end
  return table.concat(out)
end

-- Numbers from bytes, 0-based.
local function numbers(dtype, bytes)
  local element, out = dtypes.of[dtype], {}
  for i = 0, #bytes // element.bytes - 1 do
    out[i] = element.unpack(bytes, 1 + i * element.bytes)
  end
  return out
end

-- programs ----------------------------------------------------------------------------------------

local MAIN <const> = [[

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct share {
  const struct upw_kernel *k;
  const void *const *inputs;
  const void *packed;
  void *y, *workspace;
  size_t begin, end;
  int status;
};

static void *work(void *arg) {
  struct share *s = arg;
  s->status = s->k->range(s->inputs, s->packed, &s->y, s->workspace, s->begin, s->end);
  return NULL;
}

static void *memory(size_t align, size_t bytes) {
  void *data = NULL;
  if (posix_memalign(&data, align < sizeof data ? sizeof data : align, bytes)) abort();
  return data;
}

/* memory that starts an element after an aligned place and has no byte too many */
static char *elements(const struct upw_tensor *t) {
  char *block = memory(64, 8 + t->bytes);
  return block + 8;
}

static int check(const struct upw_kernel *k) {
  const void *inputs[4] = {NULL}, *parameters[16] = {NULL};
  size_t in = 0, count = 0, bytes = 0;
  char *all[20], *y = NULL, *z = NULL, name[64];
  void *packed = NULL, *space[2];
  snprintf(name, sizeof name, "%s.in", k->name);
  FILE *file = fopen(name, "rb");
  for (uint32_t i = 0; file && i < k->tensor_count; ++i) {
    const struct upw_tensor *t = &k->tensors[i];
    all[i] = elements(t);
    if (t->role == UPW_OUTPUT) {
      y = all[i];
      z = elements(t);
      bytes = t->bytes;
      memset(y, 0xff, bytes);
      memset(z, 0xff, bytes);
    } else {
      if (fread(all[i], 1, t->bytes, file) != t->bytes) return 3;
      if (t->role == UPW_INPUT) inputs[in++] = all[i];
      if (t->role == UPW_PARAMETER) parameters[count++] = all[i];
    }
  }
  if (!file || !y || !z || !k->pack || fclose(file)) return 4;
  packed = memory(k->packed_align, k->packed_bytes);
  memset(packed, 0xff, k->packed_bytes);
  if (k->pack(parameters, packed) != UPW_OK) return 5;
  for (size_t i = 0; i < 2; ++i) {
    space[i] = memory(k->workspace_align, k->workspace_bytes);
    memset(space[i], 0xff, k->workspace_bytes);
  }
  void *whole = y;
  if (k->run(inputs, packed, &whole, space[0]) != UPW_OK) return 6;
  struct share shares[2];
  pthread_t threads[2];
  for (size_t i = 0; i < 2; ++i) {
    shares[i] = (struct share){k, inputs, packed, z, space[i], i * (k->tasks / 2),
                               i ? k->tasks : k->tasks / 2, 0};
    if (pthread_create(&threads[i], NULL, work, &shares[i])) return 7;
  }
  for (size_t i = 0; i < 2; ++i) {
    if (pthread_join(threads[i], NULL) || shares[i].status != UPW_OK) return 8;
  }
  if (memcmp(y, z, bytes) != 0) return 9;
  snprintf(name, sizeof name, "%s.out", k->name);
  file = fopen(name, "wb");
  if (!file || fwrite(packed, 1, k->packed_bytes, file) != k->packed_bytes) return 10;
  if (fwrite(y, 1, bytes, file) != bytes || fclose(file)) return 11;
  for (uint32_t i = 0; i < k->tensor_count; ++i) free(all[i] - 8);
  free(z - 8);
  free(packed);
  free(space[0]);
  free(space[1]);
  return 0;
}

int main(void) {
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; ++i) {
    int status = check(kernels[i]);
    if (status) return fprintf(stderr, "%s: step %d\n", kernels[i]->name, status), status;
  }
  return 0;
}
]]

--- Link a program of kernels in a new folder; `program` is tests/lib/program.lua.
---@param more string[]?   options, sanitizers'
---@return string folder
function M.program(program, compiler, kernels, more)
  local head, table_of = { "#define _POSIX_C_SOURCE 200809L" }, {}
  local all = { units = {}, files = {}, results = kernels[1].library.results }
  for i, kernel in ipairs(kernels) do
    head[#head + 1] = ('#include "%s.h"'):format(kernel.name)
    table_of[i] = ("&%s_kernel"):format(kernel.name)
    for _, unit in ipairs(kernel.library.units) do
      all.units[#all.units + 1] = { source = unit.source, flags = unit.flags,
        files = kernel.library.files }
    end
    table.move(kernel.library.files, 1, #kernel.library.files, #all.files + 1, all.files)
  end
  local main = ("%s\n\nstatic const struct upw_kernel *const kernels[] = {%s};\n%s"):format(
    table.concat(head, "\n"), table.concat(table_of, ", "), MAIN)
  local folder = compiled.command.folder()
  program.link(compiler, all, main, folder, more)
  return folder
end

--- What the program gives for data, by kernel, after it has ended well; else nil and why.
---@param options { runner: string[]?, isa: string? }
function M.run(folder, kernels, data, options)
  for i, kernel in ipairs(kernels) do
    local parts = {}
    for _, t in ipairs(kernel.tensors) do
      if t.role ~= "output" then parts[#parts + 1] = bytes_of(t, data[i][t.name]) end
    end
    compiled.command.write(("%s/%s.in"):format(folder, kernel.name), table.concat(parts))
  end
  local runner = options.runner or {}
  local command = table.move(runner, 1, #runner, 1, {})
  command[#command + 1] = folder .. "/main"
  local result = compiled.process.run(command, { cwd = folder, seconds = 60,
    env = compiled.command.environment { UPWEAVE_ISA = options.isa or false } })
  if not result.ok then
    return nil, compiled.process.describe(result) .. "\n" .. result.stderr:sub(1, 3000)
  end
  local outputs = {}
  for i, kernel in ipairs(kernels) do
    outputs[i] = assert(compiled.command.read(("%s/%s.out"):format(folder, kernel.name)))
  end
  return outputs
end

-- comparison --------------------------------------------------------------------------------------

local function first_difference(what, dtype, got, want, count)
  for i = 0, count - 1 do
    if dtypes.bits(dtype, got[i]) ~= dtypes.bits(dtype, want[i]) then
      return ("%s[%d] = %a, the interpreter says %a"):format(what, i, got[i], want[i])
    end
  end
end

local function output_of(kernel)
  for _, t in ipairs(kernel.tensors) do
    if t.role == "output" then return t end
  end
end

--- The first difference from the interpreter on the same data, NaN's bits apart, as text; nil if
--- there is none.  `result` is the variant that ran.
function M.difference(kernel, result, data, got)
  local work, y = result.ir.work, output_of(kernel)
  local want = pack.pack(result.ir.pack, data)
  local length = #got - y.elems * dtypes.of[y.dtype].bytes
  -- memory for the variant that packs most
  if length < #want then return kernel.title .. ": packed is too small" end
  local packed = numbers(work, want)
  local fault = first_difference("packed", work, numbers(work, got:sub(1, #want)), packed,
    #want // dtypes.of[work].bytes)
  if not fault then
    local memory = setmetatable({ packed = packed, y = {} }, { __index = data })
    eval.eval(result.ir, memory)
    fault = first_difference("y", y.dtype, numbers(y.dtype, got:sub(length + 1)), memory.y, y.elems)
  end
  return fault and kernel.title .. ": " .. fault
end

return function(the_compiled, the_ir)
  compiled, ir = the_compiled, the_ir
  return M
end
