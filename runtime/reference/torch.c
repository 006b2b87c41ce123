// SPDX-License-Identifier: MIT
// Coordinates and weights of PyTorch 2.13's F.interpolate on one axis.
//
// What ATen's generic path does for float32 and float64, operation by operation, as the official
// x86-64 builds run it on a CPU with FMA: their compiler contracts a*b+c, which moves coordinates
// and cubic weights by a last bit. `fused` stands where it does, a rounding where ATen's C++
// converts, and nothing else may be contracted.
//
// Where ATen's generic and vectorised paths disagree (nearest with a scale_factor and out == in or
// out == 2*in) the rule is the generic path's.
#include "arithmetic.h"
#include "axis.h"
#include "dtype.h"

#pragma STDC FP_CONTRACT OFF

static double as(const struct upw_ref_rule *r, double value) {
  return upw_ref_as(r->single, value);
}

static double fused(const struct upw_ref_rule *r, double a, double b, double c) {
  return upw_ref_fused(r->single, a, b, c);
}

static int is_aligned(const struct upw_ref_rule *r) {
  return r->p->align_corners && (r->mode == UPW_REF_LINEAR || r->mode == UPW_REF_BICUBIC);
}

// Input pixels per output pixel.
static double ratio_of(const struct upw_ref_rule *r) {
  if (is_aligned(r))
    return r->out > 1 ? as(r, as(r, (double)(r->in - 1)) / as(r, (double)(r->out - 1))) : 0;
  if (r->scale > 0) return as(r, 1.0 / r->scale);
  return as(r, as(r, (double)r->in) / as(r, (double)r->out));
}

static double half_pixel(const struct upw_ref_rule *r, int64_t o) {
  return fused(r, ratio_of(r), as(r, (double)o + 0.5), -0.5);
}

static void nearest(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  double source = as(r, ratio_of(r) * as(r, (double)o));
  if (r->mode == UPW_REF_NEAREST_EXACT) {
    source = half_pixel(r, o);
    source = as(r, (source < 0 ? 0 : source) + 0.5);
  }
  upw_ref_axis_put(table, o, upw_ref_limit((int64_t)floorf((float)source), 0, r->in - 1), 1);
}

// position = index + lambda, 0 <= lambda <= 1. The floor is floorf, also of doubles.
static double position(const struct upw_ref_rule *r, int64_t o, int64_t *index) {
  double source = is_aligned(r) ? as(r, ratio_of(r) * as(r, (double)o)) : half_pixel(r, o);
  if (!is_aligned(r) && r->mode != UPW_REF_BICUBIC && source < 0) source = 0;
  *index = (int64_t)floorf((float)source);
  if (*index > r->in - 1) *index = r->in - 1;
  double lambda = as(r, source - (double)*index);
  return lambda < 0 ? 0 : lambda > 1 ? 1 : lambda;
}

// Keys' polynomials as ATen's compiler leaves them: fused to the end in the antialias filter, all
// but the last step in plain bicubic.
static double near_part(const struct upw_ref_rule *r, double x, double a) {
  return as(r, fused(r, a + 2, x, -(a + 3)) * x);
}
static double far_part(const struct upw_ref_rule *r, double x, double a) {
  return fused(r, fused(r, a, x, -5 * a), x, 8 * a);
}
static double near_plain(const struct upw_ref_rule *r, double x) {
  return as(r, as(r, near_part(r, x, -0.75) * x) + 1);
}
static double far_plain(const struct upw_ref_rule *r, double x) {
  return as(r, as(r, far_part(r, x, -0.75) * x) + 3);
}
static double near_fused(const struct upw_ref_rule *r, double x, double a) {
  return fused(r, near_part(r, x, a), x, 1);
}
static double far_fused(const struct upw_ref_rule *r, double x, double a) {
  return fused(r, far_part(r, x, a), x, -4 * a);
}

static double filter(const struct upw_ref_rule *r, double x, double a) {
  x = fabs(x);
  if (r->mode != UPW_REF_BICUBIC) return x < 1 ? as(r, 1 - x) : 0;
  return x < 1 ? near_fused(r, x, a) : x < 2 ? far_fused(r, x, a) : 0;
}

// A half-precision weight: ATen's generic path keeps weights in x's own type. It is not the path of
// bilinear and trilinear where channels lie side by side or the picture is small.
static double kept(const struct upw_ref_rule *r, double weight) {
  const struct upw_ref_interpolate *p = r->p;
  int half = p->dtype == UPW_REF_F16 || p->dtype == UPW_REF_BF16, point = 1;
  for (int i = 0; i < p->rank; i++) point &= p->in[i] == 1;
  int side = p->channels > 3 && (!p->planar || point);
  int small = p->rank == 2 && p->out[0] + p->out[1] <= 128;
  if (!half || (r->mode == UPW_REF_LINEAR && p->rank > 1 && (side || small))) return weight;
  return upw_ref_rounded(p->dtype, weight);
}

static void put(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o, int64_t index,
                double weight) {
  upw_ref_axis_put(table, o, upw_ref_limit(index, 0, r->in - 1), kept(r, weight));
}

static void linear(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  int64_t i = 0;
  double lambda = kept(r, position(r, o, &i));
  put(table, r, o, i, as(r, 1 - lambda));
  put(table, r, o, i + 1, lambda);
}

static void cubic(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  int64_t i = 0;
  double t = position(r, o, &i), u = as(r, 1 - t);
  put(table, r, o, i - 1, far_plain(r, as(r, t + 1)));
  put(table, r, o, i, near_plain(r, t));
  put(table, r, o, i + 1, near_plain(r, u));
  put(table, r, o, i + 2, far_plain(r, as(r, u + 1)));
}

// Fixed point without antialias takes its weights from the antialias filters.
static void unstretched(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  int64_t i = 0, reach = upw_ref_reach(r->mode);
  double lambda = position(r, o, &i);
  for (int64_t k = 1 - reach; k <= reach; k++)
    put(table, r, o, i + k, filter(r, (double)k - lambda, -0.75));
}

// ---- antialias: the filter stretched to the ratio, cut at the border, normalised. ATen's literals
// are doubles: what stands inside one `as` is double also for float.

static void antialias(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  double ratio = ratio_of(r), reach = (double)upw_ref_reach(r->mode);
  double support = ratio >= 1 ? as(r, reach * ratio) : reach;
  double inverse = ratio >= 1 ? as(r, 1.0 / ratio) : 1;
  double center = as(r, ratio * ((double)o + 0.5));
  int64_t low = (int64_t)(as(r, center - support) + 0.5); // truncated, not floored
  int64_t high = (int64_t)(as(r, center + support) + 0.5);
  low = low < 0 ? 0 : low;
  high = high > r->in ? r->in : high;
  int64_t n = upw_ref_limit(high - low, 0, (int64_t)ceil(support) * 2 + 1);
  double total = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t j = 0; j < n; j++) {
      double x = as(r, (as(r, as(r, (double)(j + low)) - center) + 0.5) * inverse);
      double w = filter(r, x, -0.5);
      if (pass == 0)
        total = as(r, total + w);
      else
        upw_ref_axis_put(table, o, j + low, total != 0 ? as(r, w / total) : w);
    }
}

void upw_ref_torch(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  if (r->mode == UPW_REF_NEAREST || r->mode == UPW_REF_NEAREST_EXACT)
    nearest(table, r, o);
  else if (r->p->antialias)
    antialias(table, r, o);
  else if (upw_ref_is_fixed(r->p))
    unstretched(table, r, o);
  else if (r->mode == UPW_REF_LINEAR)
    linear(table, r, o);
  else
    cubic(table, r, o);
}
