// SPDX-License-Identifier: MIT
// Random numbers, the data that kernels are verified on, and floats as numbers of a row.
#include <float.h>
#include <math.h>
#include <string.h>

#include "internal.h"

struct rng rng_seeded(uint64_t seed) {
  // splitmix64 turns neighbouring seeds into unrelated states.
  uint64_t z = seed + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (struct rng){z ? z : 1};
}

uint64_t rng_next(struct rng *rng) {
  uint64_t x = rng->state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  rng->state = x;
  return x * 0x2545F4914F6CDD1Du;
}

size_t rng_below(struct rng *rng, size_t n) {
  return (size_t)(rng_next(rng) >> 11) % n;
}

float rng_between(struct rng *rng, float low, float high) {
  return low + (high - low) * (float)(rng_next(rng) >> 40) * 0x1p-24f;
}

static float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float sign_of(struct rng *rng) {
  return rng_next(rng) >> 63 ? -1.0f : 1.0f;
}

// One element. The kinds that plant rare values into uniform data are in `rare` below.
static float element(const char *kind, size_t i, struct rng *rng) {
  if (strcmp(kind, "wide") == 0) // exponents of 60 binades
    return sign_of(rng) *
           from_bits((uint32_t)((97 + rng_below(rng, 60)) << 23 | rng_next(rng) >> 41));
  if (strcmp(kind, "constant") == 0) return 0.7f;
  if (strcmp(kind, "alternating") == 0) return i % 2 ? -1.0f : 1.0f;
  if (strcmp(kind, "negative zero") == 0) return -0.0f;
  if (strcmp(kind, "denormal") == 0)
    return sign_of(rng) * from_bits((uint32_t)(rng_next(rng) >> 41));
  if (strcmp(kind, "huge") == 0) return rng_between(rng, -FLT_MAX / 8, FLT_MAX / 8);
  if (strcmp(kind, "largest") == 0) return sign_of(rng) * FLT_MAX;
  if (strcmp(kind, "impulse") == 0) return 0.0f;
  return rng_between(rng, -1.0f, 1.0f);
}

static float rare(const char *kind, struct rng *rng) {
  if (strcmp(kind, "impulse") == 0) return sign_of(rng);
  if (strcmp(kind, "infinity") == 0) return sign_of(rng) * INFINITY;
  if (strcmp(kind, "nan") == 0) return from_bits(0x7FC00000u | (uint32_t)(rng_next(rng) >> 43));
  const float special[] = {INFINITY, -INFINITY, NAN, -0.0f, FLT_MAX, FLT_TRUE_MIN, FLT_MIN, 0.0f};
  return special[rng_below(rng, sizeof special / sizeof special[0])];
}

const char *const data_kinds[] = {"uniform",       "wide",     "constant", "impulse", "alternating",
                                  "negative zero", "denormal", "huge",     "largest", "infinity",
                                  "nan",           "mixed",    NULL};

void data_fill(float *x, size_t n, const char *kind, struct rng *rng) {
  int planted = strcmp(kind, "impulse") == 0 || strcmp(kind, "infinity") == 0 ||
                strcmp(kind, "nan") == 0 || strcmp(kind, "mixed") == 0;
  for (size_t i = 0; i < n; i++) x[i] = element(kind, i, rng);
  if (planted && n > 0)
    for (size_t k = 0; k < 1 + n / 199; k++) x[rng_below(rng, n)] = rare(kind, rng);
}

uint32_t float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

double float_ulps(float a, float b) {
  if (a != a || b != b) return a != a && b != b ? 0 : INFINITY;
  int64_t i = (int64_t)(float_bits(a) & 0x7FFFFFFFu), j = (int64_t)(float_bits(b) & 0x7FFFFFFFu);
  i = float_bits(a) >> 31 ? -i : i;
  j = float_bits(b) >> 31 ? -j : j;
  return (double)(i > j ? i - j : j - i);
}
