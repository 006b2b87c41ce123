// SPDX-License-Identifier: MIT
// The frameworks' rules over rational numbers: coordinates and weights without rounding.
//
// The position of output o on the input is (a*o + b)/c. The ratio is p/q: in/out, (in-1)/(out-1),
// or the inverse of the given scale, which is a double and so a dyadic rational. Floors are integer
// divisions in 128 bits; only a finished weight is rounded, through long double.
#include "arithmetic.h"
#include "axis.h"

#pragma STDC FP_CONTRACT OFF

__extension__ typedef __int128 wide;

struct ratio {
  wide p, q; // q > 0
};

struct line {
  wide a, b, c; // c > 0
};

static wide floor_div(wide a, wide b) {
  return a / b - (a % b != 0 && a < 0);
}

static struct ratio reduced(wide p, wide q) {
  wide a = p < 0 ? -p : p, b = q;
  while (b != 0) {
    wide rest = a % b;
    a = b;
    b = rest;
  }
  return (struct ratio){p / a, q / a};
}

// A double as a rational: m / 2^k. Scales have out >= 1 and in < 2^31, so that k stays below 85.
static struct ratio dyadic(double value) {
  wide power = 1;
  while (value != (double)(int64_t)value) {
    value *= 2;
    power *= 2;
  }
  return reduced((int64_t)value, power);
}

static struct ratio plain_ratio(const struct upw_ref_rule *r) {
  if (!(r->scale > 0)) return reduced(r->in, r->out);
  struct ratio scale = dyadic(r->scale);
  return (struct ratio){scale.q, scale.p};
}

// ---- lines. `half` is 1 where the pixels' centres are mapped, `back` where the result is one.

static struct line mapped(struct ratio k, int half, int back) {
  return (struct line){2 * k.p, half * k.p - back * k.q, 2 * k.q};
}

static struct ratio aligned(const struct upw_ref_rule *r) {
  return r->out > 1 ? reduced(r->in - 1, r->out - 1) : (struct ratio){0, 1};
}

// ONNX counts the output in fractions of pixels: in/ratio of them, less one if the ends align.
static struct line onnx_line(const struct upw_ref_rule *r) {
  struct ratio k = plain_ratio(r);
  wide less = k.q * r->in - k.p; // times p: the output's width minus one
  switch (r->p->coordinates) {
  case UPW_REF_HALF_PIXEL_SYMMETRIC:
    return (struct line){2 * k.p, k.p * (1 - r->out) + k.q * (r->in - 1), 2 * k.q};
  case UPW_REF_PYTORCH_HALF_PIXEL:
    return less == 0 ? (struct line){0, -1, 2} : mapped(k, 1, 1);
  case UPW_REF_ALIGN_CORNERS:
    if (less <= 0) return (struct line){0, 0, 1};
    k = reduced(k.p, less);
    return (struct line){k.p * (r->in - 1), 0, k.q};
  case UPW_REF_ASYMMETRIC:
    return mapped(k, 0, 0);
  case UPW_REF_TF_HALF_PIXEL_FOR_NN:
    return mapped(k, 1, 0);
  case UPW_REF_TF_CROP_AND_RESIZE: {
    struct ratio s = dyadic(r->roi_start), e = dyadic(r->roi_end);
    wide unit = s.q > e.q ? s.q : e.q, start = s.p * (unit / s.q), end = e.p * (unit / e.q);
    if (less <= 0) return (struct line){0, (start + end) * (r->in - 1), 2 * unit};
    k = reduced(k.p, less);
    return (struct line){(end - start) * k.p * (r->in - 1), start * k.q * (r->in - 1), unit * k.q};
  }
  default:
    return mapped(k, 1, 1);
  }
}

static struct ratio ratio_of(const struct upw_ref_rule *r) {
  const struct upw_ref_interpolate *p = r->p;
  int nearest = r->mode == UPW_REF_NEAREST || r->mode == UPW_REF_NEAREST_EXACT;
  if (p->profile == UPW_REF_PADDLE && r->out == 1) return (struct ratio){0, 1};
  if (p->profile == UPW_REF_TFLITE && r->out == 1) return plain_ratio(r);
  if (p->profile == UPW_REF_TORCH && nearest) return plain_ratio(r);
  return p->align_corners ? aligned(r) : plain_ratio(r);
}

static struct line line_of(const struct upw_ref_rule *r) {
  const struct upw_ref_interpolate *p = r->p;
  int nearest = r->mode == UPW_REF_NEAREST || r->mode == UPW_REF_NEAREST_EXACT;
  int half = !nearest && !p->align_corners, back = !nearest;
  if (p->profile == UPW_REF_ONNX) return onnx_line(r);
  if (p->profile == UPW_REF_TFLITE) half = p->half_pixel_centers;
  // PyTorch's antialias takes the ratio of aligned corners, but not their place.
  if (p->profile == UPW_REF_TORCH) half |= r->mode == UPW_REF_NEAREST_EXACT || p->antialias;
  if (p->profile == UPW_REF_TORCH && r->mode == UPW_REF_NEAREST_EXACT) back = 1;
  if (p->profile == UPW_REF_PADDLE && r->mode == UPW_REF_LINEAR) half &= p->align_mode == 0;
  return mapped(ratio_of(r), half, half && back);
}

// ---- nearest

static void nearest(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  const struct upw_ref_interpolate *p = r->p;
  struct line l = line_of(r);
  wide num = 2 * (l.a * o + l.b), den = 2 * l.c; // halves are integers
  wide down = floor_div(num, den), up = -floor_div(-num, den);
  wide half_up = floor_div(num + l.c, den), half_down = -floor_div(l.c - num, den);
  const wide onnx[] = {[UPW_REF_ROUND_PREFER_FLOOR] = half_down,
                       [UPW_REF_ROUND_PREFER_CEIL] = half_up,
                       [UPW_REF_FLOOR] = down,
                       [UPW_REF_CEIL] = up};
  int rounded = p->profile == UPW_REF_TORCH ? r->mode == UPW_REF_NEAREST_EXACT : p->align_corners;
  wide index = p->profile == UPW_REF_ONNX ? onnx[upw_ref_onnx_rounding(r)]
               : rounded                  ? half_up
                                          : down;
  upw_ref_axis_put(table, o, upw_ref_limit((int64_t)index, 0, r->in - 1), 1);
}

// ---- filters at x = n/d >= 0, factored so that a weight is 0 only where it is 0 and keeps its
// digits: near = (1 - x)(1 + x - (a + 2)x^2), far = a(x - 1)(2 - x)^2.

static long double quotient(wide num, wide den) {
  return (long double)num / (long double)den;
}

static long double filter(const struct upw_ref_rule *r, wide n, wide d) {
  long double x = quotient(n, d), rest = quotient(2 * d - n, d), a = -0.75L;
  if (r->p->profile == UPW_REF_ONNX)
    a = (long double)r->p->cubic_coeff_a;
  else if (r->p->antialias)
    a = -0.5L;
  if (r->mode != UPW_REF_BICUBIC) return n < d ? quotient(d - n, d) : 0;
  if (n < d) return quotient(d - n, d) * (1 + x - (a + 2) * x * x);
  return n < 2 * d ? a * quotient(n - d, d) * rest * rest : 0;
}

// By division: __builtin_mul_overflow of this width is a function that libgcc does not have.
static int fits(wide a, wide b) {
  wide x = a < 0 ? -a : a, y = b < 0 ? -b : b;
  return y == 0 || 8 * x <= ((wide)1 << 126) / y;
}

// A position x/c on the input and the filter's stretch. A given scale and a given crop of 53 bits
// each may be more than 128 bits hold; what falls off at their ends is less than long double keeps.
struct place {
  wide x, c;
  struct ratio stretch, shared; // shared = stretch.q / c, reduced
};

static struct place shortened(struct place at, int64_t window) {
  at.shared = reduced(at.stretch.q, at.c);
  while (!fits(at.c * (window + 2), at.shared.p) || !fits(at.shared.q, at.stretch.p)) {
    if (at.c > at.stretch.p) {
      at.c /= 2;
      at.x /= 2;
    } else {
      at.stretch = (struct ratio){at.stretch.p / 2, at.stretch.q / 2};
    }
    at.shared = reduced(at.stretch.q, at.c);
  }
  return at;
}

// The distance (i - x/c) / stretch as a fraction, through the filter.
static long double weight(const struct upw_ref_rule *r, const struct place *at, int64_t i) {
  wide distance = (i * at->c - at->x) * at->shared.p;
  return filter(r, distance < 0 ? -distance : distance, at->shared.q * at->stretch.p);
}

static void filtered(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  const struct upw_ref_interpolate *p = r->p;
  struct line l = line_of(r);
  struct ratio stretch = p->profile == UPW_REF_ONNX ? plain_ratio(r) : ratio_of(r);
  if (!p->antialias || stretch.p < stretch.q) stretch = (struct ratio){1, 1};
  wide x = l.a * o + l.b;
  // These clamp the position; the others only what is read.
  if (p->profile != UPW_REF_ONNX && !p->antialias && r->mode == UPW_REF_LINEAR)
    x = x < 0 ? 0 : x > l.c * (r->in - 1) ? l.c * (r->in - 1) : x;
  int64_t middle = (int64_t)floor_div(x, l.c), reach = upw_ref_reach(r->mode);
  int64_t window = (int64_t)(reach * stretch.p / stretch.q) + 1;
  struct place at = shortened((struct place){x, l.c, stretch, {0, 1}}, window);
  int drop = p->exclude_outside || (p->antialias && p->profile == UPW_REF_TORCH);
  int normal = drop || p->antialias; // others sum to 1
  long double total = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t i = middle - window; i <= middle + window + 1; i++) {
      int64_t clamped = upw_ref_limit(i, 0, r->in - 1);
      long double w = weight(r, &at, i);
      if (drop && pass == 1 && total == 0) { // nothing is left: the border
        upw_ref_axis_put(table, o, middle < 0 ? 0 : r->in - 1, 1);
        return;
      }
      if (drop && i != clamped) continue;
      if (pass == 0)
        total += w;
      else
        upw_ref_axis_put(table, o, clamped, (double)(normal && total != 0 ? w / total : w));
    }
}

void upw_ref_exact(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  if (r->p->profile == UPW_REF_ONNX && r->p->coordinates == UPW_REF_TF_CROP_AND_RESIZE) {
    struct line l = line_of(r);
    wide x = l.a * o + l.b;
    table->outside[o] = x < 0 || x > l.c * (r->in - 1);
    if (table->outside[o]) return;
  }
  if (r->mode == UPW_REF_NEAREST || r->mode == UPW_REF_NEAREST_EXACT)
    nearest(table, r, o);
  else
    filtered(table, r, o);
}
