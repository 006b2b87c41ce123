-- SPDX-License-Identifier: MIT
-- Where the heuristic changes its mind: each rule on both sides of its border.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local axis = require "upweave.plan.axis"
local heuristic = require "upweave.schedule.heuristic"
local ops = require "upweave.ops"
local row = require "upweave.lower.resample.row"
local targets = require "upweave.target"

local v3, v4, generic = targets.find "x86-64-v3", targets.find "x86-64-v4", targets.find "generic"
local MB <const> = 1024 * 1024

local function plan(fields)
  if fields.form then return fields end
  local problem = problems.make(fields)
  return ops.find(problem.op).plan(problem)
end
local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function planar(planes, rows, columns, to_rows, to_columns, mode)
  return { x = tensor("NCHW", 1, planes, rows, columns), mode = mode or "bilinear",
    size = { to_rows, to_columns } }
end
local function pixels(channels, rows, columns, to_rows, to_columns, mode)
  return { x = tensor("NHWC", 1, rows, columns, channels), mode = mode or "bilinear",
    size = { to_rows, to_columns } }
end
local function machine(registers)
  return { vector_bytes = 32, registers = registers, fma = true, name = "made-up" }
end
-- The plan of some fields as if it read and wrote so many bytes in all.
local function sized(fields, bytes)
  local p = plan(fields)
  p.bytes_read, p.bytes_written = bytes // 3, bytes - bytes // 3
  return p
end

local function strategy(want, why, name, fields, target)
  local got, knobs, reason = heuristic.choose(plan(fields), target or v3)
  tap.is(got, want, name)
  tap.is(reason, why, name .. ": why")
  return knobs
end
local function knob(which, want, name, fields, target)
  local _, knobs = heuristic.choose(plan(fields), target or v3)
  tap.is(knobs[which], want, name)
end

local CHANNELS <const> = "channels fill vectors"
local PLANE <const> = "rows are shorter than a vector"
local REGISTERS <const> = "a row is a few vectors"
local SINGLE <const> = "one spatial axis"
local COPIES <const> = "output rows are input rows: nothing to keep"
local SHRINKING <const> = "fewer output rows than input rows"
local FUSED <const> = "two rows cost less than a ring"
local LINE <const> = "a ring of many rows and its outputs leave the L1 cache"
local ROLLING <const> = "each input row is used by several output rows"

-- channels: from half a vector on --------------------------------------------------------------

strategy("channels", CHANNELS, "4 channels on AVX2", pixels(4, 20, 20, 40, 40))
strategy("blended", FUSED, "3 channels on AVX2", pixels(3, 20, 20, 40, 40))
strategy("channels", CHANNELS, "8 channels on AVX-512", pixels(8, 20, 20, 40, 40), v4)
strategy("blended", FUSED, "7 channels on AVX-512", pixels(7, 20, 20, 40, 40), v4)
strategy("blended", FUSED, "planar channels fill nothing", planar(64, 20, 40, 40, 80))
strategy("channels", CHANNELS, "before planes", pixels(4, 2, 1, 4, 2))
local line = strategy("channels", CHANNELS, "before one axis",
  { x = tensor("NWC", 1, 40, 16), mode = "linear", size = { 80 } })
tap.is(line.tiles, 8, "pixels of one axis are tasks")
knob("tiles", nil, "rows are not cut", pixels(16, 20, 20, 40, 40))

-- rows of them from the same loads: by the scale of the rows …
for to_rows, want in pairs { [10] = 1, [19] = 1, [20] = 2, [34] = 2, [35] = 4, [69] = 4,
  [70] = 1 } do
  knob("rows", want, ("channels: 10 to %d rows"):format(to_rows),
    pixels(8, 10, 9, to_rows, 18), machine(18))
end
-- … where the weights of the rows, those of two pixels and the inputs of a pixel fit:
-- rows·taps + 2·taps + taps·taps + 2
for registers, want in pairs { [13] = 1, [14] = 2, [17] = 2, [18] = 4 } do
  knob("rows", want, "channels: bilinear, " .. registers .. " registers",
    pixels(8, 10, 9, 40, 36), machine(registers))
end
for registers, want in pairs { [33] = 1, [34] = 2, [41] = 2, [42] = 4 } do
  knob("rows", want, "channels: bicubic, " .. registers .. " registers",
    pixels(8, 10, 9, 40, 36, "bicubic"), machine(registers))
end
knob("rows", 4, "channels: bilinear, 4 times, 32 registers", pixels(8, 10, 9, 40, 36), v4)
local volume = { x = tensor("NDHWC", 1, 4, 10, 9, 8), mode = "trilinear", size = { 8, 40, 18 } }
for registers, want in pairs { [21] = 1, [22] = 2, [29] = 2, [30] = 4 } do
  knob("rows", want, "channels: rows of two planes, " .. registers .. " registers", volume,
    machine(registers))
end
for bytes, want in pairs { [MB] = 2, [17 * MB] = 2, [17 * MB + 1] = 1 } do
  knob("rows", want, ("channels: rows of %d bytes"):format(bytes),
    sized(pixels(8, 10, 9, 20, 18), bytes))
end

-- planes: rows shorter than a vector -------------------------------------------------------------

strategy("plane", PLANE, "8 columns", planar(1, 4, 4, 8, 8))
strategy("registers", REGISTERS, "9 columns", planar(1, 4, 4, 8, 9))
strategy("plane", PLANE, "16 columns on AVX-512", planar(1, 4, 4, 8, 16), v4)
strategy("registers", REGISTERS, "17 columns on AVX-512", planar(1, 4, 4, 8, 17), v4)
strategy("plane", PLANE, "2 channels of 4 columns", pixels(2, 4, 2, 8, 4))
strategy("registers", REGISTERS, "2 channels of 5 columns", pixels(2, 4, 2, 8, 5))
strategy("plane", PLANE, "2048 elements of a plane", planar(1, 128, 4, 256, 8))
strategy("registers", REGISTERS, "2064 are too many", planar(1, 129, 4, 258, 8))
knob("planes", nil, "how many planes is left to the strategy", planar(64, 4, 4, 8, 8))

-- registers: rows of four vectors ----------------------------------------------------------------

strategy("registers", REGISTERS, "32 columns on AVX2", planar(1, 5, 16, 10, 32))
strategy("blended", FUSED, "34 columns on AVX2", planar(1, 5, 17, 10, 34))
strategy("registers", REGISTERS, "64 columns on AVX-512", planar(1, 5, 32, 10, 64), v4)
strategy("blended", FUSED, "66 columns on AVX-512", planar(1, 5, 33, 10, 66), v4)
strategy("blended", FUSED, "32 columns of 80 rows are too much code", planar(1, 40, 16, 80, 32))
strategy("registers", REGISTERS, "16 columns on SSE", planar(1, 5, 8, 10, 16), generic)
strategy("blended", FUSED, "18 columns on SSE", planar(1, 5, 9, 10, 18), generic)
strategy("registers", REGISTERS, "3 channels of 10 columns", pixels(3, 5, 5, 10, 10))
strategy("blended", FUSED, "3 channels of 11 columns", pixels(3, 5, 5, 10, 11))
strategy("registers", REGISTERS, "also of copies", planar(1, 5, 16, 10, 32, "nearest"))
strategy("registers", REGISTERS, "also of a volume",
  { x = tensor("NCDHW", 1, 1, 2, 5, 16), mode = "trilinear", size = { 4, 10, 32 } })

-- one axis, copies -------------------------------------------------------------------------------

strategy("blended", SINGLE, "one axis", { x = tensor("NCW", 1, 2, 40), mode = "linear",
  size = { 80 } })
strategy("blended", SINGLE, "one axis has no planes",
  { x = tensor("NCW", 1, 9, 4), mode = "linear", size = { 8 } })
knob("tiles", nil, "one planar axis has no tiles",
  { x = tensor("NCW", 1, 9, 4), mode = "linear", size = { 8 } })
strategy("blended", COPIES, "copies of rows", planar(1, 20, 40, 40, 80, "nearest"))
strategy("blended", COPIES, "rows that stay", planar(1, 20, 40, 20, 80))
strategy("blended", COPIES, "fewer copies", planar(1, 40, 40, 20, 80, "nearest"))
knob("line", nil, "copies have no line to fuse", planar(1, 20, 40, 40, 80, "nearest"))

-- shrinking --------------------------------------------------------------------------------------

strategy("blended", SHRINKING, "fewer rows", planar(1, 40, 40, 39, 80))
strategy("blended", SHRINKING, "as many rows, blended",
  { x = tensor("NCHW", 1, 1, 20, 40), mode = "bicubic", scale_factor = { 1.04, 2 } })
strategy("blended", FUSED, "a row more", planar(1, 40, 40, 41, 80))

-- Maps made by hand: sums of `taps` rows; columns of two neighbours that move by advance().
local function rows_of(taps, input, output)
  local list = {}
  for o = 1, output do
    local first, t = (o - 1) * (input - taps) // (output - 1), { index = {}, weight = {} }
    for k = 1, taps do t.index[k], t.weight[k] = first + k - 1, 0.5 end
    list[o] = t
  end
  return axis.new { name = "h", input = input, output = output, taps = list }
end
local function half() return 0.5 end
local function columns_of(output, advance, weight)
  local list, at = {}, 0
  for o = 1, output do
    list[o] = { index = { at, at + 1 }, weight = { 0.5, (weight or half)(o) } }
    at = at + advance()
  end
  return axis.new { name = "w", input = at + 2, output = output, taps = list }
end
local function by_hand(y, x, bytes)
  return { form = "resample", dtype = "f32", work = "f32", batch = 1, channels = 1,
    planar = true, rank = 2,
    axes = { y, x }, terms = 4, copy = false, bytes_read = 0, bytes_written = bytes or 0 }
end
local function even() return 1 end
local function random(limit)
  local state = 9
  return function()
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % limit
  end
end

local regular = columns_of(800, even)
-- a buffered line from three rows on; two rows fuse unless tables drive the row pass
knob("line", "fused", "shrinking: two rows", by_hand(rows_of(2, 90, 40), regular))
knob("line", "buffered", "shrinking: three rows", by_hand(rows_of(3, 90, 40), regular))
local scattered = columns_of(4000, random(3))
tap.is(row.new(scattered, 8).straight, false, "a row that tables drive")
knob("line", "buffered", "shrinking: by tables", by_hand(rows_of(2, 90, 40), scattered))

-- constants beyond 32 KB leave no room for the line of many rows: on AVX-512
local function constants(map, lanes)
  local pass = row.new(map, lanes)
  return pass.straight and 4 * row.constants(pass)
end
-- The last map whose constants fit 32 KB and the first whose do not, of growing rows.
local function around_32_kb()
  local small
  for vectors = 80, 190 do
    local map = columns_of(16 * vectors, random(3))
    if constants(map, 16) > 32 * 1024 then return small, map end
    small = map
  end
end
local fits, exceeds = around_32_kb()
tap.ok(constants(fits, 16) > 32000, "constants that just fit L1")
tap.ok(constants(exceeds, 16) < 33500, "constants that just do not")
knob("line", "buffered", "shrinking: constants in L1", by_hand(rows_of(4, 90, 40), fits), v4)
knob("line", "fused", "shrinking: constants beyond", by_hand(rows_of(4, 90, 40), exceeds), v4)
knob("line", "fused", "shrinking: of eight rows", by_hand(rows_of(8, 90, 40), exceeds), v4)
knob("line", "buffered", "shrinking: of nine rows", by_hand(rows_of(9, 90, 40), exceeds), v4)
local crowded = columns_of(8 * 190, random(9))
tap.ok(constants(crowded, 8) > 33000, "as many constants on AVX2")
knob("line", "buffered", "shrinking: windows of 32 bytes do not stall",
  by_hand(rows_of(4, 90, 40), crowded), v3)

-- enlarging by two rows: fused up to 4x, straight, weights constant ------------------------------

local fused = strategy("blended", FUSED, "4x", planar(1, 20, 40, 80, 80))
tap.is(fused.line, "fused", "4x: the line")
strategy("rolling", ROLLING, "more than 4x", planar(1, 20, 40, 81, 80))
strategy("blended", FUSED, "two rows", by_hand(rows_of(2, 40, 90), regular))
strategy("rolling", ROLLING, "three rows", by_hand(rows_of(3, 40, 90), regular))
strategy("rolling", ROLLING, "two rows, by tables", by_hand(rows_of(2, 40, 90), scattered))
strategy("rolling", ROLLING, "two rows, weights that change", by_hand(rows_of(2, 40, 90),
  columns_of(800, even, function(o) return o / 1024 end)))
strategy("rolling", ROLLING, "3x: float weights do not repeat", planar(1, 20, 40, 40, 120))

-- many rows: a ring while it stays in L2 ---------------------------------------------------------

strategy("rolling", ROLLING, "three rows, 1 MB", by_hand(rows_of(3, 40, 90), regular, MB))
local buffered = strategy("blended", LINE, "three rows, beyond 1 MB",
  by_hand(rows_of(3, 40, 90), regular, MB + 1))
tap.is(buffered.line, nil, "in a line of its own")
strategy("rolling", ROLLING, "two rows, beyond 1 MB",
  by_hand(rows_of(2, 40, 90), scattered, 2 * MB))

-- several rows in a sweep: four to eight taps, as many as fit: rows·taps + taps + 1
for taps, want in pairs { [3] = 1, [4] = 4, [7] = 2, [8] = 2, [9] = 1 } do
  knob("rows", want, "rolling: " .. taps .. " rows, 32 registers",
    by_hand(rows_of(taps, 40, 90), regular), v4)
end
knob("rows", 1, "rolling: two rows", planar(1, 20, 40, 81, 80))
knob("rows", 2, "rolling: bicubic, 16 registers", planar(1, 20, 40, 40, 80, "bicubic"))
for registers, want in pairs { [12] = 1, [13] = 2, [16] = 2, [17] = 2, [20] = 2, [21] = 4 } do
  knob("rows", want, "rolling: bicubic, " .. registers .. " registers",
    planar(1, 20, 40, 40, 80, "bicubic"), machine(registers))
end

-- strips: eight tasks, sixteen rows each ---------------------------------------------------------

for planes, want in pairs { [1] = 8, [2] = 4, [3] = 4, [4] = 2, [7] = 2, [8] = 1, [9] = 1 } do
  knob("strips", want, planes .. " planes of many rows", planar(planes, 100, 40, 200, 80))
end
for rows, want in pairs { [31] = 1, [32] = 2, [63] = 2, [64] = 4, [127] = 4,
  [128] = 8, [600] = 8 } do
  knob("strips", want, rows .. " rows", planar(1, 20, 40, rows, 80))
end
knob("strips", 8, "channels: an image of many rows", pixels(16, 100, 9, 200, 18))
knob("strips", 4, "channels: two images",
  { x = tensor("NHWC", 2, 100, 9, 16), mode = "bilinear", size = { 200, 18 } })
knob("strips", 1, "three axes have none",
  { x = tensor("NCDHW", 1, 1, 2, 100, 40), mode = "trilinear", size = { 4, 200, 80 } })
knob("strips", 1, "one axis has none",
  { x = tensor("NCW", 1, 2, 4000), mode = "linear", size = { 8000 } })
knob("strips", nil, "planes have none", planar(1, 64, 4, 128, 8))
knob("strips", nil, "nor have registers", planar(1, 64, 4, 128, 9))

-- streaming: more than 17 MB read and written ----------------------------------------------------

for name, fields in pairs {
  rolling = planar(1, 20, 40, 81, 80), blended = planar(1, 20, 40, 40, 80),
  channels = pixels(8, 10, 9, 20, 18), registers = planar(1, 5, 16, 10, 32),
} do
  local p = sized(fields, 17 * MB)
  tap.is((heuristic.choose(p, v3)), name, name .. " of 17 MB")
  knob("stores", nil, name .. ": 17 MB", p)
  knob("stores", "streaming", name .. ": a byte more", sized(fields, 17 * MB + 1))
end
knob("stores", nil, "planes keep what they write", sized(planar(1, 4, 4, 8, 8), 99 * MB))

tap.done()
