// SPDX-License-Identifier: MIT
// `verify`: a kernel against its reference on random and adversarial data, between guard pages.
//
// Every call finds its inputs read-only and flush against, or one element off, a guard page; its
// workspace and its packed parameters exactly sized; marks around everything; and its output filled
// with a poison NaN. Parameters are packed under the same watch, anew for all data. The
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
#include "subject.h"

enum { PIECES = 61, DETAIL = FAULTS_TEXT };
static const double most_work = 2e8; // products: about a tenth of a second
// NaNs in floats of every size: cut to the lower half, the upper quarter, the lowest byte.
static const uint64_t poison[2] = {0x7FFADDED7FCADDEDu, 0xFFFBADBAFFCBADBAu};

struct check {
  const struct upw_case *c;
  struct subject subject;
  struct comparison result;
  uint64_t seed;
  double reach;       // numbers that an output reads, the most of all outputs
  char where[DETAIL]; // which data, placement and call
};

// ---- reports

static void begin_failure(const struct check *s, const char *kind) {
  json_begin(s->c->kernel->name);
  json_bool("ok", 0);
  json_text("kind", kind);
}

static int end_failure(const struct check *s) {
  json_text("case", s->where);
  json_count("seed", s->seed);
  json_end();
  return EXIT_WRONG;
}

static int failure(const struct check *s, const char *kind, const char *reason) {
  begin_failure(s, kind);
  json_text("reason", reason);
  return end_failure(s);
}

static uint64_t poison_of(const struct check *s, int which) {
  size_t bytes = s->subject.bytes;
  return bytes == 2 ? poison[which] >> 48 : poison[which] & (UINT64_MAX >> (64 - 8 * bytes));
}

static void index_of(const struct upw_tensor *t, size_t at, int64_t index[8]) {
  for (int d = t->rank - 1; d >= 0; d--) {
    index[d] = (int64_t)(at % (size_t)t->shape[d]);
    at /= (size_t)t->shape[d];
  }
}

static int mismatch(const struct check *s) {
  const struct upw_tensor *t = &s->c->kernel->tensors[s->subject.y];
  const struct comparison *r = &s->result;
  int64_t index[8];
  double want = s->subject.expected.want[r->worst_at];
  index_of(t, r->worst_at, index);
  int poisoned = r->worst_got == poison_of(s, 0) || r->worst_got == poison_of(s, 1);
  begin_failure(s, poisoned ? "not written" : "value");
  json_index("index", index, t->rank);
  json_number("got", upw_ref_load(r->dtype, &r->worst_got, 0));
  json_number("want", want);
  json_number("ulp", element_ulps(r->dtype, r->worst_got, element_nearest(r->dtype, want)));
  json_number("bound_share", r->worst_share);
  json_count("wrong", r->wrong);
  json_count("checked", r->answered);
  return end_failure(s);
}

// ---- calls

static unsigned char *output_of(const struct check *s) {
  return s->subject.buffers[s->subject.y].data;
}

static void fill_poison(struct check *s, int which) {
  for (size_t i = 0; i < s->subject.count; i++)
    upw_ref_set_bits(s->result.dtype, output_of(s), i, poison_of(s, which));
}

static int marks(const struct check *s) {
  char text[DETAIL];
  int64_t at = 0;
  const struct guarded *g = subject_damage(&s->subject, &at);
  if (!g) return EXIT_WELL;
  snprintf(text, sizeof text, "write at byte %lld of %s, which has %zu bytes", (long long)at,
           g->name, g->bytes);
  return failure(s, "out of bounds", text);
}

static int status_failure(const struct check *s, const char *what, int status) {
  char text[DETAIL];
  snprintf(text, sizeof text, "%s returned %d (%s)", what, status, upw_status_text(status));
  return failure(s, "status", text);
}

static int place_and_pack(struct check *s, enum placement where) {
  subject_place(&s->subject, where);
  int status = subject_pack(&s->subject);
  return status == UPW_OK ? marks(s) : status_failure(s, "pack", status);
}

// Nothing, or no number, is said of some elements: written they must be all the same. The few NaNs
// of two bytes are no proof where NaNs are right.
static int all_written(struct check *s, int which) {
  const struct upw_ref_answer *e = &s->subject.expected;
  struct comparison *r = &s->result;
  for (size_t i = 0; i < s->subject.count; i++)
    if ((e->loose[i] ? s->subject.bytes > 2 : e->terms[i] < 0) &&
        upw_ref_bits(r->dtype, output_of(s), i) == poison_of(s, which)) {
      r->worst_at = i;
      r->worst_got = poison_of(s, which);
      r->wrong = 1;
      return mismatch(s);
    }
  return EXIT_WELL;
}

static int check_whole(struct check *s, int which) {
  fill_poison(s, which);
  int status = subject_call(&s->subject, 1, 0);
  if (status != UPW_OK) return status_failure(s, "run", status);
  int code = marks(s);
  if (code == EXIT_WELL &&
      !compare(&s->result, &s->subject.expected, output_of(s), s->subject.count))
    code = mismatch(s);
  return code == EXIT_WELL ? all_written(s, which) : code;
}

// ---- ranges of tasks

static int range_status(struct check *s, size_t begin, size_t end, int want) {
  char text[DETAIL];
  int status = subject_call(&s->subject, begin, end);
  if (status == want) return EXIT_WELL;
  snprintf(text, sizeof text, "range %zu..%zu of %zu tasks returned %d, not %d", begin, end,
           s->c->kernel->tasks, status, want);
  return failure(s, "range", text);
}

static int equals_whole(struct check *s) {
  struct comparison *r = &s->result;
  const unsigned char *y = output_of(s), *whole = s->subject.whole;
  size_t bytes = s->subject.bytes;
  for (size_t i = 0; i < s->subject.count; i++)
    if (memcmp(y + i * bytes, whole + i * bytes, bytes) != 0) {
      r->worst_at = i;
      r->worst_got = upw_ref_bits(r->dtype, y, i);
      s->subject.expected.want[i] = upw_ref_load(r->dtype, whole, i);
      r->wrong = 1;
      return mismatch(s);
    }
  return marks(s);
}

static int untouched(struct check *s, int which) {
  for (size_t i = 0; i < s->subject.count; i++)
    if (upw_ref_bits(s->result.dtype, output_of(s), i) != poison_of(s, which))
      return failure(s, "range", "an empty or refused range wrote to the output");
  return EXIT_WELL;
}

static int refused_ranges(struct check *s) {
  size_t n = s->c->kernel->tasks;
  fill_poison(s, 0);
  int code = range_status(s, n / 2, n / 2, UPW_OK);
  if (code == EXIT_WELL) code = range_status(s, 0, n + 1, UPW_BAD_RANGE);
  const struct subject *u = &s->subject;
  const void *packed = u->buffers[PACKED].data;
  if (code == EXIT_WELL && n > 0 &&
      u->kernel->range(u->inputs, packed, u->outputs, u->workspace.data, n, n - 1) != UPW_BAD_RANGE)
    return failure(s, "range", "begin > end was not refused");
  return code == EXIT_WELL ? untouched(s, 0) : code;
}

// The tasks in `pieces` ranges cut at random places, the last range first.
static int split(struct check *s, size_t pieces, struct rng *rng) {
  size_t n = s->c->kernel->tasks, end = n;
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

static int check_ranges(struct check *s, struct rng *rng) {
  size_t n = s->c->kernel->tasks;
  snprintf(s->where, DETAIL, "ranges of tasks");
  int code = refused_ranges(s);
  if (code == EXIT_WELL) code = split(s, n < PIECES ? n : PIECES, rng);
  if (code == EXIT_WELL) code = split(s, 3, rng);
  return code;
}

// ---- one kernel

// New data, and what is right for them. The first are looked at whole; of a large contraction,
// those that follow only at as many outputs as `most_work` pays for.
static int prepare_data(struct check *s, const char *kind, size_t round, struct rng *rng) {
  const void *inputs[MOST_TENSORS] = {NULL};
  struct upw_ref_query query = {
      .work = round > 0 ? most_work : 0, .seed = rng_next(rng), .factor = s->c->factor};
  memcpy(query.tile, s->c->tile, sizeof query.tile);
  const void **rest = subject_fill(&s->subject, kind, s->reach, inputs, rng);
  for (size_t i = 0; i < s->c->baked_count; i++) *rest++ = s->c->baked[i];
  s->result.overflows = data_overflows(s->result.dtype, kind);
  int status = s->c->reference(s->c->params, inputs, &query, &s->subject.expected);
  for (size_t i = 0; i < s->subject.count && round == 0; i++)
    if (s->subject.expected.terms[i] > s->reach) s->reach = s->subject.expected.terms[i];
  return status;
}

static int check_data(struct check *s, const char *kind, size_t round, struct rng *rng) {
  if (prepare_data(s, kind, round, rng) != UPW_OK)
    return failure(s, "memory", "the reference has no memory");
  struct subject *u = &s->subject;
  int code = EXIT_WELL;
  // The first data meet every placement, the others one each in turn.
  for (int p = 0; p < PLACEMENTS && code == EXIT_WELL; p++) {
    if (round > 0 && (size_t)p != round % PLACEMENTS) continue;
    snprintf(s->where, DETAIL, "%s data, buffers %s", kind, placement_names[p]);
    code = place_and_pack(s, (enum placement)p);
    if (code == EXIT_WELL) code = check_whole(s, p % 2);
    if (round == 0 && p == 0)
      memcpy(u->whole, output_of(s), u->count * u->bytes);
    else if (round == 0 && code == EXIT_WELL)
      code = equals_whole(s);
  }
  return round == 0 && code == EXIT_WELL ? check_ranges(s, rng) : code;
}

static int check_all(struct check *s, size_t rounds) {
  const char *const *kinds = data_kinds(s->result.dtype);
  const struct comparison *r = &s->result;
  struct rng rng = rng_seeded(s->seed);
  size_t round = 0;
  int code = EXIT_WELL;
  s->result.plain = 1;
  for (; round < rounds && code == EXIT_WELL; round++) code = check_data(s, kinds[0], round, &rng);
  s->result.plain = 0;
  for (size_t k = 1; kinds[k]; k++)
    for (size_t left = data_rounds(kinds[k], s->subject.count); left > 0 && code == EXIT_WELL;
         left--)
      code = check_data(s, kinds[k], round++, &rng);
  if (code == EXIT_WELL) {
    json_begin(s->c->kernel->name);
    json_bool("ok", 1);
    if (r->ulps > 0 || r->checked == 0) json_number("max_ulp", r->max_ulp);
    json_number("max_error", r->max_error);
    json_number("bound_share", r->worst_share);
    json_count("checked", r->checked);
    json_count("seed", s->seed);
    json_end();
  }
  return code;
}

int verify_case(const struct upw_case *c, const struct options *options) {
  // Static: written between sigsetjmp and siglongjmp.
  static struct check s;
  int code;
  s = (struct check){.c = c, .seed = options->seed, .reach = 1};
  const char *why = subject_refusal(c);
  if (why) return failure(&s, "unsupported", why);
  if (!subject_make(&s.subject, c->kernel)) {
    code = failure(&s, "memory", "out of memory");
  } else if (sigsetjmp(faults_recovery, 1) == 0) {
    s.result.dtype = s.subject.dtypes[s.subject.y];
    faults_catch();
    code = check_all(&s, options->rounds);
  } else {
    char text[DETAIL];
    faults_release(); // a fault in what follows ends the program instead of coming back here
    faults_describe(text, s.subject.buffers, BUFFERS, &s.subject.workspace);
    code = failure(&s, "crash", text);
  }
  faults_release();
  subject_free(&s.subject);
  return code;
}
