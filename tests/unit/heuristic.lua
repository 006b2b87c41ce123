-- SPDX-License-Identifier: MIT
-- Where the heuristic changes its mind: each rule on both sides of its border.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local heuristic = require "upweave.schedule.heuristic"
local ops = require "upweave.ops"
local targets = require "upweave.target"

local v3 = targets.find "x86-64-v3"

local function choose(fields, target)
  local problem = problems.make(fields)
  return heuristic.choose(ops.find(problem.op).plan(problem), target or v3)
end
local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local function planar(planes, rows, columns, to_rows, to_columns, mode)
  return { x = tensor("NCHW", 1, planes, rows, columns), mode = mode or "bilinear",
    size = { to_rows, to_columns } }
end
local function strategy(want, why, name, fields, target)
  local got, _, reason = choose(fields, target)
  tap.is(got, want, name)
  tap.like(reason, why, name .. ": why")
end
local function knob(which, want, name, fields, target)
  local _, knobs = choose(fields, target)
  tap.is(knobs[which], want, name)
end

-- strategies
strategy("rolling", "used by several output rows", "enlarging", planar(1, 20, 40, 40, 80))
strategy("rolling", "used by several output rows", "as many rows, blended",
  { x = tensor("NCHW", 1, 1, 20, 40), mode = "bicubic", scale_factor = { 1.04, 2 } })
strategy("blended", "fewer output rows", "shrinking", planar(1, 20, 40, 19, 80))
strategy("blended", "output rows are input rows", "copies of rows",
  planar(1, 20, 40, 40, 80, "nearest"))
strategy("blended", "one spatial axis", "one axis",
  { x = tensor("NCW", 1, 2, 40), mode = "linear", size = { 80 } })

-- rows of a few vectors stay in registers: up to four vectors of 8
strategy("registers", "a row is a few vectors", "32 columns on AVX2", planar(1, 5, 16, 10, 32))
strategy("rolling", "used by several", "33 columns on AVX2", planar(1, 5, 16, 10, 33))
strategy("rolling", "used by several", "32 columns of 40 rows are too much code",
  planar(1, 40, 16, 80, 32))
strategy("rolling", "used by several", "32 columns on SSE", planar(1, 5, 16, 10, 32),
  targets.find "generic")
strategy("registers", "a row is a few vectors", "interleaved: 3 channels of 10 columns",
  { x = tensor("NHWC", 1, 5, 5, 3), mode = "bilinear", size = { 10, 10 } })
strategy("rolling", "used by several", "3 channels of 11 columns",
  { x = tensor("NHWC", 1, 5, 5, 3), mode = "bilinear", size = { 10, 11 } })

-- rows shorter than a vector: whole planes
strategy("plane", "shorter than a vector", "8 columns", planar(1, 4, 4, 8, 8))
strategy("registers", "a row is a few vectors", "9 columns", planar(1, 4, 4, 8, 9))
strategy("plane", "shorter than a vector", "16 columns on AVX-512", planar(1, 4, 4, 8, 16),
  targets.find "icelake")
strategy("registers", "a row is a few vectors", "17 columns on AVX-512", planar(1, 4, 4, 8, 17),
  targets.find "icelake")
strategy("plane", "shorter than a vector", "2 channels of 4 columns",
  { x = tensor("NHWC", 1, 4, 2, 2), mode = "bilinear", size = { 8, 4 } })
strategy("registers", "a row is a few vectors", "2 channels of 5 columns",
  { x = tensor("NHWC", 1, 4, 2, 2), mode = "bilinear", size = { 8, 5 } })
strategy("blended", "one spatial axis", "one axis has no planes",
  { x = tensor("NCW", 1, 9, 4), mode = "linear", size = { 8 } })

-- channels that fill half a vector
strategy("channels", "channels fill vectors", "4 channels on AVX2",
  { x = tensor("NHWC", 1, 20, 20, 4), mode = "bilinear", size = { 40, 40 } })
strategy("rolling", "used by several", "3 channels on AVX2",
  { x = tensor("NHWC", 1, 20, 20, 3), mode = "bilinear", size = { 40, 40 } })
strategy("rolling", "used by several", "4 channels on AVX-512",
  { x = tensor("NHWC", 1, 20, 20, 4), mode = "bilinear", size = { 40, 40 } },
  targets.find "icelake")
strategy("channels", "channels fill vectors", "8 channels on AVX-512",
  { x = tensor("NHWC", 1, 20, 20, 8), mode = "bilinear", size = { 40, 40 } },
  targets.find "icelake")
strategy("rolling", "used by several", "planar channels fill nothing", planar(64, 20, 40, 40, 80))

-- strips: eight tasks, sixteen rows each
for planes, want in pairs { [1] = 8, [2] = 4, [3] = 4, [4] = 2, [7] = 2, [8] = 1, [9] = 1 } do
  knob("strips", want, planes .. " planes of many rows", planar(planes, 100, 40, 200, 80))
end
for rows, want in pairs { [31] = 1, [32] = 2, [63] = 2, [64] = 4, [127] = 4,
  [128] = 8, [600] = 8 } do
  knob("strips", want, rows .. " rows", planar(1, 20, 40, rows, 80))
end
knob("strips", 8, "channels: an image of many rows",
  { x = tensor("NHWC", 1, 100, 9, 16), mode = "bilinear", size = { 200, 18 } })
knob("strips", 1, "three axes have none",
  { x = tensor("NCDHW", 1, 1, 2, 100, 40), mode = "trilinear", size = { 4, 200, 80 } })
knob("strips", 1, "one axis has none",
  { x = tensor("NCW", 1, 2, 4000), mode = "linear", size = { 8000 } })

-- several rows in a sweep: from four taps on, as many as fit
knob("rows", 1, "two taps", planar(1, 100, 40, 200, 80))
knob("rows", 2, "four taps, 16 registers", planar(1, 100, 40, 200, 80, "bicubic"))
knob("rows", 4, "four taps, 32 registers", planar(1, 100, 40, 200, 80, "bicubic"),
  targets.find "icelake")
for registers, want in pairs { [12] = 1, [13] = 2, [16] = 2, [17] = 3, [20] = 3, [21] = 4 } do
  knob("rows", want, registers .. " registers", planar(1, 100, 40, 200, 80, "bicubic"),
    { vector_bytes = 32, registers = registers, fma = true, name = "made-up" })
end

-- streaming: from 24 MB of reads and writes on; 4·c·(rows·columns·5) bytes at scale 2
local function image(rows)
  return { x = tensor("NHWC", 1, rows, 1024, 4), mode = "bilinear", size = { 2 * rows, 2048 } }
end
knob("stores", nil, "24.0 MB", image(307))
knob("stores", "streaming", "24.1 MB", image(309))
knob("stores", "streaming", "interleaved pixels of a large image", image(2000))
-- exactly 24 MiB: 4 · 1024 · (r + o) = 24 · 2^20 where rows r + o = 6144
knob("stores", nil, "24 MiB", planar(1, 2048, 1024, 4096, 1024))
knob("stores", "streaming", "a row more", planar(1, 2049, 1024, 4096, 1024))

tap.done()
