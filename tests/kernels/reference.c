// SPDX-License-Identifier: MIT
// sources: runtime/reference/axis.c runtime/reference/table.c runtime/reference/dtype.c
// sources: runtime/reference/torch.c runtime/reference/onnx.c runtime/reference/paddle.c
// sources: runtime/reference/tflite.c runtime/reference/exact.c
// sources: runtime/reference/interpolate.c runtime/reference/generic.c
// The reference of interpolate against values computed by hand and quoted from PyTorch.
#include <math.h>

#include "reference.h"
#include "tap.h"
#include "upweave/kernel.h"

enum { ROOM = 128 };
static double want[ROOM], magnitude[ROOM], terms[ROOM];
static const struct upw_ref_answer answer = {want, magnitude, terms, NULL, NULL};
static float generic[ROOM];

static void evaluate(const struct upw_ref_interpolate *p, const float *x) {
  const void *inputs[1] = {x};
  void *outputs[1] = {generic};
  tap_is_int(upw_ref_interpolate(p, inputs, NULL, &answer), UPW_OK, "reference");
  tap_is_int(upw_generic_interpolate(p, inputs, outputs), UPW_OK, "generic");
}

static struct upw_ref_interpolate line(int mode, int64_t in, int64_t out, int align_corners) {
  return (struct upw_ref_interpolate){.mode = mode,
                                      .rank = 1,
                                      .planar = 1,
                                      .align_corners = align_corners,
                                      .batch = 1,
                                      .channels = 1,
                                      .in = {in},
                                      .out = {out}};
}

static void expect(const double *values, size_t n, double tolerance, const char *name) {
  int wrong = 0, far = 0;
  for (size_t i = 0; i < n; i++) {
    wrong += !(fabs(want[i] - values[i]) <= tolerance);
    far += !(fabs((double)generic[i] - values[i]) <= tolerance + 1e-5);
  }
  tap_is_int(wrong, 0, name);
  tap_is_int(far, 0, "and generic C");
  for (size_t i = 0; i < n && wrong; i++)
    tap_diag("%zu: got %.9g want %.9g", i, want[i], values[i]);
}

static const float ramp[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// On a ramp the value is the source position: index + lambda, at most the last pixel.
static void golden(int64_t in, int64_t out, int mode, int align_corners, const double *values) {
  char name[64];
  struct upw_ref_interpolate p = line(mode, in, out, align_corners);
  snprintf(name, sizeof name, "mode %d, %d to %d, align_corners %d", mode, (int)in, (int)out,
           align_corners);
  evaluate(&p, ramp);
  expect(values, (size_t)out, mode <= UPW_REF_NEAREST_EXACT ? 0 : 5.1e-5, name);
}
#define GOLDEN(in, out, mode, align, ...)                                                          \
  golden(in, out, mode, align, (const double[]){__VA_ARGS__})

static void golden_tables(void) {
  GOLDEN(4, 7, UPW_REF_NEAREST, 0, 0, 0, 1, 1, 2, 2, 3);
  GOLDEN(7, 10, UPW_REF_NEAREST, 0, 0, 0, 1, 2, 2, 3, 4, 4, 5, 6);
  GOLDEN(5, 3, UPW_REF_NEAREST, 0, 0, 1, 3);
  GOLDEN(3, 6, UPW_REF_NEAREST, 0, 0, 0, 1, 1, 2, 2);
  GOLDEN(10, 3, UPW_REF_NEAREST, 0, 0, 3, 6);
  GOLDEN(4, 7, UPW_REF_NEAREST_EXACT, 0, 0, 0, 1, 2, 2, 3, 3);
  GOLDEN(7, 10, UPW_REF_NEAREST_EXACT, 0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 6);
  GOLDEN(5, 3, UPW_REF_NEAREST_EXACT, 0, 0, 2, 4);
  GOLDEN(3, 6, UPW_REF_NEAREST_EXACT, 0, 0, 0, 1, 1, 2, 2);
  GOLDEN(10, 3, UPW_REF_NEAREST_EXACT, 0, 1, 5, 8);
  GOLDEN(4, 7, UPW_REF_LINEAR, 0, 0, .3571, .9286, 1.5, 2.07143, 2.6429, 3);
  GOLDEN(7, 10, UPW_REF_LINEAR, 0, 0, .55, 1.25, 1.95, 2.65, 3.35, 4.05, 4.75, 5.45, 6);
  GOLDEN(5, 3, UPW_REF_LINEAR, 0, .3333, 2, 3.6667);
  GOLDEN(3, 6, UPW_REF_LINEAR, 0, 0, .25, .75, 1.25, 1.75, 2);
  GOLDEN(10, 3, UPW_REF_LINEAR, 0, 1.1667, 4.5, 7.8333);
  GOLDEN(4, 7, UPW_REF_LINEAR, 1, 0, .5, 1, 1.5, 2, 2.5, 3);
  GOLDEN(7, 10, UPW_REF_LINEAR, 1, 0, .6667, 1.3333, 2, 2.6667, 3.3333, 4, 4.6667, 5.3333, 6);
  GOLDEN(5, 3, UPW_REF_LINEAR, 1, 0, 2, 4);
  GOLDEN(3, 6, UPW_REF_LINEAR, 1, 0, .4, .8, 1.2, 1.6, 2);
  GOLDEN(10, 3, UPW_REF_LINEAR, 1, 0, 4.5, 9);
  GOLDEN(5, 1, UPW_REF_LINEAR, 0, 2);
  GOLDEN(5, 1, UPW_REF_LINEAR, 1, 0);
  GOLDEN(1, 3, UPW_REF_LINEAR, 0, 0, 0, 0);
  GOLDEN(5, 3, UPW_REF_AREA, 0, .5, 2, 3.5);
  GOLDEN(2, 4, UPW_REF_AREA, 0, 0, 0, 1, 1);
}

// torch 1.1's output for arange(1..9) as 3x3, bilinear, twice the size (tensorflow/tfjs#1729).
static void quoted_picture(void) {
  static const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  static const double y[36] = {1,    1.25, 1.75, 2.25, 2.75, 3,    1.75, 2,    2.5,
                               3,    3.5,  3.75, 3.25, 3.5,  4,    4.5,  5,    5.25,
                               4.75, 5,    5.5,  6,    6.5,  6.75, 6.25, 6.5,  7,
                               7.5,  8,    8.25, 7,    7.25, 7.75, 8.25, 8.75, 9};
  struct upw_ref_interpolate p = {.mode = UPW_REF_BILINEAR,
                                  .rank = 2,
                                  .planar = 1,
                                  .batch = 1,
                                  .channels = 1,
                                  .in = {3, 3},
                                  .out = {6, 6},
                                  .scale = {2, 2}};
  evaluate(&p, x);
  expect(y, 36, 0, "quoted picture");
  tap_is_number(terms[7], 4, "an inner element has four terms");
  tap_is_number(terms[0], 1, "a corner has one: weights of 0 are none");
}

// Weights of one output, read off impulses.
static void weights(const struct upw_ref_interpolate *given, int64_t o, const double *values,
                    const char *name) {
  struct upw_ref_interpolate p = *given;
  int64_t in = p.in[p.rank - 1];
  double got[ROOM];
  for (int64_t i = 0; i < in; i++) {
    float x[ROOM] = {0};
    const void *inputs[1] = {x};
    x[i] = 1;
    upw_ref_interpolate(&p, inputs, NULL, &answer);
    got[i] = want[o];
  }
  memcpy(want, got, sizeof got);
  for (int64_t i = 0; i < in; i++) generic[i] = (float)got[i];
  expect(values, (size_t)in, 1e-7, name);
}

static void filters(void) {
  struct upw_ref_interpolate p = {.mode = UPW_REF_BICUBIC,
                                  .rank = 2,
                                  .planar = 1,
                                  .batch = 1,
                                  .channels = 1,
                                  .in = {1, 4},
                                  .out = {1, 8}};
  // lambda 1/4 at output 3, 3/4 at output 4; at output 0 two taps fall on pixel 0
  weights(&p, 3, (const double[]){-0.10546875, 0.87890625, 0.26171875, -0.03515625}, "cubic 1/4");
  weights(&p, 4, (const double[]){-0.03515625, 0.26171875, 0.87890625, -0.10546875}, "cubic 3/4");
  weights(&p, 0, (const double[]){1.10546875, -0.10546875, 0, 0}, "cubic at the border");
  p.antialias = 1;
  p.mode = UPW_REF_BILINEAR;
  p.out[1] = 2;
  weights(&p, 0, (const double[]){3.0 / 7, 3.0 / 7, 1.0 / 7, 0}, "antialias, 4 to 2");
  weights(&p, 1, (const double[]){0, 1.0 / 7, 3.0 / 7, 3.0 / 7}, "antialias, 4 to 2, mirrored");
  p.out[1] = 4;
  weights(&p, 2, (const double[]){0, 0, 1, 0}, "antialias of equal sizes copies");
}

static void copies(void) {
  static const uint32_t bits[4] = {0x80000000u, 0x7FC12345u, 0xFF800000u, 1};
  float x[4];
  memcpy(x, bits, sizeof x);
  for (int mode = UPW_REF_NEAREST; mode <= UPW_REF_LINEAR; mode++) {
    struct upw_ref_interpolate p = line(mode, 4, 4, 0);
    const void *inputs[1] = {x};
    int equal = 1;
    upw_ref_interpolate(&p, inputs, NULL, &answer);
    for (int i = 0; i < 4; i++) {
      float back = (float)want[i];
      equal &= terms[i] == 0 && memcmp(&back, &bits[i], sizeof back) == 0;
    }
    tap_ok(equal, "a copy keeps -0, NaN payloads and denormals and has no terms");
  }
}

static void special(void) {
  const float x[2] = {NAN, 1};
  struct upw_ref_interpolate p = line(UPW_REF_LINEAR, 2, 3, 1);
  evaluate(&p, x);
  tap_ok(want[0] != want[0] && want[1] != want[1], "NaN reaches what depends on it");
  tap_is_number(want[2], 1, "and nothing else");
  const float huge[2] = {-3e38f, 3e38f};
  evaluate(&p, huge);
  tap_is_number(want[1], 0, "sums are of double");
  tap_is_number(magnitude[1], (double)3e38f, "magnitude");
  tap_is_number(terms[1], 2, "terms");
}

static void exact(void) {
  struct upw_ref_interpolate p = line(UPW_REF_NEAREST, 2, 82, 0);
  evaluate(&p, ramp);
  tap_is_number(want[41], 0, "float32 rounds 41 * (2/82) below 1");
  p.exact = 1;
  evaluate(&p, ramp);
  tap_is_number(want[41], 1, "exactly it is 1");
  p = line(UPW_REF_LINEAR, 4, 6, 0);
  p.exact = 1;
  p.scale[0] = 1.5;
  evaluate(&p, ramp);
  tap_is_number(want[1], 0.5, "the ratio of scale 3/2 is 2/3");
  p.scale[0] = 1.75; // 4 * 1.75 = 7: other than in/out only in its rounding
  p.out[0] = 7;
  evaluate(&p, ramp);
  tap_is_number(want[3], 1.5, "the ratio of scale 7/4 is 4/7");
}

// Interleaved planes are the transposed planar ones.
static void layouts(void) {
  float planar[2 * 3 * 4], interleaved[2 * 3 * 4];
  double kept[ROOM];
  struct upw_ref_interpolate p = {.mode = UPW_REF_BILINEAR,
                                  .rank = 2,
                                  .planar = 1,
                                  .batch = 1,
                                  .channels = 2,
                                  .in = {3, 4},
                                  .out = {5, 6}};
  int wrong = 0;
  for (int c = 0; c < 2; c++)
    for (int i = 0; i < 12; i++)
      planar[c * 12 + i] = interleaved[i * 2 + c] = (float)((i * 7 + c * 5) % 11);
  evaluate(&p, planar);
  memcpy(kept, want, sizeof kept);
  p.planar = 0;
  evaluate(&p, interleaved);
  for (int c = 0; c < 2; c++)
    for (int i = 0; i < 30; i++) wrong += want[i * 2 + c] != kept[c * 30 + i];
  tap_is_int(wrong, 0, "both layouts agree");
  p.batch = 0;
  evaluate(&p, interleaved);
}

int main(void) {
  golden_tables();
  quoted_picture();
  filters();
  copies();
  special();
  exact();
  layouts();
  return tap_done();
}
