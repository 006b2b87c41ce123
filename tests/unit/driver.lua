-- SPDX-License-Identifier: MIT
-- The driver: stages and their dumps, the files of every kind of output, text of a user that stays
-- text, the same bytes every time, also in a process of its own.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local diagnostics = require "upweave.util.diagnostics"
local driver = require "upweave.driver"
local json = require "upweave.read.json"
local sha256 = require "upweave.util.sha256"
local targets = require "upweave.target"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function problem(fields)
  fields = fields or {}
  fields.x = fields.x or tensor("NCHW", 1, 3, 9, 17)
  fields.mode = fields.mode or "bilinear"
  if not fields.size then fields.scale_factor = fields.scale_factor or 2 end
  return problems.make(fields)
end

-- A number for the files of some kernels; all that this process prints when it is asked for it.
local function fingerprint(target)
  local out = {}
  for number, case in ipairs(problems.small()) do
    if number % 4 == 1 then
      local lib = driver.library(problems.make(case.fields), { targets = { target } })
      for _, file in ipairs(lib.files) do out[#out + 1] = file.name .. "\n" .. file.text end
    end
  end
  return sha256.hex(table.concat(out))
end
if arg and arg[1] == "fingerprint" then
  io.stdout:write(fingerprint("icelake"), "\n")
  os.exit(true, true)
end
-- stages
tap.is(table.concat(driver.STAGES, " "), "problem plan schedule ir c", "the stages")
local has = { problem = "problem", plan = "plan", schedule = "schedule", ir = "ir", c = "files" }
local function check_stage(at, stage)
  local r = driver.compile(problem(), { target = "x86-64-v3", stop_after = stage })
  local there = {}
  for i, other in ipairs(driver.STAGES) do
    there[i] = (r[has[other]] ~= nil) == (i <= at) and "right" or "wrong"
  end
  tap.ok(not table.concat(there):find("wrong"), stage .. ": all before it is there, no more")
  local text = driver.dump(r, stage)
  tap.ok(type(text) == "string" and #text > 20 and text:sub(-1) == "\n", stage .. ": its dump")
end
for at, stage in ipairs(driver.STAGES) do check_stage(at, stage) end
local whole = driver.compile(problem(), { target = "x86-64-v3" })
tap.like(driver.dump(whole, "problem"), '"mode": "bilinear"', "dump of the problem: canonical JSON")
tap.like(driver.dump(whole, "plan"), "resample  batch 1  channels 3  planar  terms 4",
  "dump of the plan: its head")
tap.like(driver.dump(whole, "schedule"), "heuristic: ", "dump of the schedule: who chose")
tap.like(driver.dump(whole, "ir"), "input f32 x[459]", "dump of the IR: its buffers")
tap.like(driver.dump(whole, "ir"), ("; %d vector registers live of 16"):format(whole.pressure),
  "and its pressure")
tap.is(driver.dump(whole, "c"), whole.files[1].text, "dump of the C: the file")
local weighted = driver.compile(problems.make { op = "conv", x = tensor("NCHW", 1, 2, 3, 3),
  out_channels = 2, kernel_size = 3 }, { target = "generic", stop_after = "ir" })
tap.like(driver.dump(weighted, "ir"), "; what packs its parameters\ninput f32 weight[36]",
  "dump of the IR: what packs, too")

-- what is wrong comes back as a value
local none, faults = driver.compile(problem(), { target = "x86-64-v33" })
tap.is(none, nil, "an unknown target")
tap.is(faults[1].code, "E005", "has its code")
tap.like(diagnostics.format(faults), "= try: x86-64-v3", "and a fix")
none, faults = driver.compile(problem { schedule = "rolling:rows=99" }, { target = "generic" })
tap.is(none, nil, "a faulty schedule")
tap.is(faults[1].code, "E203", "has its code, too")
none, faults = driver.library(problem(), { targets = { "generic", "nothing" } })
tap.is(none, nil, "an unknown target among several")
tap.is(faults[1].code, "E005", "likewise")

-- files
local function listed(library)
  local names = {}
  for i, file in ipairs(library.files) do names[i] = file.name end
  return table.concat(names, " ")
end
local function library(names, options, fields)
  local p = problem(fields)
  p.name = "up2x"
  return driver.library(p, { targets = names, single = options and options.single }), p
end
local one = library { "x86-64-v3" }
tap.is(listed(one), "up2x.c up2x.h up2x.json", "one target: three files")
tap.is(#one.units, 1, "one unit")
tap.same(one.units[1], { source = "up2x.c", target = "x86-64-v3", flags = { "-march=x86-64-v3" } },
  "and how it is compiled")
local single = library({ "x86-64-v3" }, { single = true })
tap.is(listed(single), "up2x.c up2x.json", "--single: no header")
tap.ok(not single.files[1].text:find('#include "', 1, true), "and none included")
tap.like(single.files[1].text, "#define UP2X_TASKS", "but what it says is there")
tap.like(single.files[1].text, "UPW_KERNEL_ABI", "the declaration of kernels too")
local several = library { "generic", "icelake", "x86-64-v3" }
tap.is(listed(several), "up2x.c up2x.h up2x__icelake.c up2x__x86_64_v3.c up2x__generic.c up2x.json",
  "several targets: a dispatcher and a file each, most capable first")
tap.is(#several.units, 4, "as many units")
tap.is(#several.units[1].flags, 0, "the dispatcher runs anywhere")
tap.is(several.units[2].target, "icelake", "each variant has its target")
tap.is(table.concat(several.units[4].flags, " "), "", "and its flags")

-- the metadata
local function metadata(lib)
  for _, file in ipairs(lib.files) do
    if file.name:find("%.json$") then return json.decode(file.text) end
  end
end
local meta = metadata(one)
tap.is(meta.name, "up2x", "metadata: name")
tap.is(meta.op, "interpolate", "operator")
tap.is(meta.target, "x86-64-v3", "target")
tap.is(#meta.spec_sha256, 64, "identity")
tap.is(#meta.inputs, 1, "inputs")
tap.is(meta.inputs[1].name .. meta.inputs[1].bytes, "x" .. 4 * 3 * 9 * 17, "bytes of x")
tap.is(table.concat(meta.outputs[1].shape, ","), "1,3,18,34", "shape of y")
tap.is(#meta.parameters, 0, "no parameters")
tap.is(meta.tasks, one.results[1].ir.task_count, "tasks")
tap.is(meta.chosen_by, "heuristic", "who chose the schedule")
for _, key in ipairs { "code_bytes", "compile_seconds", "compiler", "verification",
  "packed_bytes" } do
  tap.ok(one.files[3].text:find(('"%s": null'):format(key)), key .. " is null")
end
tap.is(table.concat(metadata(several).target, " "), "icelake x86-64-v3 generic",
  "metadata of several targets")

-- the C says what it is
local text = one.files[1].text
for _, part in ipairs { "/* up2x: ", "target     x86-64-v3", "MIT-0", "formula ", "FLOP",
  "vector loads", "registers ", "compile    clang ", "-march=x86-64-v3", "regenerate " } do
  tap.like(text, part, ("the head of the C: `%s`"):format(part))
end
for _, header in ipairs { "#define UP2X_X_SHAPE {1, 3, 9, 17}", "#define UP2X_X_ELEMS 459",
  "#define UP2X_X_BYTES 1836", "#define UP2X_Y_SHAPE {1, 3, 18, 34}",
  "#define UP2X_WORKSPACE_BYTES 0", "#define UP2X_WORKSPACE_ALIGN 64",
  "int up2x(const float *x, float *y, void *workspace);",
  "extern const struct upw_kernel up2x_kernel;",
  'extern "C"' } do
  tap.like(one.files[2].text, header, ("the header: `%s`"):format(header))
end

-- scratch: on the stack up to 16 KB, the caller's beyond
local function workspace(columns)
  local lib = library({ "x86-64-v3" }, nil, { x = tensor("NCHW", 1, 1, 9, columns),
    size = { 18, 2 * columns }, schedule = "rolling:rows=1,strips=1,stores=cached" })
  return math.tointeger(tonumber(lib.files[2].text:match("_WORKSPACE_BYTES (%d+)")))
end
tap.is(workspace(1024), 0, "a ring of 2 rows of 8 KB is on the stack")
tap.is(workspace(1032), 2 * 2064 * 4, "of a bit more it is the caller's")

-- a note stays a note: it cannot close the comment, nor break the line of another
local evil = "*/ int x; /* \\\n*/#error \"no\"\n$(touch /tmp/x) ${name} % end ??/"
local noted = library({ "generic" }, nil, { note = evil })
local body = noted.files[1].text
local first_end = body:find("*/", 1, true)
tap.is(first_end and body:sub(first_end, first_end + 19), '*/\n#include "up2x.h"',
  "a note cannot end the comment it stands in")
tap.ok(not body:find("\n#error"), "nor start a line")
tap.is(noted.results[1].problem.note, evil, "and is kept as it was")

-- the head says what the results are
local function numerics(dtype, fields)
  fields.x = tensor("NCHW", 1, 1, 8, 40)
  fields.x.dtype = dtype
  return (library({ "icelake" }, nil, fields).files[1].text:gsub("\n %*%s+", " "))
end
local double = { mode = "bilinear", size = { 16, 80 } }
tap.like(numerics("f64", double), "(n + 4) * 2^-53 * sum|w*x|", "the bound of doubles")
tap.like(numerics("bf16", double), "n = 4, and half a unit in the last place of y", "of halves")
tap.like(numerics("u8", double), "rounded to 8 bits between: bit for bit", "of fixed point")
tap.like(numerics("f16", { mode = "nearest", size = { 16, 80 } }), "copies, bit for bit", "copies")
local function of_conv(fields)
  fields.op, fields.x, fields.out_channels = "conv", tensor("NHWC", 1, 9, 9, 32), 32
  fields.kernel_size = 3
  return (driver.library(problems.make(fields), { targets = { "icelake" } }).files[1].text
    :gsub("\n %*%s+", " "))
end
tap.like(of_conv { bias = false, numerics = "strict" }, "2^-24 * sum|w*x|, n = 288 cost", "of sums")
tap.like(of_conv { post = { "relu" }, numerics = "strict" },
  "2^-24 * (sum|w*x| + |bias|), n = 289, epilogues apart cost", "with a bias, before epilogues")
local tiled = of_conv { schedule = "winograd:algorithm=2x3" }
tap.like(tiled, "the largest (sum|w*x| + |bias|) of a tile of 2x2 outputs, n = 289;", "of tiles")
tap.like(tiled, "FLOP of the direct sums,", "whose cost is not theirs")
for line in numerics("u8", double):gmatch("#define[^\n]*") do
  tap.ok(#line <= 100, "patterns of many lanes take several lines")
end

-- the same bytes every time
local now = fingerprint("icelake")
tap.is(fingerprint("icelake"), now, "twice the same")
local process = require "upweave.toolchain.process"
for round = 1, 2 do
  local lua = os.getenv("LUA") or "lua5.4"
  local result = process.run { lua, "tests/unit/driver.lua", "fingerprint" }
  tap.is(result.stdout:match("(%x+)\n$"), now, "in a process of its own: " .. round)
end
tap.ok(fingerprint("generic") ~= now, "another target is another text")
tap.is(#targets.list(), 7, "all targets were there")

tap.done()
