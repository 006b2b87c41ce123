-- SPDX-License-Identifier: MIT
-- Several targets in one library: the best one that the machine runs is chosen, UPWEAVE_ISA asks
-- for another, all of them agree, tasks are shared out whatever the variant's own number is. On
-- this machine and, in emulators, on others.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local machines = dofile "tests/lib/machines.lua"
local problems = dofile "tests/lib/problems.lua"
local program = dofile("tests/lib/program.lua")(compiled)
local reference = dofile "tests/lib/reference.lua"
local driver = require "upweave.driver"

local MAIN <const> = [[
#include "up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float x[UP_X_ELEMS], y[UP_Y_ELEMS], z[UP_Y_ELEMS];

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  if (!in || !out || fread(x, sizeof x, 1, in) != 1) return 3;
  void *workspace = aligned_alloc(64, UP_WORKSPACE_BYTES + 64);
  if (up(x, y, workspace) != UPW_OK) return 4;
  /* the same by pieces of tasks, in another order */
  memset(z, 0xff, sizeof z);
  size_t third = UP_TASKS / 3;
  if (up_range(x, z, workspace, 2 * third, UP_TASKS) != UPW_OK) return 5;
  if (up_range(x, z, workspace, 0, third) != UPW_OK) return 5;
  if (up_range(x, z, workspace, third, third) != UPW_OK) return 5;
  if (up_range(x, z, workspace, third, 2 * third) != UPW_OK) return 5;
  if (memcmp(y, z, sizeof y) != 0) return 6;
  if (up_range(x, z, workspace, 2, 1) != UPW_BAD_RANGE) return 7;
  if (up_range(x, z, workspace, 0, UP_TASKS + 1) != UPW_BAD_RANGE) return 7;
  if (up_range(x, z, workspace, UP_TASKS, UP_TASKS) != UPW_OK) return 7;
  if (up_kernel.tasks != UP_TASKS || up_kernel.run == NULL) return 8;
  if (fwrite(y, sizeof y, 1, out) != 1) return 9;
  fclose(in);
  fclose(out);
  free(workspace);
  return 0;
}
]]

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local cases = {
  { "bilinear", { x = tensor("NCHW", 1, 3, 37, 41), mode = "bilinear", scale_factor = 2 } },
  { "tiny planes", { x = tensor("NCHW", 2, 16, 4, 4), mode = "bicubic", scale_factor = 2 } },
  { "channels", { x = tensor("NHWC", 1, 9, 11, 24), mode = "bilinear", size = { 20, 17 } } },
}

local function run(machine, folder, wish)
  local command = table.move(machine.runner, 1, #machine.runner, 1, {})
  table.move({ folder .. "/main", "x", "y" }, 1, 3, #command + 1, command)
  local result = compiled.process.run(command, { cwd = folder, seconds = 20,
    env = compiled.command.environment { UPWEAVE_ISA = wish or false } })
  return result.code, result.ok and compiled.command.read(folder .. "/y") or ""
end

local function within_bound(bytes, oracle)
  for i, want in ipairs(oracle[1]) do
    local got = string.unpack("<f", bytes, 4 * i - 3)
    local bound = (oracle[3][i] + 4) * 2.0 ^ -24 * oracle[2][i]
    if not (math.abs(got - want) <= bound) then return false end
  end
  return true
end

local function check(compiler, machine, title, fields)
  local problem, here = problems.make(fields), machine.runs
  problem.name, title = "up", machine.arch .. ", " .. title
  local library = compiled.must(driver.library(problem, { targets = machine.targets }))
  local folder = compiled.command.folder()
  program.link(compiler, library, MAIN, folder)
  local size = 1
  for _, d in ipairs(problem.x.shape) do size = size * d end
  local x = ir.noise(size)
  local packed = {}
  for i, v in ipairs(x) do packed[i] = string.pack("<f", v) end
  compiled.command.write(folder .. "/x", table.concat(packed))
  local oracle = { reference.interpolate(problem, x) }

  local code, chosen = run(machine, folder)
  tap.is(code, 0, title .. ": runs, whole and by pieces")
  local results = {}
  for _, target in ipairs(here) do
    local status
    status, results[target.name] = run(machine, folder, target.name)
    tap.is(status, 0, ("%s: UPWEAVE_ISA=%s"):format(title, target.name))
    tap.ok(within_bound(results[target.name], oracle), ("%s: %s is within the bound"):format(title,
      target.name))
  end
  tap.ok(chosen == results[here[#here].name], title .. ": the best target is the choice")
  -- generic has no FMA: where it rounds otherwise, a wish is seen to be heard
  local best = here[#here]
  if best.fma then
    tap.ok(results.generic ~= results[best.name], title .. ": generic is another variant")
  end
  local _, unknown = run(machine, folder, "no-such-isa")
  tap.ok(unknown == chosen, title .. ": an unknown wish changes nothing")
  local _, empty = run(machine, folder, "")
  tap.ok(empty == chosen, title .. ": nor does an empty one")
  if #machine.runner > 1 then -- the emulator's own CPU lacks what its options add
    local plain = { arch = machine.arch, runner = { machine.runner[1] } }
    local status, result = run(plain, folder, best.name)
    tap.ok(status == 0 and result == results.generic, title .. ": a lesser CPU gets generic")
  end
end

local compiler = compiled.any_compiler()
if compiler then
  local list = { machines.here(), table.unpack(machines.others(compiler)) }
  for _, machine in ipairs(list) do
    if machine.lacks then
      tap.skip("variants on " .. machine.arch, machine.lacks)
    else
      for _, case in ipairs(cases) do check(compiler, machine, case[1], case[2]) end
    end
  end
else
  tap.skip("variants", "no clang is installed")
end

compiled.command.clean()
tap.done()
