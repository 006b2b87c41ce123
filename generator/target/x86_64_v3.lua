-- x86-64-v3: AVX2 and FMA, 16 registers of 32 bytes.

return {
  name = "x86-64-v3", arch = "x86_64", vector_bytes = 32, registers = 16, fma = true, half = true,
  fence = "__builtin_ia32_sfence()",
  integers = { neighbours_i16 = "pmaddwd", narrow_i16 = "packssdw", narrow_u8 = "packuswb" },
  flags = { "-march=x86-64-v3" },
  cpu = { "avx2", "fma", "bmi2", "f16c" },
  builtin = { "avx2", "fma", "bmi2" },
}
