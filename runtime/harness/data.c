// SPDX-License-Identifier: MIT
// Random numbers, and the data that kernels are verified on: of every dtype what is hardest on it.
#include <math.h>
#include <string.h>

#include "dtype.h"
#include "internal.h"

// Elements for each rare value; numbers read by an output at which that is rare enough.
static const double rarity = 199, few = 16;

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

double rng_between(struct rng *rng, double low, double high) {
  return low + (high - low) * (double)(rng_next(rng) >> 40) * 0x1p-24;
}

static double sign_of(struct rng *rng) {
  return rng_next(rng) >> 63 ? -1 : 1;
}

static int is(const char *kind, const char *name) {
  return strcmp(kind, name) == 0;
}

// The largest number of a float dtype, and the bits of its infinity.
static uint64_t infinity_of(const struct upw_ref_format *f) {
  return ((UINT64_C(1) << f->exponent) - 1) << f->mantissa;
}
static double largest_of(const struct upw_ref_format *f) {
  return (2 - ldexp(1, -f->mantissa)) * ldexp(1, (1 << (f->exponent - 1)) - 1);
}

static uint64_t mantissa_of(const struct upw_ref_format *f, struct rng *rng) {
  return rng_next(rng) >> (64 - f->mantissa);
}

// One float. The kinds that plant rare values into uniform data are in `rare` below.
static double number(const struct upw_ref_format *f, const char *kind, size_t i, struct rng *rng) {
  int bias = (1 << (f->exponent - 1)) - 1;
  if (is(kind, "wide")) { // exponents of 60 binades; all but the last two where there are not 60
    int reach = bias > 30 ? 30 : bias - 2;
    int exponent = (int)rng_below(rng, (size_t)(2 * reach)) - reach;
    return sign_of(rng) * ldexp(1 + ldexp((double)mantissa_of(f, rng), -f->mantissa), exponent);
  }
  if (is(kind, "constant")) return 0.7;
  if (is(kind, "alternating")) return i % 2 ? -1 : 1;
  if (is(kind, "negative zero")) return -0.0;
  if (is(kind, "denormal"))
    return sign_of(rng) * ldexp((double)mantissa_of(f, rng), 1 - bias - f->mantissa);
  if (is(kind, "huge")) return rng_between(rng, -1, 1) * (largest_of(f) / 8);
  if (is(kind, "largest")) return sign_of(rng) * largest_of(f);
  if (is(kind, "impulse")) return 0;
  return rng_between(rng, -1, 1);
}

// NaNs have random payloads; half of them are signalling, which a copy keeps as well.
static uint64_t rare(int dtype, const char *kind, struct rng *rng) {
  const struct upw_ref_format *f = upw_ref_format(dtype);
  uint64_t infinity = infinity_of(f), sign = rng_next(rng) >> 63 << (f->bytes * 8 - 1);
  uint64_t nan = infinity | mantissa_of(f, rng) | 1, one = element_nearest(dtype, 1);
  if (is(kind, "impulse")) return sign | one;
  if (is(kind, "infinity")) return sign | infinity;
  if (is(kind, "nan")) return sign | nan;
  const uint64_t special[] = {infinity, nan, 0, 1, infinity - 1, UINT64_C(1) << f->mantissa};
  return sign | special[rng_below(rng, sizeof special / sizeof special[0])];
}

static uint8_t byte_of(const char *kind, size_t i, struct rng *rng) {
  if (is(kind, "extremes")) return rng_next(rng) >> 63 ? 255 : 0;
  if (is(kind, "alternating")) return i % 2 ? 255 : 0;
  if (is(kind, "pairs")) return i / 2 % 2 ? 255 : 0;
  if (is(kind, "rising")) return (uint8_t)i;
  if (is(kind, "falling")) return (uint8_t)(255 - i);
  if (is(kind, "constant")) return 200;
  if (is(kind, "impulse")) return rng_below(rng, 199) ? 0 : 255;
  if (is(kind, "hole")) return rng_below(rng, 199) ? 255 : 0;
  return (uint8_t)(rng_next(rng) >> 56);
}

static const char *const number_kinds[] = {"uniform",     "wide",          "constant", "impulse",
                                           "alternating", "negative zero", "denormal", "huge",
                                           "largest",     "infinity",      "nan",      "mixed",
                                           NULL};
static const char *const byte_kinds[] = {"uniform", "extremes", "alternating", "pairs",    "rising",
                                         "falling", "impulse",  "hole",        "constant", NULL};

const char *const *data_kinds(int dtype) {
  return upw_ref_format(dtype)->mantissa ? number_kinds : byte_kinds;
}

static int is_planted(const char *kind) {
  return is(kind, "impulse") || is(kind, "infinity") || is(kind, "nan") || is(kind, "mixed");
}

// A few rare values find little in one round over few places.
size_t data_rounds(const char *kind, size_t n) {
  size_t rounds = 1 + 600 / (n + 1);
  return !is_planted(kind) ? 1 : rounds < 12 ? rounds : 12;
}

// Half precision is computed on in float, whose sums do not overflow where f16 does.
int data_overflows(int dtype, const char *kind) {
  return dtype != UPW_REF_F16 && (is(kind, "largest") || is(kind, "mixed"));
}

// Rare values are so rare that most outputs read none of them, as long as one reads few numbers.
static void fill(void *x, int dtype, size_t n, const char *kind, double every, struct rng *rng) {
  const struct upw_ref_format *f = upw_ref_format(dtype);
  for (size_t i = 0; i < n; i++)
    if (f->mantissa)
      upw_ref_store(dtype, x, i, number(f, kind, i, rng));
    else
      upw_ref_set_bits(dtype, x, i, byte_of(kind, i, rng));
  if (is_planted(kind) && f->mantissa && n > 0)
    for (size_t k = 0; k < 1 + (size_t)((double)n / every); k++)
      upw_ref_set_bits(dtype, x, rng_below(rng, n), rare(dtype, kind, rng));
}

void data_fill(void *x, int dtype, size_t n, const char *kind, struct rng *rng) {
  fill(x, dtype, n, kind, rarity, rng);
}

// Channels of a kernel's output, 1 if it has none.
static int64_t channels_of(const struct upw_kernel *kernel) {
  for (uint32_t i = 0; i < kernel->tensor_count; i++) {
    const struct upw_tensor *t = &kernel->tensors[i];
    const char *c = strchr(t->layout, 'C');
    if (t->role == UPW_OUTPUT && c) return t->shape[c - t->layout];
  }
  return 1;
}

static void fill_parameter(void *x, int dtype, size_t n, const char *name, double scale,
                           struct rng *rng) {
  int variance = strncmp(name, "var", 3) == 0, weight = strncmp(name, "weight", 6) == 0;
  for (size_t i = 0; i < n; i++) {
    double value = rng_between(rng, variance ? 0.25 : -1, 1);
    upw_ref_store(dtype, x, i, weight ? scale * value : value);
  }
}

void data_fill_tensor(void *x, const struct upw_kernel *kernel, uint32_t i, const char *kind,
                      double reach, struct rng *rng) {
  const struct upw_tensor *t = &kernel->tensors[i];
  int dtype = upw_ref_dtype_of(t->dtype_code, t->dtype_bits);
  size_t n = t->bytes / upw_ref_format(dtype)->bytes;
  double outputs = (double)channels_of(kernel);
  if (t->role == UPW_PARAMETER)
    fill_parameter(x, dtype, n, t->name, (double)n > outputs ? sqrt(outputs / (double)n) : 1, rng);
  else
    fill(x, dtype, n, kind, rarity * (reach > few ? reach / few : 1), rng);
}
