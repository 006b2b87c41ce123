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
  unsigned char *outside;   // [out] 1: nothing is read, y is the extrapolation value
  double largest;           // weight that ever stood in the table, also for a moment; at least 0
  int copy;                 // every output is one input times 1
  int bits;                 // fixed point: weights are integers, times 2^-bits
};

// Builds the tables of depth, height and width; an axis that the tensor does not have is of size 1.
// Returns UPW_OK, or UPW_NO_MEMORY and then there is nothing to free.
int upw_ref_axes_build(struct upw_ref_axis axes[3], const struct upw_ref_interpolate *params);
void upw_ref_axes_free(struct upw_ref_axis axes[3]);

// True if the sums are integers in fixed point: PyTorch on u8, nearest apart.
int upw_ref_is_fixed(const struct upw_ref_interpolate *params);

// How a table is made: allocated, taps put in with ascending inputs for each output, finished.
int upw_ref_axis_allocate(struct upw_ref_axis *table, int64_t in, int64_t out, size_t most);
void upw_ref_axis_put(struct upw_ref_axis *table, int64_t o, int64_t index, double weight);
void upw_ref_axis_finish(struct upw_ref_axis *table);
void upw_ref_axis_quantise(struct upw_ref_axis *table);
void upw_ref_axis_release(struct upw_ref_axis *table);

// ---- the frameworks' rules

struct upw_ref_rule {
  const struct upw_ref_interpolate *p;
  int mode;   // UPW_REF_LINEAR stands for all linear modes
  int single; // coordinates and weights are floats, else doubles
  int64_t in, out;
  double scale; // 0: that of the sizes
  double roi_start, roi_end;
};

// Each puts the taps of one output into the table.
typedef void upw_ref_rule_fn(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o);
upw_ref_rule_fn upw_ref_area, upw_ref_exact, upw_ref_onnx, upw_ref_paddle, upw_ref_tflite,
    upw_ref_torch;

// How far the filter of a mode reaches, in pixels of the unstretched filter.
int64_t upw_ref_reach(int mode);

// The rounding of ONNX's nearest on this axis: UPW_REF_SIMPLE resolved by the scale.
int upw_ref_onnx_rounding(const struct upw_ref_rule *r);

// Keys' cubic at x in [0, 1] and in [1, 2], every operation rounded.
double upw_ref_keys_near(int single, double x, double a);
double upw_ref_keys_far(int single, double x, double a);

#endif
