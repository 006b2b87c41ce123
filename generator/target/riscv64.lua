-- RISC-V with the V extension: 32 registers, FMA always.
--
-- V promises registers of 16 bytes or more, and Clang 19 puts a vector of 16 bytes into the first
-- part of one: the objects run on every width.  -mrvv-vector-bits=zvl, which says how wide they
-- are, saves a `vsetivli` here and there and is wrong elsewhere.  Without V (rv64gc) every lane is
-- a scalar, and the registers hold a quarter.  Clang 14 knows V, but takes vectors apart: the same
-- results, slowly.

return {
  name = "riscv64", arch = "riscv64", vector_bytes = 16, registers = 32, fma = true,
  flags = { "--target=riscv64-linux-gnu", "-march=rv64gcv" },
  cpu = { "v" }, builtin = {}, emulator = "qemu-riscv64 -cpu rv64,v=true",
  check = { header = "sys/auxv.h", text = "(getauxval(AT_HWCAP) >> ('v' - 'a') & 1) != 0" },
}
