-- SPDX-License-Identifier: MIT
-- Parameters: NAME_pack against the interpreter, bit for bit, and the kernel on what it packed; the
-- same kernel with its parameters baked; libraries for several targets, which pack for the variant
-- that runs. On this machine and in emulators.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local dtypes = dofile "tests/lib/dtypes.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local machines = dofile "tests/lib/machines.lua"
local problems = dofile "tests/lib/problems.lua"
local program = dofile("tests/lib/program.lua")(compiled)
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local ops = require "upweave.ops"
local pack = require "upweave.ir.pack"
local types = require "upweave.ir.types"

-- Reads the tensors that a kernel takes from files with their names; writes `packed` and y.
local MAIN <const> = [[
#include "k.h"

#include <stdio.h>
#include <stdlib.h>

static void *memory(size_t bytes) { return aligned_alloc(64, (bytes + 127) / 64 * 64); }

static void *taken(const struct upw_tensor *tensor) {
  void *data = memory(tensor->bytes);
  FILE *file = fopen(tensor->name, "rb");
  if (!file || fread(data, 1, tensor->bytes, file) != tensor->bytes) exit(3);
  fclose(file);
  return data;
}

static void give(const char *name, const void *data, size_t bytes) {
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(data, 1, bytes, file) != bytes) exit(4);
  fclose(file);
}

int main(void) {
  const struct upw_kernel *k = &k_kernel;
  const void *inputs[4], *parameters[16];
  void *y = NULL, *packed = NULL;
  size_t in = 0, count = 0, y_bytes = 0;
  for (uint32_t i = 0; i < k->tensor_count; ++i) {
    const struct upw_tensor *tensor = &k->tensors[i];
    if (tensor->role == UPW_INPUT) inputs[in++] = taken(tensor);
    if (tensor->role == UPW_PARAMETER) parameters[count++] = taken(tensor);
    if (tensor->role == UPW_OUTPUT) y = memory(y_bytes = tensor->bytes);
  }
  if ((k->pack != NULL) != (count > 0) || k->packed_align > 64) return 5;
  if (k->pack != NULL) {
    packed = memory(k->packed_bytes);
    if (k->pack(parameters, packed) != UPW_OK) return 6;
    give("packed", packed, k->packed_bytes);
  }
  if (k->run(inputs, packed, &y, memory(k->workspace_bytes)) != UPW_OK) return 7;
  give("y", y, y_bytes);
  return 0;
}
]]

local function tensor(layout, dtype, ...)
  return { shape = { ... }, layout = layout, dtype = dtype }
end

local cases = {
  { "conv", { op = "conv", x = tensor("NHWC", "f32", 2, 5, 7, 9), out_channels = 21,
    kernel_size = 3, padding = 1 } },
  { "groups, f16", { op = "conv", x = tensor("NHWC", "f16", 1, 5, 6, 8), out_channels = 6,
    kernel_size = { 1, 3 }, groups = 2 } },
  { "transposed, f64", { op = "conv_transpose", x = tensor("NHWC", "f64", 1, 3, 4, 5),
    out_channels = 3, kernel_size = 4, stride = 2, padding = 1, bias = false } },
  { "batch norm, residual", { op = "conv", x = tensor("NHWC", "f32", 1, 5, 6, 4),
    out_channels = 5, kernel_size = 3, padding = 1, post = { "batch_norm", "add", "relu" } } },
  { "no input reached", { op = "conv", x = tensor("NHWC", "f32", 1, 1, 1, 8), out_channels = 6,
    kernel_size = 2, padding = 3, dilation = 5, bias = false } },
  { "bf16, prelu", { op = "conv", x = tensor("NCHW", "bf16", 1, 3, 6, 11), out_channels = 4,
    kernel_size = 3, padding = 1, post = { "prelu" } } },
}

-- Numbers for every tensor that a kernel takes, by name, 0-based.
local function data_of(tensors)
  local data = {}
  for i, t in ipairs(tensors) do
    data[t.name] = {}
    for k, v in ipairs(ir.noise(t.elems, i)) do
      if t.name == "var" then v = v * v + 0.5 end
      data[t.name][k - 1] = types.round(t.dtype, v)
    end
  end
  return data
end

local function bytes_of(dtype, array, count)
  local out = {}
  for i = 0, count - 1 do out[i + 1] = dtypes.of[dtype].pack(array[i]) end
  return table.concat(out)
end

-- What the interpreter gives for a variant: packed bytes, bytes of y.
local function wanted(result, tensors, data)
  local packed = pack.pack(result.ir.pack, data)
  local memory = setmetatable({ packed = {}, y = {} }, { __index = data })
  local format = result.ir.work == "f64" and "<d" or "<f"
  for i = 0, #packed // string.packsize(format) - 1 do
    memory.packed[i] = string.unpack(format, packed, 1 + i * string.packsize(format))
  end
  eval.eval(result.ir, memory)
  for _, t in ipairs(tensors) do
    if t.role == "output" then return packed, bytes_of(t.dtype, memory.y, t.elems) end
  end
end

local function run(machine, folder, wish)
  local command = table.move(machine.runner, 1, #machine.runner, 1, {})
  command[#command + 1] = folder .. "/main"
  local result = compiled.process.run(command, { cwd = folder, seconds = 20,
    env = compiled.command.environment { UPWEAVE_ISA = wish or false } })
  return result.code, result.ok and compiled.command.read(folder .. "/y") or ""
end

local function problem_of(fields)
  local problem = problems.make(fields)
  problem.name = "k"
  return problem, ops.find(problem.op).tensors(problem)
end

-- A folder with a library's program and its data.
local function prepared(compiler, library, tensors, data)
  local folder = compiled.command.folder()
  program.link(compiler, library, MAIN, folder)
  for _, t in ipairs(tensors) do
    if t.role ~= "output" then
      compiled.command.write(folder .. "/" .. t.name, bytes_of(t.dtype, data[t.name], t.elems))
    end
  end
  return folder
end

local function check_variants(compiler, machine, fields, title)
  local problem, tensors = problem_of(fields)
  local data = data_of(tensors)
  local library = compiled.must(driver.library(problem, { targets = machine.targets }))
  local folder = prepared(compiler, library, tensors, data)
  for _, result in ipairs(library.results) do
    local runs = false
    for _, target in ipairs(machine.runs) do runs = runs or target.name == result.target.name end
    if runs then
      local packed, y = wanted(result, tensors, data)
      local code, got = run(machine, folder, result.target.name)
      local name = ("%s, %s: "):format(title, result.target.name)
      tap.is(code, 0, name .. "runs")
      tap.ok(compiled.command.read(folder .. "/packed"):sub(1, #packed) == packed,
        name .. "packs what the interpreter packs")
      tap.ok(got == y, name .. "gives what the interpreter gives")
    end
  end
end

local function check_baked(compiler, machine, fields, title)
  local problem, tensors = problem_of(fields)
  local data = data_of(tensors)
  for _, targets in ipairs { { machine.runs[#machine.runs] }, machine.runs } do
    local library = compiled.must(driver.library(problem, { targets = targets, baked = data }))
    local folder = prepared(compiler, library, tensors, data)
    local code, got = run(machine, folder)
    local _, y = wanted(library.results[1], tensors, data)
    tap.ok(code == 0 and got == y, ("%s, baked, of %d targets"):format(title, #targets))
  end
end

local function check(compiler, machine)
  for number, case in ipairs(cases) do
    local title = ("clang-%d, %s, %s"):format(compiler.major, machine.arch, case[1])
    check_variants(compiler, machine, case[2], title)
    if number <= 3 then check_baked(compiler, machine, case[2], title) end
  end
end

local newest = compiled.any_compiler()
if newest then
  check(newest, machines.here())
  for _, machine in ipairs(machines.others(newest)) do
    if machine.lacks then
      tap.skip("packing on " .. machine.arch, machine.lacks)
    else
      check(newest, machine)
    end
  end
else
  tap.skip("packing", "no clang is installed")
end
local oldest = compiled.compiler(14)
if oldest then
  check(oldest, machines.here())
else
  tap.skip("packing by clang-14", "it is not installed")
end

compiled.command.clean()
tap.done()
