// SPDX-License-Identifier: MIT
// Running the tasks of a kernel on several threads.
//
// Tasks are handed out in contiguous pieces, a few for each worker: enough to even out workers that
// are slowed down, few enough to keep the rows that neighbouring tasks share in one cache.
#include "upweave/runtime.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum { CACHE_LINE = 64, PIECES_PER_WORKER = 2 };

struct call {
  const struct upw_kernel *kernel;
  const void *const *inputs;
  const void *packed;
  void *const *outputs;
  unsigned char *workspace;
  size_t stride; // from one worker's workspace to the next
  size_t pieces;
};

// begin of piece i when n tasks are cut into `pieces`; n % pieces * i stays below pieces^2.
static size_t piece_begin(size_t n, size_t pieces, size_t i) {
  return n / pieces * i + n % pieces * i / pieces;
}

static int run_piece(void *arg, size_t index, size_t worker) {
  const struct call *c = arg;
  size_t tasks = c->kernel->tasks;
  void *workspace = c->workspace ? c->workspace + worker * c->stride : NULL;
  return c->kernel->range(c->inputs, c->packed, c->outputs, workspace,
                          piece_begin(tasks, c->pieces, index),
                          piece_begin(tasks, c->pieces, index + 1));
}

static size_t workspace_stride(const struct upw_kernel *kernel) {
  return (kernel->workspace_bytes + (CACHE_LINE - 1)) / CACHE_LINE * CACHE_LINE;
}

static size_t workers_of(const struct upw_pool *pool) {
  return pool && pool->workers > 1 ? pool->workers : 1;
}

size_t upw_parallel_workspace_bytes(const struct upw_kernel *kernel, const struct upw_pool *pool) {
  return workspace_stride(kernel) * (workers_of(pool) - 1) + kernel->workspace_bytes;
}

int upw_parallel_for(const struct upw_kernel *kernel, const void *const *inputs, const void *packed,
                     void *const *outputs, void *workspace, const struct upw_pool *pool) {
  size_t workers = workers_of(pool), tasks = kernel->tasks;
  if (!pool || workers == 1 || tasks < 2) return kernel->run(inputs, packed, outputs, workspace);
  struct call c = {kernel,
                   inputs,
                   packed,
                   outputs,
                   workspace,
                   workspace_stride(kernel),
                   workers < tasks / PIECES_PER_WORKER ? workers * PIECES_PER_WORKER : tasks};
  return pool->run(pool->context, c.pieces, run_piece, &c);
}

// ---- OpenMP

#ifdef _OPENMP
static int openmp_run(void *context, size_t n, int (*body)(void *arg, size_t index, size_t worker),
                      void *arg) {
  // The number of threads travels as the address: a pool is a value without an owner.
  int threads = (int)(uintptr_t)context;
  int first = UPW_OK;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (size_t i = 0; i < n; i++) {
    int status = body(arg, i, (size_t)omp_get_thread_num());
    if (status != UPW_OK) {
#pragma omp critical(upw_first_status)
      if (first == UPW_OK) first = status;
    }
  }
  return first;
}
#else
static int openmp_run(void *context, size_t n, int (*body)(void *arg, size_t index, size_t worker),
                      void *arg) {
  int first = UPW_OK;
  (void)context;
  for (size_t i = 0; i < n; i++) {
    int status = body(arg, i, 0);
    if (first == UPW_OK) first = status;
  }
  return first;
}
#endif

struct upw_pool upw_openmp_pool(size_t workers) {
#ifdef _OPENMP
  if (workers == 0) workers = (size_t)omp_get_max_threads();
  if (workers > 4096) workers = 4096;
  return (struct upw_pool){(void *)(uintptr_t)workers, workers, openmp_run};
#else
  (void)workers;
  return (struct upw_pool){NULL, 1, openmp_run};
#endif
}
