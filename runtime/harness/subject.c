// SPDX-License-Identifier: MIT
// A kernel's buffers between guard pages.
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "subject.h"

const char *subject_refusal(const struct upw_case *c) {
  const struct upw_kernel *k = c->kernel;
  uint32_t outputs = 0, parameters = 0;
  if (k->abi != UPW_KERNEL_ABI || k->tensor_count + c->baked_count > MOST_TENSORS)
    return "the kernel has another ABI";
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    const struct upw_tensor *t = &k->tensors[i];
    outputs += t->role == UPW_OUTPUT;
    parameters += t->role == UPW_PARAMETER;
    if (upw_ref_dtype_of(t->dtype_code, t->dtype_bits) < 0)
      return "only tensors of the reference's dtypes are compared";
  }
  if ((parameters > 0) != (k->pack != NULL)) return "the kernel cannot pack its parameters";
  return outputs == 1 ? NULL : "only kernels with one output are compared";
}

static int expect(struct upw_ref_answer *e, size_t count) {
  e->want = calloc(count + 1, sizeof *e->want);
  e->magnitude = calloc(count + 1, sizeof *e->magnitude);
  e->terms = calloc(count + 1, sizeof *e->terms);
  e->extra = calloc(count + 1, sizeof *e->extra);
  e->loose = calloc(count + 1, 1);
  return e->want && e->magnitude && e->terms && e->extra && e->loose;
}

int subject_make(struct subject *s, const struct upw_kernel *k) {
  *s = (struct subject){.kernel = k};
  int well = guarded_make(&s->workspace, "workspace", k->workspace_bytes) == UPW_OK &&
             guarded_make(&s->buffers[PACKED], "packed", k->packed_bytes) == UPW_OK;
  for (uint32_t i = 0; i < k->tensor_count && well; i++) {
    const struct upw_tensor *t = &k->tensors[i];
    well = guarded_make(&s->buffers[i], t->name, t->bytes) == UPW_OK;
    s->dtypes[i] = upw_ref_dtype_of(t->dtype_code, t->dtype_bits);
    if (t->role == UPW_OUTPUT)
      s->y = i;
    else
      well = well && (s->master[i] = malloc(t->bytes + 1)) != NULL;
  }
  s->bytes = upw_ref_format(s->dtypes[s->y])->bytes;
  s->count = s->buffers[s->y].bytes / s->bytes;
  s->whole = calloc(s->count + 1, s->bytes);
  return well && expect(&s->expected, s->count) && s->whole;
}

void subject_free(struct subject *s) {
  const struct upw_ref_answer *e = &s->expected;
  for (int i = 0; i < BUFFERS; i++) guarded_free(&s->buffers[i]);
  for (int i = 0; i < MOST_TENSORS; i++) free(s->master[i]);
  guarded_free(&s->workspace);
  void *rest[] = {e->want, e->magnitude, e->terms, e->extra, e->loose, s->whole};
  for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) free(rest[i]);
}

const void **subject_fill(struct subject *s, const char *kind, double reach, const void **inputs,
                          struct rng *rng) {
  for (uint32_t i = 0; i < s->kernel->tensor_count; i++) {
    if (s->kernel->tensors[i].role == UPW_OUTPUT) continue;
    data_fill_tensor(s->master[i], s->kernel, i, kind, reach, rng);
    *inputs++ = s->master[i];
  }
  return inputs;
}

void subject_place(struct subject *s, enum placement where) {
  const struct upw_kernel *k = s->kernel;
  size_t inputs = 0, outputs = 0, parameters = 0;
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    struct guarded *g = &s->buffers[i];
    guarded_place(g, where, upw_ref_format(s->dtypes[i])->bytes);
    if (k->tensors[i].role == UPW_OUTPUT) {
      s->outputs[outputs++] = g->data;
      continue;
    }
    if (g->bytes) memcpy(g->data, s->master[i], g->bytes);
    guarded_writable(g, 0);
    if (k->tensors[i].role == UPW_INPUT)
      s->inputs[inputs++] = g->data;
    else
      s->parameters[parameters++] = g->data;
  }
  guarded_place(&s->workspace, where, k->workspace_align ? k->workspace_align : 1);
  guarded_place(&s->buffers[PACKED], where, k->packed_align ? k->packed_align : 1);
}

int subject_pack(struct subject *s) {
  struct guarded *g = &s->buffers[PACKED];
  if (!s->kernel->pack) return UPW_OK;
  memset(g->data, 0xFF, g->bytes); // NaN: what pack leaves out and run reads does not go unnoticed
  int status = s->kernel->pack(s->parameters, g->data);
  guarded_writable(g, 0);
  return status;
}

int subject_call(struct subject *s, size_t begin, size_t end) {
  const struct upw_kernel *k = s->kernel;
  const void *packed = k->pack ? s->buffers[PACKED].data : NULL;
  if (s->workspace.bytes) memset(s->workspace.data, 0xFF, s->workspace.bytes);
  if (begin > end) return k->run(s->inputs, packed, s->outputs, s->workspace.data);
  return k->range(s->inputs, packed, s->outputs, s->workspace.data, begin, end);
}

const struct guarded *subject_damage(const struct subject *s, int64_t *at) {
  if (!guarded_intact(&s->workspace, at)) return &s->workspace;
  for (int i = 0; i < BUFFERS; i++)
    if (s->buffers[i].map && !guarded_intact(&s->buffers[i], at)) return &s->buffers[i];
  return NULL;
}
