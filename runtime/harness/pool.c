// SPDX-License-Identifier: MIT
// A small thread pool for `bench --threads`: workers spin between calls, so that what is timed is
// the kernel and not the waking, and sleep while parked, so that other timings are undisturbed.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "internal.h"

struct worker {
  struct pool *pool;
  pthread_t thread;
  size_t index;
  int cpu;
};

// The job is open while its next index is below n. An index is taken by exchanging the ticket for
// its successor, which fails if the job has changed since: what was read of it before is then
// dropped. So the caller waits for the calls of its job only, never for a worker that the system
// has put aside.
enum { CLOSED = 0x7FFFFFFF };

struct pool {
  size_t workers, started;
  struct worker *list; // list[0] is the caller
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  atomic_int awake, quit;
  _Atomic uint64_t ticket; // job << 32 | next index
  atomic_size_t n, done;
  int (*_Atomic body)(void *arg, size_t index, size_t worker);
  void *_Atomic arg;
  atomic_int status;
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("" : : : "memory");
#endif
}

static void work(struct pool *pool, size_t worker) {
  for (;;) {
    uint64_t ticket = atomic_load(&pool->ticket);
    size_t index = (size_t)(ticket & 0xFFFFFFFFu);
    int (*body)(void *, size_t, size_t) = atomic_load(&pool->body);
    void *arg = atomic_load(&pool->arg);
    if (index >= atomic_load(&pool->n)) return;
    if (!atomic_compare_exchange_strong(&pool->ticket, &ticket, ticket + 1)) continue;
    int none = UPW_OK, status = body(arg, index, worker);
    if (status != UPW_OK) atomic_compare_exchange_strong(&pool->status, &none, status);
    atomic_fetch_add(&pool->done, 1);
  }
}

static void sleep_while_parked(struct pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  while (!atomic_load(&pool->awake) && !atomic_load(&pool->quit))
    pthread_cond_wait(&pool->changed, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static void *worker_main(void *arg) {
  const struct worker *self = arg;
  struct pool *pool = self->pool;
  pin(self->cpu);
  while (!atomic_load(&pool->quit)) {
    work(pool, self->index);
    if (!atomic_load(&pool->awake)) sleep_while_parked(pool);
    relax();
  }
  return NULL;
}

static void wake(struct pool *pool, atomic_int *flag) {
  pthread_mutex_lock(&pool->mutex);
  atomic_store(flag, 1);
  pthread_cond_broadcast(&pool->changed);
  pthread_mutex_unlock(&pool->mutex);
}

static int pool_run(void *context, size_t n, int (*body)(void *arg, size_t index, size_t worker),
                    void *arg) {
  struct pool *pool = context;
  if (!atomic_load(&pool->awake)) wake(pool, &pool->awake);
  uint64_t job = (atomic_load(&pool->ticket) >> 32) + 1;
  atomic_store(&pool->ticket, job << 32 | CLOSED);
  atomic_store(&pool->n, n);
  atomic_store(&pool->body, body);
  atomic_store(&pool->arg, arg);
  atomic_store(&pool->done, 0);
  atomic_store(&pool->status, UPW_OK);
  atomic_store(&pool->ticket, job << 32);
  work(pool, 0);
  while (atomic_load(&pool->done) < n) relax();
  return atomic_load(&pool->status);
}

struct pool *pool_make(size_t workers, const int *cpus, size_t cpu_count) {
  struct pool *pool = calloc(1, sizeof *pool);
  struct worker *list = calloc(workers, sizeof *list);
  if (!pool || !list) {
    free(pool);
    free(list);
    return NULL;
  }
  pool->list = list;
  atomic_store(&pool->ticket, CLOSED);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->changed, NULL);
  for (size_t i = 1; i < workers; i++) {
    list[i] = (struct worker){.pool = pool, .index = i, .cpu = cpus[i % cpu_count]};
    if (pthread_create(&list[i].thread, NULL, worker_main, &list[i]) != 0) break;
    pool->started++;
  }
  pool->workers = pool->started + 1;
  return pool;
}

void pool_park(struct pool *pool) {
  atomic_store(&pool->awake, 0);
}

void pool_free(struct pool *pool) {
  wake(pool, &pool->quit);
  for (size_t i = 1; i <= pool->started; i++) pthread_join(pool->list[i].thread, NULL);
  pthread_cond_destroy(&pool->changed);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->list);
  free(pool);
}

struct upw_pool pool_callback(struct pool *pool) {
  return (struct upw_pool){pool, pool->workers, pool_run};
}
