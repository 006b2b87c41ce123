-- SPDX-License-Identifier: MIT
-- What the bench workloads should reach with AVX-512: percent of the machine's limit, one thread,
-- warm, best of three runs' medians. An interleaved row without a number of its own may lie twenty
-- points below the planar one.

return {
  u1_planar = 80, u2_planar = 70, u4_planar = 70, u5_planar = 57, u6_planar = 60, u7_planar = 70,
  u8_planar = 60, u8aa_planar = 37, u10_planar = 75, u11_planar = 30,
  u1_interleaved = 60, u2_interleaved = 70, u4_interleaved = 50, u5_interleaved = 37,
  u6_interleaved = 40, u7_interleaved = 50, u8_interleaved = 40, u8aa_interleaved = 17,
  u10_interleaved = 55, u11_interleaved = 10,
  u9_interleaved = 55, u12_interleaved = 17,
}
