-- x86-64-v2: SSE4.2, no FMA.

return {
  name = "x86-64-v2", arch = "x86_64", vector_bytes = 16, registers = 16, fma = false,
  fence = "__builtin_ia32_sfence()",
  integers = { neighbours_i16 = "pmaddwd", narrow_i16 = "packssdw", narrow_u8 = "packuswb" },
  flags = { "-march=x86-64-v2" },
  cpu = { "sse4_2", "ssse3", "popcnt" },
  builtin = { "sse4.2", "ssse3", "popcnt" },
}
