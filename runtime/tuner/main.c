// SPDX-License-Identifier: MIT
// The tuner: see tuner.h.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tuner.h"

enum { NUMBER_ROOM = 24 };

struct run {
  const char *folder;
  uint64_t seed;
  size_t rounds, count, problem_count;
  struct candidate *candidates;
  struct problem problems[MOST_CANDIDATES];
};

static void begin_line(const struct candidate *c) {
  char number[NUMBER_ROOM];
  snprintf(number, sizeof number, "%zu", c->number);
  json_begin(number);
}

static void fail(const struct candidate *c, const char *kind, const char *reason) {
  begin_line(c);
  json_bool("ok", 0);
  json_text("kind", kind);
  json_text("reason", reason);
  json_end();
}

// ---- the command line

static int take_library(struct run *run, char *word, size_t case_count) {
  struct candidate *c = &run->candidates[run->count];
  char *at = word;
  if (run->count == MOST_CANDIDATES) return 0;
  c->number = run->count++;
  c->case_number = strtoul(at, &at, 10);
  for (int i = 0; i < 3; i++) c->query.tile[i] = *at ? strtoll(at + 1, &at, 10) : 0;
  c->query.factor = *at ? strtod(at + 1, &at) : 0;
  c->path = at + 1;
  return *at == ':' && c->case_number < case_count;
}

static int take_arguments(struct run *run, int argc, char **argv, size_t case_count) {
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--expected") == 0)
      run->folder = argv[++i];
    else if (strcmp(argv[i], "--seed") == 0)
      run->seed = strtoull(value, NULL, 10), i++;
    else if (strcmp(argv[i], "--rounds") == 0)
      run->rounds = strtoul(value, NULL, 10), i++;
    else if (!take_library(run, argv[i], case_count))
      return 0;
  }
  return run->folder && run->count > 0;
}

// ---- candidates

static const char *refusal(const struct upw_kernel *k) {
  if (k->abi != UPW_KERNEL_ABI || k->tensor_count > MOST_TENSORS)
    return "the kernel has another ABI";
  return NULL;
}

static int load(struct candidate *c) {
  void *library = dlopen(c->path, RTLD_NOW | RTLD_LOCAL);
  if (library) c->kernel = dlsym(library, "candidate_kernel");
  const char *why = !library     ? dlerror()
                    : !c->kernel ? "the library has no kernel"
                                 : refusal(c->kernel);
  if (why) fail(c, "load", why);
  return why == NULL;
}

static int solves(const struct problem *p, const struct candidate *c, const struct upw_case *of) {
  return p->c == of && p->query.factor == c->query.factor &&
         memcmp(p->query.tile, c->query.tile, sizeof c->query.tile) == 0;
}

static int find_problem(struct run *run, struct candidate *c, const struct upw_case *of) {
  struct problem *p = run->problems;
  struct problem *end = p + run->problem_count;
  while (p < end && !solves(p, c, of)) p++;
  if (p == end) {
    p->c = of;
    p->query = c->query;
    if (problem_prepare(p, c->kernel, run->folder, c->case_number, run->seed) != UPW_OK) {
      fail(c, "memory", "the data of the problem find no room");
      return 0;
    }
    run->problem_count++;
  }
  c->problem = p;
  return 1;
}

static int pack(struct candidate *c) {
  const struct upw_kernel *k = c->kernel;
  c->workspace = large_pages(k->workspace_bytes, 0);
  if (!k->pack) return c->workspace != NULL;
  c->packed = large_pages(k->packed_bytes, 0);
  return c->workspace && c->packed && k->pack(c->problem->parameters, c->packed) == UPW_OK;
}

// Runs it once between guard pages.
static void verify(struct candidate *c) {
  static struct guarded workspace; // static: written between sigsetjmp and siglongjmp
  char text[FAULTS_TEXT];
  struct problem *p = c->problem;
  workspace = (struct guarded){.map = NULL};
  if (sigsetjmp(faults_recovery, 1) != 0) {
    faults_describe(text, p->guarded, MOST_TENSORS, &workspace);
    fail(c, "crash", text);
  } else if (guarded_make(&workspace, "workspace", c->kernel->workspace_bytes) != UPW_OK) {
    fail(c, "memory", "the workspace finds no room");
  } else {
    faults_catch();
    guarded_place(&workspace, FLUSH_HIGH, c->kernel->workspace_align);
    problem_poison(p);
    int status =
        pack(c) ? c->kernel->run(p->inputs, c->packed, p->outputs, workspace.data) : UPW_NO_MEMORY;
    if (status != UPW_OK)
      fail(c, "status", upw_status_text(status));
    else if (!(c->right = problem_right(p, text)))
      fail(c, "wrong", text);
  }
  faults_release();
  guarded_free(&workspace);
}

static void pin(void) {
  cpu_set_t one;
  int here = sched_getcpu();
  if (here < 0) return;
  CPU_ZERO(&one);
  CPU_SET((size_t)here, &one);
  sched_setaffinity(0, sizeof one, &one);
}

static void work(struct run *run, const struct upw_case *cases) {
  for (size_t i = 0; i < run->count; i++) {
    struct candidate *c = &run->candidates[i];
    begin_line(c);
    json_bool("begun", 1);
    json_end();
    if (load(c) && find_problem(run, c, &cases[c->case_number])) verify(c);
  }
  time_candidates(run->candidates, run->count, run->rounds);
  for (size_t i = 0; i < run->count; i++) {
    struct candidate *c = &run->candidates[i];
    if (!c->right) continue;
    begin_line(c);
    json_bool("ok", 1);
    report_times(c);
    json_end();
  }
}

int upw_tuner_main(int argc, char **argv, const struct upw_case *cases, size_t count) {
  static struct run run = {.seed = 1, .rounds = 15};
  run.candidates = calloc(MOST_CANDIDATES, sizeof *run.candidates);
  if (!run.candidates || !take_arguments(&run, argc, argv, count)) {
    fprintf(stderr,
            "usage: tuner --expected DIR [--seed N] [--rounds N] CASE:ROUNDING:LIBRARY...\n");
    return EXIT_USAGE;
  }
  pin();
  work(&run, cases);
  return EXIT_WELL;
}
