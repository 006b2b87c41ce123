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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "faults.h"
#include "internal.h"

enum { PIECES = 61, DETAIL = FAULTS_TEXT };
// NaNs in floats of every size: cut to the lower half, the upper quarter, the lowest byte.
static const uint64_t poison[2] = {0x7FFADDED7FCADDEDu, 0xFFFBADBAFFCBADBAu};

struct subject {
  const struct upw_case *c;
  const struct upw_kernel *kernel;
  struct guarded tensors[MOST_TENSORS], workspace;
  int dtypes[MOST_TENSORS];            // enum upw_ref_dtype
  unsigned char *master[MOST_TENSORS]; // what the inputs hold
  const void *inputs[MOST_TENSORS];
  void *outputs[MOST_TENSORS];
  uint32_t y;          // the output's index among the tensors
  size_t count, bytes; // of the output's elements, of one
  struct upw_ref_answer expected;
  struct comparison result;
  unsigned char *whole; // a first result
  uint64_t seed;
  char where[DETAIL]; // which data, placement and call
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

static uint64_t poison_of(const struct subject *s, int which) {
  if (s->bytes == 2) return poison[which] >> 48;
  return poison[which] & (UINT64_MAX >> (64 - 8 * s->bytes));
}

static void index_of(const struct upw_tensor *t, size_t at, int64_t index[8]) {
  for (int d = t->rank - 1; d >= 0; d--) {
    index[d] = (int64_t)(at % (size_t)t->shape[d]);
    at /= (size_t)t->shape[d];
  }
}

static int mismatch(const struct subject *s) {
  const struct upw_tensor *t = &s->kernel->tensors[s->y];
  const struct comparison *r = &s->result;
  int64_t index[8];
  double want = s->expected.want[r->worst_at];
  index_of(t, r->worst_at, index);
  int poisoned = r->worst_got == poison_of(s, 0) || r->worst_got == poison_of(s, 1);
  begin_failure(s, poisoned ? "not written" : "value");
  json_index("index", index, t->rank);
  json_number("got", upw_ref_load(r->dtype, &r->worst_got, 0));
  json_number("want", want);
  json_number("ulp", element_ulps(r->dtype, r->worst_got, element_nearest(r->dtype, want)));
  json_number("bound_share", r->worst_share);
  json_count("wrong", r->wrong);
  json_count("checked", s->count);
  return end_failure(s);
}

// ---- calls

static void place(struct subject *s, enum placement where) {
  const struct upw_kernel *k = s->kernel;
  size_t inputs = 0, outputs = 0;
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    struct guarded *g = &s->tensors[i];
    guarded_place(g, where, upw_ref_format(s->dtypes[i])->bytes);
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
  for (size_t i = 0; i < s->count; i++)
    upw_ref_set_bits(s->result.dtype, s->tensors[s->y].data, i, poison_of(s, which));
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

static int check_whole(struct subject *s, int which) {
  char text[DETAIL];
  fill_poison(s, which);
  int status = call(s, 1, 0);
  if (status != UPW_OK) {
    snprintf(text, sizeof text, "run returned %d (%s)", status, upw_status_text(status));
    return failure(s, "status", text);
  }
  int code = marks(s);
  const void *y = s->tensors[s->y].data;
  if (code == EXIT_WELL && !compare(&s->result, &s->expected, y, s->count)) code = mismatch(s);
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

static int equals_whole(struct subject *s) {
  struct comparison *r = &s->result;
  const unsigned char *y = s->tensors[s->y].data;
  for (size_t i = 0; i < s->count; i++)
    if (memcmp(y + i * s->bytes, s->whole + i * s->bytes, s->bytes) != 0) {
      r->worst_at = i;
      r->worst_got = upw_ref_bits(r->dtype, y, i);
      s->expected.want[i] = upw_ref_load(r->dtype, s->whole, i);
      r->wrong = 1;
      return mismatch(s);
    }
  return marks(s);
}

static int untouched(struct subject *s, int which) {
  for (size_t i = 0; i < s->count; i++)
    if (upw_ref_bits(s->result.dtype, s->tensors[s->y].data, i) != poison_of(s, which))
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
static int split(struct subject *s, size_t pieces, struct rng *rng) {
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
  return equals_whole(s);
}

static int check_ranges(struct subject *s, struct rng *rng) {
  size_t n = s->kernel->tasks;
  snprintf(s->where, DETAIL, "ranges of tasks");
  int code = refused_ranges(s);
  if (code == EXIT_WELL) code = split(s, n < PIECES ? n : PIECES, rng);
  if (code == EXIT_WELL) code = split(s, 3, rng);
  return code;
}

// ---- one kernel

static int prepare_data(struct subject *s, const char *kind, int plain, struct rng *rng) {
  const void *inputs[MOST_TENSORS];
  size_t n = 0;
  for (uint32_t i = 0; i < s->kernel->tensor_count; i++) {
    size_t count = s->tensors[i].bytes / upw_ref_format(s->dtypes[i])->bytes;
    if (s->kernel->tensors[i].role == UPW_OUTPUT) continue;
    data_fill(s->master[i], s->dtypes[i], count, kind, rng);
    inputs[n++] = s->master[i];
  }
  s->result.plain = plain;
  s->result.overflows = data_overflows(s->result.dtype, kind);
  struct upw_ref_answer *e = &s->expected;
  return s->c->reference(s->c->params, inputs, NULL, e);
}

static int check_data(struct subject *s, const char *kind, size_t round, int plain,
                      struct rng *rng) {
  if (prepare_data(s, kind, plain, rng) != UPW_OK)
    return failure(s, "memory", "the reference has no memory");
  int code = EXIT_WELL;
  // The first data meet every placement, the others one each in turn.
  for (int p = 0; p < PLACEMENTS && code == EXIT_WELL; p++) {
    if (round > 0 && (size_t)p != round % PLACEMENTS) continue;
    snprintf(s->where, DETAIL, "%s data, buffers %s", kind, placement_names[p]);
    place(s, (enum placement)p);
    code = check_whole(s, p % 2);
    if (round == 0 && p == 0)
      memcpy(s->whole, s->tensors[s->y].data, s->count * s->bytes);
    else if (round == 0 && code == EXIT_WELL)
      code = equals_whole(s);
  }
  return round == 0 && code == EXIT_WELL ? check_ranges(s, rng) : code;
}

static int check_all(struct subject *s, size_t rounds) {
  const char *const *kinds = data_kinds(s->result.dtype);
  const struct comparison *r = &s->result;
  struct rng rng = rng_seeded(s->seed);
  size_t round = 0;
  int code = EXIT_WELL;
  for (; round < rounds && code == EXIT_WELL; round++)
    code = check_data(s, kinds[0], round, 1, &rng);
  for (size_t k = 1; kinds[k]; k++)
    for (size_t left = data_rounds(kinds[k], s->count); left > 0 && code == EXIT_WELL; left--)
      code = check_data(s, kinds[k], round++, 0, &rng);
  if (code == EXIT_WELL) {
    json_begin(s->kernel->name);
    json_bool("ok", 1);
    json_number("max_ulp", r->max_ulp);
    json_number("max_error", r->max_error);
    json_number("bound_share", r->worst_share);
    json_count("checked", r->checked);
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
    const struct upw_tensor *t = &k->tensors[i];
    outputs += t->role == UPW_OUTPUT;
    if (t->role == UPW_PARAMETER || upw_ref_dtype_of(t->dtype_code, t->dtype_bits) < 0)
      return "only inputs and outputs of the reference's dtypes are compared";
  }
  return outputs == 1 ? NULL : "only kernels with one output are compared";
}

static int allocate(struct subject *s) {
  const struct upw_kernel *k = s->kernel;
  int well = guarded_make(&s->workspace, "workspace", k->workspace_bytes) == UPW_OK;
  for (uint32_t i = 0; i < k->tensor_count && well; i++) {
    const struct upw_tensor *t = &k->tensors[i];
    well = guarded_make(&s->tensors[i], t->name, t->bytes) == UPW_OK;
    s->dtypes[i] = upw_ref_dtype_of(t->dtype_code, t->dtype_bits);
    if (t->role == UPW_OUTPUT)
      s->y = i;
    else
      well = well && (s->master[i] = malloc(t->bytes + 1)) != NULL;
  }
  struct upw_ref_answer *e = &s->expected;
  s->result.dtype = s->dtypes[s->y];
  s->bytes = upw_ref_format(s->result.dtype)->bytes;
  s->count = s->tensors[s->y].bytes / s->bytes;
  e->want = calloc(s->count + 1, sizeof *e->want);
  e->magnitude = calloc(s->count + 1, sizeof *e->magnitude);
  e->terms = calloc(s->count + 1, sizeof *e->terms);
  e->extra = calloc(s->count + 1, sizeof *e->extra);
  e->loose = calloc(s->count + 1, 1);
  s->whole = calloc(s->count + 1, s->bytes);
  return well && e->want && e->magnitude && e->terms && e->extra && e->loose && s->whole;
}

static void release(struct subject *s) {
  for (int i = 0; i < MOST_TENSORS; i++) {
    guarded_free(&s->tensors[i]);
    free(s->master[i]);
  }
  guarded_free(&s->workspace);
  free(s->expected.want);
  free(s->expected.magnitude);
  free(s->expected.terms);
  free(s->expected.extra);
  free(s->expected.loose);
  free(s->whole);
}

int verify_case(const struct upw_case *c, const struct options *options) {
  // Static: written between sigsetjmp and siglongjmp.
  static struct subject s;
  int code;
  s = (struct subject){.c = c, .kernel = c->kernel, .seed = options->seed};
  const char *why = unsupported(c->kernel);
  if (why) return failure(&s, "unsupported", why);
  if (!allocate(&s)) {
    code = failure(&s, "memory", "out of memory");
  } else if (sigsetjmp(faults_recovery, 1) == 0) {
    faults_catch();
    code = check_all(&s, options->rounds);
  } else {
    char text[DETAIL];
    faults_release(); // a fault in what follows ends the program instead of coming back here
    faults_describe(text, s.tensors, MOST_TENSORS, &s.workspace);
    code = failure(&s, "crash", text);
  }
  faults_release();
  release(&s);
  return code;
}
