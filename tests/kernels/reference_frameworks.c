// SPDX-License-Identifier: MIT
// sources: runtime/reference/axis.c runtime/reference/table.c runtime/reference/dtype.c
// sources: runtime/reference/torch.c runtime/reference/onnx.c runtime/reference/paddle.c
// sources: runtime/reference/tflite.c runtime/reference/exact.c
// sources: runtime/reference/interpolate.c runtime/reference/generic.c
// The rules of ONNX, Paddle and TensorFlow Lite against values computed by hand, by the
// framework's arithmetic, exactly and in generic C.
#include <math.h>

#include "reference.h"
#include "tap.h"
#include "upweave/kernel.h"

enum { ROOM = 64 };
static double want[ROOM], magnitude[ROOM], terms[ROOM];
static const struct upw_ref_answer answer = {want, magnitude, terms, NULL, NULL};
static float generic[ROOM];
static const float ramp[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static int wrong(const float *values, size_t n) {
  int count = 0;
  for (size_t i = 0; i < n; i++)
    count += !(fabs(want[i] - (double)values[i]) <= 1e-6) ||
             !(fabs((double)generic[i] - (double)values[i]) <= 1e-5);
  for (size_t i = 0; i < n && count; i++)
    tap_diag("%zu: got %.9g and %.9g, want %.9g", i, want[i], (double)generic[i],
             (double)values[i]);
  return count;
}

static void check(struct upw_ref_interpolate p, const float *x, const float *values, size_t n,
                  const char *name) {
  const void *inputs[1] = {x};
  void *outputs[1] = {generic};
  int count = 0;
  p.planar = 1;
  p.batch = 1;
  p.channels = 1;
  p.rank = p.rank ? p.rank : 1;
  for (p.exact = 1; p.exact >= 0; p.exact--) { // the framework's results stay behind
    count += upw_ref_interpolate(&p, inputs, NULL, &answer) != UPW_OK;
    count += upw_generic_interpolate(&p, inputs, outputs) != UPW_OK;
    count += wrong(values, n);
  }
  tap_is_int(count, 0, name);
}
#define VALUES(...) (const float[]){__VA_ARGS__}, sizeof(float[]){__VA_ARGS__} / sizeof(float)
#define LINE(kind, from, to, ...)                                                                  \
  ((struct upw_ref_interpolate){.profile = kind, .in = {from}, .out = {to}, __VA_ARGS__})
#define ONNX(from, to, ...)   LINE(UPW_REF_ONNX, from, to, .cubic_coeff_a = -0.75, __VA_ARGS__)
#define PADDLE(from, to, ...) LINE(UPW_REF_PADDLE, from, to, __VA_ARGS__)
#define TFLITE(from, to, ...) LINE(UPW_REF_TFLITE, from, to, __VA_ARGS__)

static void onnx_coordinates(void) {
  check(ONNX(4, 8, .mode = UPW_REF_LINEAR), ramp,
        VALUES(0, 0.25f, 0.75f, 1.25f, 1.75f, 2.25f, 2.75f, 3), "onnx half_pixel");
  check(ONNX(2, 4, .mode = UPW_REF_LINEAR, .scale = {2.3},
             .coordinates = UPW_REF_HALF_PIXEL_SYMMETRIC),
        ramp, VALUES(0, 0.65f / 2.3f, 1 - 0.65f / 2.3f, 1), "half_pixel_symmetric");
  check(ONNX(3, 1, .mode = UPW_REF_LINEAR, .coordinates = UPW_REF_PYTORCH_HALF_PIXEL), ramp,
        VALUES(0), "pytorch_half_pixel: one pixel is the first");
  check(ONNX(3, 1, .mode = UPW_REF_LINEAR), ramp, VALUES(1), "half_pixel: it is the middle");
  // ends of 0.6 * 4 = 2.4 pixels, of which the second lies at 3 / 1.4
  check(ONNX(4, 2, .mode = UPW_REF_LINEAR, .scale = {0.6}, .coordinates = UPW_REF_ALIGN_CORNERS),
        ramp, VALUES(0, 3 / 1.4f), "align_corners counts fractions of output pixels");
  check(ONNX(4, 2, .mode = UPW_REF_LINEAR, .coordinates = UPW_REF_ALIGN_CORNERS), ramp,
        VALUES(0, 3), "align_corners with sizes");
  check(ONNX(4, 1, .mode = UPW_REF_LINEAR, .coordinates = UPW_REF_ALIGN_CORNERS), ramp, VALUES(0),
        "align_corners with one pixel");
  check(ONNX(3, 6, .mode = UPW_REF_LINEAR, .coordinates = UPW_REF_ASYMMETRIC), ramp,
        VALUES(0, 0.5f, 1, 1.5f, 2, 2), "asymmetric");
  check(ONNX(2, 4, .coordinates = UPW_REF_TF_HALF_PIXEL_FOR_NN, .nearest_mode = UPW_REF_FLOOR),
        ramp, VALUES(0, 0, 1, 1), "tf_half_pixel_for_nn");
  check(ONNX(4, 2, .mode = UPW_REF_LINEAR, .scale = {0.6}), ramp, VALUES(1 / 3.0f, 2),
        "the ratio is that of the scale");
}

static void onnx_nearest(void) {
  struct upw_ref_interpolate p = ONNX(3, 6, .coordinates = UPW_REF_ASYMMETRIC);
  check(p, ramp, VALUES(0, 0, 1, 1, 2, 2), "round_prefer_floor");
  p.nearest_mode = UPW_REF_ROUND_PREFER_CEIL;
  check(p, ramp, VALUES(0, 1, 1, 2, 2, 2), "round_prefer_ceil");
  p.nearest_mode = UPW_REF_FLOOR;
  check(p, ramp, VALUES(0, 0, 1, 1, 2, 2), "floor");
  p.nearest_mode = UPW_REF_CEIL;
  check(p, ramp, VALUES(0, 1, 1, 2, 2, 2), "ceil");
}

static void onnx_crop(void) {
  struct upw_ref_interpolate p =
      ONNX(4, 3, .mode = UPW_REF_LINEAR, .coordinates = UPW_REF_TF_CROP_AND_RESIZE,
           .extrapolation_value = 10, .roi_start = {0.5}, .roi_end = {1.5});
  check(p, ramp, VALUES(1.5f, 3, 10), "a crop beyond the end has the extrapolation value");
  tap_is_number(terms[2], 0, "which is to be equal");
  tap_is_number(terms[0], 2, "unlike the others");
  p.roi_start[0] = -0.5;
  p.roi_end[0] = 0;
  p.mode = UPW_REF_NEAREST;
  check(p, ramp, VALUES(10, 10, 0), "and one before the start");
  p.out[0] = 1;
  p.roi_end[0] = 1.5;
  check(p, ramp, VALUES(1), "one pixel is the middle of the crop");
}

static void onnx_filters(void) {
  static const float first[4] = {1, 0, 0, 0}, second[4] = {0, 1, 0, 0};
  struct upw_ref_interpolate p = ONNX(4, 8, .mode = UPW_REF_BICUBIC);
  check(p, first, VALUES(1.10546875f, 0.87890625f + -0.10546875f, 0.26171875f - 0.03515625f),
        "cubic, clamped");
  p.cubic_coeff_a = -0.5;
  p.exclude_outside = 1;
  check(p, first, VALUES(0.8671875f / 0.796875f), "cubic, outside excluded");
  check(p, second, VALUES(-0.0703125f / 0.796875f), "and the rest in proportion");
  p = ONNX(4, 2, .mode = UPW_REF_LINEAR, .antialias = 1);
  check(p, first, VALUES(0.5f, 0), "antialias: what lies outside weighs the border");
  check(p, second, VALUES(0.375f, 0.125f), "and the next");
  p.exclude_outside = 1;
  check(p, first, VALUES(3.0f / 7, 0), "or is left out");
  check(p, second, VALUES(3.0f / 7, 1.0f / 7), "and the next");
}

// Half the size, so the filter is twice as wide: output 0 stands at 0.5 and its taps, -3 to 4, at
// 1.75, 1.25, 0.75, 0.25 and back. Keys' filter with a = -0.75 weighs
//   0.25: 1.25/64 - 2.25/16 + 1 = 0.87890625,   0.75: 1.25*27/64 - 2.25*9/16 + 1 = 0.26171875,
//   1.25: a * 0.25 * 0.75^2 = -0.10546875,      1.75: a * 0.75 * 0.25^2 = -0.03515625;
// twice their sum is 2. Taps 3 and 4 of output 0 are both the last pixel.
static void onnx_stretched_cubic(void) {
  static const float second[4] = {0, 1, 0, 0}, last[4] = {0, 0, 0, 1};
  struct upw_ref_interpolate p = ONNX(4, 2, .mode = UPW_REF_BICUBIC, .antialias = 1);
  check(p, second, VALUES(0.87890625f / 2, 0.26171875f / 2), "antialias: a cubic twice as wide");
  check(p, last, VALUES((-0.10546875f - 0.03515625f) / 2, 0.5f), "reaches four pixels away");
}

// A position on a pixel reads that pixel alone.
static void onnx_whole_positions(void) {
  const float x[3] = {NAN, 5, INFINITY};
  check(ONNX(2, 2, .mode = UPW_REF_LINEAR, .coordinates = UPW_REF_ASYMMETRIC), x + 1, VALUES(5),
        "linear");
  struct upw_ref_interpolate p =
      ONNX(3, 6, .mode = UPW_REF_BICUBIC, .coordinates = UPW_REF_ASYMMETRIC);
  p.cubic_coeff_a = -0.6; // whose weights beside a pixel would be rounded to 1e-16
  const void *inputs[1] = {x};
  p.rank = p.planar = 1;
  p.batch = p.channels = 1;
  upw_ref_interpolate(&p, inputs, NULL, &answer);
  tap_is_number(want[2], 5, "cubic reads nothing beside a whole position");
  tap_ok(want[1] != want[1], "and its neighbours elsewhere");
}

static void paddle(void) {
  static const float first[4] = {1, 0, 0, 0};
  check(PADDLE(4, 7, .align_corners = 1), ramp, VALUES(0, 1, 1, 2, 2, 3, 3),
        "paddle nearest rounds aligned corners");
  check(PADDLE(4, 7, .mode = UPW_REF_NEAREST), ramp, VALUES(0, 0, 1, 1, 2, 2, 3), "or cuts");
  check(PADDLE(3, 1, .mode = UPW_REF_LINEAR), ramp, VALUES(0), "one pixel is the first");
  check(PADDLE(3, 1, .mode = UPW_REF_BICUBIC), first, VALUES(1.09375f),
        "but cubic at half a pixel before it");
  check(PADDLE(3, 1, .mode = UPW_REF_BICUBIC, .align_corners = 1), first, VALUES(1),
        "unless corners are aligned");
  check(PADDLE(2, 4, .mode = UPW_REF_LINEAR), ramp, VALUES(0, 0.25f, 0.75f, 1), "align_mode 0");
  check(PADDLE(4, 8, .mode = UPW_REF_LINEAR, .align_mode = 1), ramp,
        VALUES(0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3), "align_mode 1");
  check(PADDLE(2, 4, .mode = UPW_REF_BICUBIC, .align_mode = 1), first,
        VALUES(1.10546875f, 0.7734375f, 0.2265625f, -0.10546875f), "cubic knows no align_mode");
  check(PADDLE(4, 7, .mode = UPW_REF_LINEAR, .align_corners = 1), ramp,
        VALUES(0, 0.5f, 1, 1.5f, 2, 2.5f, 3), "align_corners");
  check(PADDLE(4, 4, .mode = UPW_REF_LINEAR, .scale = {1.1}), ramp, VALUES(0, 1, 2, 3),
        "equal sizes are a copy");
  check(PADDLE(5, 3, .mode = UPW_REF_AREA), ramp, VALUES(0.5f, 2, 3.5f), "area");
}

static void tflite(void) {
  check(TFLITE(2, 4, .mode = UPW_REF_LINEAR), ramp, VALUES(0, 0.5f, 1, 1), "tflite bilinear");
  check(TFLITE(2, 4, .mode = UPW_REF_LINEAR, .half_pixel_centers = 1), ramp,
        VALUES(0, 0.25f, 0.75f, 1), "half_pixel_centers");
  tap_is_number(magnitude[0], 0, "of a pixel of 0");
  check(TFLITE(2, 4, .mode = UPW_REF_LINEAR, .half_pixel_centers = 1), ramp + 2,
        VALUES(2, 2.25f, 2.75f, 3), "half_pixel_centers");
  tap_is_number(terms[0], 2, "before the first pixel there are two terms");
  tap_is_number(magnitude[0], 3, "of weights 1.25 and -0.25");
  check(TFLITE(4, 7, .mode = UPW_REF_LINEAR, .align_corners = 1), ramp,
        VALUES(0, 0.5f, 1, 1.5f, 2, 2.5f, 3), "align_corners");
  check(TFLITE(4, 1, .mode = UPW_REF_LINEAR, .align_corners = 1), ramp, VALUES(0), "one pixel");
  check(TFLITE(4, 7, .align_corners = 1), ramp, VALUES(0, 1, 1, 2, 2, 3, 3),
        "nearest rounds halves up");
  check(TFLITE(4, 7, .mode = UPW_REF_NEAREST), ramp, VALUES(0, 0, 1, 1, 2, 2, 3), "or cuts");
  check(TFLITE(5, 2, .half_pixel_centers = 1), ramp, VALUES(1, 3), "at the pixels' centres");
}

int main(void) {
  onnx_coordinates();
  onnx_nearest();
  onnx_crop();
  onnx_filters();
  onnx_stretched_cubic();
  onnx_whole_positions();
  paddle();
  tflite();
  return tap_done();
}
