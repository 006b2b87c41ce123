-- x86-64-v4: AVX-512 F, BW, CD, DQ, VL; 32 registers of 64 bytes.  Without the preference Clang
-- splits every 64-byte value in two.

return {
  name = "x86-64-v4", arch = "x86_64", vector_bytes = 64, registers = 32, fma = true, half = true,
  twice = true,
  fence = "__builtin_ia32_sfence()",
  integers = { neighbours_i16 = "pmaddwd", narrow_i16 = "packssdw", narrow_u8 = "packuswb" },
  flags = { "-march=x86-64-v4", "-mprefer-vector-width=512" },
  cpu = { "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl" },
  builtin = { "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl" },
}
