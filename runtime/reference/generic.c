// SPDX-License-Identifier: MIT
// "Generic C" of `interpolate`: what the benchmarks call plain C code for any shape.
//
// Written as one writes it by hand when the shape is unknown until run time, and not slowed down:
// float arithmetic, tables of indices and weights per axis, the rows that an output row reads
// blended first, then the columns; the usual tap counts get their own copy of the column loop. It
// is compiled with -O3 for the same target as the kernel.
#include <stdlib.h>

#include "axis.h"
#include "reference.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT ON // whatever the flags: multiply-adds as any C program gets them

struct columns {
  size_t out, taps, channels;
  const size_t *at;    // [out][taps] offset in a row
  const float *weight; // [out][taps], 0 where an output has fewer
};

static inline void gather(float *y, const float *row, const struct columns *c, size_t taps) {
  for (size_t o = 0; o < c->out; o++)
    for (size_t k = 0; k < c->channels; k++) {
      float sum = 0;
      for (size_t t = 0; t < taps; t++)
        sum += c->weight[o * taps + t] * row[c->at[o * taps + t] + k];
      *y++ = sum;
    }
}

static void blend_columns(float *y, const float *row, const struct columns *c) {
  if (c->taps == 1)
    for (size_t o = 0; o < c->out; o++)
      for (size_t k = 0; k < c->channels; k++) *y++ = c->weight[o] * row[c->at[o] + k];
  else if (c->taps == 2)
    gather(y, row, c, 2);
  else if (c->taps == 4)
    gather(y, row, c, 4);
  else
    gather(y, row, c, c->taps);
}

static void add_row(float *row, const float *x, float weight, size_t n, int first) {
  if (first)
    for (size_t i = 0; i < n; i++) row[i] = weight * x[i];
  else
    for (size_t i = 0; i < n; i++) row[i] += weight * x[i];
}

// The blend of the input rows that output row (d, h) reads; the row itself where it is only one.
static const float *blend_rows(float *row, const float *x, const struct upw_ref_axis *axis,
                               int64_t d, int64_t h, size_t n) {
  const struct upw_ref_tap *depth = axis[0].taps + (size_t)d * axis[0].most;
  const struct upw_ref_tap *height = axis[1].taps + (size_t)h * axis[1].most;
  int first = 1;
  for (size_t a = 0; a < axis[0].count[d]; a++)
    for (size_t b = 0; b < axis[1].count[h]; b++) {
      const float *from = x + (size_t)(depth[a].index * axis[1].in + height[b].index) * n;
      float weight = (float)(depth[a].weight * height[b].weight);
      if (axis[0].count[d] * axis[1].count[h] == 1 && weight == 1.0f) return from;
      add_row(row, from, weight, n, first);
      first = 0;
    }
  return row;
}

static void all_planes(const struct upw_ref_axis *axis, const struct columns *c, int64_t planes,
                       const float *x, float *y, float *row) {
  size_t n = (size_t)axis[2].in * c->channels;
  for (int64_t p = 0; p < planes; p++, x += (size_t)(axis[0].in * axis[1].in) * n)
    for (int64_t d = 0; d < axis[0].out; d++)
      for (int64_t h = 0; h < axis[1].out; h++, y += c->out * c->channels)
        blend_columns(y, blend_rows(row, x, axis, d, h, n), c);
}

static int run(const struct upw_ref_axis *axis, const struct upw_ref_interpolate *p, const float *x,
               float *y) {
  const struct upw_ref_axis *w = &axis[2];
  size_t channels = p->planar ? 1 : (size_t)p->channels;
  size_t taps = 1;
  for (int64_t o = 0; o < w->out; o++) taps = w->count[o] > taps ? w->count[o] : taps;
  size_t *at = calloc((size_t)w->out, taps * sizeof *at);
  float *weight = calloc((size_t)w->out, taps * sizeof *weight);
  float *row = calloc((size_t)w->in, channels * sizeof *row);
  int status = at && weight && row ? UPW_OK : UPW_NO_MEMORY;
  if (status == UPW_OK) {
    for (size_t o = 0; o < (size_t)w->out; o++)
      for (size_t t = 0; t < w->count[o]; t++) {
        at[o * taps + t] = (size_t)w->taps[o * w->most + t].index * channels;
        weight[o * taps + t] = (float)w->taps[o * w->most + t].weight;
      }
    struct columns c = {(size_t)w->out, taps, channels, at, weight};
    all_planes(axis, &c, p->planar ? p->batch * p->channels : p->batch, x, y, row);
  }
  free(at);
  free(weight);
  free(row);
  return status;
}

int upw_generic_interpolate(const void *params, const void *const *inputs, void *const *outputs) {
  const struct upw_ref_interpolate *p = params;
  struct upw_ref_axis axis[3];
  int status = upw_ref_axes_build(axis, p);
  if (status != UPW_OK) return status;
  status = run(axis, p, inputs[0], outputs[0]);
  upw_ref_axes_free(axis);
  return status;
}
