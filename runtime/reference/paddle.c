// SPDX-License-Identifier: MIT
// Coordinates and weights of PaddlePaddle's F.interpolate on one axis: float, but for the half of
// a half pixel, which Paddle's C++ writes as a double, and for cubic weights of float64, which are
// doubles over a float ratio.
#include "arithmetic.h"
#include "axis.h"

#pragma STDC FP_CONTRACT OFF

static double single(double value) {
  return upw_ref_as(1, value);
}

// An output of one pixel takes the first one, whatever the sizes.
static double ratio_of(const struct upw_ref_rule *r) {
  if (r->out == 1) return 0;
  if (r->p->align_corners)
    return single(single((double)(r->in - 1)) / single((double)(r->out - 1)));
  if (r->scale > 0) return single(1.0 / single(r->scale));
  return single(single((double)r->in) / single((double)r->out));
}

// Not yet rounded to float.
static double half_pixel(const struct upw_ref_rule *r, int64_t o) {
  return ratio_of(r) * ((double)o + 0.5) - 0.5;
}

static double multiple(const struct upw_ref_rule *r, int64_t o) {
  return single(ratio_of(r) * single((double)o));
}

static void put(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o, int64_t index,
                double weight) {
  upw_ref_axis_put(table, o, upw_ref_limit(index, 0, r->in - 1), weight);
}

static void linear(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  int centred = r->p->align_mode == 0 && !r->p->align_corners;
  double x = centred ? half_pixel(r, o) : multiple(r, o);
  int64_t i = x > 0 ? (int64_t)x : 0; // of the double: its float may be the next integer
  double lambda = single((x > 0 ? single(x) : 0) - (double)i);
  put(table, r, o, i, single(1 - lambda));
  put(table, r, o, i + 1, lambda);
}

static void cubic(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  int s = r->single;
  double x = r->p->align_corners ? multiple(r, o) : upw_ref_as(s, half_pixel(r, o));
  int64_t i = (int64_t)floorf((float)x);
  double t = upw_ref_as(s, x - (double)i), u = upw_ref_as(s, 1 - t);
  put(table, r, o, i - 1, upw_ref_keys_far(s, upw_ref_as(s, t + 1), -0.75));
  put(table, r, o, i, upw_ref_keys_near(s, t, -0.75));
  put(table, r, o, i + 1, upw_ref_keys_near(s, u, -0.75));
  put(table, r, o, i + 2, upw_ref_keys_far(s, upw_ref_as(s, u + 1), -0.75));
}

void upw_ref_paddle(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  if (r->mode == UPW_REF_NEAREST)
    put(table, r, o, (int64_t)(multiple(r, o) + (r->p->align_corners ? 0.5 : 0)), 1);
  else if (r->mode == UPW_REF_LINEAR)
    linear(table, r, o);
  else
    cubic(table, r, o);
}
