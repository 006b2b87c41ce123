// SPDX-License-Identifier: MIT
// Coordinates and weights of ONNX Resize on one axis, as the reference evaluator of onnx 1.22.0
// computes them: in double, nothing fused.
//
// A position x reads the taps around floor(x); where x is an integer, the pixel before it counts as
// the floor and the fraction is 1. Without antialias such a pixel stands alone: what Keys' cubic
// with a parameter other than a dyadic fraction leaves beside it, 1e-16, is rounding, not a weight.
#include "arithmetic.h"
#include "axis.h"

#pragma STDC FP_CONTRACT OFF

static double source(const struct upw_ref_rule *r, double o) {
  const double in = (double)r->in, out = (double)r->out;
  const double scale = r->scale > 0 ? r->scale : out / in, width = scale * in; // not an integer
  const double extent = r->roi_end - r->roi_start;
  switch (r->p->coordinates) {
  case UPW_REF_HALF_PIXEL_SYMMETRIC:
    return in / 2 * (1 - out / width) + (o + 0.5) / scale - 0.5;
  case UPW_REF_PYTORCH_HALF_PIXEL:
    return width == 1 ? -0.5 : (o + 0.5) / scale - 0.5;
  case UPW_REF_ALIGN_CORNERS:
    return width == 1 ? 0 : o * (in - 1) / (width - 1);
  case UPW_REF_ASYMMETRIC:
    return o / scale;
  case UPW_REF_TF_HALF_PIXEL_FOR_NN:
    return (o + 0.5) / scale;
  case UPW_REF_TF_CROP_AND_RESIZE:
    return (width == 1 ? extent * (in - 1) / 2 : o * extent * (in - 1) / (width - 1)) +
           r->roi_start * (in - 1);
  default:
    return (o + 0.5) / scale - 0.5;
  }
}

int upw_ref_onnx_rounding(const struct upw_ref_rule *r) {
  const double scale = r->scale > 0 ? r->scale : (double)r->out / (double)r->in;
  if (r->p->nearest_mode != UPW_REF_SIMPLE) return r->p->nearest_mode;
  return scale < 1 ? UPW_REF_CEIL : UPW_REF_FLOOR;
}

static int64_t nearest(int rule, double x) {
  double floored = floor(x), rest = x - floored;
  int up = rule == UPW_REF_CEIL                 ? rest > 0
           : rule == UPW_REF_ROUND_PREFER_FLOOR ? rest > 0.5
                                                : rule == UPW_REF_ROUND_PREFER_CEIL && rest >= 0.5;
  return (int64_t)floored + up;
}

static double stretched(int cubic, double x, double a) {
  double x2 = x * x, x3 = x * x2;
  if (!cubic) return x < 1 ? 1 - x : 0;
  if (x <= 1) return (a + 2) * x3 - (a + 3) * x2 + 1;
  return x < 2 ? a * x3 - 5 * a * x2 + 8 * a * x - 4 * a : 0;
}

// The weight of tap k of `floor + k`, the fraction being t.
static double weight(const struct upw_ref_rule *r, double k, double t, double squeeze) {
  const double a = r->p->cubic_coeff_a;
  const int cubic = r->mode == UPW_REF_BICUBIC;
  if (r->p->antialias) return stretched(cubic, fabs(squeeze * (k - t)), a);
  if (!cubic) return k > 0 ? t : 1 - t;
  if (k < 0 || k > 1) return upw_ref_keys_far(0, k < 0 ? t + 1 : 1 - t + 1, a);
  return upw_ref_keys_near(0, k > 0 ? 1 - t : t, a);
}

static void filtered(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o,
                     double x) {
  const double scale = r->scale > 0 ? r->scale : (double)r->out / (double)r->in;
  const double squeeze = r->p->antialias && scale < 1 ? scale : 1;
  const double reach = (double)upw_ref_reach(r->mode);
  const int64_t first = (int64_t)floor(-reach / squeeze) + 1;
  int64_t base = (int64_t)floor(x);
  double t = x - (double)base, all = 0, inside = 0;
  if (t == 0 && !r->p->antialias) {
    upw_ref_axis_put(table, o, upw_ref_limit(base, 0, r->in - 1), 1);
    return;
  }
  if (t == 0) {
    base--;
    t = 1;
  }
  for (int64_t k = first; k <= 1 - first; k++) all += weight(r, (double)k, t, squeeze);
  if (!r->p->antialias) all = 1;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t k = first; k <= 1 - first; k++) {
      int64_t i = base + k, clamped = upw_ref_limit(i, 0, r->in - 1);
      double w = weight(r, (double)k, t, squeeze) / all;
      if (r->p->exclude_outside && i != clamped) w = 0;
      if (pass == 0)
        inside += w;
      else if (r->p->exclude_outside && inside == 0) { // nothing is left: the border
        upw_ref_axis_put(table, o, i < 0 ? 0 : r->in - 1, 1);
        return;
      } else
        upw_ref_axis_put(table, o, clamped, r->p->exclude_outside && inside != 0 ? w / inside : w);
    }
}

void upw_ref_onnx(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  double x = source(r, (double)o);
  if (r->p->coordinates == UPW_REF_TF_CROP_AND_RESIZE && (x < 0 || x > (double)(r->in - 1)))
    table->outside[o] = 1;
  else if (r->mode == UPW_REF_NEAREST)
    upw_ref_axis_put(table, o, upw_ref_limit(nearest(upw_ref_onnx_rounding(r), x), 0, r->in - 1),
                     1);
  else
    filtered(table, r, o, x);
}
