// SPDX-License-Identifier: MIT
// The machine's limits: loops that do nothing but read, write or multiply and add.
//
// Compiled with the kernels' target flags, so that their vectors are the widest the kernels may
// use. Values pass through empty asm statements: the compiler can neither drop a loop nor turn it
// into memset. Bytes are a multiple of PROBE_STEP, pointers of 64.
#include "internal.h"

#if defined(__AVX512F__)
enum { VECTOR = 64, ACCUMULATORS = 24 };
#define REGISTER "v"
const char *const probe_isa = "64-byte vectors";
#elif defined(__AVX__)
enum { VECTOR = 32, ACCUMULATORS = 12 };
#define REGISTER "x"
const char *const probe_isa = "32-byte vectors";
#elif defined(__x86_64__)
enum { VECTOR = 16, ACCUMULATORS = 14 };
#define REGISTER "x"
const char *const probe_isa = "16-byte vectors";
#elif defined(__aarch64__)
enum { VECTOR = 16, ACCUMULATORS = 20 };
#define REGISTER "w"
const char *const probe_isa = "16-byte vectors";
#else // where Clang takes no vector of fixed length as an operand: RISC-V
enum { VECTOR = 16, ACCUMULATORS = 20 };
#define REGISTER "m"
const char *const probe_isa = "16-byte vectors";
#endif

typedef float floats __attribute__((ext_vector_type(VECTOR / 4)));
typedef uint32_t words __attribute__((ext_vector_type(VECTOR / 4)));

enum { STREAMS = 8, LANES = VECTOR / 4 };

void probe_read(const void *from, size_t bytes) {
  const words *at = from, *end = (const words *)((const char *)from + bytes);
  words sum[STREAMS] = {0};
  for (; at < end; at += STREAMS)
#pragma clang loop unroll(full)
    for (int i = 0; i < STREAMS; i++) sum[i] |= at[i];
#pragma clang loop unroll(full)
  for (int i = 0; i < STREAMS; i++) __asm__ volatile("" : : REGISTER(sum[i]));
}

void probe_write(void *to, size_t bytes) {
  floats *at = to, *end = (floats *)((char *)to + bytes);
  floats value = 1.0f;
  __asm__ volatile("" : "+" REGISTER(value));
  for (; at < end; at += STREAMS)
#pragma clang loop unroll(full)
    for (int i = 0; i < STREAMS; i++) at[i] = value;
  __asm__ volatile("" : : : "memory");
}

void probe_stream(void *to, size_t bytes) {
  floats *at = to, *end = (floats *)((char *)to + bytes);
  floats value = 1.0f;
  __asm__ volatile("" : "+" REGISTER(value));
  for (; at < end; at += STREAMS)
#pragma clang loop unroll(full)
    for (int i = 0; i < STREAMS; i++) __builtin_nontemporal_store(value, &at[i]);
#if defined(__x86_64__)
  __asm__ volatile("sfence" : : : "memory");
#else
  __asm__ volatile("" : : : "memory");
#endif
}

// One chain for each accumulator: enough of them to hide the latency of both pipes. Where the
// target has no fused operation the chain is a multiplication and an addition.
double probe_fma(size_t iterations) {
#pragma STDC FP_CONTRACT ON
  floats sum[ACCUMULATORS];
  floats factor = 0.5f, term = 0.5f;
  __asm__ volatile("" : "+" REGISTER(factor), "+" REGISTER(term));
#pragma clang loop unroll(full)
  for (int i = 0; i < ACCUMULATORS; i++) sum[i] = term;
  for (size_t n = 0; n < iterations; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < ACCUMULATORS; i++) sum[i] = sum[i] * factor + term;
    // All in registers at once: no chain can be moved out of the loop.
    __asm__ volatile("" : "+" REGISTER(factor));
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < ACCUMULATORS; i++) {
    floats last = sum[i]; // a copy: the sums need not be where the statement can reach them
    __asm__ volatile("" : : REGISTER(last));
  }
  return 2.0 * (double)(iterations * LANES * ACCUMULATORS);
}
