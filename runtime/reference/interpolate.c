// SPDX-License-Identifier: MIT
// Reference of `interpolate`: the sum over the taps of every axis, in double, in plain loops.
#include "axis.h"
#include "reference.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT OFF

struct loops {
  const struct upw_ref_axis *axis; // depth, height, width
  int64_t channels;                // stored side by side: 1 in planar tensors
  int copy;
};

struct sums {
  double want, magnitude;
};

static const struct upw_ref_tap *taps_of(const struct upw_ref_axis *axis, int64_t o) {
  return axis->taps + (size_t)o * axis->most;
}

static struct sums element(const struct loops *l, const float *x, const int64_t o[3]) {
  const struct upw_ref_axis *depth = &l->axis[0], *height = &l->axis[1], *width = &l->axis[2];
  struct sums sum = {0, 0};
  for (size_t a = 0; a < depth->count[o[0]]; a++) {
    const struct upw_ref_tap d = taps_of(depth, o[0])[a];
    for (size_t b = 0; b < height->count[o[1]]; b++) {
      const struct upw_ref_tap h = taps_of(height, o[1])[b];
      const float *row = x + (d.index * height->in + h.index) * width->in * l->channels;
      for (size_t c = 0; c < width->count[o[2]]; c++) {
        const struct upw_ref_tap w = taps_of(width, o[2])[c];
        const double value = (double)row[w.index * l->channels];
        sum.want += d.weight * h.weight * w.weight * value;
        sum.magnitude += d.magnitude * h.magnitude * w.magnitude * (value < 0 ? -value : value);
      }
    }
  }
  return sum;
}

// The value itself where the element is a copy: adding it to 0 would lose the sign of -0.
static double copied(const struct loops *l, const float *x, const int64_t o[3]) {
  const struct upw_ref_axis *a = l->axis;
  int64_t d = taps_of(&a[0], o[0])->index, h = taps_of(&a[1], o[1])->index;
  return (double)x[((d * a[1].in + h) * a[2].in + taps_of(&a[2], o[2])->index) * l->channels];
}

static size_t plane(const struct loops *l, const float *x, double *want, double *magnitude,
                    double *terms) {
  const struct upw_ref_axis *a = l->axis;
  size_t at = 0;
  int64_t o[3];
  for (o[0] = 0; o[0] < a[0].out; o[0]++)
    for (o[1] = 0; o[1] < a[1].out; o[1]++)
      for (o[2] = 0; o[2] < a[2].out; o[2]++)
        for (int64_t c = 0; c < l->channels; c++, at++) {
          struct sums sum = element(l, x + c, o);
          want[at] = l->copy ? copied(l, x + c, o) : sum.want;
          magnitude[at] = sum.magnitude;
          terms[at] = l->copy ? 0 : a[0].terms[o[0]] * a[1].terms[o[1]] * a[2].terms[o[2]];
        }
  return at;
}

int upw_ref_interpolate(const void *params, const void *const *inputs, double *want,
                        double *magnitude, double *terms) {
  const struct upw_ref_interpolate *p = params;
  const float *x = inputs[0];
  struct upw_ref_axis axis[3];
  int status = upw_ref_axes_build(axis, p);
  if (status != UPW_OK) return status;
  struct loops l = {axis, p->planar ? 1 : p->channels,
                    axis[0].copy && axis[1].copy && axis[2].copy};
  int64_t planes = p->planar ? p->batch * p->channels : p->batch;
  int64_t step = axis[0].in * axis[1].in * axis[2].in * l.channels;
  size_t at = 0;
  for (int64_t n = 0; n < planes; n++)
    at += plane(&l, x + n * step, want + at, magnitude + at, terms + at);
  upw_ref_axes_free(axis);
  return UPW_OK;
}
