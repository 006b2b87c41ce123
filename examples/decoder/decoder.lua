-- Two blocks of a decoder, as inference runs them: twice the size, half the channels, normalised.
local channels, size = 64, 16

for block = 1, 2 do
  kernel(("up%d"):format(block)) {
    op = "conv_transpose",
    x = tensor { 1, channels, size, size },
    out_channels = channels // 2,
    kernel_size = 4,
    stride = 2,
    padding = 1,
    bias = false,
    post = { "batch_norm", "relu" },
  }
  channels, size = channels // 2, 2 * size
end
