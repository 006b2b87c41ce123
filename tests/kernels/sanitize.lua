-- SPDX-License-Identifier: MIT
-- Kernels under the address and the undefined-behaviour sanitizer: every strategy, odd sizes, a
-- start that is aligned to an element only, ranges of tasks one by one; convolutions also with
-- their packing, and tasks shared by two threads under the thread sanitizer.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local problems = dofile "tests/lib/problems.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local contractions = dofile("tests/lib/contractions.lua")(compiled, ir)
local program = dofile("tests/lib/program.lua")(compiled)
local driver = require "upweave.driver"
local targets = require "upweave.target"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local cases = {
  { x = tensor("NCHW", 2, 1, 7, 13), mode = "bilinear", size = { 11, 17 } },
  { x = tensor("NCHW", 1, 3, 9, 32), mode = "bilinear", scale_factor = 2,
    schedule = "rolling:rows=2,strips=4,stores=streaming" },
  { x = tensor("NCHW", 1, 1, 21, 50), mode = "bicubic", size = { 8, 19 }, antialias = true },
  { x = tensor("NCHW", 1, 1, 37, 90), mode = "bilinear", size = { 23, 64 }, antialias = true,
    schedule = "blended:strips=4,stores=streaming" },
  { x = tensor("NCHW", 1, 2, 5, 67), mode = "bicubic", scale_factor = 4,
    schedule = "rolling:rows=2" },
  { x = tensor("NCHW", 1, 9, 5, 5), mode = "area", size = { 3, 2 }, schedule = "plane" },
  { x = tensor("NCHW", 1, 2, 6, 9), mode = "bilinear", scale_factor = 2, schedule = "registers" },
  { x = tensor("NHWC", 1, 9, 8, 24), mode = "bilinear", size = { 17, 19 } },
  { x = tensor("NHWC", 2, 4, 9, 3), mode = "nearest", scale_factor = { 3, 2 } },
  { x = tensor("NDHWC", 1, 3, 4, 5, 6), mode = "trilinear", size = { 5, 7, 9 } },
  { x = tensor("NCDHW", 1, 2, 3, 4, 5), mode = "nearest-exact", size = { 4, 9, 8 } },
  { x = tensor("NCW", 1, 2, 3001), mode = "linear", size = { 1571 } },
  { x = tensor("NWC", 1, 70, 5), mode = "linear", size = { 97 } },
  { x = tensor("NCHW", 1, 3, 1, 1), mode = "bicubic", size = { 3, 5 } },
}

-- One kernel: exact buffers on the heap, starting one element after an aligned place, so that one
-- element too far on either side is seen.
local function caller(name, tasks)
  return (([[
  {
    float *x = malloc(NAME_X_BYTES + sizeof(float)), *y = malloc(NAME_Y_BYTES + sizeof(float));
    void *workspace = aligned_alloc(NAME_WORKSPACE_ALIGN, NAME_WORKSPACE_BYTES + 64);
    if (x == NULL || y == NULL || workspace == NULL) return 1;
    for (size_t i = 0; i <= NAME_X_ELEMS; ++i) x[i] = (float)(i % 17) - 8.0f;
    if (name(x + 1, y + 1, workspace) != UPW_OK) return 2;
    for (size_t task = 0; task < TASKS; ++task) {
      if (name_range(x + 1, y + 1, workspace, task, task + 1) != UPW_OK) return 3;
    }
    if (name(x, y, workspace) != UPW_OK) return 4;
    free(x);
    free(y);
    free(workspace);
  }
]]):gsub("NAME", name:upper()):gsub("name", name):gsub("TASKS", tostring(tasks)))
end

local function check(compiler, target)
  local units, head, calls = {}, { "#include <stdlib.h>" }, {}
  local flags = { "-std=c11", "-O1", "-g", "-fno-unroll-loops", "-ffp-contract=off",
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer" }
  table.move(target.flags, 1, #target.flags, #flags + 1, flags)
  local all = {}
  for i, fields in ipairs(cases) do
    local problem = problems.make(fields)
    if problem.schedule and not target.fence then
      problem.schedule = problem.schedule:gsub("streaming", "cached")
    end
    local name = compiled.name(problem, i)
    local library = compiled.must(driver.library(problem, { targets = { target.name } }))
    units[i] = { name = name, source = name .. ".c", files = library.files, flags = flags }
    head[#head + 1] = ('#include "%s.h"'):format(name)
    calls[i] = caller(name, library.results[1].ir.task_count)
    table.move(library.files, 1, #library.files, #all + 1, all)
  end
  local main = table.concat(head, "\n") .. "\nint main(void) {\n" .. table.concat(calls)
    .. "  return 0;\n}\n"
  all[#all + 1] = { name = "main.c", text = main }
  units[#units + 1] = { name = "main", source = "main.c", files = all, flags = flags }
  local folder = compiled.command.folder()
  local command = table.move(compiler.command, 1, #compiler.command, 1, {})
  table.move({ "-fsanitize=address,undefined", "-o", "main" }, 1, 3, #command + 1, command)
  for i, result in ipairs(compiled.compile(compiler, units)) do
    if not result.ok then error(units[i].name .. ": " .. result.stderr) end
    compiled.command.write(("%s/%d.o"):format(folder, i), result.object)
    command[#command + 1] = i .. ".o"
  end
  local linked = compiled.process.run(command, { cwd = folder, seconds = 60 })
  if not linked.ok then
    return tap.skip("sanitizers for " .. target.name, "this clang cannot link them")
  end
  local result = compiled.process.run({ folder .. "/main" }, { seconds = 60 })
  if not tap.ok(result.ok, ("%d kernels for %s are clean"):format(#cases, target.name)) then
    tap.diag(compiled.process.describe(result) .. "\n" .. result.stderr:sub(1, 3000))
  end
end

-- Whether programs with a sanitizer can be linked and run here.
local function available(compiler, option)
  local folder = compiled.command.folder()
  compiled.command.write(folder .. "/main.c", "int main(void) { return 0; }\n")
  local command = table.move(compiler.command, 1, #compiler.command, 1, {})
  table.move({ option, "-o", "main", "main.c" }, 1, 4, #command + 1, command)
  return compiled.process.run(command, { cwd = folder, seconds = 60 }).ok
    and compiled.process.run({ folder .. "/main" }, { seconds = 60 }).ok
end

-- Convolutions, of all cases one in `share`.
local function check_contractions(compiler, target, sanitizer, share)
  local option = "-fsanitize=" .. sanitizer
  if not available(compiler, option) then
    return tap.skip(("convolutions for %s: %s"):format(target.name, sanitizer), "not here")
  end
  local kernels = contractions.kernels(target, 1, share)
  local folder = contractions.program(program, compiler, kernels, { "-O1", "-g",
    option, "-fno-sanitize-recover=all", "-fno-omit-frame-pointer" })
  local data = {}
  for i, kernel in ipairs(kernels) do data[i] = contractions.data(kernel, i % 2 == 0) end
  local got, reason = contractions.run(folder, kernels, data, {})
  tap.ok(got, ("%d convolutions for %s are clean: %s"):format(#kernels, target.name, sanitizer))
  if not got then tap.diag(reason) end
end

local compiler = compiled.any_compiler()
if compiler then
  local here = compiled.runnable()
  check(compiler, targets.find "generic")
  if here[#here].name ~= "generic" then check(compiler, here[#here]) end
  check_contractions(compiler, here[#here], "address,undefined", 2)
  check_contractions(compiler, targets.find "generic", "address,undefined", 5)
  check_contractions(compiler, here[#here], "thread", 6)
else
  tap.skip("sanitizers", "no clang is installed")
end

compiled.command.clean()
tap.done()
