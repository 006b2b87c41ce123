// SPDX-License-Identifier: MIT
// Test and bench program around generated kernels: the part that is the same for all of them.
//
// templates/harness.c is the frame: it includes the generated headers, fills one `upw_case` a
// kernel and calls upw_harness_main. The program prints JSON lines, one object a kernel, on
// stdout. Numbers that JSON lacks are the strings "nan", "inf" and "-inf".
//
//   verify [--only PATTERN]… [--seed N] [--rounds N]
//   bench  [--only PATTERN]… [--seconds S] [--threads N] [--cpu N]
//   run    [--only PATTERN]… --data DIR
//
// verify, right: ok, and of uniform data max_error, max_ulp (of sums of which not half cancelled,
// if there are such); of all data bound_share, the largest error as a share of the allowed one, and
// checked, the outputs compared with the reference in all rounds; seed. Of a large contraction only
// the first data's outputs are all compared.
// verify, wrong: kind (value, not written, out of bounds, crash, status, range, …), case, seed, and
// either index, got, want, ulp, bound_share, wrong of the worst element, or reason, a sentence.
// bench: see bench.c. pack_ns is one packing of the parameters. share, spread and threads_ns are a
// fraction, a fraction and nanoseconds.
//
// Exit: 0 all well, 2 wrong usage, 3 an input file is missing or wrong, 6 a kernel is wrong (or
// crashed), 7 a measurement failed.
#ifndef UPWEAVE_HARNESS_H
#define UPWEAVE_HARNESS_H

#include "reference.h"
#include "upweave/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

struct upw_case {
  const struct upw_kernel *kernel; // NULL: the tuner loads what it times
  const char *op;
  upw_ref_fn *reference;
  upw_generic_fn *generic; // NULL: no generic code to time
  const void *params;      // of both
  double flops;            // useful floating-point operations of one run
  int64_t tile[3];         // as in struct upw_ref_query
  double factor;
  const void *const *baked; // the parameters that the kernel was made with, as files have them
  size_t baked_count;
  size_t packed_bytes; // that they are in the kernel
};

int upw_harness_main(int argc, char **argv, const struct upw_case *cases, size_t count);

// The program that loads and times candidates: runtime/tuner/.
int upw_tuner_main(int argc, char **argv, const struct upw_case *cases, size_t count);

#ifdef __cplusplus
}
#endif

#endif
