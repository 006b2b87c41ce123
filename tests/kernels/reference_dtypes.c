// SPDX-License-Identifier: MIT
// sources: runtime/reference/axis.c runtime/reference/table.c runtime/reference/dtype.c
// sources: runtime/reference/torch.c runtime/reference/onnx.c runtime/reference/paddle.c
// sources: runtime/reference/tflite.c runtime/reference/exact.c
// sources: runtime/reference/interpolate.c runtime/reference/generic.c
// Elements as numbers, and what PyTorch does differently on each dtype, by hand.
#include <math.h>

#include "dtype.h"
#include "reference.h"
#include "tap.h"
#include "upweave/kernel.h"

enum { ROOM = 64 };
static double want[ROOM], magnitude[ROOM], terms[ROOM];
static const struct upw_ref_answer answer = {want, magnitude, terms, NULL, NULL};

static uint64_t rounded(int dtype, double value) {
  unsigned char element[8] = {0};
  upw_ref_store(dtype, element, 0, value);
  return upw_ref_bits(dtype, element, 0);
}

static void every_half(int dtype) {
  int lost = 0, unordered = 0;
  for (uint64_t bits = 0; bits < 65536; bits++) {
    uint16_t element = (uint16_t)bits;
    double value = upw_ref_load(dtype, &element, 0);
    lost += rounded(dtype, value) != bits;
    // Half way to the next number up is the even one of both; a hair more is the next.
    double half = value + (value < 0 ? -1 : 1) * upw_ref_half_step(dtype, value);
    if (value != value || value - value != 0 || value == 0) continue;
    unordered += rounded(dtype, half) != bits + bits % 2;
    unordered += rounded(dtype, half * (1 + 0x1p-52)) != bits + 1;
    unordered += rounded(dtype, half * (1 - 0x1p-52)) != bits;
  }
  tap_is_int(lost, 0, "every element is a number and comes back, NaNs with their bits");
  tap_is_int(unordered, 0, "rounding is to nearest, ties to even, to infinity past the largest");
}

static void elements(void) {
  const uint64_t signalling = 0x7F812345, one = 0x3FF0000000000001;
  unsigned char element[8];
  every_half(UPW_REF_F16);
  every_half(UPW_REF_BF16);
  upw_ref_set_bits(UPW_REF_F32, element, 0, signalling);
  tap_ok(rounded(UPW_REF_F32, upw_ref_load(UPW_REF_F32, element, 0)) == signalling,
         "a signalling NaN stays one");
  upw_ref_set_bits(UPW_REF_F64, element, 0, one);
  tap_ok(rounded(UPW_REF_F64, upw_ref_load(UPW_REF_F64, element, 0)) == one, "f64 is a double");
  tap_ok(rounded(UPW_REF_F32, 0x1p-149) == 1 && rounded(UPW_REF_F32, 0x1p-150) == 0 &&
             rounded(UPW_REF_F32, 0x1.8p-150) == 1,
         "denormal floats");
  tap_ok(rounded(UPW_REF_F16, 65519.99) == 0x7BFF && rounded(UPW_REF_F16, 65520) == 0x7C00,
         "the largest f16");
  tap_ok(rounded(UPW_REF_BF16, -0.0) == 0x8000, "-0 of bf16");
  tap_ok(rounded(UPW_REF_U8, -3) == 0 && rounded(UPW_REF_U8, 300) == 255 &&
             rounded(UPW_REF_U8, 7) == 7,
         "bytes saturate");
  tap_is_int(upw_ref_dtype_of(4, 16), UPW_REF_BF16, "bf16 by its DLPack code");
  tap_is_int(upw_ref_dtype_of(0, 8), -1, "i8 is none of the reference's");
}

static void run(int dtype, struct upw_ref_interpolate p, const void *x) {
  const void *inputs[1] = {x};
  p.dtype = dtype;
  p.batch = p.channels = p.planar = 1;
  tap_is_int(upw_ref_interpolate(&p, inputs, NULL, &answer), UPW_OK, "reference");
}

// A dtype's elements of small integers, and generic C on them.
static void integers(int dtype, const char *name) {
  struct upw_ref_interpolate p = {.mode = UPW_REF_BILINEAR, .rank = 2, .in = {2, 3}, .out = {4, 6}};
  unsigned char x[6 * 8], y[24 * 8];
  const void *inputs[1] = {x};
  void *outputs[1] = {y};
  int wrong = 0;
  for (size_t i = 0; i < 6; i++) upw_ref_store(dtype, x, i, (double)(i * 16));
  run(dtype, p, x);
  p.dtype = dtype;
  p.batch = p.channels = p.planar = 1;
  upw_generic_interpolate(&p, inputs, outputs);
  for (size_t i = 0; i < 24; i++) wrong += upw_ref_load(dtype, y, i) != want[i];
  tap_is_int(wrong, 0, name);
  tap_is_number(want[0], 0, "a corner");
  tap_is_number(want[7], 16, "1/4 of 16 and 1/4 of 48");
}

// Weights of 5 to 3 pixels, linear: 2/3 and 1/3.
static void halves(void) {
  const uint16_t ones[5] = {0x3C00, 0x3C00, 0x3C00, 0x3C00, 0x3C00};
  struct upw_ref_interpolate p = {.mode = UPW_REF_LINEAR, .rank = 1, .in = {5}, .out = {3}};
  run(UPW_REF_F16, p, ones);
  tap_is_number(want[0], 1 + 0x1p-12, "1/3 as f16 and 1 less it as f16");
  p = (struct upw_ref_interpolate){
      .mode = UPW_REF_BILINEAR, .rank = 2, .in = {1, 5}, .out = {1, 3}};
  run(UPW_REF_F16, p, ones);
  tap_ok(fabs(want[0] - 1) < 1e-7, "small pictures have weights in float");
  const uint16_t bf16[2] = {0x3F80, 0x4000};
  p = (struct upw_ref_interpolate){.mode = UPW_REF_LINEAR, .rank = 1, .in = {2}, .out = {4}};
  run(UPW_REF_BF16, p, bf16);
  tap_is_number(want[1], 1.25, "bf16");
}

static void doubles(void) {
  const double x[3] = {1e16, 1, -1e16};
  struct upw_ref_interpolate p = {.mode = UPW_REF_AREA, .rank = 1, .in = {3}, .out = {1}};
  run(UPW_REF_F64, p, x);
  tap_is_number(want[0], 1.0 / 3, "sums of doubles are compensated");
  const double big[2] = {1.7e308, 1.7e308};
  p = (struct upw_ref_interpolate){.mode = UPW_REF_LINEAR, .rank = 1, .in = {2}, .out = {3}};
  run(UPW_REF_F64, p, big);
  tap_is_number(want[1], 1.7e308, "also of the largest");
  const double infinite[2] = {INFINITY, 1};
  run(UPW_REF_F64, p, infinite);
  tap_is_number(want[1], INFINITY, "infinity stays what it is");
  p = (struct upw_ref_interpolate){.mode = UPW_REF_LINEAR, .rank = 1, .in = {2}, .out = {5}};
  const double unit[2] = {0, 1};
  run(UPW_REF_F64, p, unit);
  tap_is_number(want[1], fma(2.0 / 5, 1.5, -0.5), "weights are doubles");
}

static void bytes(void) {
  struct upw_ref_interpolate p = {.mode = UPW_REF_BILINEAR, .rank = 2, .in = {1, 2}, .out = {1, 4}};
  const uint8_t pair[2] = {0, 255}, step[4] = {0, 0, 255, 255};
  run(UPW_REF_U8, p, pair);
  tap_ok(want[0] == 0 && want[1] == 64 && want[2] == 191 && want[3] == 255,
         "bytes round halves up");
  tap_is_number(terms[1], 0, "and have to be equal");
  p = (struct upw_ref_interpolate){.mode = UPW_REF_BICUBIC, .rank = 2, .in = {1, 4}, .out = {1, 8}};
  run(UPW_REF_U8, p, step);
  tap_ok(want[2] == 0 && want[3] == 58 && want[4] == 197 && want[5] == 255,
         "cubic is cut to 0 and 255");
  p = (struct upw_ref_interpolate){
      .mode = UPW_REF_BILINEAR, .rank = 2, .in = {2, 2}, .out = {4, 4}};
  const uint8_t corner[4] = {0, 0, 0, 6};
  run(UPW_REF_U8, p, corner);
  tap_is_number(want[5], 1, "6/4 up to 2, 2/4 up to 1; at once it were 6/16");
  p = (struct upw_ref_interpolate){
      .mode = UPW_REF_BICUBIC, .rank = 2, .in = {1, 5}, .out = {1, 5}, .scale = {1, 1.1}};
  const uint8_t five[5] = {1, 200, 3, 100, 5};
  run(UPW_REF_U8, p, five);
  tap_ok(want[1] == 200 && want[3] == 100, "an axis of equal sizes is left alone");
  tap_is_number(terms[0], 0, "a copy");
}

int main(void) {
  elements();
  integers(UPW_REF_F32, "f32: generic C");
  integers(UPW_REF_F64, "f64: generic C");
  integers(UPW_REF_F16, "f16: generic C");
  integers(UPW_REF_BF16, "bf16: generic C");
  integers(UPW_REF_U8, "u8: generic C");
  halves();
  doubles();
  bytes();
  return tap_done();
}
