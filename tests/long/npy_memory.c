// SPDX-License-Identifier: MIT
// sources: runtime/src/npy.c
// flags: -O2 -D_GNU_SOURCE
// Mutated .npy files with 512 MB of address space: a header's promises are never allocated.
#include <sys/resource.h>

#include "npy_mutations.h"

int main(void) {
  const struct rlimit limit = {512u << 20, 512u << 20};
  tap_is_int(setrlimit(RLIMIT_AS, &limit), 0, "the limit holds");
  return npy_mutations();
}
