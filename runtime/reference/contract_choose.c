// SPDX-License-Identifier: MIT
// Which outputs of a large contraction are calculated: those in the corners, and as many random
// ones as the work allows, all channels of each. One coordinate in four is the first or the last of
// its axis, and where x has special values every second output lies around one of them: borders and
// what NaN must not reach are where kernels are wrong.
#include <string.h>

#include "contract.h"

// splitmix64
static uint64_t draw(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static int64_t below(uint64_t *state, int64_t n) {
  return (int64_t)(draw(state) >> 1) % n;
}

// Products of all outputs of an image; a compensated one costs as much as eight.
static double products(const struct upw_ref_image *m) {
  const struct upw_ref_contract *p = m->p;
  const struct upw_ref_axes *a = &m->axes;
  double all = (double)a->outputs * (double)m->channels * (double)p->ci * (double)a->taps;
  for (int i = 0; i < 3 && p->transposed; i++) all /= (double)a->stride[i];
  return p->dtype == UPW_REF_F64 ? 8 * all : all;
}

static int64_t within(int64_t o, int64_t length) {
  return o < 0 ? 0 : o >= length ? length - 1 : o;
}

static void mark(struct upw_ref_image *m, const int64_t o[3], unsigned char value) {
  const struct upw_ref_axes *a = &m->axes;
  unsigned char *place = &m->chosen[(o[0] * a->out[1] + o[1]) * a->out[2] + o[2]];
  if (*place < value) *place = value;
}

static void choose(struct upw_ref_image *m, const int64_t o[3]) {
  const struct upw_ref_axes *a = &m->axes;
  int64_t from[3], to[3], near[3];
  for (int i = 0; i < 3; i++) {
    from[i] = within(o[i] - a->reach[i] + 1, a->out[i]);
    to[i] = within(o[i] + a->reach[i] - 1, a->out[i]);
  }
  for (near[0] = from[0]; near[0] <= to[0]; near[0]++)
    for (near[1] = from[1]; near[1] <= to[1]; near[1]++)
      for (near[2] = from[2]; near[2] <= to[2]; near[2]++) mark(m, near, UPW_REF_NEIGHBOUR);
  mark(m, o, UPW_REF_CHOSEN);
}

static void corners(struct upw_ref_image *m) {
  for (int which = 0; which < 8; which++) {
    int64_t o[3];
    for (int i = 0; i < 3; i++) o[i] = which >> i & 1 ? m->axes.out[i] - 1 : 0;
    choose(m, o);
  }
}

static void anywhere(const struct upw_ref_image *m, uint64_t *state, int64_t o[3]) {
  for (int i = 0; i < 3; i++) {
    int64_t last = m->axes.out[i] - 1, side = below(state, 8);
    o[i] = side == 0 ? 0 : side == 1 ? last : below(state, last + 1);
  }
}

// An output that reads input `from`, or the next one: which may or may not.
static void around(const struct upw_ref_image *m, uint64_t *state, size_t from, int64_t o[3]) {
  const struct upw_ref_axes *a = &m->axes;
  for (int i = 2; i >= 0; i--) {
    int64_t at = (int64_t)(from % (size_t)a->in[i]), k = below(state, a->kernel[i]);
    int64_t tap = k * a->dilation[i] - a->pad[i];
    from /= (size_t)a->in[i];
    o[i] = m->p->transposed ? at * a->stride[i] + tap : (at - tap) / a->stride[i];
    o[i] = within(o[i] + below(state, 3) - 1, a->out[i]);
  }
}

// Some input of the image with a special value, or `inputs` if there is none: the first at or
// behind a random place.
static size_t special(const struct upw_ref_image *m, uint64_t *state) {
  size_t groups = (size_t)m->p->groups, inputs = m->axes.inputs;
  if (inputs == 0) return inputs;
  size_t start = (size_t)below(state, (int64_t)inputs) * groups, all = inputs * groups;
  for (size_t n = 0; n < all; n++)
    if (m->flags[(start + n) % all] & UPW_REF_SPECIAL) return (start + n) % all / groups;
  return inputs;
}

void upw_ref_choose(struct upw_ref_image *m) {
  const struct upw_ref_axes *a = &m->axes;
  double all = products(m), work = m->query->work / (double)m->p->batch;
  int whole = m->query->work <= 0 || all <= work;
  memset(m->chosen, whole ? UPW_REF_CHOSEN : UPW_REF_UNCHOSEN, a->outputs);
  if (whole || a->outputs == 0) return;
  uint64_t state = m->query->seed ^ (uint64_t)m->number << 32;
  double count = (double)a->outputs * work / all;
  for (int i = 0; i < 3; i++) count /= (double)(2 * a->reach[i] - 1);
  corners(m);
  int planted = special(m, &state) < a->inputs;
  for (double n = 0; n < count; n++) {
    int64_t o[3];
    if (planted && draw(&state) % 2 == 0)
      around(m, &state, special(m, &state), o);
    else
      anywhere(m, &state, o);
    choose(m, o);
  }
}
