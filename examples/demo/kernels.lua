-- SPDX-License-Identifier: MIT
-- The kernels of the demo, for a picture of red, green and blue.
--
-- The demo puts the size of the picture at hand into the next line of a copy of this file; as it
-- stands here it is the size of the chart that chart.c draws. The names are those upscale.c knows.

local height, width = 320, 480

-- As pictures lie in memory: the three colours of a pixel side by side.
local pixels = tensor { 1, height, width, 3, layout = "NHWC" }
-- As networks want them: one plane a colour.
local planes = tensor { 1, 3, height, width, layout = "NCHW" }

kernel "nearest4x" { op = "interpolate", x = pixels, mode = "nearest", scale_factor = 4 }
kernel "bilinear4x" { op = "interpolate", x = pixels, mode = "bilinear", scale_factor = 4 }
kernel "bicubic4x" { op = "interpolate", x = pixels, mode = "bicubic", scale_factor = 4 }
kernel "bilinear2x" { op = "interpolate", x = pixels, mode = "bilinear", scale_factor = 2 }

kernel "bilinear2x_planar" { op = "interpolate", x = planes, mode = "bilinear", scale_factor = 2 }
kernel "bicubic4x_planar" { op = "interpolate", x = planes, mode = "bicubic", scale_factor = 4 }

-- The same small picture with and without a filter as wide as the reduction.
local small = { height * 3 // 10, width * 3 // 10 }
kernel "reduce_plain" { op = "interpolate", x = pixels, mode = "bilinear", size = small }
kernel "reduce_antialias" {
  op = "interpolate", x = pixels, mode = "bilinear", size = small, antialias = true,
}
