// SPDX-License-Identifier: MIT
// A kernel between guard pages: its buffers, and calls of it. What verify checks things on.
#ifndef UPWEAVE_HARNESS_SUBJECT_H
#define UPWEAVE_HARNESS_SUBJECT_H

#include "internal.h"

enum { PACKED = MOST_TENSORS, BUFFERS }; // packed parameters lie behind the tensors

struct subject {
  const struct upw_kernel *kernel;
  struct guarded buffers[BUFFERS], workspace;
  int dtypes[MOST_TENSORS];            // enum upw_ref_dtype
  unsigned char *master[MOST_TENSORS]; // what inputs and parameters hold
  const void *inputs[MOST_TENSORS], *parameters[MOST_TENSORS];
  void *outputs[MOST_TENSORS];
  uint32_t y;                     // the output's index among the tensors
  size_t count, bytes;            // of the output's elements, of one
  struct upw_ref_answer expected; // of its elements
  unsigned char *whole;           // a first result
};

// NULL, or why a kernel cannot be a subject.
const char *subject_refusal(const struct upw_case *c);
int subject_make(struct subject *s, const struct upw_kernel *k); // 0: no memory
void subject_free(struct subject *s);

// Random data of a kind for all inputs, and parameters to go with them; `inputs` gets both, as the
// reference takes them. An output reads about `reach` numbers. Returns where baked parameters go.
const void **subject_fill(struct subject *s, const char *kind, double reach, const void **inputs,
                          struct rng *rng);
// Places all buffers anew, inputs and parameters read-only with their data, packed without any.
void subject_place(struct subject *s, enum placement where);
// Fills packed; what run sees of it is read-only. Returns the kernel's status.
int subject_pack(struct subject *s);
// begin > end stands for the whole.
int subject_call(struct subject *s, size_t begin, size_t end);
// The buffer beside which something was written, NULL if there is none; `at` is where.
const struct guarded *subject_damage(const struct subject *s, int64_t *at);

#endif
