-- The upsampling of most decoders: twice the size, bilinear.
kernel "up2x" {
  op = "interpolate",
  x = tensor { 1, 64, 112, 112 },
  mode = "bilinear",
  scale_factor = 2,
}
