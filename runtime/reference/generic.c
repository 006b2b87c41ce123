// SPDX-License-Identifier: MIT
// "Generic C" of `interpolate`: what the benchmarks call plain C code for any shape. Copies move
// elements, the rest is generic_element.h, once for each dtype. It is compiled with -O3 for the
// same target as the kernel.
#include <stdlib.h>
#include <string.h>

#include "axis.h"
#include "dtype.h"
#include "generic_half.h"
#include "reference.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT ON // whatever the flags: multiply-adds as any C program gets them

static inline uint8_t to_u8(int sum, int bits) {
  int value = bits > 0 ? (sum + (1 << (bits - 1))) >> bits : sum;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

#define NAME(x)        x##_f32
#define ELEMENT        float
#define NUMBER         float
#define LOAD(e)        (e)
#define STORE(n, bits) (n)
#define PLAIN          1
#define FIXED          0
#include "generic_element.h"

#define NAME(x)        x##_f64
#define ELEMENT        double
#define NUMBER         double
#define LOAD(e)        (e)
#define STORE(n, bits) (n)
#define PLAIN          1
#define FIXED          0
#include "generic_element.h"

#define NAME(x)        x##_f16
#define ELEMENT        uint16_t
#define NUMBER         float
#define LOAD(e)        of_f16(e)
#define STORE(n, bits) to_f16(n)
#define PLAIN          0
#define FIXED          0
#include "generic_element.h"

#define NAME(x)        x##_bf16
#define ELEMENT        uint16_t
#define NUMBER         float
#define LOAD(e)        of_bf16(e)
#define STORE(n, bits) to_bf16(n)
#define PLAIN          0
#define FIXED          0
#include "generic_element.h"

#define NAME(x)        x##_u8
#define ELEMENT        uint8_t
#define NUMBER         int
#define LOAD(e)        (e)
#define STORE(n, bits) to_u8(n, bits)
#define PLAIN          0
#define FIXED          1
#include "generic_element.h"

// ---- copies

// `out` pixels of `bytes` bytes, which is a constant where it matters.
static inline void move_pixels(unsigned char *restrict y, const unsigned char *restrict row,
                               const size_t *at, size_t out, size_t bytes) {
  for (size_t o = 0; o < out; o++) memcpy(y + o * bytes, row + at[o], bytes);
}

static void move_row(unsigned char *y, const unsigned char *row, const size_t *at, size_t out,
                     size_t bytes) {
  if (bytes == 1)
    move_pixels(y, row, at, out, 1);
  else if (bytes == 2)
    move_pixels(y, row, at, out, 2);
  else if (bytes == 4)
    move_pixels(y, row, at, out, 4);
  else if (bytes == 8)
    move_pixels(y, row, at, out, 8);
  else
    move_pixels(y, row, at, out, bytes);
}

static int64_t source_of(const struct upw_ref_axis *axis, int64_t o) {
  return axis->outside[o] ? 0 : axis->taps[(size_t)o * axis->most].index;
}

static int move(const struct upw_ref_axis *axis, const struct upw_ref_interpolate *p,
                const void *input, void *output) {
  size_t pixel = upw_ref_format(p->dtype)->bytes * (p->planar ? 1 : (size_t)p->channels);
  size_t out = (size_t)axis[2].out, row = (size_t)axis[2].in * pixel;
  int64_t planes = p->planar ? p->batch * p->channels : p->batch;
  const unsigned char *x = input;
  unsigned char *y = output;
  size_t *at = calloc(out, sizeof *at);
  if (!at) return UPW_NO_MEMORY;
  for (size_t o = 0; o < out; o++) at[o] = (size_t)source_of(&axis[2], (int64_t)o) * pixel;
  for (int64_t n = 0; n < planes; n++, x += (size_t)(axis[0].in * axis[1].in) * row)
    for (int64_t d = 0; d < axis[0].out; d++)
      for (int64_t h = 0; h < axis[1].out; h++, y += out * pixel) {
        int64_t from = source_of(&axis[0], d) * axis[1].in + source_of(&axis[1], h);
        move_row(y, x + (size_t)from * row, at, out, pixel);
      }
  free(at);
  return UPW_OK;
}

// ---- what no input reaches

static void fill_outside(const struct upw_ref_axis *axis, const struct upw_ref_interpolate *p,
                         void *y) {
  int64_t planes = p->planar ? p->batch * p->channels : p->batch;
  size_t channels = p->planar ? 1 : (size_t)p->channels, at = 0;
  for (int64_t n = 0; n < planes; n++)
    for (int64_t d = 0; d < axis[0].out; d++)
      for (int64_t h = 0; h < axis[1].out; h++)
        for (int64_t w = 0; w < axis[2].out; w++, at += channels)
          if (axis[0].outside[d] || axis[1].outside[h] || axis[2].outside[w])
            for (size_t c = 0; c < channels; c++)
              upw_ref_store(p->dtype, y, at + c, p->extrapolation_value);
}

int upw_generic_interpolate(const void *params, const void *const *inputs, void *const *outputs) {
  typedef int run_fn(const struct upw_ref_axis *, const struct upw_ref_interpolate *, const void *,
                     void *);
  static run_fn *const runs[] = {[UPW_REF_F32] = run_f32,
                                 [UPW_REF_F64] = run_f64,
                                 [UPW_REF_F16] = run_f16,
                                 [UPW_REF_BF16] = run_bf16,
                                 [UPW_REF_U8] = run_u8};
  const struct upw_ref_interpolate *p = params;
  struct upw_ref_axis axis[3];
  int status = upw_ref_axes_build(axis, p);
  if (status != UPW_OK) return status;
  int copy = axis[0].copy && axis[1].copy && axis[2].copy;
  status = (copy ? move : runs[p->dtype])(axis, p, inputs[0], outputs[0]);
  if (status == UPW_OK && p->coordinates == UPW_REF_TF_CROP_AND_RESIZE)
    fill_outside(axis, p, outputs[0]);
  upw_ref_axes_free(axis);
  return status;
}
