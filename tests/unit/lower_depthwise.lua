-- SPDX-License-Identifier: MIT
-- Bands of rows and expanded lines of depthwise kernels, on many axes: bands make each row once,
-- from rows that are at hand, with the taps of the plan; an element of a line is the input that its
-- output's tap uses, or zero, also where a phase lacks the tap: an infinity keeps its sign.

local tap = dofile "tests/lib/tap.lua"
local bands = require "upweave.lower.contract.bands"
local contract = require "upweave.plan.contract"
local driver = require "upweave.driver"
local expand = require "upweave.lower.contract.expand"
local interpreted = dofile "tests/lib/interpreted.lua"
local make = dofile("tests/lib/problems.lua").make

-- Axes of both operators.
local function each_axis(fn)
  for _, kernel in ipairs { 1, 2, 3, 4, 7, 16 } do
    for _, stride in ipairs { 1, 2, 3, 8 } do
      for dilation = 1, 3 do
        for pad = 0, math.min(kernel - 1, 4) do
          local fields = {
            name = "h", input = 9, kernel = kernel, stride = stride, dilation = dilation, pad = pad,
          }
          local reach = dilation * (kernel - 1) + 1
          fields.output = (fields.input + 2 * pad - reach) // stride + 1
          if fields.output > 0 then fn(contract.conv_axis(fields)) end
          fields.output = (fields.input - 1) * stride + reach - 2 * pad
          if fields.output > 0 then fn(contract.conv_transpose_axis(fields)) end
        end
      end
    end
  end
end

-- What is wrong with a band: its rows have to be in the ring, { slot → row }.
local function band_fault(axis, band, ring, depth)
  for row = band.from, band.to - 1 do ring[row % depth] = row end
  for i = 1, band.n do
    local o, seen = band.output + i - 1, 0
    local first, last = contract.inside(axis, o)
    for j, id in pairs(band.taps[i]) do
      local row, found = band.input + band.rows[j], false
      if ring[row % depth] ~= row then return ("row %d is not at hand"):format(row) end
      for t = first, last do
        local known = axis.taps[o % axis.phases + 1][t]
        found = found or known.k == band.kernel[id]
          and row == o // axis.phases * axis.step + known.at
      end
      if not found then return ("output %d has no such tap"):format(o) end
      seen = seen + 1
    end
    if seen ~= math.max(0, last - first + 1) then return ("output %d lacks taps"):format(o) end
  end
end

local function bands_fault(axis, parts, most)
  local plan = { rank = 2, axes = { axis, axis } }
  local list, depth = bands.list(bands.rows(plan), parts, most)
  local next_row, part, ring = 0, nil, nil
  for _, band in ipairs(list) do
    if band.part ~= part then part, ring = band.part, {} end
    if band.output ~= next_row or band.n > most then return "rows are not in order" end
    next_row = next_row + band.n
    local fault = band_fault(axis, band, ring, depth)
    if fault then return fault end
  end
  if next_row ~= axis.output then return "rows are missing" end
end

do
  local fault, count = nil, 0
  each_axis(function(axis)
    for _, most in ipairs { 1, 2, 3, 4, 8 } do
      for _, parts in ipairs { 1, math.min(3, axis.output) } do
        fault, count = fault or bands_fault(axis, parts, most), count + 1
      end
    end
  end)
  tap.is(fault, nil, ("bands: %d ways to cut"):format(count))
end

-- The elements of the lines of a row whose input x has the value x + 1.
local function line_values(e)
  local values = {}
  for i, x in ipairs(e.extents) do
    for m = 0, x.count * x.run * e.inner - 1 do
      local pixel = x.first + m // e.inner // x.run * x.step
      values[(i - 1) * e.pitch + e.lead + x.at * e.inner + m] = pixel * e.inner + m % e.inner + 1
    end
  end
  return values
end

-- What element m has to be for a tap: the value of its input, or 0; nil if it has no such tap.
local function wanted(axis, inner, m, t)
  local o = m // inner
  local known = axis.taps[o % axis.phases + 1][t]
  if not known then return nil end
  local i = o // axis.phases * axis.step + known.at
  return i >= 0 and i < axis.input and i * inner + m % inner + 1 or 0, known.k
end

local function lines_fault(axis, lines, inner)
  local e = expand.layout(axis, lines, inner, 4)
  local values = line_values(e)
  for at in pairs(values) do
    if at < 0 or at >= e.size then return "a line leaves its place" end
  end
  for m = 0, axis.output * inner - 1 do
    for t, kernel in ipairs(lines.kernel) do
      local want, k = wanted(axis, inner, m, t)
      if k ~= kernel[m // inner % axis.phases + 1] then return "another weight" end
      if want and want ~= (values[expand.place(e, axis, t) + m] or 0) then
        return ("element %d, tap %d"):format(m, t)
      end
    end
  end
end

do
  local fault, count, refused = nil, 0, 0
  each_axis(function(axis)
    local lines = expand.lines(axis)
    for _, inner in ipairs(lines and { 1, 3 } or {}) do
      fault, count = fault or lines_fault(axis, lines, inner), count + 1
    end
    if not lines then refused = refused + 1 end
  end)
  tap.is(fault, nil, ("lines: %d rows, %d axes have none"):format(count, refused))
  tap.ok(refused > 0 and refused < count, "axes of phases without taps are among them")
end

-- Where some phases have a tap more than others, none makes NaN of an infinity: in rows that are
-- straight-line code, and in long ones.
for _, width in ipairs { 5, 300 } do
  for _, x in ipairs { { "NCHW", 1, 3, 2, width }, { "NHWC", 1, 2, width, 3 } } do
    local layout, shape = x[1], { table.unpack(x, 2) }
    local problem = make {
      op = "conv_transpose", x = { shape = shape, layout = layout }, out_channels = 3, groups = 3,
      kernel_size = { 1, 3 }, stride = { 1, 2 }, bias = false,
      schedule = "contract-depthwise:read=expanded",
    }
    local r = assert(driver.compile(problem, { target = "x86-64-v3", stop_after = "ir" }))
    local memory, infinite = { x = {}, weight = {} }, 0
    for i = 1, 6 * width do memory.x[i] = math.huge end
    for i = 1, 9 do memory.weight[i] = i end
    local elements = 6 * (2 * width + 1)
    local y = interpreted.run(r.ir, memory, elements)
    for i = 0, elements - 1 do infinite = infinite + (y[i] == math.huge and 1 or 0) end
    tap.is(infinite, elements, ("infinities of %s, %d wide"):format(layout, width))
  end
end

-- The rows that the bands of a transposed convolution read: those of equal inputs go together.
do
  local axis = contract.conv_transpose_axis {
    name = "h", input = 56, output = 112, kernel = 4, stride = 2, dilation = 1, pad = 1,
  }
  local list = bands.list(bands.rows { rank = 2, axes = { axis, axis } }, 1, 2)
  tap.is(list[1].n, 1, "the first row is alone")
  tap.is(#list[20].rows, 2, "two rows read two")
  tap.is(#list[20].kernel, 4, "with four rows of the kernel")
  tap.is(#bands.classes(list), 2, "the first and the last share code")
end

-- No more rows are at hand than the bands between the first and the last that use one.
for _, case in ipairs { { 1, 7 }, { 2, 8 }, { 4, 10 } } do
  local axis = contract.conv_axis {
    name = "h", input = 40, output = 40, kernel = 7, stride = 1, dilation = 1, pad = 3,
  }
  local list, depth = bands.list(bands.rows { rank = 2, axes = { axis, axis } }, 2, case[1])
  tap.is(depth, case[2], ("bands of %d keep %d rows"):format(case[1], case[2]))
  local filled = 0
  for _, band in ipairs(list) do filled = filled + band.to - band.from end
  tap.is(filled, 23 + 23, "and read those of their part once")
end

tap.done()
