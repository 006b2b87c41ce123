// SPDX-License-Identifier: MIT
// Coordinates and weights of TensorFlow Lite's ResizeNearestNeighbor and ResizeBilinear on one
// axis, in float.
#include "arithmetic.h"
#include "axis.h"

#pragma STDC FP_CONTRACT OFF

static double single(double value) {
  return upw_ref_as(1, value);
}

// (o + shift) * ratio
static double multiple(const struct upw_ref_rule *r, int64_t o) {
  int aligned = r->p->align_corners && r->out > 1;
  double in = single((double)(r->in - aligned)), out = single((double)(r->out - aligned));
  double shifted = single(single((double)o) + (r->p->half_pixel_centers ? 0.5 : 0));
  return single(shifted * single(in / out));
}

// A position before the first pixel weighs that pixel twice: 1 - v and v, v being negative.
static void linear(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  double v = multiple(r, o);
  if (r->p->half_pixel_centers) v = single(v - 0.5);
  int64_t low = (int64_t)floor(v), high = (int64_t)ceil(v);
  low = upw_ref_limit(low, 0, r->in - 1);
  high = upw_ref_limit(high, low, r->in - 1);
  double rest = single(v - (double)low);
  upw_ref_axis_put(table, o, low, single(1 - rest));
  upw_ref_axis_put(table, o, high, rest);
}

void upw_ref_tflite(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  if (r->mode == UPW_REF_LINEAR) {
    linear(table, r, o);
  } else {
    double v = multiple(r, o);
    int64_t i = (int64_t)(r->p->align_corners ? round(v) : floor(v));
    upw_ref_axis_put(table, o, upw_ref_limit(i, 0, r->in - 1), 1);
  }
}
