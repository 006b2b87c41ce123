-- SPDX-License-Identifier: MIT
-- Tensors of any rank as those of a spec: which axes become batch, channels and spatial ones.

local tap = dofile "tests/lib/tap.lua"
local axes = require "upweave.import.axes"

-- The axes that change are written as a string: "..xx" for the last two of four.
local function view(shape, changed)
  local flags = {}
  for axis = 1, #shape do flags[axis] = changed:sub(axis, axis) == "x" end
  return axes.view(shape, flags)
end

local function is(shape, changed, layout, want, spatial)
  tap.same(view(shape, changed), { layout = layout, shape = want, spatial = spatial },
    table.concat(shape, "x") .. " " .. changed)
end

is({ 2, 3, 4, 5 }, "..xx", "NCHW", { 2, 3, 4, 5 }, { 3, 4 })
is({ 2, 3, 4, 5 }, ".xx.", "NHWC", { 2, 3, 4, 5 }, { 2, 3 })
is({ 2, 3, 4, 1 }, ".xx.", "NCHW", { 1, 2, 3, 4 }, { 2, 3 })
is({ 2, 3, 4, 5, 6 }, "..xxx", "NCDHW", { 2, 3, 4, 5, 6 }, { 3, 4, 5 })
is({ 2, 3, 4, 5, 6 }, "...xx", "NCHW", { 6, 4, 5, 6 }, { 4, 5 })
is({ 2, 3, 4, 5, 6 }, ".xxx.", "NDHWC", { 2, 3, 4, 5, 6 }, { 2, 3, 4 })
is({ 2, 3, 4 }, "..x", "NCW", { 2, 3, 4 }, { 3 })
is({ 2, 3, 4 }, ".x.", "NWC", { 2, 3, 4 }, { 2 })
is({ 2, 3, 4 }, "x..", "NWC", { 1, 2, 12 }, { 1 })
is({ 2, 3 }, "xx", "NCHW", { 1, 1, 2, 3 }, { 1, 2 })
is({ 2, 3 }, ".x", "NCW", { 1, 2, 3 }, { 2 })
is({ 7 }, "x", "NCW", { 1, 1, 7 }, { 1 })
is({ 2, 3, 4, 5 }, "x..x", "NCDHW", { 1, 1, 2, 12, 5 }, { 1, 0, 4 })
is({ 2, 3, 4, 5, 6 }, "x..x.", "NDHWC", { 1, 2, 12, 5, 6 }, { 1, 0, 4 })
is({ 2, 3, 4, 5, 6, 7 }, ".x....", "NWC", { 2, 3, 840 }, { 2 })
is({ 2, 3, 4, 5 }, "....", "NCW", { 6, 4, 5 }, { 0 })
is({ 7 }, ".", "NCW", { 1, 1, 7 }, { 0 })
is({ 1 }, ".", "NCW", { 1, 1, 1 }, { 0 })
is({ 2, 1, 3 }, "x.x", "NCHW", { 1, 1, 2, 3 }, { 1, 3 })
is({ 2, 1, 3, 1, 4 }, "x...x", "NCDHW", { 1, 1, 2, 3, 4 }, { 1, 0, 5 })
is({ 0, 3, 4, 5 }, "..xx", "NCHW", { 0, 3, 4, 5 }, { 3, 4 })

for _, case in ipairs { { "x.xx", 4 }, { "xxxx", 4 }, { "x.x.x.x", 7 }, { "x.xx...", 4 } } do
  local shape = {}
  for axis = 1, #case[1] do shape[axis] = axis + 1 end
  local none, needed = view(shape, case[1])
  tap.is(none, nil, case[1] .. " is too much")
  tap.is(needed, case[2], case[1] .. ": so many axes")
end

tap.done()
