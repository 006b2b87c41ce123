-- AArch64: NEON, 32 registers of 16 bytes; every CPU has FMA.  No fence: its stores of pairs
-- without allocation (stnp) are a hint without an order of their own, so no stores=streaming.

return {
  name = "aarch64", arch = "aarch64", vector_bytes = 16, registers = 32, fma = true,
  ahead = 3, half = true, twice = true,
  flags = { "--target=aarch64-linux-gnu" },
  cpu = {}, builtin = {}, emulator = "qemu-aarch64",
}
