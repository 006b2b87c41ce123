// SPDX-License-Identifier: MIT
// Coordinates and weights of PyTorch 2.13's F.interpolate on one axis.
//
// Two arithmetics, chosen by `exact`:
// - framework: what ATen's generic path does for float32, operation by operation, as the official
//   x86-64 builds run it on a CPU with FMA: their compiler contracts a*b+c, which moves coordinates
//   and cubic weights by a last bit. `fused` stands where it does, a conversion where ATen's C++
//   converts, and nothing else may be contracted.
// - exact: the same rules over rational numbers. The ratio is p/q: in/out, (in-1)/(out-1), or the
//   inverse of the double scale_factor, which is a dyadic rational. Floors are integer divisions
//   in 128 bits; only a finished weight is rounded, through long double.
//
// Where ATen's generic and vectorised paths disagree (nearest with a scale_factor and out == in or
// out == 2*in) the rule is the generic path's.
#include "axis.h"

#include <string.h>

#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT OFF

__extension__ typedef __int128 wide;

struct rule {
  int mode, align_corners, antialias, exact;
  int64_t in, out;
  double scale;
};

struct ratio {
  wide p, q; // q > 0
};

static int is_linear(int mode) {
  return mode >= UPW_REF_LINEAR && mode <= UPW_REF_TRILINEAR;
}

static int64_t floor_of(double value) {
  int64_t truncated = (int64_t)value;
  return truncated - ((double)truncated > value);
}

static int64_t ceil_of(double value) {
  return -floor_of(-value);
}

// a*b+c rounded once. The product is exact in double; the sum is rounded to odd there, so that the
// second rounding is the only one that counts.
static float fused(float a, float b, float c) {
  double product = (double)a * (double)b;
  double sum = product + (double)c;
  double part = sum - product;
  double error = (product - (sum - part)) + ((double)c - part);
  int64_t bits;
  memcpy(&bits, &sum, sizeof bits);
  if (error != 0 && bits % 2 == 0) bits += (error > 0) == (sum > 0) ? 1 : -1;
  memcpy(&sum, &bits, sizeof sum);
  return (float)sum;
}

static wide floor_div(wide a, wide b) {
  return a / b - (a % b != 0 && a < 0);
}

static int64_t limit(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

// ---- ratio: input pixels per output pixel

static float framework_ratio(const struct rule *r) {
  if (r->align_corners) return r->out > 1 ? (float)(r->in - 1) / (float)(r->out - 1) : 0.0f;
  return r->scale > 0 ? (float)(1.0 / r->scale) : (float)r->in / (float)r->out;
}

static struct ratio exact_ratio(const struct rule *r) {
  if (r->align_corners)
    return r->out > 1 ? (struct ratio){r->in - 1, r->out - 1} : (struct ratio){0, 1};
  if (!(r->scale > 0)) return (struct ratio){r->in, r->out};
  // scale = m / 2^k: out >= 1 and in < 2^31 keep k below 85.
  double m = r->scale;
  wide power = 1;
  while (m != (double)(int64_t)m) {
    m *= 2;
    power *= 2;
  }
  return (struct ratio){power, (int64_t)m};
}

// ---- nearest

static int64_t framework_nearest(const struct rule *r, int64_t o) {
  float ratio = framework_ratio(r);
  if (r->mode == UPW_REF_NEAREST) return floor_of((double)(ratio * (float)o));
  float source = fused(ratio, (float)o + 0.5f, -0.5f);
  if (source < 0) source = 0;
  return floor_of((double)(float)((double)source + 0.5));
}

static int64_t exact_nearest(const struct rule *r, int64_t o) {
  struct ratio k = exact_ratio(r);
  if (r->mode == UPW_REF_NEAREST) return (int64_t)floor_div(k.p * o, k.q);
  return (int64_t)floor_div(k.p * (2 * o + 1), 2 * k.q);
}

static void fill_nearest(struct upw_ref_axis *table, const struct rule *r) {
  for (int64_t o = 0; o < r->out; o++) {
    int64_t index = r->exact ? exact_nearest(r, o) : framework_nearest(r, o);
    upw_ref_axis_put(table, o, limit(index, 0, r->in - 1), 1);
  }
}

// ---- linear and cubic: position = index + lambda, 0 <= lambda <= 1

static float framework_position(const struct rule *r, int64_t o, int64_t *index) {
  float ratio = framework_ratio(r);
  float source = r->align_corners ? ratio * (float)o : fused(ratio, (float)o + 0.5f, -0.5f);
  if (!r->align_corners && r->mode != UPW_REF_BICUBIC && source < 0) source = 0;
  *index = floor_of((double)source);
  if (*index > r->in - 1) *index = r->in - 1;
  float lambda = source - (float)*index;
  return lambda < 0 ? 0 : lambda > 1 ? 1 : lambda;
}

// lambda as a fraction.
static struct ratio exact_position(const struct rule *r, int64_t o, int64_t *index) {
  struct ratio k = exact_ratio(r);
  wide num = r->align_corners ? k.p * o : k.p * (2 * o + 1) - k.q;
  wide den = r->align_corners ? k.q : 2 * k.q;
  if (r->mode != UPW_REF_BICUBIC && num < 0) num = 0;
  wide floor = floor_div(num, den);
  if (floor > r->in - 1) floor = r->in - 1;
  *index = (int64_t)floor;
  num -= floor * den;
  return (struct ratio){num > den ? den : num, den};
}

static long double quotient(wide num, wide den) {
  return (long double)num / (long double)den;
}

static void fill_linear(struct upw_ref_axis *table, const struct rule *r) {
  for (int64_t o = 0; o < r->out; o++) {
    int64_t i = o;
    if (r->out == r->in) { // by definition a copy, also where a scale other than 1 was given
      upw_ref_axis_put(table, o, i, 1);
    } else if (r->exact) {
      struct ratio lambda = exact_position(r, o, &i);
      upw_ref_axis_put(table, o, i, (double)quotient(lambda.q - lambda.p, lambda.q));
      upw_ref_axis_put(table, o, limit(i + 1, 0, r->in - 1), (double)quotient(lambda.p, lambda.q));
    } else {
      float lambda = framework_position(r, o, &i);
      upw_ref_axis_put(table, o, i, (double)(1.0f - lambda));
      upw_ref_axis_put(table, o, limit(i + 1, 0, r->in - 1), (double)lambda);
    }
  }
}

// Keys' polynomials as ATen's compiler leaves them: fused to the end in the antialias filter, all
// but the last step in plain bicubic.
static float near_part(float x, float a) {
  return fused(a + 2, x, -(a + 3)) * x;
}
static float far_part(float x, float a) {
  return fused(fused(a, x, -5 * a), x, 8 * a);
}
static float near_f32(float x, float a) {
  return near_part(x, a) * x + 1;
}
static float far_f32(float x, float a) {
  return far_part(x, a) * x - 4 * a;
}
static float near_fused(float x, float a) {
  return fused(near_part(x, a), x, 1);
}
static float far_fused(float x, float a) {
  return fused(far_part(x, a), x, -4 * a);
}

// The same of x = n/d, factored so that a weight is 0 only where it is 0 and keeps its digits:
// near = (1 - x)(1 + x - (a + 2)x^2), far = a(x - 1)(2 - x)^2.
static long double near_exact(wide n, wide d, long double a) {
  long double x = quotient(n, d);
  return quotient(d - n, d) * (1 + x - (a + 2) * x * x);
}
static long double far_exact(wide n, wide d, long double a) {
  long double rest = quotient(2 * d - n, d);
  return a * quotient(n - d, d) * rest * rest;
}

static void fill_cubic(struct upw_ref_axis *table, const struct rule *r) {
  for (int64_t o = 0; o < r->out; o++) {
    int64_t i = 0;
    double w[4];
    if (r->exact) {
      struct ratio t = exact_position(r, o, &i);
      w[0] = (double)far_exact(t.p + t.q, t.q, -0.75L);
      w[1] = (double)near_exact(t.p, t.q, -0.75L);
      w[2] = (double)near_exact(t.q - t.p, t.q, -0.75L);
      w[3] = (double)far_exact(2 * t.q - t.p, t.q, -0.75L);
    } else {
      float t = framework_position(r, o, &i);
      float u = 1.0f - t;
      w[0] = (double)far_f32(t + 1.0f, -0.75f);
      w[1] = (double)near_f32(t, -0.75f);
      w[2] = (double)near_f32(u, -0.75f);
      w[3] = (double)far_f32(u + 1.0f, -0.75f);
    }
    for (int j = 0; j < 4; j++) upw_ref_axis_put(table, o, limit(i + j - 1, 0, r->in - 1), w[j]);
  }
}

// ---- area: the mean over [floor(o*in/out), ceil((o+1)*in/out))

static void fill_area(struct upw_ref_axis *table, const struct rule *r) {
  for (int64_t o = 0; o < r->out; o++) {
    int64_t begin = (int64_t)floor_div((wide)o * r->in, r->out);
    int64_t end = (int64_t)floor_div(((wide)o + 1) * r->in - 1, r->out) + 1;
    for (int64_t i = begin; i < end; i++)
      upw_ref_axis_put(table, o, i, 1.0 / (double)(end - begin));
  }
}

// ---- antialias: the filter stretched to the ratio, cut at the border, normalised

static int64_t half_width(const struct rule *r) {
  return r->mode == UPW_REF_BICUBIC ? 2 : 1;
}

static float filter_f32(const struct rule *r, float x) {
  x = x < 0 ? -x : x;
  if (r->mode != UPW_REF_BICUBIC) return x < 1 ? 1 - x : 0;
  return x < 1 ? near_fused(x, -0.5f) : x < 2 ? far_fused(x, -0.5f) : 0;
}

static long double filter_exact(const struct rule *r, wide n, wide d) {
  n = n < 0 ? -n : n;
  if (r->mode != UPW_REF_BICUBIC) return n < d ? quotient(d - n, d) : 0;
  return n < d ? near_exact(n, d, -0.5L) : n < 2 * d ? far_exact(n, d, -0.5L) : 0;
}

static float framework_support(const struct rule *r) {
  float ratio = framework_ratio(r);
  return ratio >= 1 ? (float)((double)half_width(r) * (double)ratio) : (float)half_width(r);
}

static void framework_window(struct upw_ref_axis *table, const struct rule *r, int64_t o) {
  float ratio = framework_ratio(r);
  float support = framework_support(r);
  float inverse = ratio >= 1 ? (float)(1.0 / (double)ratio) : 1.0f;
  float center = (float)((double)ratio * ((double)o + 0.5));
  int64_t low = (int64_t)((double)(center - support) + 0.5); // truncated, not floored
  int64_t high = (int64_t)((double)(center + support) + 0.5);
  low = low < 0 ? 0 : low;
  high = high > r->in ? r->in : high;
  int64_t n = limit(high - low, 0, ceil_of((double)support) * 2 + 1);
  float total = 0;
  for (int64_t j = 0; j < n; j++)
    total += filter_f32(r, (float)(((double)((float)(j + low) - center) + 0.5) * (double)inverse));
  for (int64_t j = 0; j < n; j++) {
    float w = filter_f32(r, (float)(((double)((float)(j + low) - center) + 0.5) * (double)inverse));
    upw_ref_axis_put(table, o, j + low, (double)(total != 0 ? w / total : w));
  }
}

static void exact_window(struct upw_ref_axis *table, const struct rule *r, int64_t o) {
  struct ratio k = exact_ratio(r);
  wide stretch = k.p > k.q ? k.p : k.q; // times q: max(ratio, 1)
  wide center = k.p * (2 * o + 1);      // times 2q
  wide support = 2 * half_width(r) * stretch;
  wide low = floor_div(center - support + k.q, 2 * k.q);
  wide high = floor_div(center + support + k.q, 2 * k.q);
  low = low < 0 ? 0 : low;
  high = high > r->in ? r->in : high;
  long double total = 0;
  for (wide i = low; i < high; i++)
    total += filter_exact(r, (2 * i + 1) * k.q - center, 2 * stretch);
  for (wide i = low; i < high; i++) {
    long double w = filter_exact(r, (2 * i + 1) * k.q - center, 2 * stretch);
    upw_ref_axis_put(table, o, (int64_t)i, (double)(total != 0 ? w / total : w));
  }
}

static void fill_antialias(struct upw_ref_axis *table, const struct rule *r) {
  for (int64_t o = 0; o < r->out; o++) {
    if (r->out == r->in) // such an axis is skipped
      upw_ref_axis_put(table, o, o, 1);
    else if (r->exact)
      exact_window(table, r, o);
    else
      framework_window(table, r, o);
  }
}

// ---- dispatch

static size_t most_taps(const struct rule *r) {
  if (r->mode == UPW_REF_NEAREST || r->mode == UPW_REF_NEAREST_EXACT) return 1;
  if (r->mode == UPW_REF_AREA) return (size_t)(r->in / r->out + 2);
  if (r->antialias) return (size_t)(ceil_of((double)framework_support(r)) * 2 + 3);
  return is_linear(r->mode) ? 2 : 4;
}

static struct rule rule_of(const struct upw_ref_interpolate *p, int axis) {
  int filtered = is_linear(p->mode) || p->mode == UPW_REF_BICUBIC;
  return (struct rule){.mode = p->mode,
                       .align_corners = filtered && p->align_corners,
                       .antialias = filtered && p->antialias,
                       .exact = p->exact,
                       .in = p->in[axis],
                       .out = p->out[axis],
                       .scale = p->mode == UPW_REF_AREA ? 0 : p->scale[axis]};
}

static int build(struct upw_ref_axis *table, const struct upw_ref_interpolate *params, int axis) {
  struct rule r = rule_of(params, axis);
  int status = upw_ref_axis_allocate(table, r.in, r.out, most_taps(&r));
  if (status != UPW_OK) return status;
  if (r.mode == UPW_REF_NEAREST || r.mode == UPW_REF_NEAREST_EXACT)
    fill_nearest(table, &r);
  else if (r.mode == UPW_REF_AREA)
    fill_area(table, &r);
  else if (r.antialias)
    fill_antialias(table, &r);
  else if (is_linear(r.mode))
    fill_linear(table, &r);
  else
    fill_cubic(table, &r);
  upw_ref_axis_finish(table);
  return UPW_OK;
}

static int build_single(struct upw_ref_axis *table) {
  int status = upw_ref_axis_allocate(table, 1, 1, 1);
  if (status != UPW_OK) return status;
  upw_ref_axis_put(table, 0, 0, 1);
  upw_ref_axis_finish(table);
  return UPW_OK;
}

int upw_ref_axes_build(struct upw_ref_axis axes[3], const struct upw_ref_interpolate *params) {
  int absent = 3 - params->rank;
  int status = UPW_OK;
  for (int i = 0; i < 3; i++) axes[i] = (struct upw_ref_axis){0};
  for (int i = 0; i < 3 && status == UPW_OK; i++)
    status = i < absent ? build_single(&axes[i]) : build(&axes[i], params, i - absent);
  if (status != UPW_OK) upw_ref_axes_free(axes);
  return status;
}

void upw_ref_axes_free(struct upw_ref_axis axes[3]) {
  for (int i = 0; i < 3; i++) upw_ref_axis_release(&axes[i]);
}
