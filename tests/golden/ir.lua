-- SPDX-License-Identifier: MIT
-- The kernel IR of a few small problems, word for word: what a change of a lowering changes is seen
-- and read.  UPDATE_GOLDEN=1 writes the files anew; look at the difference before you commit it.

local tap = dofile "tests/lib/tap.lua"
local golden = dofile("tests/lib/golden.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local driver = require "upweave.driver"

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

local planar = tensor("NCHW", 1, 2, 8, 8)
local cases = {
  { "rolling", "x86-64-v3", "rolling:rows=2,strips=1,stores=cached",
    { x = planar, mode = "bilinear", scale_factor = 2 } },
  { "rolling_streaming", "x86-64-v2", "rolling:rows=1,strips=1,stores=streaming",
    { x = tensor("NCHW", 1, 1, 3, 8), mode = "nearest", scale_factor = { 1, 2 } } },
  { "rolling_strips", "x86-64-v3", "rolling:rows=2,strips=4,stores=cached",
    { x = tensor("NCHW", 1, 1, 40, 8), mode = "bicubic", size = { 59, 8 } } },
  { "blended", "x86-64-v3", "blended:strips=2,stores=cached",
    { x = tensor("NCHW", 1, 1, 9, 20), mode = "area", size = { 4, 10 } } },
  { "blended_depth", "generic", "blended:strips=1,stores=cached",
    { x = tensor("NCDHW", 1, 1, 2, 3, 4), mode = "trilinear", scale_factor = 2 } },
  { "channels", "x86-64-v2", "channels:columns=2,strips=1,stores=streaming",
    { x = tensor("NHWC", 1, 3, 4, 8), mode = "bilinear", scale_factor = 2 } },
  { "channels_aperiodic", "generic", "channels:columns=1,strips=1,stores=cached",
    { x = tensor("NWC", 1, 70, 4), mode = "linear", size = { 97 } } },
  { "registers", "x86-64-v3", "registers",
    { x = tensor("NCHW", 1, 1, 3, 5), mode = "bilinear", scale_factor = 2 } },
  { "plane", "x86-64-v4", "plane:planes=2",
    { x = tensor("NCHW", 1, 4, 2, 3), mode = "bilinear", scale_factor = 2 } },
  { "fused", "x86-64-v3", "blended:line=fused,strips=1,stores=cached",
    { x = tensor("NCHW", 1, 1, 8, 24), mode = "area", size = { 4, 8 } } },
  { "many_taps", "x86-64-v3", "blended:line=buffered,strips=1,stores=cached",
    { x = tensor("NCHW", 1, 1, 40, 50), mode = "area", size = { 3, 2 } } },
  { "many_taps_channels", "generic", "channels",
    { x = tensor("NHWC", 1, 22, 40, 24), mode = "area", size = { 2, 3 } } },
  { "row_aperiodic", "generic", "blended:strips=1,stores=cached",
    { x = tensor("NCW", 1, 1, 3001), mode = "linear", size = { 1571 } } },
}

-- long lists of numbers say nothing to a reader
local function shorten(text)
  return (text:gsub("[^\n]+", function(line)
    if #line <= 400 then return nil end
    local hash = 0
    for i = 1, #line do hash = (hash * 31 + line:byte(i)) & 0xffffffff end
    return ("%s … (%d bytes, hash %08x)"):format(line:sub(1, 200), #line, hash)
  end))
end

for _, case in ipairs(cases) do
  local name, target, schedule, fields = table.unpack(case)
  fields.schedule = schedule
  local problem = problems.make(fields)
  local result, faults = driver.compile(problem, { target = target, stop_after = "ir" })
  if not tap.ok(result, name .. ": compiles") then
    tap.diag(require("upweave.util.diagnostics").format(faults))
  else
    golden.is(shorten(driver.dump(result, "ir")), "ir_" .. name .. ".txt")
  end
end

tap.done()
