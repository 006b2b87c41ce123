// SPDX-License-Identifier: MIT
// sources: runtime/harness/pool.c
// flags: -O2 -g -fsanitize=thread
// The harness's thread pool: every index once, the bad status back, sleeping and waking, no race.
#include <stdatomic.h>

#include "internal.h"
#include "tap.h"

enum { ROUNDS = 3000, MOST = 32, WORKERS = 4 };

static atomic_int hits[MOST];
static atomic_int strangers;

static int body(void *arg, size_t index, size_t worker) {
  atomic_fetch_add(&hits[index], 1);
  atomic_fetch_add(&strangers, worker >= WORKERS);
  return *(const size_t *)arg == index ? UPW_BAD_TENSOR : UPW_OK;
}

int main(void) {
  const int cpus[2] = {0, 1};
  struct pool *pool = pool_make(WORKERS, cpus, 2);
  struct upw_pool callback = pool_callback(pool);
  int wrong = 0, statuses = 0;
  for (size_t round = 0; round < ROUNDS; round++) {
    size_t n = round % 17 + 1, bad = round % 23;
    for (size_t i = 0; i < MOST; i++) atomic_store(&hits[i], 0);
    int status = callback.run(callback.context, n, body, &bad);
    for (size_t i = 0; i < MOST; i++) wrong += atomic_load(&hits[i]) != (i < n);
    statuses += status != (bad < n ? UPW_BAD_TENSOR : UPW_OK);
    if (round % 100 == 0) pool_park(pool);
  }
  pool_free(pool);
  tap_is_int((long long)callback.workers, WORKERS, "workers");
  tap_is_int(wrong, 0, "every index is run once");
  tap_is_int(statuses, 0, "the status is that of the calls");
  tap_is_int(atomic_load(&strangers), 0, "workers have their numbers");
  return tap_done();
}
