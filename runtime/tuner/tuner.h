// SPDX-License-Identifier: MIT
// What the files of the tuner share.
//
// The tuner loads candidates, shared libraries that all export `candidate_kernel`, verifies each on
// random data and times those that are right, interleaved in one process:
//
//   tuner --expected DIR --seed N --rounds N CASE:ROUNDING:LIBRARY…
//
// CASE numbers the table of the frame from 0: the problem that the library solves. ROUNDING is
// tile and factor of struct upw_ref_query, 0,0,0,0 for direct kernels. The first right one is the
// anchor: the others' times are also told as multiples of its time in the same rounds. What the
// reference expects is kept in DIR for the next call, because to compute it may take longer than
// all else. The program prints JSON lines, kernel being the library's place from 0:
//
//   {"kernel":"0","begun":true}           before whatever may end or hang the program
//   {"kernel":"0","ok":false,"kind":"wrong"|"crash"|"load"|"status"|"memory","reason":…}
//   {"kernel":"0","ok":true,"min_ns":…,"median_ns":…,"spread":…,"relative":…,"low":…,"high":…,
//    "rounds":…,"calls":…,"early":…}
//
// `spread` is the middle half of the rounds over their median; `relative` is the median of the
// rounds' multiples of the anchor's time, `low` to `high` their middle half; `early` says that the
// candidate was so far behind that its rounds were cut.
#ifndef UPWEAVE_TUNER_H
#define UPWEAVE_TUNER_H

#include "faults.h"
#include "internal.h"

enum { MOST_CANDIDATES = 64, MOST_SAMPLES = 401 };

// A problem and how it is rounded: data, what they must give, and the buffers that candidates are
// timed on.
struct problem {
  const struct upw_case *c;
  struct upw_ref_query query;           // the tile and the factor of its candidates
  struct guarded guarded[MOST_TENSORS]; // between guard pages, for verification
  const void *inputs[MOST_TENSORS], *parameters[MOST_TENSORS];
  void *outputs[MOST_TENSORS];
  const void *timed_inputs[MOST_TENSORS]; // copies, aligned and in large pages
  void *timed_outputs[MOST_TENSORS];
  uint32_t y; // the output's place among the tensors
  int dtype;  // of the output, enum upw_ref_dtype
  size_t bytes, count;
  unsigned char *good; // what a candidate gave that was right; NULL before
  struct upw_ref_answer answer;
};

struct candidate {
  size_t number, case_number;
  struct upw_ref_query query; // its tile and factor
  const char *path;
  struct problem *problem;
  const struct upw_kernel *kernel;
  void *packed, *workspace;
  int right, early;
  size_t calls, count; // in a batch; samples taken
  double first_ns;     // one call, as measured before the rounds
  double samples[MOST_SAMPLES], multiples[MOST_SAMPLES];
};

// Data, answer and buffers for kernels like this one: UPW_OK or UPW_NO_MEMORY. The answer is read
// from `folder`, or computed and kept there.
int problem_prepare(struct problem *p, const struct upw_kernel *kernel, const char *folder,
                    size_t case_number, uint64_t seed);
void problem_poison(struct problem *p); // the output that is verified
// 0 with a reason of FAULTS_TEXT bytes if the output is wrong, or something beside it was touched.
int problem_right(struct problem *p, char *reason);

// Zeroed memory of large pages where the system gives them, `offset` behind the start of one. It is
// freed by the end of the program.
void *large_pages(size_t bytes, size_t offset);

// Times those that are right, the first of which is the anchor.
void time_candidates(struct candidate *candidates, size_t count, size_t rounds);
void report_times(struct candidate *c);

#endif
