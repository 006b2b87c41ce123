-- A spec is a program: the levels of a feature pyramid, in both layouts.
local channels, finest, levels = 256, 64, 3

for level = 1, levels do
  local n = finest // 2 ^ level
  kernel(("planar%d"):format(level)) {
    op = "interpolate",
    x = tensor { 1, channels, n, n },
    scale_factor = 2,
    note = ("level %d to level %d"):format(level, level - 1),
  }
  kernel(("interleaved%d"):format(level)) {
    op = "interpolate",
    x = tensor { 1, n, n, channels, layout = "NHWC" },
    scale_factor = 2,
  }
end
