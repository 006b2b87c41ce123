-- Ice Lake: x86-64-v4 with VBMI (byte permutations) and VNNI (8-bit dot products).

return {
  name = "icelake", arch = "x86_64", vector_bytes = 64, registers = 32, fma = true,
  half = true, twice = true,
  fence = "__builtin_ia32_sfence()",
  integers = {
    neighbours_u8 = "vpdpbusd", neighbours_i16 = "pmaddwd", narrow_i16 = "packssdw",
    narrow_u8 = "packuswb",
  },
  flags = { "-march=icelake-server", "-mprefer-vector-width=512" },
  cpu = {
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl",
    "avx512vbmi", "avx512_vbmi2", "avx512_vnni", "gfni", "vaes", "vpclmulqdq",
  },
  builtin = {
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl",
    "avx512vbmi", "avx512vbmi2", "avx512vnni", "gfni",
  },
}
