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
  int out, taps, channels;
  const int *at;       // [taps][out] offset in a row
  const float *weight; // [taps][out], 0 where an output has fewer taps
};

// One output row of a planar tensor: `taps` is a constant where it matters. Left to itself Clang
// vectorises the loop with gathers, which cost two to three times its scalar code (Zen 4).
static inline void planar_row(float *restrict y, const float *row, const struct columns *c,
                              int taps) {
  const int *at = c->at, out = c->out;
  const float *weight = c->weight;
#pragma clang loop vectorize(disable)
  for (int o = 0; o < out; o++) {
    float sum = weight[o] * row[at[o]];
    for (int t = 1; t < taps; t++) sum += weight[t * out + o] * row[at[t * out + o]];
    y[o] = sum;
  }
}

static inline void interleaved_row(float *restrict y, const float *row, const struct columns *c,
                                   int taps) {
  const int channels = c->channels, out = c->out;
  for (int o = 0; o < out; o++, y += channels)
    for (int k = 0; k < channels; k++) {
      float sum = c->weight[o] * row[c->at[o] + k];
      for (int t = 1; t < taps; t++) sum += c->weight[t * out + o] * row[c->at[t * out + o] + k];
      y[k] = sum;
    }
}

static inline void one_row(float *restrict y, const float *row, const struct columns *c, int taps) {
  if (c->channels == 1)
    planar_row(y, row, c, taps);
  else
    interleaved_row(y, row, c, taps);
}

static void blend_columns(float *y, const float *row, const struct columns *c) {
  if (c->taps == 1)
    one_row(y, row, c, 1);
  else if (c->taps == 2)
    one_row(y, row, c, 2);
  else if (c->taps == 4)
    one_row(y, row, c, 4);
  else
    one_row(y, row, c, c->taps);
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
  size_t n = (size_t)axis[2].in * (size_t)c->channels;
  for (int64_t p = 0; p < planes; p++, x += (size_t)(axis[0].in * axis[1].in) * n)
    for (int64_t d = 0; d < axis[0].out; d++)
      for (int64_t h = 0; h < axis[1].out; h++, y += (size_t)c->out * (size_t)c->channels)
        blend_columns(y, blend_rows(row, x, axis, d, h, n), c);
}

static int run(const struct upw_ref_axis *axis, const struct upw_ref_interpolate *p, const float *x,
               float *y) {
  const struct upw_ref_axis *w = &axis[2];
  size_t out = (size_t)w->out, channels = p->planar ? 1 : (size_t)p->channels, taps = 1;
  for (size_t o = 0; o < out; o++) taps = w->count[o] > taps ? w->count[o] : taps;
  int *at = calloc(out, taps * sizeof *at);
  float *weight = calloc(out, taps * sizeof *weight);
  float *row = calloc((size_t)w->in, channels * sizeof *row);
  int status = at && weight && row ? UPW_OK : UPW_NO_MEMORY;
  if (status == UPW_OK) {
    for (size_t o = 0; o < out; o++)
      for (size_t t = 0; t < w->count[o]; t++) {
        at[t * out + o] = (int)((size_t)w->taps[o * w->most + t].index * channels);
        weight[t * out + o] = (float)w->taps[o * w->most + t].weight;
      }
    struct columns c = {(int)out, (int)taps, (int)channels, at, weight};
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
