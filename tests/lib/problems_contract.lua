-- SPDX-License-Identifier: MIT
-- Small conv and conv_transpose problems, { name, fields } each, that reach every edge a lowering
-- of the contract form has: layouts, ranks, strides, dilations with and without a factor in common
-- with the stride, phases without taps, groups, channels that no vector divides, one pixel, windows
-- in the padding only, epilogues, narrow types.

local list = {}

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end

-- Fields of one problem; k is the kernel's size.
local function add(op, name, x, k, fields)
  local kernel = { op = op, x = x, kernel_size = k, out_channels = 5 }
  for _, key in ipairs { "out_channels", "stride", "padding", "dilation", "groups", "bias", "post",
    "output_padding", "output_size", "dtype", "eps", "numerics" } do
    if fields and fields[key] ~= nil then kernel[key] = fields[key] end
  end
  if kernel.dtype then kernel.x.dtype, kernel.dtype = kernel.dtype, nil end
  list[#list + 1] = { name = name, fields = kernel }
end

-- Both layouts of one problem: `n` images of `c` channels.
local function both(op, name, n, c, spatial, k, fields)
  local planar = { "NCW", "NCHW", "NCDHW" }
  local interleaved = { "NWC", "NHWC", "NDHWC" }
  add(op, name .. " planar", tensor(planar[#spatial], n, c, table.unpack(spatial)), k, fields)
  local shape = { n, table.unpack(spatial) }
  shape[#shape + 1] = c
  add(op, name .. " interleaved", tensor(interleaved[#spatial], table.unpack(shape)), k, fields)
end

for _, op in ipairs { "conv", "conv_transpose" } do
  local function case(name, ...) both(op, op .. " " .. name, ...) end
  case("plain", 1, 3, { 4, 6 }, 3, { padding = 1, post = { "relu" } })
  case("row", 2, 4, { 19 }, 3, { out_channels = 17, stride = 2, padding = { 1, 0 } })
  case("volume", 1, 2, { 2, 3, 4 }, { 1, 2, 3 }, { stride = { 1, 1, 2 }, padding = { 0, 1, 1 } })
  case("odd channels", 1, 7, { 3, 5 }, { 2, 1 }, { out_channels = 19, bias = false })
  case("one pixel", 2, 5, { 1, 1 }, 1, { out_channels = 9, post = { "batch_norm", "add" } })
  case("groups", 1, 6, { 3, 7 }, 3, { groups = 3, out_channels = 9, stride = { 1, 2 },
    padding = { 0, 1, 2, 1 } })
  case("residual", 1, 2, { 2, 3 }, 2, { out_channels = 15, post = { "add" } })
  case("depthwise", 2, 9, { 4, 5 }, 3, { groups = 9, out_channels = 9, padding = 1 })
  case("depthwise phases", 1, 5, { 3, 7 }, { 4, 3 }, { groups = 5, out_channels = 5, stride = 2,
    padding = 1, post = { "add", "prelu" } })
  case("multiplied", 1, 3, { 3, 6 }, 2, { groups = 3, out_channels = 6, post = { "prelu" } })
  case("common factor", 1, 2, { 3, 9 }, 2, { stride = { 2, 4 }, dilation = 2, padding = 1 })
  case("wide", 1, 1, { 1, 37 }, { 1, 4 }, { out_channels = 2, stride = { 1, 2 },
    padding = { 0, 1 } })
  case("half", 1, 5, { 3, 6 }, 3, { dtype = "f16", padding = 1, stride = 2,
    post = { "relu", "batch_norm" }, eps = 0.125 })
end

local function conv(name, ...) both("conv", "conv " .. name, ...) end
local function transposed(name, ...) both("conv_transpose", "conv_transpose " .. name, ...) end

conv("wide padding", 1, 2, { 2, 3 }, { 1, 2 }, { padding = { 2, 3 } })
conv("same", 1, 3, { 3, 8 }, { 2, 4 }, { padding = "same", dilation = { 1, 3 } })
conv("long stride", 1, 3, { 5, 11 }, { 2, 3 }, { stride = { 4, 5 } })
conv("tiles", 1, 4, { 6, 18 }, 3, { padding = 1, out_channels = 10, groups = 2, numerics = "fast",
  post = { "add", "prelu" } })
conv("tiles of a line", 1, 5, { 27 }, 5, { padding = { 3, 0 }, out_channels = 19,
  numerics = "fast", bias = false })
conv("blocks of taps", 2, 3, { 22 }, 6, { padding = { 2, 4 }, out_channels = 18, groups = 1,
  numerics = "fast", post = { "relu" } })
conv("blocks of taps along rows", 1, 4, { 4, 11 }, { 2, 7 }, { padding = 3, out_channels = 6,
  groups = 2, numerics = "fast" })
transposed("blocks of taps, the first one absent", 1, 3, { 9 }, 13, { stride = 2, padding = 1,
  numerics = "fast" })
transposed("decoder", 1, 5, { 2, 5 }, 4, { out_channels = 8, stride = 2, padding = 1,
  post = { "sigmoid" } })
transposed("gaps", 1, 3, { 2, 4 }, { 1, 2 }, { stride = { 3, 5 } })
transposed("fewer outputs than phases", 1, 3, { 1, 2 }, { 2, 5 }, { stride = 4, dilation = { 1, 3 },
  padding = { 0, 7 } })
transposed("output padding", 1, 2, { 3, 4 }, 3, { stride = 1, dilation = { 2, 3 },
  output_padding = { 1, 2 } })
transposed("output size", 1, 3, { 2, 6 }, { 3, 2 }, { stride = 3, padding = { 1, 0 },
  output_size = { 5, 19 } })
transposed("phases of one tap", 1, 3, { 4, 5 }, 3, { stride = 2, padding = 1, output_padding = 1 })
transposed("phases of unlike axes", 1, 3, { 4, 5 }, { 4, 5 }, { stride = { 2, 3 },
  padding = { 0, 1 } })
transposed("many phases", 2, 3, { 8 }, 12, { stride = 6, padding = 4, output_padding = 1 })
transposed("phases of one pixel", 1, 3, { 1, 1 }, 4, { stride = 2, padding = 1 })
transposed("cut", 1, 2, { 3, 5 }, 2, { stride = 2, padding = { 2, 3, 1, 0 } })
add("conv", "conv double", tensor("NCHW", 1, 3, 3, 5), 3, { dtype = "f64", padding = 1 })
add("conv_transpose", "conv_transpose double", tensor("NHWC", 1, 2, 5, 3), 2,
  { dtype = "f64", stride = 2 })
add("conv", "conv bf16", tensor("NHWC", 1, 3, 5, 6), 3, { dtype = "bf16", out_channels = 18 })
add("conv", "conv empty batch", tensor("NCHW", 0, 2, 3, 4), 2)

return list
