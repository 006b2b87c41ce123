// SPDX-License-Identifier: MIT
// sources: runtime/src/npy.c
// Mutated .npy files under the address and undefined-behaviour sanitizers.
#include "npy_mutations.h"

int main(void) {
  return npy_mutations();
}
