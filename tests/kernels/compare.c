// SPDX-License-Identifier: MIT
// sources: runtime/harness/compare.c runtime/harness/data.c runtime/reference/dtype.c
// What verify lets pass, dtype by dtype, and the data it makes.
#include <math.h>

#include "dtype.h"
#include "internal.h"
#include "tap.h"

static int passes(int dtype, uint64_t got, double want, double magnitude, double terms) {
  unsigned char y[8];
  struct upw_ref_answer e = {&want, &magnitude, &terms, &(double){0}, &(unsigned char){0}};
  struct comparison c = {.dtype = dtype};
  upw_ref_set_bits(dtype, y, 0, got);
  return compare(&c, &e, y, 1);
}

static void sums(void) {
  const uint64_t one = element_nearest(UPW_REF_F32, 1);
  // one term: 5 * 2^-24; an ulp of 1 is 2^-23
  tap_ok(passes(UPW_REF_F32, one + 2, 1, 1, 1), "f32: two units are within five halves");
  tap_ok(!passes(UPW_REF_F32, one + 3, 1, 1, 1), "three are not");
  tap_ok(passes(UPW_REF_F32, 3, 0, 0, 3) && !passes(UPW_REF_F32, 4, 0, 0, 3),
         "products of denormals round");
  tap_ok(!passes(UPW_REF_F32, 0x7FC00000, 1, 1, 1), "NaN for a number");
  tap_ok(passes(UPW_REF_F32, 0x7FC00000, INFINITY, 1, 1), "any special value for another");
  tap_ok(!passes(UPW_REF_F32, one, NAN, 1, 1), "a number for NaN");
  const uint64_t double_one = element_nearest(UPW_REF_F64, 1);
  tap_ok(passes(UPW_REF_F64, double_one + 2, 1, 1, 1), "f64: two units");
  tap_ok(!passes(UPW_REF_F64, double_one + 3, 1, 1, 1), "not three");
  const uint64_t half_one = element_nearest(UPW_REF_F16, 1);
  tap_ok(passes(UPW_REF_F16, half_one, 1 + 0x1p-11, 1, 1), "f16: half a unit of what is stored");
  tap_ok(!passes(UPW_REF_F16, half_one, 1 + 0x1.1p-11, 1, 1), "not more");
  tap_ok(passes(UPW_REF_F16, 0x7C00, 65520, 1, 1), "a sum beyond the largest is infinite");
  tap_ok(!passes(UPW_REF_F16, 0x7C00, 65519, 1, 1), "one before it is not");
  tap_ok(!passes(UPW_REF_F16, 0xFC00, 65520, 1, 1), "and on the same side");
  tap_ok(!passes(UPW_REF_F16, 0x7BFF, 70000, 1, 1), "the largest for one beyond");
  tap_ok(passes(UPW_REF_BF16, 0x3F80, 1 + 0x1p-8, 1, 1), "bf16");
  tap_ok(!passes(UPW_REF_BF16, 0x3F81, 1, 1, 1), "a unit off");
}

static void copies(void) {
  tap_ok(passes(UPW_REF_U8, 64, 64, 0, 0) && !passes(UPW_REF_U8, 65, 64, 0, 0), "bytes are equal");
  tap_ok(!passes(UPW_REF_F32, 0, -0.0, 0, 0), "a copy keeps the sign of zero");
  const uint64_t double_one = element_nearest(UPW_REF_F64, 1);
  double nan = upw_ref_load(UPW_REF_F16, &(uint16_t){0x7D12}, 0);
  tap_ok(passes(UPW_REF_F16, 0x7D12, nan, 0, 0), "and a NaN's bits");
  tap_ok(!passes(UPW_REF_F16, 0x7F12, nan, 0, 0), "which say whether it signals");
  tap_is_number(element_ulps(UPW_REF_F16, 0x8001, 1), 2, "zeros are one place");
  tap_is_number(
      element_ulps(UPW_REF_F64, element_nearest(UPW_REF_F64, 2), element_nearest(UPW_REF_F64, 1)),
      0x1p52, "units of double");
  tap_is_number(element_ulps(UPW_REF_F64, double_one, double_one + 1), 1, "one of them");
  tap_is_number(element_ulps(UPW_REF_U8, 250, 3), 247, "of bytes");
  tap_is_number(element_ulps(UPW_REF_BF16, 0x7FC0, 1), INFINITY, "NaN is nowhere");
}

// What a kind of data is named after occurs in it.
static void data(void) {
  enum { SIZE = 2000 };
  static unsigned char x[SIZE * 8];
  struct rng rng = rng_seeded(1);
  for (int dtype = UPW_REF_F32; dtype <= UPW_REF_U8; dtype++)
    for (const char *const *kind = data_kinds(dtype); *kind; kind++) {
      size_t special = 0, negative_zero = 0, small = 0;
      data_fill(x, dtype, SIZE, *kind, &rng);
      double normal =
          upw_ref_load(dtype, &(uint64_t){UINT64_C(1) << upw_ref_format(dtype)->mantissa}, 0);
      for (size_t i = 0; i < SIZE; i++) {
        double value = upw_ref_load(dtype, x, i), size = fabs(value);
        special += value - value != 0;
        negative_zero += value == 0 && signbit(value);
        small += size > 0 && size < normal;
      }
      int rare = strcmp(*kind, "infinity") == 0 || strcmp(*kind, "nan") == 0;
      if (rare) tap_ok(special > 0 && special < SIZE / 50, "a few special values");
      if (!rare && strcmp(*kind, "mixed") != 0) tap_is_int((long long)special, 0, *kind);
      if (strcmp(*kind, "negative zero") == 0) tap_ok(negative_zero == SIZE, "all of them");
      if (strcmp(*kind, "denormal") == 0) tap_ok(small > SIZE * 9 / 10, "nearly all of them");
    }
  tap_ok(data_overflows(UPW_REF_F32, "largest") && !data_overflows(UPW_REF_F16, "largest") &&
             !data_overflows(UPW_REF_F32, "uniform"),
         "sums of the largest floats may overflow");
}

int main(void) {
  sums();
  copies();
  data();
  return tap_done();
}
