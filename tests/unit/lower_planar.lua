-- SPDX-License-Identifier: MIT
-- What the general test of convolutions does not reach of contract-planar: vectors that take turns,
-- how staged inputs lie, and the copies and rows of several that larger problems have.

local tap = dofile "tests/lib/tap.lua"
local contract = dofile "tests/lib/reference/contract.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local builder = require "upweave.ir.builder"
local driver = require "upweave.driver"
local eval = require "upweave.ir.eval"
local frame = require "upweave.lower.contract.frame"
local lines = require "upweave.lower.contract.lines"
local make = dofile("tests/lib/problems.lua").make
local ops = require "upweave.ops"
local outer = require "upweave.lower.contract.outer"
local planar = require "upweave.lower.contract.planar"
local plans = require "upweave.plan.contract"
local pressure = require "upweave.ir.pressure"
local prune = require "upweave.ir.prune"
local stage = require "upweave.lower.contract.stage"
local targets = require "upweave.target"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

-- vectors that take turns -----------------------------------------------------------------------

-- A module that stores n vectors by turns; element l of vector v is l * n + v.
local function turns(n, lanes)
  local b = builder.new("turns", targets.find("icelake"), "f32")
  local x, y, list = b:input("x", "f32", n * lanes), b:output("y", "f32", n * lanes), {}
  for v = 1, n do list[v] = b:load(x, (v - 1) * lanes, lanes) end
  lines.interleave(b, list, function(j, v) b:store(y, (j - 1) * lanes, v) end)
  return prune.prune(b)
end

for _, n in ipairs { 1, 2, 3, 5, 6, 8, 12, 15 } do
  local right, most = true, 0
  for _, lanes in ipairs { 1, 2, 4, 16 } do
    local module, memory = turns(n, lanes), { x = {}, y = {} }
    for v = 0, n - 1 do
      for l = 0, lanes - 1 do memory.x[v * lanes + l] = l * n + v end
    end
    eval.eval(module, memory)
    for i = 0, n * lanes - 1 do right = right and memory.y[i] == i end
    most = math.max(most, pressure.pressure(module, 64))
  end
  tap.ok(right, ("%d vectors by turns"):format(n))
  tap.ok(most <= lines.registers(n), ("in %d of %d registers"):format(most, lines.registers(n)))
end

-- covers and tiles ------------------------------------------------------------------------------

local function text(vectors)
  local out = {}
  for i, v in ipairs(vectors) do out[i] = v.q .. "+" .. v.lanes end
  return table.concat(out, " ")
end

tap.is(text(lines.cover(11, 8)), "0+8 7+4", "the last vector moves back to end with a row")
tap.is(text(lines.cover(37, 16)), "0+16 16+16 29+8", "and no shorter than half of what is left")
tap.is(text(lines.cover(3, 8)), "0+2 2+1", "a row too short for that has two")
tap.is(text(lines.beyond(35, 16)), "0+16 16+16 32+4", "the last vector goes beyond a row")
tap.is(text(lines.beyond(3, 16)), "0+4", "a short row has one short vector")
tap.is(text(lines.beyond(1, 16)), "0+1", "a row of one has one of one")
local pieces = lines.pieces(lines.beyond(80, 16), 2, 8)
tap.is(#pieces, 3, "no more pieces than tiles, 5 vectors in tiles of at most 2")
tap.is(#lines.pieces(lines.beyond(80, 16), 2, 2)[1].tiles, 2, "tiles as pieces, as even as can be")
tap.is(pieces[3].from .. "-" .. pieces[3].to, "48-80", "a piece goes from vector to vector")

-- layout ----------------------------------------------------------------------------------------

local function axis(name, input, kernel, stride, pad)
  return plans.conv_axis {
    name = name, input = input, output = (input + 2 * pad - kernel) // stride + 1, kernel = kernel,
    stride = stride, dilation = 1, pad = pad,
  }
end

do
  local plan = { rank = 2, ci = 8, axes = { axis("h", 9, 3, 1, 1), axis("w", 64, 3, 1, 1) } }
  local s = stage.layout(plan, lines.positions(plan.axes[2]), { { from = 0, to = 64 } }, 3, 16)
  tap.is(s.pitch, 7 * 16, "a line is an odd number of vectors")
  tap.is(s.axes[1] // 16 % 2, 1, "so is the distance of rows")
  tap.is(s.size, 5 * s.axes[1], "rows of a third and one on each side")
  tap.is(stage.offset(s, 1, 0, 0), 16, "position 0 begins a vector")
  tap.is(stage.offset(s, 1, -1, 5), 20, "and position -1 lies before it")
  tap.is(table.concat(outer.needs(plan.axes[1], 3)[1], " "), "0 1 2 3", "rows outside are not read")
end

do
  local plan = { rank = 1, ci = 1, axes = { axis("w", 21, 2, 3, 0) } }
  local s = stage.layout(plan, lines.positions(plan.axes[1]), { { from = 0, to = 8 } }, 1, 4)
  tap.is(#s.residues, 2, "only the residues that taps read")
  tap.is(stage.offset(s, 3, 1, 2), s.pitch + 2, "a residue has a line of its own")
  tap.is(table.concat(outer.needs(axis("h", 10, 1, 3, 0), 2)[2], " "), "6 9",
    "rows between the strides are not read")
end

for _, case in ipairs { { 7, 32 }, { 127, 32 }, { 128, 64 }, { 256, 128 }, { 4096, 128 } } do
  local values = frame.strips_knob({ rank = 2, axes = { { output = case[1] } } }).values
  tap.is(values[#values], case[2], ("strips of %d rows"):format(case[1]))
end

-- registers: tiles that Clang was seen to spill, and their neighbours that it did not -------------

local function legal(problem, target, channels, vectors, rows, read)
  return planar.legal(ops.find(problem.op).plan(problem),
    { channels = channels, vectors = vectors, rows = rows, strips = 1, stage = read },
    targets.find(target)) == true
end

local function judge(name, problem, target, fits, spills)
  tap.ok(legal(problem, target, table.unpack(fits)), name .. ": fits on " .. target)
  tap.ok(not legal(problem, target, table.unpack(spills)), name .. ": spills on " .. target)
end

local square = make { op = "conv", x = tensor("NCHW", 1, 16, 24, 70), kernel_size = 3, padding = 1,
  out_channels = 64 }
local wide = make { op = "conv", x = tensor("NCHW", 1, 3, 30, 135), kernel_size = 7, stride = 2,
  padding = 3, out_channels = 64 }
local doubled = make { op = "conv_transpose", x = tensor("NCHW", 1, 16, 24, 70), kernel_size = 2,
  stride = 2, out_channels = 64 }
judge("two vectors", square, "icelake", { 10, 2, 1, "rows" }, { 12, 2, 1, "rows" })
judge("two rows", square, "icelake", { 12, 1, 2, "rows" }, { 14, 1, 2, "none" })
judge("four vectors", square, "icelake", { 6, 4, 1, "rows" }, { 7, 4, 1, "rows" })
judge("one vector", square, "icelake", { 28, 1, 1, "rows" }, { 8, 3, 1, "rows" })
judge("one vector", square, "x86-64-v3", { 7, 1, 1, "rows" }, { 8, 1, 1, "rows" })
judge("few registers", square, "x86-64-v3", { 4, 2, 1, "rows" }, { 5, 2, 1, "rows" })
judge("borders as they lie", wide, "icelake", { 3, 2, 3, "rows" }, { 3, 2, 3, "none" })
judge("one position", doubled, "icelake", { 7, 1, 2, "rows" }, { 8, 1, 2, "rows" })
judge("operands ahead", doubled, "aarch64", { 6, 1, 2, "rows" }, { 7, 1, 2, "rows" })

-- kernels ---------------------------------------------------------------------------------------

local function tensors_of(problem)
  local memory = {}
  for seed, one in ipairs(ops.find(problem.op).tensors(problem)) do
    if one.role ~= "output" then memory[one.name] = ir.noise(one.elems, seed) end
  end
  return memory
end

local function run(module, memory)
  local given = { y = {}, packed = {} }
  for name, values in pairs(memory) do given[name] = ir.array(values) end
  eval.eval(module.pack, given)
  for task = module.task_count - 1, 0, -1 do eval.eval(module, given, task, task + 1) end
  return given.y
end

-- The schedule's kernel against the reference, its bounds verified.
local function check(name, target, schedule, fields)
  local problem = make(fields)
  local memory = tensors_of(problem)
  local want, bound = contract.contract(problem, memory)
  problem.schedule = "contract-planar:" .. schedule
  local y = run(assert(driver.compile(problem, { target = target, stop_after = "ir" })).ir, memory)
  local wrong = 0
  for i, w in ipairs(want) do
    if not (math.abs(y[i - 1] - w) <= bound[i]) then wrong = wrong + 1 end
  end
  tap.is(wrong, 0, ("%s: %s on %s"):format(name, schedule, target))
end

check("turned with tails", "generic", "channels=2,strips=2", {
  op = "conv", x = tensor("NHWC", 1, 4, 11, 10), kernel_size = 3, padding = 1, out_channels = 2 })
check("turned residues", "x86-64-v3", "channels=3,vectors=2,strips=2", {
  op = "conv", x = tensor("NHWC", 1, 5, 20, 9), kernel_size = 3, stride = 2, padding = 1,
  out_channels = 3 })
check("spread residues", "generic", "channels=2,vectors=2,strips=4", {
  op = "conv", x = tensor("NCHW", 2, 3, 7, 23), kernel_size = { 2, 4 }, stride = { 1, 3 },
  out_channels = 4 })
check("spread channels", "generic", "channels=4,strips=1", {
  op = "conv", x = tensor("NHWC", 1, 2, 19, 3), kernel_size = { 1, 3 }, stride = 2,
  out_channels = 4, post = { "add", "prelu" } })
check("phases of two rows", "aarch64", "channels=2,vectors=1,rows=2,strips=2", {
  op = "conv_transpose", x = tensor("NCHW", 1, 9, 5, 6), kernel_size = 4, stride = 2, padding = 1,
  out_channels = 3 })
check("phases of a line", "generic", "channels=3,vectors=1,strips=4", {
  op = "conv_transpose", x = tensor("NWC", 1, 21, 12), kernel_size = 6, stride = 2, padding = 2,
  out_channels = 3, post = { "relu" } })
check("from the middle of vectors", "icelake", "channels=2,vectors=2,rows=2,stage=aligned", {
  op = "conv", x = tensor("NCHW", 1, 2, 5, 37), kernel_size = { 2, 5 }, stride = { 1, 2 },
  padding = { 0, 2 }, out_channels = 2 })
check("rows of a volume", "aarch64", "channels=2,vectors=2,rows=2,strips=2", {
  op = "conv", x = tensor("NCDHW", 1, 8, 3, 5, 6), kernel_size = { 3, 2, 3 }, padding = { 1, 0, 1 },
  out_channels = 3 })
check("groups", "x86-64-v3", "channels=3,rows=2", {
  op = "conv", x = tensor("NCHW", 1, 4, 4, 17), kernel_size = 3, padding = 1, groups = 2,
  out_channels = 6 })
tap.done()
