-- The kernels of this folder, each a way of computing worth reading.  Sizes are small where size
-- does not change the code: a larger picture has larger numbers in it, not more lines.

-- Twice the size, the upsampling of most decoders: the same kernel for three machines.
kernel "up2x" {
  op = "interpolate",
  x = tensor { 1, 16, 56, 56 },
  mode = "bilinear",
  scale_factor = 2,
}

-- Beyond the last cache the result is written past it.
kernel "large2x" {
  op = "interpolate",
  x = tensor { 1, 512, 56, 56 },
  mode = "bilinear",
  scale_factor = 2,
}

-- Sixteen weights for an output, of which 4 + 4 are computed.
kernel "bicubic4x" {
  op = "interpolate",
  x = tensor { 1, 3, 20, 40 },
  mode = "bicubic",
  scale_factor = 4,
}

-- Copies: no arithmetic at all, and no code of its own in the generator.
kernel "nearest2x" {
  op = "interpolate",
  x = tensor { 1, 64, 56, 56 },
  mode = "nearest",
  scale_factor = 2,
}

-- Shrinking without aliasing: 8/3 pixels become one, so up to six are read.
kernel "smaller" {
  op = "interpolate",
  x = tensor { 1, 3, 48, 64 },
  mode = "bilinear",
  size = { 18, 24 },
  antialias = true,
}

-- An odd size whose corners coincide: the last vector of a row overlaps the one before.
kernel "segmentation" {
  op = "interpolate",
  x = tensor { 1, 21, 33, 33 },
  mode = "bilinear",
  size = { 129, 129 },
  align_corners = true,
}

-- Channels last, enough of them to fill vectors: nothing is shuffled, and two output rows are
-- computed from the same loads.
kernel "nhwc" {
  op = "interpolate",
  x = tensor { 1, 28, 28, 32, layout = "NHWC" },
  mode = "bilinear",
  scale_factor = 2,
}

-- Channels last, three of them: a row of pixels is one long axis.
kernel "rgb" {
  op = "interpolate",
  x = tensor { 1, 45, 80, 3, layout = "NHWC" },
  mode = "bilinear",
  scale_factor = 2,
}

-- A signal, from 22.05 kHz to 44.1 kHz.
kernel "audio" {
  op = "interpolate",
  x = tensor { 1, 2, 2205 },
  mode = "linear",
  scale_factor = 2,
}

-- A volume: planes are blended first, then each is a picture.
kernel "volume" {
  op = "interpolate",
  x = tensor { 1, 4, 8, 40, 40 },
  mode = "trilinear",
  scale_factor = 2,
}

-- A plane that is one register.
kernel "tiny" {
  op = "interpolate",
  x = tensor { 1, 64, 4, 4 },
  mode = "bilinear",
  scale_factor = 2,
}

-- A plane whose rows stay in registers: straight-line code.
kernel "unrolled" {
  op = "interpolate",
  x = tensor { 1, 64, 14, 14 },
  mode = "bilinear",
  scale_factor = 2,
}

-- An 8-bit picture, twice the size, in PyTorch's fixed point: averages of bytes are all it takes.
kernel "picture" {
  op = "interpolate",
  x = tensor { 1, 48, 64, 3, layout = "NHWC", dtype = "u8" },
  mode = "bilinear",
  scale_factor = 2,
}

-- A grey 8-bit picture made small: sums of bytes times 16-bit weights, four rows side by side.
kernel "thumbnail" {
  op = "interpolate",
  x = tensor { 1, 1, 16, 256, dtype = "u8" },
  mode = "bilinear",
  size = { 4, 64 },
  antialias = true,
}

-- Half the bytes: bfloat16 is widened and rounded by pairs, in the words it lies in.
kernel "half" {
  op = "interpolate",
  x = tensor { 1, 28, 28, 64, layout = "NHWC", dtype = "bf16" },
  mode = "bilinear",
  scale_factor = 2,
}
