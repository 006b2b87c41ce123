// SPDX-License-Identifier: MIT
// What a kernel gave against what it must give, element by element and dtype by dtype.
#include <math.h>
#include <string.h>

#include "dtype.h"
#include "internal.h"

// Sign and magnitude as one number of the row of all floats; both zeros are the same place.
static int64_t place_of(const struct upw_ref_format *f, uint64_t bits) {
  if (f->mantissa == 0) return (int64_t)bits;
  uint64_t sign = UINT64_C(1) << (f->bytes * 8 - 1);
  return bits & sign ? -(int64_t)(bits - sign) : (int64_t)bits;
}

double element_ulps(int dtype, uint64_t a, uint64_t b) {
  const struct upw_ref_format *f = upw_ref_format(dtype);
  if (f->mantissa > 0) {
    uint64_t infinity = ((UINT64_C(1) << f->exponent) - 1) << f->mantissa;
    uint64_t magnitudes = (UINT64_C(1) << (f->bytes * 8 - 1)) - 1;
    int a_nan = (a & magnitudes) > infinity, b_nan = (b & magnitudes) > infinity;
    if (a_nan || b_nan) return a_nan && b_nan ? 0 : INFINITY;
  }
  int64_t from = place_of(f, a), to = place_of(f, b);
  if ((from < 0) != (to < 0)) return fabs((double)from - (double)to); // would overflow
  return (double)(from < to ? to - from : from - to);
}

uint64_t element_nearest(int dtype, double value) {
  unsigned char element[sizeof value];
  upw_ref_store(dtype, element, 0, value);
  return upw_ref_bits(dtype, element, 0);
}

// One of two is infinite, the other a number. A sum of at least half a step beyond the largest may
// be stored as infinity; where sums overflow, one next to the largest may be either.
static int is_at_end(const struct comparison *c, double got, double want, double bound) {
  const struct upw_ref_format *f = upw_ref_format(c->dtype);
  uint64_t infinity = ((UINT64_C(1) << f->exponent) - 1) << f->mantissa;
  double largest = upw_ref_load(c->dtype, &(uint64_t){infinity - 1}, 0);
  if (got - got == 0) return c->overflows && fabs(got) > largest * (1 - 0x1p-16);
  return (got > 0) == (want > 0) &&
         fabs(want) + bound >= largest + upw_ref_half_step(c->dtype, largest);
}

// Error of one element as a share of what is allowed: at most 1 if it is right.
static double share_of(const struct comparison *c, const struct upw_ref_answer *e, size_t i,
                       const void *y) {
  const struct upw_ref_format *f = upw_ref_format(c->dtype);
  double want = e->want[i], terms = e->terms[i];
  if (terms == 0)
    return upw_ref_bits(c->dtype, y, i) == element_nearest(c->dtype, want) ? 0 : INFINITY;
  double got = upw_ref_load(c->dtype, y, i);
  double bound = (terms + 4) * (f->unit * e->magnitude[i] + f->smallest) + e->extra[i];
  if (want - want != 0)
    return got - got != 0 || (want == want && is_at_end(c, got, want, bound)) ? 0 : INFINITY;
  if (got - got != 0)
    return c->overflows || e->loose[i] || (got == got && is_at_end(c, got, want, bound)) ? 0
                                                                                         : INFINITY;
  // Two bytes are computed on as float, and rounded once more when they are stored.
  if (f->bytes == 2) bound += upw_ref_half_step(c->dtype, got);
  return fabs(got - want) / bound;
}

static void note_plain(struct comparison *c, const struct upw_ref_answer *e, size_t i,
                       const void *y) {
  double got = upw_ref_load(c->dtype, y, i), want = e->want[i], error = fabs(got - want);
  if (error - error != 0) return;
  double ulp =
      element_ulps(c->dtype, upw_ref_bits(c->dtype, y, i), element_nearest(c->dtype, want));
  c->max_error = error > c->max_error ? error : c->max_error;
  if (fabs(want) < e->magnitude[i] / 2) return; // cancelled: its ULPs say nothing about the sum
  c->ulps++;
  c->max_ulp = ulp > c->max_ulp ? ulp : c->max_ulp;
}

int compare(struct comparison *c, const struct upw_ref_answer *e, const void *y, size_t count) {
  double worst = -1;
  c->wrong = 0;
  c->answered = 0;
  c->worst_at = 0;
  for (size_t i = 0; i < count; i++) {
    if (e->terms[i] < 0) continue;
    double share = share_of(c, e, i, y);
    c->wrong += share > 1;
    if (share > worst) {
      worst = share;
      c->worst_at = i;
      c->worst_got = upw_ref_bits(c->dtype, y, i);
    }
    if (c->plain) note_plain(c, e, i, y);
    c->answered++;
  }
  c->checked += c->answered;
  c->worst_share = worst > c->worst_share ? worst : c->worst_share;
  return c->wrong == 0;
}
