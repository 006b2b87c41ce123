// SPDX-License-Identifier: MIT
// `verify`: a kernel against its reference on random and adversarial data, between guard pages.
//
// Every call finds its inputs read-only and flush against, or one element off, a guard page; its
// workspace exactly sized; marks around everything; and its output filled with a poison NaN. The
// whole is compared with the reference, calls over ranges of tasks with the whole bit for bit. A
// fault (segmentation, illegal instruction, …) is caught and reported like any other mistake.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "internal.h"

enum { PIECES = 61, DETAIL = FAULTS_TEXT, FLOAT_BYTES = 4 };
static const uint32_t poison[2] = {0x7FCADDEDu, 0xFFCBADBAu};

struct subject {
  const struct upw_case *c;
  const struct upw_kernel *kernel;
  struct guarded tensors[MOST_TENSORS], workspace;
  float *master[MOST_TENSORS]; // what the inputs hold
  const void *inputs[MOST_TENSORS];
  void *outputs[MOST_TENSORS];
  uint32_t y; // the output's index among the tensors
  size_t count;
  double *want, *magnitude, *terms;
  float *whole;  // a first result
  int plain;     // uniform data: errors and ULPs are reported of these
  int overflows; // the data are so large that sums of right kernels may overflow
  uint64_t seed;
  char where[DETAIL]; // which data, placement and call
  size_t checked, wrong, worst_at;
  double worst_share, worst_got, max_error, max_ulp;
};

// ---- reports

static void begin_failure(const struct subject *s, const char *kind) {
  json_begin(s->kernel->name);
  json_bool("ok", 0);
  json_text("kind", kind);
}

static int end_failure(const struct subject *s) {
  json_text("case", s->where);
  json_count("seed", s->seed);
  json_end();
  return EXIT_WRONG;
}

static int failure(const struct subject *s, const char *kind, const char *reason) {
  begin_failure(s, kind);
  json_text("reason", reason);
  return end_failure(s);
}

static void index_of(const struct upw_tensor *t, size_t at, int64_t index[8]) {
  for (int d = t->rank - 1; d >= 0; d--) {
    index[d] = (int64_t)(at % (size_t)t->shape[d]);
    at /= (size_t)t->shape[d];
  }
}

static int mismatch(const struct subject *s) {
  const struct upw_tensor *t = &s->kernel->tensors[s->y];
  int64_t index[8];
  float got = (float)s->worst_got, want = (float)s->want[s->worst_at];
  index_of(t, s->worst_at, index);
  uint32_t bits = float_bits(got);
  begin_failure(s, bits == poison[0] || bits == poison[1] ? "not written" : "value");
  json_index("index", index, t->rank);
  json_number("got", s->worst_got);
  json_number("want", s->want[s->worst_at]);
  json_number("ulp", float_ulps(got, want));
  json_number("bound_share", s->worst_share);
  json_count("wrong", s->wrong);
  json_count("checked", s->count);
  return end_failure(s);
}

// ---- comparison

// Error of one element as a share of what is allowed: at most 1 if it is right.
static double share_of(const struct subject *s, size_t i, float got) {
  double want = s->want[i], terms = s->terms[i];
  if (terms == 0) return float_bits(got) == float_bits((float)want) ? 0 : INFINITY;
  int finite = got - got == 0;
  if (want - want != 0) return finite ? INFINITY : 0;
  if (!finite) return s->overflows ? 0 : INFINITY;
  double error = fabs((double)got - want);
  double bound = (terms + 4) * (0x1p-24 * s->magnitude[i] + 0x1p-150);
  return error / bound;
}

static int compare(struct subject *s, const float *y) {
  s->wrong = 0;
  s->worst_at = 0;
  double worst = -1;
  for (size_t i = 0; i < s->count; i++) {
    double share = share_of(s, i, y[i]), want = s->want[i];
    s->wrong += share > 1;
    if (share > worst) {
      worst = share;
      s->worst_at = i;
      s->worst_got = (double)y[i];
    }
    if (s->plain && want - want == 0 && y[i] - y[i] == 0) {
      double error = fabs((double)y[i] - want), ulp = float_ulps(y[i], (float)want);
      int cancelled = fabs(want) < s->magnitude[i] / 2; // its ULPs say nothing about the sum
      s->max_error = error > s->max_error ? error : s->max_error;
      s->max_ulp = ulp > s->max_ulp && !cancelled ? ulp : s->max_ulp;
    }
  }
  s->worst_share = worst > s->worst_share ? worst : s->worst_share;
  s->checked += s->count;
  return s->wrong == 0;
}

// ---- calls

static void place(struct subject *s, enum placement where) {
  const struct upw_kernel *k = s->kernel;
  size_t inputs = 0, outputs = 0;
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    struct guarded *g = &s->tensors[i];
    guarded_place(g, where, FLOAT_BYTES);
    if (k->tensors[i].role == UPW_OUTPUT) {
      s->outputs[outputs++] = g->data;
    } else {
      if (g->bytes) memcpy(g->data, s->master[i], g->bytes);
      guarded_writable(g, 0);
      s->inputs[inputs++] = g->data;
    }
  }
  guarded_place(&s->workspace, where, k->workspace_align ? k->workspace_align : 1);
}

static void fill_poison(struct subject *s, int which) {
  unsigned char *y = s->tensors[s->y].data;
  for (size_t i = 0; i < s->count; i++) memcpy(y + i * FLOAT_BYTES, &poison[which], FLOAT_BYTES);
}

static void fill_workspace(struct subject *s) {
  if (s->workspace.bytes) memset(s->workspace.data, 0xFF, s->workspace.bytes);
}

// begin > end stands for the whole.
static int call(struct subject *s, size_t begin, size_t end) {
  const struct upw_kernel *k = s->kernel;
  fill_workspace(s);
  if (begin > end) return k->run(s->inputs, NULL, s->outputs, s->workspace.data);
  return k->range(s->inputs, NULL, s->outputs, s->workspace.data, begin, end);
}

static int marks(const struct subject *s) {
  char text[DETAIL];
  int64_t at = 0;
  for (uint32_t i = 0; i <= s->kernel->tensor_count; i++) {
    const struct guarded *g = i < s->kernel->tensor_count ? &s->tensors[i] : &s->workspace;
    if (!guarded_intact(g, &at)) {
      snprintf(text, sizeof text, "write at byte %lld of %s, which has %zu bytes", (long long)at,
               g->name, g->bytes);
      return failure(s, "out of bounds", text);
    }
  }
  return EXIT_WELL;
}

static const float *result(struct subject *s, float *copy) {
  memcpy(copy, s->tensors[s->y].data, s->count * sizeof *copy);
  return copy;
}

static int check_whole(struct subject *s, float *scratch, int which) {
  char text[DETAIL];
  fill_poison(s, which);
  int status = call(s, 1, 0);
  if (status != UPW_OK) {
    snprintf(text, sizeof text, "run returned %d (%s)", status, upw_status_text(status));
    return failure(s, "status", text);
  }
  int code = marks(s);
  if (code == EXIT_WELL && !compare(s, result(s, scratch))) code = mismatch(s);
  return code;
}

// ---- ranges of tasks

static int range_status(struct subject *s, size_t begin, size_t end, int want) {
  char text[DETAIL];
  int status = call(s, begin, end);
  if (status == want) return EXIT_WELL;
  snprintf(text, sizeof text, "range %zu..%zu of %zu tasks returned %d, not %d", begin, end,
           s->kernel->tasks, status, want);
  return failure(s, "range", text);
}

static int equals_whole(struct subject *s, float *scratch) {
  result(s, scratch);
  for (size_t i = 0; i < s->count; i++)
    if (float_bits(scratch[i]) != float_bits(s->whole[i])) {
      s->worst_at = i;
      s->worst_got = (double)scratch[i];
      s->want[i] = (double)s->whole[i];
      s->wrong = 1;
      return mismatch(s);
    }
  return marks(s);
}

static int untouched(struct subject *s, int which) {
  const unsigned char *y = s->tensors[s->y].data;
  for (size_t i = 0; i < s->count; i++)
    if (memcmp(y + i * FLOAT_BYTES, &poison[which], FLOAT_BYTES) != 0)
      return failure(s, "range", "an empty or refused range wrote to the output");
  return EXIT_WELL;
}

static int refused_ranges(struct subject *s) {
  size_t n = s->kernel->tasks;
  fill_poison(s, 0);
  int code = range_status(s, n / 2, n / 2, UPW_OK);
  if (code == EXIT_WELL) code = range_status(s, 0, n + 1, UPW_BAD_RANGE);
  if (code == EXIT_WELL && n > 0 &&
      s->kernel->range(s->inputs, NULL, s->outputs, s->workspace.data, n, n - 1) != UPW_BAD_RANGE)
    return failure(s, "range", "begin > end was not refused");
  return code == EXIT_WELL ? untouched(s, 0) : code;
}

// The tasks in `pieces` ranges cut at random places, the last range first.
static int split(struct subject *s, float *scratch, size_t pieces, struct rng *rng) {
  size_t n = s->kernel->tasks, end = n;
  fill_poison(s, 1);
  for (size_t left = pieces; left > 0 && end > 0; left--) {
    size_t longest = end / left * 2 + 1;
    size_t length = left == 1 ? end : pieces >= n ? 1 : 1 + rng_below(rng, longest);
    size_t begin = length < end ? end - length : 0;
    int code = range_status(s, begin, end, UPW_OK);
    if (code != EXIT_WELL) return code;
    end = begin;
  }
  return equals_whole(s, scratch);
}

static int check_ranges(struct subject *s, float *scratch, struct rng *rng) {
  size_t n = s->kernel->tasks;
  snprintf(s->where, DETAIL, "ranges of tasks");
  int code = refused_ranges(s);
  if (code == EXIT_WELL) code = split(s, scratch, n < PIECES ? n : PIECES, rng);
  if (code == EXIT_WELL) code = split(s, scratch, 3, rng);
  return code;
}

// ---- one kernel

static int prepare_data(struct subject *s, const char *kind, struct rng *rng) {
  const void *inputs[MOST_TENSORS];
  size_t n = 0;
  float most = 0;
  for (uint32_t i = 0; i < s->kernel->tensor_count; i++) {
    size_t count = s->tensors[i].bytes / FLOAT_BYTES;
    if (s->kernel->tensors[i].role == UPW_OUTPUT) continue;
    data_fill(s->master[i], count, kind, rng);
    for (size_t e = 0; e < count; e++) {
      float size = fabsf(s->master[i][e]);
      most = size - size == 0 && size > most ? size : most;
    }
    inputs[n++] = s->master[i];
  }
  s->plain = kind == data_kinds[0];
  s->overflows = most > FLT_MAX / 4;
  return s->c->reference(s->c->params, inputs, s->want, s->magnitude, s->terms);
}

static int check_data(struct subject *s, const char *kind, size_t round, float *scratch,
                      struct rng *rng) {
  if (prepare_data(s, kind, rng) != UPW_OK)
    return failure(s, "memory", "the reference has no memory");
  int code = EXIT_WELL;
  // The first data meet every placement, the others one each in turn.
  for (int p = 0; p < PLACEMENTS && code == EXIT_WELL; p++) {
    if (round > 0 && (size_t)p != round % PLACEMENTS) continue;
    snprintf(s->where, DETAIL, "%s data, buffers %s", kind, placement_names[p]);
    place(s, (enum placement)p);
    code = check_whole(s, scratch, p % 2);
    if (round == 0 && p == 0)
      memcpy(s->whole, scratch, s->count * sizeof *scratch);
    else if (round == 0 && code == EXIT_WELL)
      code = equals_whole(s, scratch);
  }
  return round == 0 && code == EXIT_WELL ? check_ranges(s, scratch, rng) : code;
}

static int check_all(struct subject *s, size_t rounds, float *scratch) {
  struct rng rng = rng_seeded(s->seed);
  size_t round = 0;
  int code = EXIT_WELL;
  for (; round < rounds && code == EXIT_WELL; round++)
    code = check_data(s, data_kinds[0], round, scratch, &rng);
  for (size_t k = 1; data_kinds[k] && code == EXIT_WELL; k++, round++)
    code = check_data(s, data_kinds[k], round, scratch, &rng);
  if (code == EXIT_WELL) {
    json_begin(s->kernel->name);
    json_bool("ok", 1);
    json_number("max_ulp", s->max_ulp);
    json_number("max_error", s->max_error);
    json_number("bound_share", s->worst_share);
    json_count("checked", s->checked);
    json_count("seed", s->seed);
    json_end();
  }
  return code;
}

static const char *unsupported(const struct upw_kernel *k) {
  uint32_t outputs = 0;
  if (k->abi != UPW_KERNEL_ABI || k->tensor_count > MOST_TENSORS)
    return "the kernel has another ABI";
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    outputs += k->tensors[i].role == UPW_OUTPUT;
    if (k->tensors[i].role == UPW_PARAMETER || k->tensors[i].dtype_code != 2 ||
        k->tensors[i].dtype_bits != 32)
      return "only f32 inputs and outputs are compared";
  }
  return outputs == 1 ? NULL : "only kernels with one output are compared";
}

static int allocate(struct subject *s) {
  const struct upw_kernel *k = s->kernel;
  int well = guarded_make(&s->workspace, "workspace", k->workspace_bytes) == UPW_OK;
  for (uint32_t i = 0; i < k->tensor_count && well; i++) {
    const struct upw_tensor *t = &k->tensors[i];
    well = guarded_make(&s->tensors[i], t->name, t->bytes) == UPW_OK;
    if (t->role == UPW_OUTPUT)
      s->y = i;
    else
      well = well && (s->master[i] = malloc(t->bytes + 1)) != NULL;
  }
  s->count = s->tensors[s->y].bytes / FLOAT_BYTES;
  s->want = calloc(s->count + 1, sizeof *s->want);
  s->magnitude = calloc(s->count + 1, sizeof *s->magnitude);
  s->terms = calloc(s->count + 1, sizeof *s->terms);
  s->whole = calloc(s->count + 1, sizeof *s->whole);
  return well && s->want && s->magnitude && s->terms && s->whole;
}

static void release(struct subject *s) {
  for (int i = 0; i < MOST_TENSORS; i++) {
    guarded_free(&s->tensors[i]);
    free(s->master[i]);
  }
  guarded_free(&s->workspace);
  free(s->want);
  free(s->magnitude);
  free(s->terms);
  free(s->whole);
}

int verify_case(const struct upw_case *c, const struct options *options) {
  // Static: written between sigsetjmp and siglongjmp.
  static struct subject s;
  static float *scratch;
  int code;
  s = (struct subject){.c = c, .kernel = c->kernel, .seed = options->seed};
  const char *why = unsupported(c->kernel);
  if (why) return failure(&s, "unsupported", why);
  scratch = allocate(&s) ? calloc(s.count + 1, sizeof *scratch) : NULL;
  if (!scratch) {
    code = failure(&s, "memory", "out of memory");
  } else if (sigsetjmp(faults_recovery, 1) == 0) {
    faults_catch();
    code = check_all(&s, options->rounds, scratch);
  } else {
    char text[DETAIL];
    faults_release(); // a fault in what follows ends the program instead of coming back here
    faults_describe(text, s.tensors, MOST_TENSORS, &s.workspace);
    code = failure(&s, "crash", text);
  }
  faults_release();
  free(scratch);
  release(&s);
  return code;
}
