-- SPDX-License-Identifier: MIT
-- What strategies offer and refuse: every knob with its values and default, legality at its border
-- and in its words, the idioms that lowerings are made of.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local lower = require "upweave.lower"
local ops = require "upweave.ops"
local targets = require "upweave.target"
local vector = require "upweave.lower.vector"

local v3, v2, generic = targets.find "x86-64-v3", targets.find "x86-64-v2", targets.find "generic"
local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function plan(fields)
  local problem = problems.make(fields)
  return ops.find(problem.op).plan(problem)
end
local function image(layout, mode, size, ...)
  return plan { x = tensor(layout, ...), mode = mode, size = size }
end

-- knobs ------------------------------------------------------------------------------------------

local function knobs(name, p, target)
  local out = {}
  for i, knob in ipairs(lower.find(name).knobs(p, target)) do
    local values = {}
    for k, v in ipairs(knob.values) do
      values[k] = tostring(v) .. (v == knob.default and "*" or "")
    end
    out[i] = knob.name .. "=" .. table.concat(values, ",")
  end
  return table.concat(out, " ")
end
local planar = image("NCHW", "bilinear", { 18, 32 }, 1, 12, 9, 16)
tap.is(knobs("rolling", planar, v3), "rows=1*,2,3,4,8 strips=1*,2,4,8 stores=cached*,streaming",
  "rolling")
tap.is(knobs("blended", planar, v3),
  "line=buffered*,fused strips=1*,2,4,8,16 stores=cached*,streaming", "blended")
tap.is(knobs("plane", planar, v3), "planes=1*,2", "plane: 1152 elements in two planes")
tap.is(knobs("registers", planar, v3), "stores=cached*,streaming", "registers")
local channels = image("NHWC", "bilinear", { 18, 32 }, 1, 9, 16, 16)
tap.is(knobs("channels", channels, v3),
  "rows=1*,2,4 columns=1*,2,4,8 strips=1*,2,4,8,16 tiles=1*,2,4,8 stores=cached*,streaming",
  "channels")

-- streaming needs a machine that has it, and rows of whole vectors
for _, name in ipairs { "rolling", "blended", "registers", "channels" } do
  local p = name == "channels" and channels or planar
  tap.ok(knobs(name, p, v2):find("streaming", 1, true), name .. ": streaming on SSE")
  tap.ok(not knobs(name, p, generic):find("streaming", 1, true), name .. ": none on generic")
end
for columns, want in pairs { [24] = true, [28] = false, [32] = true, [36] = false } do
  local p = image("NCHW", "bilinear", { 18, columns }, 1, 1, 9, 16)
  for _, name in ipairs { "rolling", "blended", "registers" } do
    tap.is(knobs(name, p, v3):find("streaming", 1, true) ~= nil, want,
      ("%s: streaming of %d columns"):format(name, columns))
  end
end
for _, count in ipairs { 8, 12, 16, 20 } do
  local p = image("NHWC", "bilinear", { 18, 32 }, 1, 9, 16, count)
  tap.is(knobs("channels", p, v3):find("streaming", 1, true) ~= nil, count % 8 == 0,
    ("channels: streaming of %d channels"):format(count))
end

-- planes in a task: divisors of their number, 2048 outputs, 256 of them by default
local function planes(n, rows, columns)
  return knobs("plane", image("NCHW", "nearest", { rows, columns }, 1, n, 2, 2), v3)
end
tap.is(planes(32, 4, 4), "planes=1,2,4,8,16*,32", "32 planes of 16")
tap.is(planes(12, 4, 4), "planes=1,2,4*", "12 planes of 16")
tap.is(planes(7, 4, 4), "planes=1*", "7 planes")
tap.is(planes(64, 16, 8), "planes=1,2*,4,8,16", "64 planes of 128: 2048 at most")
tap.is(planes(64, 16, 9), "planes=1*,2,4,8", "64 planes of 144")
tap.is(planes(8, 16, 16), "planes=1*,2,4,8", "8 planes of 256")
tap.is(knobs("plane", image("NHWC", "nearest", { 4, 4 }, 8, 2, 2, 4), v3), "planes=1,2,4*,8",
  "interleaved: images of 4 channels")

-- legality ---------------------------------------------------------------------------------------

local function legal(name, p, values, target, want, title)
  for _, knob in ipairs(lower.find(name).knobs(p, target)) do
    if values[knob.name] == nil then values[knob.name] = knob.default end
  end
  local ok, reason = lower.find(name).legal(p, values, target)
  tap.is(ok and "legal" or reason, want, title)
end
local function one_plane(mode, rows, columns, to_rows, to_columns)
  return image("NCHW", mode, { to_rows, to_columns }, 1, 1, rows, columns)
end
legal("plane", one_plane("nearest", 4, 4, 32, 64), { planes = 1 }, v3, "legal", "2048 outputs")
legal("plane", one_plane("nearest", 4, 4, 33, 64), { planes = 1 }, v3,
  "2112 output elements are straight-line code, at most 2048", "2112 outputs")
legal("plane", image("NCHW", "nearest", { 8, 8 }, 1, 64, 4, 4), { planes = 64 }, v3,
  "4096 output elements are straight-line code, at most 2048", "64 planes of 64")
legal("plane", one_plane("bicubic", 8, 8, 32, 32), { planes = 1 }, v3, "legal", "16384 products")
legal("plane", one_plane("bicubic", 8, 8, 32, 33), { planes = 1 }, v3,
  "16896 products of elements and taps, at most 16384", "16896 products")
legal("registers", image("NCW", "linear", { 16 }, 1, 1, 8), {}, v3,
  "one spatial axis has no rows to keep", "registers: one axis")
legal("registers", one_plane("bilinear", 9, 32, 18, 64), {}, v3,
  "2 rows of 8 vectors need 19 registers, x86-64-v3 has 16", "registers: long rows")
legal("registers", one_plane("bilinear", 100, 8, 200, 16), {}, v3,
  "2000 vector operations in a row, at most 1536", "registers: many rows")
-- registers: span·vectors + 3 of them, operations of rows in and out
local function registers_of(target_registers, name, p)
  local target = { name = "made-up", vector_bytes = 32, registers = target_registers }
  local ok = lower.find(name).legal(p, { rows = 2, columns = 2, strips = 1, tiles = 1 }, target)
  return ok == true
end
local function needs(want, name, p, title)
  tap.is(registers_of(want, name, p), true, title .. ": enough registers")
  tap.is(registers_of(want - 1, name, p), false, title .. ": one less")
end
needs(19, "registers", one_plane("bilinear", 9, 32, 18, 64), "2 rows of 8 vectors")
needs(7, "registers", one_plane("nearest", 9, 16, 18, 32), "1 row of 4 vectors")
needs(15, "registers", one_plane("bicubic", 9, 12, 18, 24), "4 rows of 3 vectors")
needs(13, "rolling", one_plane("bicubic", 9, 32, 18, 64), "rolling: 2 rows of 4 weights")
needs(16, "channels", channels, "channels: 2 rows, 2 columns of 2 taps")
needs(38, "channels", image("NHWC", "bicubic", { 18, 32 }, 1, 9, 16, 16),
  "channels: 2 rows, 2 columns of 4 taps")
needs(20, "products", plan {
  x = { shape = { 1, 1, 9, 32 }, layout = "NCHW", dtype = "u8" }, mode = "bicubic",
  size = { 18, 64 },
}, "products: 2 rows of 4 sums and 2 quads of weights in 2 parts")
for registers, want in pairs { [8] = true, [7] = false } do
  local ok = lower.find "channels".legal(image("NWC", "linear", { 16 }, 1, 8, 16),
    { rows = 1, columns = 2, strips = 1, tiles = 1 },
    { name = "made-up", vector_bytes = 32, registers = registers })
  tap.is(ok == true, want, "channels: 2 columns of a line in " .. registers .. " registers")
end
-- vectors · (2 · 2 taps · rows in + 3 · rows out), here 10 a row in; 1536 at most
legal("registers", one_plane("bilinear", 153, 4, 306, 8), {}, v3, "legal", "1530 operations")
legal("registers", one_plane("bilinear", 154, 4, 308, 8), {}, v3,
  "1540 vector operations in a row, at most 1536", "1540 operations")
legal("registers", one_plane("nearest", 96, 16, 192, 32), {}, v3,
  "2304 vector operations in a row, at most 1536", "4 vectors of copies")
legal("registers", one_plane("nearest", 64, 16, 128, 32), {}, v3, "legal", "1536 operations")
legal("rolling", image("NCW", "linear", { 16 }, 1, 1, 8), { rows = 1, strips = 1 }, v3,
  "rolling needs rows: the tensor has one spatial axis", "rolling: one axis")
legal("rolling", one_plane("bicubic", 9, 32, 18, 64), { rows = 3, strips = 1 }, v3,
  "rows=3 needs 17 vector registers, x86-64-v3 has 16", "rolling: rows of weights")
legal("rolling", one_plane("bicubic", 9, 32, 18, 64), { rows = 2, strips = 1 }, v3, "legal",
  "rolling: fewer rows of weights")
local volume = image("NCDHW", "trilinear", { 6, 8, 10 }, 1, 1, 3, 4, 5)
legal("rolling", volume, { rows = 1, strips = 2 }, v3,
  "strips of a plane are for two spatial axes: three have a task an output plane",
  "rolling: strips of a volume")
legal("rolling", volume, { rows = 1, strips = 1 }, v3, "legal", "rolling: a volume")
legal("channels", planar, { columns = 4, strips = 1 }, v3,
  "channels needs an interleaved tensor (NWC, NHWC, NDHWC)", "channels: planar")
local line = image("NWC", "linear", { 16 }, 1, 8, 16)
legal("channels", line, { columns = 4, strips = 2 }, v3,
  "one spatial axis has no rows", "channels: strips of a line")
legal("channels", line, { columns = 4, strips = 1 }, v3, "legal", "channels: a line")
legal("channels", channels, { columns = 4, strips = 16 }, v3, "legal", "channels: strips")
local deep = image("NDHWC", "area", { 2, 2, 4 }, 1, 6, 6, 4, 16)
legal("channels", deep, { strips = 1 }, v3, "legal", "channels: planes of nine rows")
legal("channels", deep, { strips = 2 }, v3,
  "strips cut rows; planes of many taps are tasks of their own", "channels: strips of them")
legal("blended", volume, { line = "buffered", strips = 2 }, v3,
  "strips cut the rows of two spatial axes, the tensor has 3", "blended: strips of a volume")
legal("blended", planar, { line = "buffered", strips = 2 }, v3, "legal", "blended: strips")
legal("blended", image("NCW", "linear", { 16 }, 1, 1, 8), { line = "fused", strips = 1 }, v3,
  "one spatial axis has no line to fuse", "blended: a fused line of one axis")
legal("blended", planar, { line = "fused", strips = 1 }, v3, "legal", "blended: a fused line")
legal("blended", one_plane("area", 80, 8, 10, 8), { line = "fused", strips = 1 }, v3, "legal",
  "blended: a fused line of 8 taps")
legal("blended", one_plane("area", 90, 8, 10, 8), { line = "fused", strips = 1 }, v3,
  "a fused line sums at most 8 rows", "blended: a fused line of 9 taps")

-- vector idioms ------------------------------------------------------------------------------

for n, want in pairs { [1] = 1, [2] = 2, [3] = 2, [4] = 4, [7] = 4, [8] = 8, [1023] = 512 } do
  tap.is(vector.pow2_floor(n), want, "the power of two in " .. n)
end
local function cover(n, width)
  local out = {}
  for i, v in ipairs(vector.cover(n, width)) do out[i] = v.at .. ":" .. v.lanes end
  return table.concat(out, " ")
end
tap.is(cover(16, 8), "0:8 8:8", "whole vectors")
tap.is(cover(17, 8), "0:8 8:8 9:8", "a tail that overlaps by all but one")
tap.is(cover(23, 8), "0:8 8:8 15:8", "a tail that overlaps by one")
tap.is(cover(8, 8), "0:8", "one vector")
tap.is(cover(7, 8), "0:4 3:4", "less than one: the largest that fits")
tap.is(cover(3, 8), "0:2 1:2", "three elements")
tap.is(cover(1, 8), "0:1", "one element")
local function windows(lists, w, limit)
  return table.concat(vector.windows(lists, w, limit), " ")
end
tap.is(windows({ { 0, 3, 7 } }, 8, 100), "0", "one window")
tap.is(windows({ { 0, 3, 8 } }, 8, 100), "0 8", "one element too far")
tap.is(windows({ { 9, 2 }, { 4, 30 } }, 8, 100), "2 30", "of two lists")
tap.is(windows({ { 0, 9 } }, 8, 10), "0 2", "the last window stays inside")
tap.is(windows({ { 0, 9 } }, 8, 17), "0 9", "up to its end")
tap.is(windows({ { 5 } }, 4, 4), "0", "a window in a short row")

-- which form elements of a row take
local function take(list, bases, w)
  local b = ir.new(true)
  local x = b:input("x", "f32", 64)
  local v = vector.take(b, function(at, lanes, hint) return b:load(x, at, lanes, hint) end, 0, list,
    bases, w)
  return v.op .. (v.lanes and "[" .. table.concat(v.lanes, " ") .. "]" or "")
end
tap.is(take({ 2, 3, 4, 5 }, { 2 }, 4), "load", "elements in a row are a load")
tap.is(take({ 7, 7, 7, 7 }, { 7 }, 4), "splat", "one element for all lanes is a broadcast")
tap.is(take({ 3 }, { 0 }, 4), "load", "one element is itself")
tap.is(take({ 3, 1, 0, 0 }, { 0 }, 4), "shuffle[3 1 0 0]", "others are a shuffle of a window")
tap.is(take({ 3, 1, 0, 2, 3, 1, 0, 2 }, { 0 }, 4), "shuffle[3 1 0 2 3 1 0 2]",
  "also of a shorter one")
tap.is(take({ 1, 9, 2, 8 }, { 1, 8 }, 4), "shuffle[0 5 1 4]", "of two windows")
tap.is(take({ 9, 1, 8, 2 }, { 1, 8 }, 4), "shuffle[1 4 0 5]", "the one used first comes first")
tap.is(take({ 1, 9, 17, 16 }, { 1, 8, 16 }, 4), "shuffle[0 1 5 4]", "of three: the third merged in")
tap.is(take({ 8, 9, 11, 8 }, { 1, 8 }, 4), "shuffle[0 1 3 0]", "of two windows one is enough")

-- three windows of half a vector: the third is widened before it is merged in
local function of_halves()
  local b = ir.new(true)
  local x = b:input("x", "f32", 64)
  local function fetch(at, lanes, hint) return b:load(x, at, lanes, hint) end
  local v = vector.take(b, fetch, 0, { 1, 9, 17, 16, 2, 9, 18, 1 }, { 1, 8, 16 }, 4)
  local out = {}
  for i, part in ipairs { v, v[1], v[2] } do
    out[i] = part.ty.name .. " " .. table.concat(part.lanes, " ")
  end
  return table.concat(out, "; ")
end
tap.is(of_halves(), "f32x8 0 1 9 8 4 5 10 7; f32x8 0 5 -1 -1 1 5 -1 0; f32x8 0 1 2 3 -1 -1 -1 -1",
  "three windows of half a vector")

-- loops that are unrolled: the copies, and what is left over
local function sweep(count, unroll)
  local b, list = ir.new(true), {}
  vector.sweep(b, "i", count, unroll, function(i)
    list[#list + 1] = #i.terms == 0 and tostring(i.c)
      or i.terms[1][1] .. "i" .. (i.c > 0 and "+" .. i.c or "")
  end)
  local loop = b.body[1] and b.body[1].op == "for" and b.body[1]
  return (loop and "i<" .. loop.hi.c .. ": " or "") .. table.concat(list, " ")
end
tap.is(sweep(8, 1), "i<8: 1i", "no copies")
tap.is(sweep(8, 4), "i<2: 4i 4i+1 4i+2 4i+3", "four copies")
tap.is(sweep(9, 4), "i<2: 4i 4i+1 4i+2 4i+3 8", "and one left over")
tap.is(sweep(11, 4), "i<2: 4i 4i+1 4i+2 4i+3 8 9 10", "or three")
tap.is(sweep(4, 4), "0 1 2 3", "one iteration is no loop")
tap.is(sweep(3, 4), "0 1 2", "fewer than copies")
tap.is(sweep(1, 4), "0", "one")
tap.is(sweep(0, 4), "", "none")

tap.done()
