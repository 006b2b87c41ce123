// SPDX-License-Identifier: MIT
// The table of one axis: taps put in, clamped duplicates summed, zeros left out; weights as
// integers for fixed point.
#include <math.h>
#include <stdlib.h>

#include "axis.h"
#include "upweave/kernel.h"

void upw_ref_axis_put(struct upw_ref_axis *table, int64_t o, int64_t index, double weight) {
  struct upw_ref_tap *taps = table->taps + (size_t)o * table->most;
  size_t n = table->count[o];
  if (weight == 0) return;
  table->terms[o] += 1;
  double magnitude = weight < 0 ? -weight : weight;
  if (n > 0 && taps[n - 1].index == index) {
    taps[n - 1].weight += weight;
    taps[n - 1].magnitude += magnitude;
  } else {
    taps[n++] = (struct upw_ref_tap){index, weight, magnitude};
    table->count[o] = n;
  }
  if (taps[n - 1].weight > table->largest) table->largest = taps[n - 1].weight;
}

// PyTorch's weights for u8: as many bits as keep the largest in 15, halves away from 0.
void upw_ref_axis_quantise(struct upw_ref_axis *table) {
  enum { MOST_BITS = 22 };
  while (table->bits < MOST_BITS && floor(0.5 + ldexp(table->largest, table->bits + 1)) < 0x1p15)
    table->bits++;
  for (int64_t o = 0; o < table->out; o++)
    for (size_t t = 0; t < table->count[o]; t++) {
      double *weight = &table->taps[(size_t)o * table->most + t].weight;
      *weight = trunc(ldexp(*weight, table->bits) + (*weight < 0 ? -0.5 : 0.5));
    }
}

// Drops taps whose clamped weights cancelled; sets `copy`, of the outputs that read something.
void upw_ref_axis_finish(struct upw_ref_axis *table) {
  table->copy = 1;
  for (int64_t o = 0; o < table->out; o++) {
    struct upw_ref_tap *taps = table->taps + (size_t)o * table->most;
    size_t kept = 0;
    for (size_t t = 0; t < table->count[o]; t++)
      if (taps[t].weight != 0) taps[kept++] = taps[t];
    table->count[o] = kept;
    if (table->outside[o]) continue;
    if (kept != 1 || table->terms[o] != 1 || taps[0].weight != 1) table->copy = 0;
  }
}

void upw_ref_axis_release(struct upw_ref_axis *table) {
  free(table->count);
  free(table->terms);
  free(table->taps);
  free(table->outside);
  *table = (struct upw_ref_axis){0};
}

int upw_ref_axis_allocate(struct upw_ref_axis *table, int64_t in, int64_t out, size_t most) {
  size_t rows = (size_t)out;
  *table = (struct upw_ref_axis){.in = in, .out = out, .most = most};
  table->count = calloc(rows, sizeof *table->count);
  table->terms = calloc(rows, sizeof *table->terms);
  table->taps = calloc(rows, most * sizeof *table->taps);
  table->outside = calloc(rows, 1);
  if (table->count && table->terms && table->taps && table->outside) return UPW_OK;
  upw_ref_axis_release(table);
  return UPW_NO_MEMORY;
}
