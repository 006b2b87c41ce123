-- Any machine: four lanes of Clang's portable vectors, which it maps to SSE2, NEON or scalars.

return {
  name = "generic", arch = "any", vector_bytes = 16, registers = 16, fma = false,
  flags = {}, cpu = {}, builtin = {},
}
