-- SPDX-License-Identifier: MIT
-- conv and conv_transpose by the rules of ONNX, TFLite and PaddlePaddle: the padding that words and
-- sizes become.

local tap = dofile "tests/lib/tap.lua"
local json = require "upweave.read.json"
local spec = require "upweave.spec"

local function read(fields)
  local document, faults = spec.validate { { name = "k", fields = fields, where = function()
    return "test"
  end } }
  return document and document.kernels[1], faults
end

local function keeps(problem)
  local text = spec.document_text { kernels = { problem } }
  local again = json.decode(text).kernels[1]
  again.name = nil
  local read_again = read(again)
  return read_again ~= nil and spec.document_text { kernels = { read_again } } == text
end

local function of(profile, op, size, fields)
  local all = { op = op, profile = profile, out_channels = 2, x = { shape = { 1, 2, size } } }
  for key, value in pairs(fields) do all[key] = value end
  return all
end

-- { profile, op, input, fields, output, begin, end } along one axis.
local function check(cases)
  for i, case in ipairs(cases) do
    local profile, op, input, fields, output, first, last = table.unpack(case)
    local problem = read(of(profile, op, input, fields))
    local name = ("%s %s %d"):format(profile, op, i)
    if tap.ok(problem, name .. " is accepted") then
      tap.is(problem.y.shape[3], output, name .. ": outputs")
      tap.same(problem.padding, { first, last }, name .. ": padding")
      tap.ok(keeps(problem), name .. ": canonical form reads back")
    end
  end
end

local C <const>, T <const> = "conv", "conv_transpose"
local UPPER <const>, LOWER <const> = "SAME_UPPER", "SAME_LOWER"

check {
  { "onnx", C, 8, { kernel_shape = { 3 }, strides = { 2 } }, 3, 0, 0 },
  { "onnx", C, 8, { kernel_shape = 3, pads = { 1, 2 } }, 9, 1, 2 },
  { "onnx", C, 8, { kernel_shape = 3, dilations = 2, auto_pad = "VALID" }, 4, 0, 0 },
  { "onnx", C, 8, { kernel_size = 4, auto_pad = UPPER }, 8, 1, 2 },
  { "onnx", C, 8, { kernel_size = 4, auto_pad = LOWER }, 8, 2, 1 },
  { "onnx", C, 7, { kernel_size = 3, stride = 2, auto_pad = UPPER }, 4, 1, 1 },
  { "onnx", C, 8, { kernel_size = 3, stride = 2, auto_pad = UPPER }, 4, 0, 1 },
  { "onnx", C, 8, { kernel_size = 3, dilation = 2, stride = 3, auto_pad = LOWER }, 3, 2, 1 },
  { "onnx", C, 8, { kernel_size = 1, stride = 3, auto_pad = UPPER }, 3, 0, 0 },
}
check {
  { "onnx", T, 3, { kernel_shape = 3, strides = 2 }, 7, 0, 0 },
  { "onnx", T, 3, { kernel_shape = 3, strides = 2, pads = { 1, 0 } }, 6, 1, 0 },
  -- all that the inputs reach is 7
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_shape = 6 }, 6, 1, 0 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_shape = 6, opset = 10 }, 6, 0, 1 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, auto_pad = UPPER }, 6, 0, 1 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, auto_pad = UPPER, opset = 1 }, 6, 1, 0 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, auto_pad = LOWER }, 6, 1, 0 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, auto_pad = "VALID" }, 7, 0, 0 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_shape = 5 }, 5, 1, 1 },
  -- more than is reached: at the end, unless auto_pad halves it
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_shape = 8 }, 8, 0, -1 },
  { "onnx", T, 3, { kernel_size = 3, stride = 3, output_shape = 11 }, 11, 0, -2 },
  { "onnx", T, 3, { kernel_size = 1, stride = 4, auto_pad = UPPER }, 12, -2, -1 },
  { "onnx", T, 3, { kernel_size = 1, stride = 4, auto_pad = LOWER }, 12, -1, -2 },
  -- output_padding takes part
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_padding = 1 }, 8, 0, 0 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_padding = 1, output_shape = 8 }, 8, 0, 0 },
  { "onnx", T, 3, { kernel_size = 3, stride = 2, output_padding = 1, output_size = 7 }, 7, 1, 0 },
}
check {
  { "tflite", C, 8, { kernel_size = 3 }, 6, 0, 0 },
  { "tflite", C, 8, { kernel_size = 3, stride = 2, padding = "SAME" }, 4, 0, 1 },
  { "tflite", C, 7, { kernel_size = 3, stride = 2, padding = "VALID" }, 3, 0, 0 },
  { "tflite", C, 7, { kernel_size = 2, dilation = 3, padding = "SAME" }, 7, 1, 2 },
  { "tflite", T, 4, { kernel_size = 3, stride = 2, output_size = 8, padding = "SAME" }, 8, 0, 1 },
  { "tflite", T, 4, { kernel_size = 3, stride = 2, output_size = 7, padding = "SAME" }, 7, 1, 1 },
  { "tflite", T, 4, { kernel_size = 3, stride = 2, output_size = 9 }, 9, 0, 0 },
  { "tflite", T, 4, { kernel_size = 3, stride = 2, output_size = 10 }, 10, 0, -1 },
  { "tflite", T, 4, { kernel_size = 3, stride = 2, output_size = 8 }, 8, 0, 1 },
}
check {
  { "paddle", C, 8, { kernel_size = 3, padding = { 1, 2 } }, 9, 1, 2 },
  { "paddle", C, 8, { kernel_size = 3, stride = 2, padding = "SAME" }, 4, 0, 1 },
  { "paddle", C, 8, { kernel_size = 3, dilation = 2, padding = "same" }, 8, 1, 1 },
  { "paddle", C, 8, { kernel_size = 3, dilation = 2, padding = "VALID" }, 4, 0, 0 },
  { "paddle", T, 3, { kernel_size = 3, stride = 2, output_size = 8 }, 8, 0, 0 },
  { "paddle", T, 3, { kernel_size = 3, stride = 2, padding = "SAME" }, 5, 1, 1 },
  { "paddle", T, 3, { kernel_size = 3, stride = 2, padding = "valid" }, 7, 0, 0 },
}

-- PaddlePaddle pads "SAME" for a kernel without dilation, and then has none.
tap.same(read(of("paddle", C, 8, { kernel_size = 3, dilation = 2, padding = "SAME" })).dilation,
  { 1 }, "paddle: SAME leaves no dilation")
tap.is(read(of("onnx", C, 8, { kernel_size = 3 })).opset, 22, "onnx: the default opset")
tap.is(read(of("onnx", C, 8, { kernel_size = 1, group = 2 })).groups, 2, "onnx: group")

-- What the others have is refused.
for _, case in ipairs {
  { "torch", T, { output_shape = 6 } }, { "torch", C, { strides = 2 } },
  { "torch", C, { opset = 11 } }, { "tflite", T, { groups = 2, output_size = 8 } },
  { "tflite", T, { output_padding = 1, output_size = 8 } }, { "tflite", T, {} },
  { "tflite", C, { padding = "same" } }, { "onnx", C, { padding = "same" } },
  { "paddle", T, { output_size = 9 } }, { "paddle", T, { padding = "full" } },
  { "onnx", T, { pads = { 0, 0 }, padding = 0 } }, { "onnx", T, { output_padding = 2 } },
  { "onnx", C, { opset = 23 } }, { "onnx", T, { pads = -1 } },
} do
  local profile, op, fields = table.unpack(case)
  fields.kernel_size, fields.stride = 3, fields.strides == nil and 2 or nil
  local problem, faults = read(of(profile, op, 3, fields))
  tap.ok(not problem and #faults == 1, ("%s refuses this: %s"):format(profile, faults
    and faults[1].code))
end

tap.done()
