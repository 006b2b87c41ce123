// SPDX-License-Identifier: MIT
// A problem that candidates solve: its data, what they must give, where they are timed.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dtype.h"
#include "tuner.h"

enum { LARGE_PAGE = 2 << 20, OFFSET = 17 * 64, PATH_ROOM = 4096 };

// Products of the reference: a few seconds. Larger problems are compared in part.
static const double most_work = 4e9;

void *large_pages(size_t bytes, size_t offset) {
  size_t region = (bytes + offset + 2 * LARGE_PAGE) / LARGE_PAGE * LARGE_PAGE;
  unsigned char *at =
      mmap(NULL, region + LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if ((void *)at == MAP_FAILED) return NULL;
  at += LARGE_PAGE - (size_t)((uintptr_t)at % LARGE_PAGE);
#ifdef MADV_HUGEPAGE
  madvise(at, region, MADV_HUGEPAGE);
#endif
  memset(at, 0, bytes + offset);
  return at + offset;
}

// Numbers that an output reads, from the operations that all of them need.
static double reach_of(const struct problem *p, const struct upw_kernel *k) {
  double elements = 1;
  for (uint32_t i = 0; i < k->tensor_count; i++)
    if (k->tensors[i].role == UPW_OUTPUT)
      elements = (double)k->tensors[i].bytes * 8 / k->tensors[i].dtype_bits;
  double reach = p->c->flops / 2 / (elements + 1);
  return reach < 1 ? 1 : reach;
}

static int make_tensors(struct problem *p, const struct upw_kernel *k, struct rng *rng) {
  size_t inputs = 0, outputs = 0, parameters = 0;
  double reach = reach_of(p, k);
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    const struct upw_tensor *t = &k->tensors[i];
    struct guarded *g = &p->guarded[i];
    int dtype = upw_ref_dtype_of(t->dtype_code, t->dtype_bits);
    void *timed = large_pages(t->bytes, (i + 1) * OFFSET);
    if (dtype < 0 || !timed || guarded_make(g, t->name, t->bytes) != UPW_OK) return UPW_NO_MEMORY;
    size_t element = upw_ref_format(dtype)->bytes;
    guarded_place(g, FLUSH_HIGH, element);
    if (t->role == UPW_OUTPUT) {
      p->y = i;
      p->dtype = dtype;
      p->bytes = t->bytes;
      p->count = t->bytes / element;
      p->outputs[outputs] = g->data;
      p->timed_outputs[outputs++] = timed;
      continue;
    }
    data_fill_tensor(g->data, k, i, data_kinds(dtype)[0], reach, rng);
    memcpy(timed, g->data, t->bytes);
    guarded_writable(g, 0);
    if (t->role == UPW_PARAMETER) {
      p->parameters[parameters++] = g->data;
    } else {
      p->inputs[inputs] = g->data;
      p->timed_inputs[inputs++] = timed;
    }
  }
  return UPW_OK;
}

// ---- what is expected

static void lay_out(struct upw_ref_answer *answer, unsigned char *at, size_t count) {
  double *numbers = (double *)(void *)at;
  answer->want = numbers;
  answer->magnitude = numbers + count;
  answer->terms = numbers + 2 * count;
  answer->extra = numbers + 3 * count;
  answer->loose = at + 4 * count * sizeof *numbers;
}

static int ask(const struct problem *p, const struct upw_kernel *k, uint64_t seed) {
  const void *all[2 * MOST_TENSORS];
  struct upw_ref_query query = p->query;
  size_t n = 0;
  for (uint32_t i = 0; i < k->tensor_count; i++)
    if (k->tensors[i].role != UPW_OUTPUT) all[n++] = p->guarded[i].data;
  query.work = most_work;
  query.seed = seed;
  return p->c->reference(p->c->params, all, &query, &p->answer);
}

static unsigned char *map_file(const char *path, int flags, size_t bytes) {
  struct stat state;
  int file = open(path, flags | O_CLOEXEC, 0600);
  if (file < 0) return NULL;
  int fits = flags & O_CREAT ? ftruncate(file, (off_t)bytes) == 0
                             : fstat(file, &state) == 0 && state.st_size == (off_t)bytes;
  void *at = fits ? mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         flags & O_CREAT ? MAP_SHARED : MAP_PRIVATE, file, 0)
                  : MAP_FAILED;
  close(file);
  return at == MAP_FAILED ? NULL : at;
}

static int find_answer(struct problem *p, const struct upw_kernel *k, const char *folder,
                       size_t case_number, uint64_t seed) {
  char path[PATH_ROOM], part[PATH_ROOM + 8];
  size_t bytes = p->count * (4 * sizeof(double) + 1) + 1;
  const int64_t *tile = p->query.tile;
  int n = snprintf(path, sizeof path, "%s/expected-%zu-%lld-%lld-%lld-%g", folder, case_number,
                   (long long)tile[0], (long long)tile[1], (long long)tile[2], p->query.factor);
  if (n < 0 || (size_t)n >= sizeof path) return UPW_NO_MEMORY;
  snprintf(part, sizeof part, "%s.part", path);
  unsigned char *at = map_file(path, O_RDONLY, bytes);
  int known = at != NULL;
  if (!known) at = map_file(part, O_RDWR | O_CREAT | O_TRUNC, bytes);
  if (!at) return UPW_NO_MEMORY;
  lay_out(&p->answer, at, p->count);
  if (known) return UPW_OK;
  int status = ask(p, k, seed);
  if (status == UPW_OK && rename(part, path) != 0) status = UPW_NO_MEMORY;
  return status;
}

int problem_prepare(struct problem *p, const struct upw_kernel *kernel, const char *folder,
                    size_t case_number, uint64_t seed) {
  struct rng rng = rng_seeded(seed);
  int status = make_tensors(p, kernel, &rng);
  return status == UPW_OK ? find_answer(p, kernel, folder, case_number, seed) : status;
}

// ---- comparison

// Of floats NaNs; bytes differ from place to place, as one of them may be what is right.
void problem_poison(struct problem *p) {
  unsigned char *y = p->guarded[p->y].data;
  for (size_t i = 0; i < p->bytes; i++)
    y[i] = p->bytes == p->count ? (unsigned char)(i * 151 + 77) : 0xFF;
}

static int intact(const struct problem *p, char *reason) {
  int64_t at = 0;
  for (int i = 0; i < MOST_TENSORS && p->guarded[i].map; i++)
    if (!guarded_intact(&p->guarded[i], &at)) {
      snprintf(reason, FAULTS_TEXT, "write at byte %lld of %s, which has %zu bytes", (long long)at,
               p->guarded[i].name, p->guarded[i].bytes);
      return 0;
    }
  return 1;
}

int problem_right(struct problem *p, char *reason) {
  const unsigned char *y = p->guarded[p->y].data;
  struct comparison result = {.dtype = p->dtype, .plain = 1};
  if (!intact(p, reason)) return 0;
  if (p->good && memcmp(p->good, y, p->bytes) == 0) return 1;
  if (!compare(&result, &p->answer, y, p->count)) {
    snprintf(reason, FAULTS_TEXT, "%zu of %zu elements are wrong, the worst at %zu", result.wrong,
             p->count, result.worst_at);
    return 0;
  }
  if (!p->good) p->good = malloc(p->bytes + 1);
  if (p->good) memcpy(p->good, y, p->bytes);
  return 1;
}
