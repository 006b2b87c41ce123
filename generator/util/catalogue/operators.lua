-- SPDX-License-Identifier: MIT
-- Catalogue of diagnostics: the rules of operators.
--
-- Purpose: E041 to E048 and E050 to E067, a part of util/catalogue.lua, whose rules hold here.

local SPEC <const> = 3

return {
  -- Spec: conv and conv_transpose.
  {
    code = "E041", exit = SPEC,
    message = "must be smaller than stride or dilation",
    because = "the output size would be ambiguous (PyTorch and ONNX reject it too)",
    try = "{hint}",
  },
  {
    code = "E042", exit = SPEC,
    message = "must be from {least} to {most}",
    because = "other sizes do not come from this x by this stride (PyTorch rejects them, too)",
    try = "{hint}",
  },
  {
    code = "E043", exit = SPEC,
    message = "must divide the channels of x and y",
    because = "x has {x} channels and y {y}, and each group has as many as the others",
    try = "{hint}",
  },
  {
    code = "E044", exit = SPEC,
    message = "the kernel is larger than the padded input",
    because = "along {axis} it reaches over {reach} inputs, and with padding there are {input}",
    try = "{hint}",
  },
  {
    code = "E045", exit = SPEC,
    message = "there is no epilogue {epilogue}",
    because = "the epilogues are {known}",
    try = "{hint}",
  },
  {
    code = "E046", exit = SPEC,
    message = "the epilogue {epilogue} cannot be read",
    because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E047", exit = SPEC,
    message = "\"same\" needs stride 1",
    because = "otherwise y would not have the size of x (PyTorch rejects it, too)",
    try = "{hint}",
  },
  {
    code = "E048", exit = SPEC,
    message = "the output would be empty",
    because = "its spatial size would be {size}",
    try = "{hint}",
  },

  -- Spec: interpolate.
  {
    code = "E050", exit = SPEC, message = "size and scale_factor exclude each other",
    because = "each determines the output size (the frameworks reject both together, too)",
    try = "{hint}",
  },
  {
    code = "E051", exit = SPEC, message = "size or scale_factor is missing",
    because = "nothing else determines the output size", try = "scale_factor = 2",
  },
  {
    code = "E052", exit = SPEC,
    message = "has no meaning for mode {mode}",
    because = "only linear, bilinear, bicubic and trilinear blend between pixel centres"
      .. " (PyTorch rejects it, even false)",
    try = "leave out align_corners",
  },
  {
    code = "E053", exit = SPEC, message = "needs scale_factor",
    because = "with size the scale always comes from the sizes (PyTorch rejects it, too)",
    try = "leave out recompute_scale_factor",
  },
  {
    code = "E054", exit = SPEC, message = "needs mode bilinear or bicubic on a two-dimensional x",
    because = "PyTorch defines the antialiasing filter for these only", try = "{hint}",
  },
  {
    code = "E055", exit = SPEC, message = "{mode} needs an x of rank {ranks}",
    because = "the rank of {shape} is {got}: its spatial dimensions", try = "{hint}",
  },
  {
    code = "E056", exit = SPEC, message = "the output would be empty",
    because = "{input} * {scale} is less than one pixel", try = "{hint}",
  },
  {
    code = "E057", exit = SPEC, message = "needs an x of rank {expected}",
    because = "the rank of {shape} is {got}: its spatial dimensions", try = 'op = "{op}"',
  },
  {
    code = "E058", exit = SPEC, message = "is not what the operator gives",
    because = "a stated y is checked; the rest of the kernel gives {y}", try = "leave out y",
  },

  {
    code = "E059", exit = SPEC, message = "{what} does not take {dtype}",
    because = "PyTorch has it for {dtypes} only", try = "dtype = \"{hint}\"",
  },
  {
    code = "E060", exit = SPEC, message = "does not exist in profile {profile}",
    because = "it belongs to profile {profiles}", try = "{hint}",
  },
  {
    code = "E061", exit = SPEC, message = "does not exist in opset {opset}",
    because = "ONNX has {what} in {range}", try = "opset = {hint}",
  },
  {
    code = "E062", exit = SPEC, message = "has no meaning {circumstance}", because = "{reason}",
    try = "{hint}",
  },
  {
    code = "E063", exit = SPEC, message = "axis {axis} cannot stand there",
    because = "each spatial axis may be listed once; those of {layout} are {axes}", try = "{hint}",
  },

  -- Spec: parameters that are baked.
  {
    code = "E064", exit = SPEC, message = "is missing: all parameters are baked, or none",
    because = "a kernel with {baked} from a file has no argument for parameters", try = "{hint}",
  },
  {
    code = "E065", exit = SPEC, message = "the file cannot be taken", because = "{reason}",
    try = "numpy.save in the spec's folder or below it, an array of shape {shape}, dtype {dtype}",
  },
  {
    code = "E066", exit = SPEC, message = "the file does not fit the parameter",
    because = "it holds {got_shape} {got_dtype}, and the kernel takes {shape} {dtype}",
    try = "numpy.save(\"{file}\", array of shape {shape}, dtype {dtype})",
  },
  {
    code = "E067", exit = SPEC, message = "the file is not the one that the spec means",
    because = "its sha256 is {got}", try = "leave out sha256",
  },
}
