// SPDX-License-Identifier: MIT
// The epilogues of a contraction, and how they carry the error of its sum on.
//
// The error of a value v is at most terms * (u * magnitude + denormal) + extra. A linear epilogue
// scales magnitude and extra and adds a few roundings to the terms; any other function multiplies
// all with its largest slope and adds the error that is stated of the function itself.
#include <math.h>

#include "contract.h"
#include "dtype.h"

#pragma STDC FP_CONTRACT OFF

// What docs/numerics.md states of the functions: an error of so many units in the last place of the
// result (of the arithmetic: f16 and bf16 are computed on as float), or, where that is more, an
// absolute one, which with gelu grows with |v| above 1.
static const struct {
  double slope, ulps, absolute, absolute_f64;
  int grows;
} functions[] = {
    [UPW_REF_SIGMOID] = {0.25, 8, 0x1p-126, 0x1p-1022, 0},
    [UPW_REF_TANH] = {1, 8, 0, 0, 0},
    [UPW_REF_GELU] = {1.13, 8, 0x1p-22, 0x1p-51, 1},
    [UPW_REF_GELU_TANH] = {1.13, 8, 0x1p-22, 0x1p-51, 1},
};

// Outputs of Winograd's kernels: how much the classes allow beyond a direct sum, and how much
// larger than a sum of products the transformed numbers can be.
static const double factors[] = {[UPW_REF_STRICT] = 1, [UPW_REF_DEFAULT] = 2, [UPW_REF_FAST] = 5};
static const double growth = 0x1p10;

struct value {
  double v, magnitude, terms, denormal, extra;
  double most; // the largest magnitude on the way
};

struct chain {
  const struct upw_ref_contract *p;
  const void *const *residual; // the next one
  const void *const *parameter;
  size_t at, channel;
};

static double next(struct chain *c) {
  return upw_ref_load(c->p->dtype, *c->parameter++, c->channel);
}

static void scale(struct value *x, double by) {
  x->magnitude *= fabs(by);
  x->denormal *= fabs(by);
  x->extra *= fabs(by);
}

// So many roundings to come. Behind a function the value can be larger than what its error is
// measured by.
static void add_roundings(struct value *x, int count, int dtype) {
  double beyond = fabs(x->v) - x->magnitude;
  x->terms += count;
  if (beyond > 0 && beyond - beyond == 0) x->extra += count * upw_ref_format(dtype)->unit * beyond;
}

// A number of the specification as the arithmetic has it.
static double constant(const struct chain *c, double value) {
  return upw_ref_rounded(c->p->dtype == UPW_REF_F64 ? UPW_REF_F64 : UPW_REF_F32, value);
}

static void add(struct value *x, double residual, int dtype) {
  add_roundings(x, 1, dtype);
  x->v += residual;
  if (residual - residual == 0) x->magnitude += fabs(residual);
}

// gamma * (v - mean) / sqrt(var + eps) + beta, as a factor and a term: those are rounded to the
// dtype's arithmetic, and so are the products they are folded into.
static void normalise(struct value *x, struct chain *c) {
  double gamma = next(c), beta = next(c), mean = next(c), var = next(c);
  double factor = gamma / sqrt(var + c->p->eps);
  add_roundings(x, 4, c->p->dtype);
  x->v = factor * (x->v - mean) + beta;
  scale(x, factor);
  x->denormal += upw_ref_format(c->p->dtype)->smallest;
  x->magnitude += fabs(factor * mean) + fabs(beta);
}

static void leak(struct value *x, double slope, int dtype) {
  add_roundings(x, 1, dtype);
  if (!(x->v > 0)) x->v *= slope;
  if (fabs(slope) > 1) scale(x, slope);
}

// Both forms of gelu have the limit -0 at -infinity, where the frameworks' formulas give NaN.
static double function_of(int kind, double v) {
  if (kind == UPW_REF_SIGMOID) return 1 / (1 + exp(-v));
  if (kind == UPW_REF_TANH) return tanh(v);
  if (v == -INFINITY) return -0.0;
  if (kind == UPW_REF_GELU) return 0.5 * v * erfc(-v * sqrt(0.5));
  // v / 2 * (1 + tanh(u)) without the cancellation
  double u = sqrt(8 / acos(-1.0)) * (v + 0.044715 * v * v * v);
  return v / (1 + exp(-u));
}

static void bend(struct value *x, int kind, int dtype) {
  int wide = dtype == UPW_REF_F64;
  double before = functions[kind].grows ? fmax(1, fabs(x->v)) : 1;
  double absolute = wide ? functions[kind].absolute_f64 : functions[kind].absolute;
  x->v = function_of(kind, x->v);
  scale(x, functions[kind].slope);
  double ulp = 2 * upw_ref_half_step(wide ? UPW_REF_F64 : UPW_REF_F32, x->v);
  x->extra += fmax(functions[kind].ulps * ulp, absolute * before);
}

static void apply(struct value *x, const struct upw_ref_post *post, struct chain *c) {
  double low = constant(c, post->a), high = constant(c, post->b);
  int dtype = c->p->dtype;
  switch (post->kind) {
  case UPW_REF_RELU:
    if (x->v < 0) x->v = 0;
    break;
  case UPW_REF_LEAKY_RELU:
    leak(x, constant(c, post->a), dtype);
    break;
  case UPW_REF_PRELU:
    leak(x, next(c), dtype);
    break;
  case UPW_REF_CLAMP:
    x->v = x->v < low ? low : x->v > high ? high : x->v;
    break;
  case UPW_REF_ADD:
    add(x, upw_ref_load(dtype, *c->residual++, c->at), dtype);
    break;
  case UPW_REF_BATCH_NORM:
    normalise(x, c);
    break;
  default:
    bend(x, post->kind, dtype);
  }
  x->most = fmax(x->most, x->magnitude);
}

// Sums that may overflow on the way: those without epilogues may also be NaN or infinite, of the
// others nothing is known, because functions make numbers of infinities. The same holds where
// infinities and overflows meet, and in tiles, where inputs are summed before weights make them
// less.
static void store(const struct upw_ref_image *m, size_t at, const struct value *x, int tiled) {
  const struct upw_ref_answer *answer = m->answer;
  const struct upw_ref_format *f = upw_ref_format(m->p->dtype);
  double largest = upw_ref_largest(m->p->dtype) * (1 - 0x1p-12);
  int flags = answer->loose[at], both = UPW_REF_SPECIAL | UPW_REF_VAST;
  int overflows = x->most >= (tiled ? largest / growth : largest) || (flags & both) == both ||
                  (tiled && (flags & UPW_REF_VAST));
  int known =
      !overflows || (m->p->post_count == 0 && (x->v - x->v == 0 || (flags & UPW_REF_SPECIAL)));
  double allowed = x->extra + (x->terms + 4) * (x->denormal - f->smallest);
  answer->want[at] = x->v;
  answer->magnitude[at] = x->magnitude;
  answer->terms[at] = known ? x->terms : -1;
  answer->extra[at] = allowed > 0 ? allowed : 0;
  answer->loose[at] = overflows || (flags & UPW_REF_SPECIAL);
}

static void finish(const struct upw_ref_image *m, const void *const *inputs, size_t at, size_t c) {
  const struct upw_ref_contract *p = m->p;
  const struct upw_ref_axes *a = &m->axes;
  const struct upw_ref_answer *answer = m->answer;
  int tiled = upw_ref_tiled(a);
  double given = m->query->factor, factor = given > 0 ? given : factors[p->numerics];
  double smallest = upw_ref_format(p->dtype)->smallest;
  // Denormal numbers lose as much however small they are, and a tile's outputs multiply that.
  struct chain chain = {p, inputs + 1, inputs + upw_ref_tensors(p) + (p->bias ? 2 : 1), at, c};
  struct value x = {.v = answer->want[at],
                    .magnitude = (tiled ? factor : 1) * answer->magnitude[at],
                    .terms = answer->terms[at],
                    .denormal = (tiled ? factor * factor : 1) * smallest,
                    .most = answer->magnitude[at]};
  for (int i = 0; i < p->post_count; i++) apply(&x, &p->post[i], &chain);
  if (x.terms < 1 && p->post_count > 0) x.terms = 1; // 0 would ask for the bits
  store(m, at, &x, tiled);
}

void upw_ref_finish(const struct upw_ref_image *m, const void *const *inputs) {
  for (size_t o = 0; o < m->axes.outputs; o++)
    for (size_t c = 0; c < m->channels; c++) {
      size_t at = upw_ref_at(m, o, c);
      if (m->chosen[o] == UPW_REF_CHOSEN)
        finish(m, inputs, at, c);
      else
        m->answer->terms[at] = -1;
    }
}
