-- SPDX-License-Identifier: MIT
-- conv and conv_transpose: what PyTorch 2.13 accepts and which shapes it gives; shapes against a
-- calculation without formulas; canonical form.

local tap = dofile "tests/lib/tap.lua"
local problems = dofile "tests/lib/problems.lua"
local json = require "upweave.read.json"
local spec = require "upweave.spec"

local function tensor_of(shape) return { shape = shape } end

-- The problem of some fields, or nil.
local function read(op, fields)
  local all = { op = op }
  for key, value in pairs(fields) do all[key] = value end
  if all.x[1] then all.x = tensor_of(all.x) end
  local document = spec.validate { { name = "k", fields = all, where = function()
    return "test"
  end } }
  return document and document.kernels[1], document
end

local function shape_of(problem) return problem and table.concat(problem.y.shape, "x") or false end

-- Whether the canonical form of a problem reads back as the same.
local function keeps(problem)
  local text = spec.document_text { kernels = { problem } }
  local again = json.decode(text).kernels[1]
  again.name = nil
  local _, document = read(again.op, again)
  return document ~= nil and spec.document_text(document) == text
end

-- Measured: the modules Conv1d to ConvTranspose3d on the CPU; false is an exception.
local FACTS <const> = {
  { "conv", false, { x = { 1, 1, 7 }, out_channels = 12, kernel_size = 5, stride = { 4 },
    dilation = 3, padding = "same" } },
  { "conv", false, { x = { 2, 1, 5 }, out_channels = 6, kernel_size = 3, stride = { 2 },
    dilation = { 3 }, bias = false } },
  { "conv", false, { x = { 1, 12, 6 }, out_channels = 1, kernel_size = 5, stride = 1,
    dilation = 2, padding = "valid" } },
  { "conv", false, { x = { 2, 8, 4 }, out_channels = 3, kernel_size = { 1 }, stride = 1,
    padding = { 0 }, groups = 12 } },
  { "conv", false, { x = { 2, 8, 9 }, out_channels = 6, kernel_size = 2, stride = { 1 },
    padding = "same", groups = 3, bias = false } },
  { "conv", false, { x = { 1, 12, 4 }, out_channels = 4, kernel_size = { 2 }, stride = 4,
    dilation = 3, padding = { 2 }, groups = 6 } },
  { "conv", false, { x = { 1, 6, 2 }, out_channels = 4, kernel_size = { 4 }, stride = { 1 },
    dilation = { 4 }, padding = "valid", groups = 3 } },
  { "conv", "1x12x6", { x = { 1, 3, 9 }, out_channels = 12, kernel_size = { 5 }, stride = { 2 },
    padding = 3, groups = 3 } },
  { "conv", "1x12x2", { x = { 1, 8, 7 }, out_channels = 12, kernel_size = 6, groups = 1,
    bias = false } },
  { "conv", "2x4x4", { x = { 2, 3, 4 }, out_channels = 4, kernel_size = { 5 }, stride = 1,
    padding = "same" } },
  { "conv", "1x1x2", { x = { 1, 4, 2 }, out_channels = 1, kernel_size = 3, stride = 1,
    padding = "same" } },
  { "conv", false, { x = { 1, 2, 8, 1 }, out_channels = 1, kernel_size = { 6, 1 }, stride = 2,
    dilation = { 2, 2 }, padding = "same" } },
  { "conv", false, { x = { 1, 12, 1, 3 }, out_channels = 1, kernel_size = 2,
    stride = { 4, 1 } } },
  { "conv", false, { x = { 1, 8, 1, 5 }, out_channels = 2, kernel_size = 5, stride = { 1, 4 },
    dilation = 4, padding = "valid" } },
  { "conv", false, { x = { 2, 3, 6, 7 }, out_channels = 6, kernel_size = { 4, 1 }, stride = 2,
    padding = 3, groups = 12 } },
  { "conv", false, { x = { 2, 1, 1, 7 }, out_channels = 6, kernel_size = 3, stride = 1,
    padding = "same", groups = 3 } },
  { "conv", false, { x = { 2, 8, 3, 7 }, out_channels = 1, kernel_size = { 3, 2 }, stride = 2,
    groups = 4 } },
  { "conv", false, { x = { 2, 12, 8, 4 }, out_channels = 6, kernel_size = { 3, 2 },
    stride = { 1, 2 }, dilation = { 2, 2 }, padding = "valid", groups = 12 } },
  { "conv", "1x4x6x4", { x = { 1, 6, 6, 4 }, out_channels = 4, kernel_size = 1, dilation = 3,
    padding = 0 } },
  { "conv", "2x2x5x1", { x = { 2, 6, 5, 1 }, out_channels = 2, kernel_size = 5, padding = 2 } },
  { "conv", "1x8x1x1", { x = { 1, 12, 4, 3 }, out_channels = 8, kernel_size = 1, stride = 4,
    padding = "valid", bias = true } },
  { "conv", "2x6x4x5", { x = { 2, 12, 4, 5 }, out_channels = 6, kernel_size = { 2, 5 },
    stride = { 1, 1 }, padding = "same", bias = true } },
  { "conv", false, { x = { 2, 8, 5, 2, 9 }, out_channels = 2, kernel_size = 6,
    stride = { 3, 1, 3 }, padding = "same" } },
  { "conv", false, { x = { 1, 8, 1, 4, 7 }, out_channels = 8, kernel_size = 5, bias = true } },
  { "conv", false, { x = { 1, 2, 1, 5, 7 }, out_channels = 6, kernel_size = { 6, 3, 3 },
    stride = 4, padding = "valid" } },
  { "conv", false, { x = { 1, 1, 1, 7, 7 }, out_channels = 3, kernel_size = 3,
    stride = { 1, 2, 1 }, dilation = 3, padding = 3, groups = 12 } },
  { "conv", false, { x = { 1, 4, 2, 5, 1 }, out_channels = 1, kernel_size = { 4, 2, 5 },
    padding = "same", groups = 12 } },
  { "conv", false, { x = { 2, 8, 1, 3, 3 }, out_channels = 3, kernel_size = { 2, 2, 3 },
    stride = { 2, 4, 4 }, groups = 4, bias = true } },
  { "conv", false, { x = { 1, 12, 7, 2, 4 }, out_channels = 8, kernel_size = { 2, 5, 1 },
    dilation = 2, padding = "valid", groups = 12 } },
  { "conv", "1x4x2x1x2", { x = { 1, 4, 3, 2, 5 }, out_channels = 4, kernel_size = 3, stride = 4,
    dilation = 2, padding = 3 } },
  { "conv", "1x3x3x2x1", { x = { 1, 12, 5, 5, 6 }, out_channels = 3, kernel_size = { 1, 3, 6 },
    stride = 3, padding = 1 } },
  { "conv", "1x6x8x2x7", { x = { 1, 4, 9, 6, 8 }, out_channels = 6, kernel_size = { 2, 5, 2 },
    padding = "valid" } },
  { "conv", "2x4x6x5x3", { x = { 2, 12, 6, 5, 3 }, out_channels = 4, kernel_size = 4,
    padding = "same" } },
  { "conv_transpose", false, { x = { 1, 1, 1 }, out_channels = 8, kernel_size = { 5 },
    stride = { 4 }, padding = { 3 }, bias = true } },
  { "conv_transpose", false, { x = { 1, 6, 1 }, out_channels = 8, kernel_size = { 4 },
    stride = { 2 }, padding = { 3 }, output_padding = { 1 } } },
  { "conv_transpose", false, { x = { 1, 3, 2 }, out_channels = 12, kernel_size = { 2 },
    output_padding = { 2 } } },
  { "conv_transpose", false, { x = { 1, 1, 1 }, out_channels = 4, kernel_size = 4, dilation = 1,
    groups = 3 } },
  { "conv_transpose", false, { x = { 2, 3, 9 }, out_channels = 8, kernel_size = { 2 },
    dilation = 4, groups = 4, bias = false, output_padding = { 0 } } },
  { "conv_transpose", false, { x = { 2, 2, 5 }, out_channels = 8, kernel_size = 5, stride = { 1 },
    groups = 3, output_size = { 9 } } },
  { "conv_transpose", false, { x = { 1, 6, 4 }, out_channels = 3, kernel_size = 5,
    padding = { 3 }, groups = 6, bias = true } },
  { "conv_transpose", false, { x = { 1, 3, 7 }, out_channels = 4, kernel_size = 4, stride = 4,
    padding = 2, groups = 3, output_padding = 1 } },
  { "conv_transpose", false, { x = { 1, 6, 5 }, out_channels = 8, kernel_size = { 6 }, stride = 2,
    padding = 1, groups = 6, output_size = { 1, 8, 13 } } },
  { "conv_transpose", false, { x = { 2, 1, 7 }, out_channels = 3, kernel_size = 1,
    output_size = { 6 } } },
  { "conv_transpose", "1x8x1", { x = { 1, 12, 3 }, out_channels = 8, kernel_size = 1, stride = 1,
    dilation = 4, padding = { 1 }, bias = true } },
  { "conv_transpose", "1x6x25", { x = { 1, 1, 7 }, out_channels = 6, kernel_size = 3,
    stride = { 4 }, dilation = 2, padding = 2 } },
  { "conv_transpose", "2x1x21", { x = { 2, 1, 5 }, out_channels = 1, kernel_size = { 4 },
    stride = { 4 }, output_padding = { 1 } } },
  { "conv_transpose", "1x4x25", { x = { 1, 6, 7 }, out_channels = 4, kernel_size = { 3 },
    stride = 3, dilation = 4, padding = { 1 }, output_padding = 0 } },
  { "conv_transpose", "1x2x5", { x = { 1, 4, 3 }, out_channels = 2, kernel_size = { 5 },
    stride = { 1 }, padding = 1, output_size = { 5 } } },
  { "conv_transpose", "1x12x12", { x = { 1, 8, 5 }, out_channels = 12, kernel_size = 5,
    stride = { 3 }, padding = 3, bias = false, output_size = { 12 } } },
  { "conv_transpose", false, { x = { 1, 12, 1, 8 }, out_channels = 2, kernel_size = 1,
    padding = 1, bias = true } },
  { "conv_transpose", false, { x = { 2, 6, 7, 6 }, out_channels = 12, kernel_size = 3,
    padding = 3, output_padding = { 4, 1 } } },
  { "conv_transpose", false, { x = { 2, 8, 3, 7 }, out_channels = 1, kernel_size = { 4, 5 },
    stride = { 4, 4 }, padding = 0, groups = 3 } },
  { "conv_transpose", false, { x = { 1, 2, 8, 6 }, out_channels = 6, kernel_size = { 1, 5 },
    stride = 3, dilation = 3, groups = 3, output_padding = 3 } },
  { "conv_transpose", false, { x = { 1, 2, 1, 7 }, out_channels = 4, kernel_size = 5,
    stride = { 4, 2 }, padding = 1, groups = 12, output_size = { 5, 15 } } },
  { "conv_transpose", false, { x = { 2, 8, 8, 9 }, out_channels = 6, kernel_size = 2,
    dilation = 1, groups = 4, bias = false } },
  { "conv_transpose", false, { x = { 1, 12, 3, 3 }, out_channels = 6, kernel_size = 6,
    groups = 12, output_padding = { 3, 3 } } },
  { "conv_transpose", false, { x = { 2, 8, 5, 7 }, out_channels = 3, kernel_size = 1, padding = 2,
    groups = 4, bias = true, output_size = { 1, 3 } } },
  { "conv_transpose", false, { x = { 1, 12, 2, 5 }, out_channels = 1, kernel_size = { 2, 5 },
    dilation = { 3, 1 }, output_size = { 5, 8 } } },
  { "conv_transpose", "1x4x30x29", { x = { 1, 8, 8, 7 }, out_channels = 4, kernel_size = 5,
    stride = { 3, 2 }, dilation = { 2, 4 }, groups = 2, bias = false } },
  { "conv_transpose", "1x1x1x2", { x = { 1, 6, 3, 4 }, out_channels = 1, kernel_size = 5,
    dilation = 1, padding = 3 } },
  { "conv_transpose", "1x6x11x26", { x = { 1, 4, 4, 8 }, out_channels = 6, kernel_size = 2,
    stride = { 2, 3 }, dilation = 3, output_padding = { 1, 1 } } },
  { "conv_transpose", "2x4x5x1", { x = { 2, 12, 6, 1 }, out_channels = 4, kernel_size = { 4, 5 },
    padding = 2, output_padding = { 0, 0 } } },
  { "conv_transpose", "2x2x12x23", { x = { 2, 1, 4, 7 }, out_channels = 2, kernel_size = { 2, 1 },
    stride = 4, padding = 2, output_size = { 2, 2, 12, 23 } } },
  { "conv_transpose", "2x1x9x12", { x = { 2, 6, 4, 7 }, out_channels = 1, kernel_size = 4,
    dilation = { 3, 3 }, padding = 2, output_size = { 9, 12 } } },
  { "conv_transpose", false, { x = { 1, 4, 4, 8, 5 }, out_channels = 4, kernel_size = { 3, 5, 2 },
    padding = { 3, 1, 2 } } },
  { "conv_transpose", false, { x = { 1, 1, 1, 9, 7 }, out_channels = 2, kernel_size = { 1, 3, 1 },
    stride = 1, dilation = { 3, 2, 2 }, padding = { 1, 2, 0 }, output_padding = { 1, 0, 0 } } },
  { "conv_transpose", false, { x = { 2, 6, 4, 2, 7 }, out_channels = 3, kernel_size = 3,
    dilation = { 4, 4, 1 }, bias = false, output_padding = { 1, 3, 2 } } },
  { "conv_transpose", false, { x = { 1, 1, 5, 1, 4 }, out_channels = 8, kernel_size = { 2, 1, 6 },
    stride = 3, dilation = 2, groups = 3 } },
  { "conv_transpose", false, { x = { 1, 1, 5, 6, 1 }, out_channels = 12, kernel_size = 4,
    stride = { 1, 2, 2 }, dilation = 2, groups = 3, output_padding = { 4, 3, 4 } } },
  { "conv_transpose", false, { x = { 2, 1, 4, 3, 9 }, out_channels = 6, kernel_size = { 6, 6, 5 },
    stride = 4, dilation = 2, padding = 3, groups = 4, output_size = { 20, 13, 37 } } },
  { "conv_transpose", false, { x = { 1, 6, 8, 9, 9 }, out_channels = 8, kernel_size = { 4, 3, 4 },
    stride = { 4, 4, 1 }, groups = 3 } },
  { "conv_transpose", false, { x = { 2, 12, 5, 7, 8 }, out_channels = 4,
    kernel_size = { 6, 1, 4 }, groups = 6, output_padding = { 3, 3, 2 } } },
  { "conv_transpose", false, { x = { 2, 12, 3, 5, 7 }, out_channels = 1, kernel_size = 1,
    stride = 3, padding = 1, groups = 3, output_size = { 2, 1, 6, 11, 20 } } },
  { "conv_transpose", false, { x = { 1, 6, 5, 1, 6 }, out_channels = 12, kernel_size = 5,
    stride = 1, padding = { 3, 1, 2 }, output_size = { 1, 12, 3, 4, 6 } } },
  { "conv_transpose", "2x1x7x4x19", { x = { 2, 8, 1, 3, 2 }, out_channels = 1, kernel_size = 6,
    stride = { 2, 1, 2 }, dilation = { 2, 1, 4 }, padding = 2, bias = false } },
  { "conv_transpose", "2x8x11x4x10", { x = { 2, 4, 9, 2, 3 }, out_channels = 8,
    kernel_size = { 3, 3, 4 }, stride = { 1, 1, 3 }, dilation = 1 } },
  { "conv_transpose", "1x12x14x12x29", { x = { 1, 2, 3, 3, 8 }, out_channels = 12,
    kernel_size = 6, stride = 3, output_padding = { 2, 0, 2 } } },
  { "conv_transpose", "1x12x24x9x30", { x = { 1, 6, 9, 3, 7 }, out_channels = 12,
    kernel_size = { 3, 1, 6 }, stride = { 2, 3, 1 }, dilation = { 3, 4, 4 }, bias = true,
    output_padding = { 1, 2, 3 } } },
  { "conv_transpose", "1x3x11x39x19", { x = { 1, 4, 3, 9, 5 }, out_channels = 3,
    kernel_size = { 3, 4, 2 }, stride = 4, padding = { 0, 0, 1 }, bias = false,
    output_size = { 11, 39, 19 } } },
  { "conv_transpose", "1x4x6x7x8", { x = { 1, 12, 5, 6, 7 }, out_channels = 4, kernel_size = 2,
    padding = 0, output_size = { 6, 7, 8 } } },
  { "conv", "1x4x1x1", { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3,
    stride = 1000000000 } },
  { "conv", "1x4x21x21", { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, padding = 9 } },
  { "conv", "1x4x5x5", { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 4, dilation = 3,
    padding = "same" } },
  { "conv", "0x4x3x3", { x = { 0, 4, 5, 5 }, out_channels = 4, kernel_size = 3 } },
  { "conv", false, { x = { 0, 4, 5, 5 }, out_channels = 4, kernel_size = 6 } },
  { "conv", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, padding = -1 } },
  { "conv", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, stride = 0 } },
  { "conv", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, dilation = 0 } },
  { "conv", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, groups = 0 } },
  { "conv", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, padding = "SAME" } },
  { "conv_transpose", "1x4x3x3", { x = { 1, 4, 1, 1 }, out_channels = 4, kernel_size = 3,
    stride = 1000000000 } },
  { "conv_transpose", "1x4x12x12", { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3,
    stride = 2, output_size = { 12, 12 } } },
  { "conv_transpose", "0x4x11x11", { x = { 0, 4, 5, 5 }, out_channels = 4, kernel_size = 3,
    stride = 2, output_size = { 0, 4, 11, 11 } } },
  { "conv_transpose", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3, stride = 2,
    output_size = { 4, 12, 12 } } },
  { "conv_transpose", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3,
    output_padding = -1 } },
  { "conv_transpose", false, { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = 3,
    padding = "same" } },
}

for i, fact in ipairs(FACTS) do
  local op, want, fields = table.unpack(fact)
  local problem = read(op, fields)
  tap.is(shape_of(problem), want, ("fact %d: %s of PyTorch"):format(i, op))
  if problem then tap.ok(keeps(problem), "and its canonical form reads back") end
end

-- Beyond PyTorch: padding for each side, shapes by counting ---------------------------------------

-- Outputs of a conv along an axis: the positions whose taps lie inside the padded input.
local function counted(input, kernel, stride, dilation, before, after)
  local n, at = 0, -before
  while at + (kernel - 1) * dilation < input + after do n, at = n + 1, at + stride end
  return n
end

-- Outputs of a conv_transpose: as far as any input is spread, without what is cut off.
local function reached(input, kernel, stride, dilation, before, after)
  local far = 0
  for i = 0, input - 1 do
    for k = 0, kernel - 1 do far = math.max(far, i * stride + k * dilation) end
  end
  return far + 1 - before - after
end

local seed = 11
local function draw(from, to)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return from + seed // 65536 % (to - from + 1)
end

local function drawn_axis()
  return { draw(1, 9), draw(1, 4), draw(1, 4), draw(1, 3), draw(0, 3), draw(0, 3) }
end

local RULES <const> = { conv = counted, conv_transpose = reached }

-- A problem of two drawn axes, and the shape of y by counting.
local function drawn(op, interleaved)
  local h, w = drawn_axis(), drawn_axis()
  local shape = interleaved and { 2, h[1], w[1], 3 } or { 2, 3, h[1], w[1] }
  local problem = read(op, { x = { shape = shape, layout = interleaved and "NHWC" or "NCHW" },
    out_channels = 5, kernel_size = { h[2], w[2] }, stride = { h[3], w[3] },
    dilation = { h[4], w[4] }, padding = { h[5], w[5], h[6], w[6] } })
  local tall, wide = RULES[op](table.unpack(h)), RULES[op](table.unpack(w))
  local want = interleaved and { 2, tall, wide, 5 } or { 2, 5, tall, wide }
  return problem, math.min(tall, wide) > 0 and table.concat(want, "x")
end

local wrong = 0
for i = 1, 600 do
  local problem, want = drawn(i % 2 == 0 and "conv" or "conv_transpose", i % 3 == 0)
  if shape_of(problem) ~= want or problem and not keeps(problem) then wrong = wrong + 1 end
end
tap.is(wrong, 0, "shapes of 600 problems are those that counting gives")

-- What a problem is -------------------------------------------------------------------------------

local full = problems.make { op = "conv_transpose2d", x = tensor_of { 1, 6, 5, 5 },
  out_channels = 4, kernel_size = 4, stride = 2, output_size = { 13, 12 }, groups = 2 }
tap.same(full, {
  name = "k", op = "conv_transpose", profile = "torch", coord_math = "framework",
  numerics = "default", out_channels = 4, kernel_size = { 4, 4 }, stride = { 2, 2 },
  dilation = { 1, 1 }, padding = { 0, 0, 0, 0 }, output_padding = { 1, 0 }, groups = 2,
  bias = true, post = {},
  x = { shape = { 1, 6, 5, 5 }, layout = "NCHW", dtype = "f32" },
  y = { shape = { 1, 4, 13, 12 }, layout = "NCHW", dtype = "f32" },
}, "every default is explicit, an output size is output_padding")
local words = read("conv", { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = { 4, 3 },
  padding = "same" })
tap.same(words.padding, { 1, 1, 2, 1 }, "same: the larger half at the end")
local said = read("conv", { x = { 1, 4, 5, 5 }, out_channels = 4, kernel_size = { 4, 3 },
  padding = { 1, 1, 2, 1 } })
tap.is(spec.identity(words), spec.identity(said), "words and numbers are one identity")

tap.done()
