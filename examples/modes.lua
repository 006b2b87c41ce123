-- One kernel for each way of resizing.

-- Nearest neighbours, the fastest upsampling: feature pyramids, U-Nets.
kernel "nearest2x" {
  op = "interpolate",
  x = tensor { 1, 256, 56, 56 },
  mode = "nearest",
  scale_factor = 2,
}

-- Bicubic, as super-resolution networks enlarge their input.
kernel "bicubic4x" {
  op = "interpolate",
  x = tensor { 1, 3, 180, 320 },
  mode = "bicubic",
  scale_factor = 4,
}

-- A picture made smaller without aliasing: the filter widens over the pixels that are skipped.
-- The pixels lie interleaved, as they come from an image file.
kernel "thumbnail" {
  op = "interpolate",
  x = tensor { 1, 1080, 1920, 3, layout = "NHWC" },
  mode = "bilinear",
  size = { 224, 224 },
  antialias = true,
}

-- DeepLab's last layer: an odd size, the corner pixels' centres coincide.
kernel "segmentation" {
  op = "interpolate",
  x = tensor { 1, 21, 129, 129 },
  mode = "bilinear",
  size = { 513, 513 },
  align_corners = true,
}

-- A volume, each axis with a factor of its own.
kernel "volume" {
  op = "interpolate",
  x = tensor { 1, 16, 24, 48, 48 },
  mode = "trilinear",
  scale_factor = { 1, 2, 2 },
}

-- A signal: 22.05 kHz to 48 kHz. The coordinates follow the sizes, not the rounded factor.
kernel "audio" {
  op = "interpolate",
  x = tensor { 8, 2, 22050 },
  mode = "linear",
  size = 48000,
}

-- The mean of the pixels under each output pixel.
kernel "average" {
  op = "interpolate",
  x = tensor { 1, 64, 113, 113 },
  mode = "area",
  size = 7,
}
