// SPDX-License-Identifier: MIT
// One axis of a resampling as a table: for each output coordinate the inputs it reads and their
// weights. Internal to the reference.
#ifndef UPWEAVE_REFERENCE_AXIS_H
#define UPWEAVE_REFERENCE_AXIS_H

#include <stddef.h>

#include "reference.h"

struct upw_ref_tap {
  int64_t index;    // input coordinate, ascending within one output
  double weight;    // never 0; taps clamped to the same input are one tap with the summed weight
  double magnitude; // sum of the absolute weights before that summing
};

struct upw_ref_axis {
  int64_t in, out;
  size_t most;              // taps that one output has room for
  size_t *count;            // [out] taps
  double *terms;            // [out] taps of weight other than 0 before the summing
  struct upw_ref_tap *taps; // [out][most]
  int copy;                 // every output is one input times 1
};

// Builds the tables of depth, height and width; an axis that the tensor does not have is of size 1.
// Returns UPW_OK, or UPW_NO_MEMORY and then there is nothing to free.
int upw_ref_axes_build(struct upw_ref_axis axes[3], const struct upw_ref_interpolate *params);
void upw_ref_axes_free(struct upw_ref_axis axes[3]);

// How a table is made: allocated, taps put in with ascending inputs for each output, finished.
int upw_ref_axis_allocate(struct upw_ref_axis *table, int64_t in, int64_t out, size_t most);
void upw_ref_axis_put(struct upw_ref_axis *table, int64_t o, int64_t index, double weight);
void upw_ref_axis_finish(struct upw_ref_axis *table);
void upw_ref_axis_release(struct upw_ref_axis *table);

#endif
