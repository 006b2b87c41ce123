// SPDX-License-Identifier: MIT
// Catching a kernel's faults: segmentation, bus, illegal instruction, arithmetic, abort.
//
//   if (sigsetjmp(faults_recovery, 1) == 0) { faults_catch(); … the kernel … }
//   else faults_describe(…);
//   faults_release();
#ifndef UPWEAVE_HARNESS_FAULTS_H
#define UPWEAVE_HARNESS_FAULTS_H

#include <setjmp.h>

#include "internal.h"

enum { FAULTS_TEXT = 200 };

extern sigjmp_buf faults_recovery;

void faults_catch(void);
void faults_release(void);
// Says in FAULTS_TEXT bytes of text what the last fault touched.
void faults_describe(char *text, const struct guarded *buffers, size_t count,
                     const struct guarded *workspace);

#endif
