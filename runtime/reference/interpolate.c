// SPDX-License-Identifier: MIT
// Reference of `interpolate`: the sum over the taps of every axis, in double, in plain loops.
//
// float64 needs more than double: there every product and sum keeps its rounding error, and the
// errors are summed beside (Ogita, Rump, Oishi). Fixed point has integers, width first, rounded to
// u8 before the height.
#include <math.h>
#include <stdlib.h>

#include "axis.h"
#include "dtype.h"
#include "reference.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT OFF

struct loops {
  const struct upw_ref_axis *axis; // depth, height, width
  int64_t channels;                // stored side by side: 1 in planar tensors
  int copy, fixed, precise;
  double outside; // value of outputs that read nothing
  double unit;    // what values are multiplied with, so that sums of the largest are finite
};

struct sums {
  double want, error; // of the value
  double magnitude;
};

static const struct upw_ref_tap *taps_of(const struct upw_ref_axis *axis, int64_t o) {
  return axis->taps + (size_t)o * axis->most;
}

static void add(struct sums *sum, const struct upw_ref_tap *tap, struct sums term, int precise) {
  double product = tap->weight * term.want, before = sum->want;
  sum->magnitude += tap->magnitude * term.magnitude;
  sum->want = before + product;
  if (precise) {
    double part = sum->want - before;
    sum->error += (before - (sum->want - part)) + (product - part) +
                  fma(tap->weight, term.want, -product) + tap->weight * term.error;
  }
}

static struct sums row_sum(const struct loops *l, const double *row, int64_t o) {
  const struct upw_ref_axis *width = &l->axis[2];
  struct sums sum = {0, 0, 0};
  for (size_t c = 0; c < width->count[o]; c++) {
    const struct upw_ref_tap *w = &taps_of(width, o)[c];
    const double value = row[w->index * l->channels] * l->unit;
    add(&sum, w, (struct sums){value, 0, fabs(value)}, l->precise);
  }
  return sum;
}

// A sum in fixed point, as a pass over one axis stores it: halves up, cut to u8.
static double stored(const struct upw_ref_axis *axis, double sum) {
  double value = axis->bits > 0 ? floor(ldexp(sum, -axis->bits) + 0.5) : sum;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

static struct sums element(const struct loops *l, const double *x, const int64_t o[3]) {
  const struct upw_ref_axis *depth = &l->axis[0], *height = &l->axis[1];
  struct sums sum = {0, 0, 0};
  for (size_t a = 0; a < depth->count[o[0]]; a++) {
    const struct upw_ref_tap *d = &taps_of(depth, o[0])[a];
    struct sums plane = {0, 0, 0};
    for (size_t b = 0; b < height->count[o[1]]; b++) {
      const struct upw_ref_tap *h = &taps_of(height, o[1])[b];
      int64_t row = (d->index * height->in + h->index) * l->axis[2].in;
      struct sums term = row_sum(l, x + row * l->channels, o[2]);
      if (l->fixed) term.want = stored(&l->axis[2], term.want);
      add(&plane, h, term, l->precise);
    }
    if (l->fixed) plane.want = stored(height, plane.want);
    add(&sum, d, plane, l->precise);
  }
  return sum;
}

// With the errors of the products and sums; an overflow on the way leaves none that means anything.
static struct sums precise_element(const struct loops *l, const double *x, const int64_t o[3]) {
  struct loops smaller = *l;
  struct sums sum = element(l, x, o);
  if (sum.want - sum.want != 0) {
    smaller.unit = 0x1p-10;
    sum = element(&smaller, x, o);
    sum.magnitude /= smaller.unit;
  }
  if (sum.want - sum.want == 0) sum.want += sum.error;
  sum.want /= smaller.unit;
  return sum;
}

// The value itself where the element is a copy: adding it to 0 would lose the sign of -0.
static double copied(const struct loops *l, const double *x, const int64_t o[3]) {
  const struct upw_ref_axis *a = l->axis;
  int64_t d = taps_of(&a[0], o[0])->index, h = taps_of(&a[1], o[1])->index;
  return x[((d * a[1].in + h) * a[2].in + taps_of(&a[2], o[2])->index) * l->channels];
}

static size_t plane(const struct loops *l, const double *x, double *want, double *magnitude,
                    double *terms) {
  const struct upw_ref_axis *a = l->axis;
  size_t at = 0;
  int64_t o[3];
  for (o[0] = 0; o[0] < a[0].out; o[0]++)
    for (o[1] = 0; o[1] < a[1].out; o[1]++)
      for (o[2] = 0; o[2] < a[2].out; o[2]++) {
        int outside = a[0].outside[o[0]] || a[1].outside[o[1]] || a[2].outside[o[2]];
        int equal = outside || l->copy || l->fixed;
        for (int64_t c = 0; c < l->channels; c++, at++) {
          struct sums sum = {l->outside, 0, 0};
          if (!outside) sum = (l->precise ? precise_element : element)(l, x + c, o);
          want[at] = l->copy && !outside ? copied(l, x + c, o) : sum.want;
          magnitude[at] = sum.magnitude;
          terms[at] = equal ? 0 : a[0].terms[o[0]] * a[1].terms[o[1]] * a[2].terms[o[2]];
        }
      }
  return at;
}

static int whole(const struct upw_ref_interpolate *p, const struct upw_ref_axis *axis,
                 const void *input, const struct upw_ref_answer *answer) {
  int64_t planes = p->planar ? p->batch * p->channels : p->batch;
  struct loops l = {.axis = axis,
                    .channels = p->planar ? 1 : p->channels,
                    .copy = axis[0].copy && axis[1].copy && axis[2].copy,
                    .fixed = upw_ref_is_fixed(p),
                    .precise = p->dtype == UPW_REF_F64,
                    .outside = p->extrapolation_value,
                    .unit = 1};
  size_t step = (size_t)(axis[0].in * axis[1].in * axis[2].in * l.channels), at = 0;
  size_t bytes = step * upw_ref_format(p->dtype)->bytes;
  double *x = calloc(step, sizeof *x);
  if (!x) return UPW_NO_MEMORY;
  for (int64_t n = 0; n < planes; n++) {
    const unsigned char *from = (const unsigned char *)input + (size_t)n * bytes;
    for (size_t i = 0; i < step; i++) x[i] = upw_ref_load(p->dtype, from, i);
    at += plane(&l, x, answer->want + at, answer->magnitude + at, answer->terms + at);
  }
  free(x);
  return UPW_OK;
}

int upw_ref_interpolate(const void *params, const void *const *inputs,
                        const struct upw_ref_query *query, const struct upw_ref_answer *answer) {
  const struct upw_ref_interpolate *p = params;
  (void)query; // sums of few terms: all of them, always
  struct upw_ref_axis axis[3];
  int status = upw_ref_axes_build(axis, p);
  if (status != UPW_OK) return status;
  status = whole(p, axis, inputs[0], answer);
  upw_ref_axes_free(axis);
  return status;
}
