// SPDX-License-Identifier: MIT
// What the files of the reference of conv and conv_transpose share. Internal to the reference.
//
// It goes image by image. First the sums and what bounds their error are put into the answer, of
// the chosen positions; then what a kernel's tiles spread is spread; then the epilogues turn both
// into what a store holds and how far off it may be.
#ifndef UPWEAVE_REFERENCE_CONTRACT_H
#define UPWEAVE_REFERENCE_CONTRACT_H

#include <stddef.h>

#include "reference.h"

// The operator with three axes: those that the tensor lacks come first, of size and kernel 1.
struct upw_ref_axes {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
  int64_t reach[3];             // outputs so far apart, or farther, never share a tile; 1: direct
  size_t inputs, outputs, taps; // positions of x and y, of the kernel
};

// Whether outputs are rounded together.
static inline int upw_ref_tiled(const struct upw_ref_axes *a) {
  return a->reach[0] > 1 || a->reach[1] > 1 || a->reach[2] > 1;
}

enum { UPW_REF_UNCHOSEN = 0, UPW_REF_NEIGHBOUR = 1, UPW_REF_CHOSEN = 2 };
// Of an input, of what an output reads: NaN or infinity; so large that sums may overflow.
enum { UPW_REF_SPECIAL = 1, UPW_REF_VAST = 2 };

struct upw_ref_image {
  const struct upw_ref_contract *p;
  const struct upw_ref_query *query;
  const struct upw_ref_answer *answer;
  struct upw_ref_axes axes;
  int64_t number; // of the image in the batch
  size_t from_channels, channels;
  double *x;                 // [inputs][from_channels]
  double *weight;            // [groups][taps][ci][co]
  double *sum, *size, *rest; // [co] one position's: sum, sum of the absolutes, rounding error
  unsigned char *flags;      // [inputs][groups]
  unsigned char *spoiled;    // [channels] a weight is NaN or infinite
  unsigned char *chosen;     // [outputs]
  double *line;              // scratch, as long as the longest axis of y
};

// Where channel c of output position o of this image is in y.
static inline size_t upw_ref_at(const struct upw_ref_image *m, size_t o, size_t c) {
  size_t n = (size_t)m->number;
  return m->p->planar ? (n * m->channels + c) * m->axes.outputs + o
                      : (n * m->axes.outputs + o) * m->channels + c;
}

// Marks the positions to be calculated.
void upw_ref_choose(struct upw_ref_image *m);

// From sums to what is stored. `inputs` are the operator's.
void upw_ref_finish(const struct upw_ref_image *m, const void *const *inputs);

// The largest number of the arithmetic on a dtype.
double upw_ref_largest(int dtype);

// The operator's parameters begin behind x and the residuals: their number.
int upw_ref_tensors(const struct upw_ref_contract *p);

#endif
