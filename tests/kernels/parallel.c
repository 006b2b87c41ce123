// SPDX-License-Identifier: MIT
// sources: runtime/src/parallel.c
// upw_parallel_for: every task once, whatever the pool; workspaces apart; the first bad status.
#include <pthread.h>
#include <stdlib.h>

#include "tap.h"
#include "upweave/runtime.h"

enum { TASKS = 103, WORKSPACE = 24, BAD_TASK = 60 };

// A kernel whose task t writes t + x to y[t] and uses its workspace to do so.
static int range(const void *const *inputs, const void *packed, void *const *outputs,
                 void *workspace, size_t begin, size_t end) {
  const int *x = inputs[0];
  int *y = outputs[0];
  (void)packed;
  if (begin > end || end > TASKS) return UPW_BAD_RANGE;
  for (size_t t = begin; t < end; t++) {
    memset(workspace, (int)t, WORKSPACE);
    y[t] += *x + ((const unsigned char *)workspace)[WORKSPACE - 1];
    if (*x < 0 && t == BAD_TASK) return UPW_BAD_TENSOR;
  }
  return UPW_OK;
}

static int run(const void *const *inputs, const void *packed, void *const *outputs,
               void *workspace) {
  return range(inputs, packed, outputs, workspace, 0, TASKS);
}

static struct upw_kernel kernel = {.abi = UPW_KERNEL_ABI,
                                   .name = "count",
                                   .workspace_bytes = WORKSPACE,
                                   .workspace_align = 8,
                                   .tasks = TASKS,
                                   .run = run,
                                   .range = range};

// A pool of threads of its own for each call; worker w takes every workers-th index.
struct job {
  size_t n, worker, workers;
  int (*body)(void *arg, size_t index, size_t worker);
  void *arg;
  int status;
};

static void *job_main(void *arg) {
  struct job *j = arg;
  for (size_t i = j->worker; i < j->n; i += j->workers) {
    int status = j->body(j->arg, i, j->worker);
    if (j->status == UPW_OK) j->status = status;
  }
  return NULL;
}

static int threads_run(void *context, size_t n, int (*body)(void *arg, size_t index, size_t worker),
                       void *arg) {
  enum { MOST = 8 };
  size_t workers = *(const size_t *)context;
  pthread_t threads[MOST];
  struct job jobs[MOST];
  int status = UPW_OK;
  for (size_t w = 0; w < workers; w++) {
    jobs[w] = (struct job){n, w, workers, body, arg, UPW_OK};
    if (pthread_create(&threads[w], NULL, job_main, &jobs[w]) != 0) abort();
  }
  for (size_t w = 0; w < workers; w++) {
    pthread_join(threads[w], NULL);
    if (status == UPW_OK) status = jobs[w].status;
  }
  return status;
}

// A pool that runs everything backwards on its last worker.
static int backward_run(void *context, size_t n,
                        int (*body)(void *arg, size_t index, size_t worker), void *arg) {
  size_t workers = *(const size_t *)context;
  int status = UPW_OK;
  while (n-- > 0 && status == UPW_OK) status = body(arg, n, workers - 1);
  return status;
}

static int call(const struct upw_pool *pool, int x, int *y) {
  const void *inputs[1] = {&x};
  void *outputs[1] = {y};
  size_t bytes = upw_parallel_workspace_bytes(&kernel, pool);
  void *workspace = malloc(bytes);
  memset(y, 0, TASKS * sizeof *y);
  int status = upw_parallel_for(&kernel, inputs, NULL, outputs, workspace, pool);
  free(workspace);
  return status;
}

static void check(const struct upw_pool *pool, const char *name) {
  int y[TASKS], wrong = 0;
  tap_diag("%s", name);
  tap_is_int(call(pool, 1000, y), UPW_OK, "it succeeds");
  for (int t = 0; t < TASKS; t++) wrong += y[t] != 1000 + t;
  tap_is_int(wrong, 0, "every task ran once, alone in its workspace");
  tap_is_int(call(pool, -1, y), UPW_BAD_TENSOR, "a bad status comes back");
}

int main(void) {
  check(NULL, "no pool");
  tap_is_int((long long)upw_parallel_workspace_bytes(&kernel, NULL), WORKSPACE, "one workspace");
  const size_t counts[] = {1, 2, 3, 8};
  for (int i = 0; i < 4; i++) {
    size_t workers = counts[i];
    struct upw_pool threads = {&workers, workers, threads_run};
    struct upw_pool backward = {&workers, workers, backward_run};
    check(&threads, "threads");
    check(&backward, "backwards");
  }
  struct upw_pool own = upw_openmp_pool(2);
  check(&own, "the library's own pool");
  tap_ok(own.workers >= 1, "it has a worker");
  size_t many = 5000; // more workers than tasks
  struct upw_pool wide = {&many, many, backward_run};

  check(&wide, "5000 workers");
  kernel.tasks = 0;
  tap_is_int((long long)upw_parallel_workspace_bytes(&kernel, &own),
             (long long)(own.workers - 1) * 64 + WORKSPACE, "workspaces start 64 bytes apart");
  return tap_done();
}
