// SPDX-License-Identifier: MIT
// Reference of conv and conv_transpose: for each output the sum over kernel positions and input
// channels, in double; of f64 every product and sum keeps its rounding error, and the errors are
// summed beside (Ogita, Rump, Oishi).
//
// y[o] of conv reads x[o * stride - pad + k * dilation]. conv_transpose adds x[i] * w[k] to
// y[i * stride - pad + k * dilation]; read backwards, y[o] takes x[i] where that equals o.
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "dtype.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT OFF

double upw_ref_largest(int dtype) {
  return dtype == UPW_REF_F64 ? DBL_MAX : (double)FLT_MAX;
}

int upw_ref_tensors(const struct upw_ref_contract *p) {
  int count = 1;
  for (int i = 0; i < p->post_count; i++) count += p->post[i].kind == UPW_REF_ADD;
  return count;
}

// ---- tensors as doubles

static void load_weight(struct upw_ref_image *m, const void *from) {
  const struct upw_ref_contract *p = m->p;
  size_t groups = (size_t)p->groups, ci = (size_t)p->ci, co = (size_t)p->co, at = 0;
  for (size_t g = 0; g < groups; g++)
    for (size_t k = 0; k < m->axes.taps; k++)
      for (size_t i = 0; i < ci; i++)
        for (size_t o = 0; o < co; o++, at++) {
          size_t pair = p->transposed ? (g * ci + i) * co + o : (g * co + o) * ci + i;
          double value = upw_ref_load(p->dtype, from, pair * m->axes.taps + k);
          m->weight[at] = value;
          m->spoiled[g * co + o] |= value - value != 0;
        }
}

static unsigned char flags_of(const struct upw_ref_contract *p, double value) {
  if (value - value != 0) return UPW_REF_SPECIAL;
  return fabs(value) > upw_ref_largest(p->dtype) * 0x1p-20 ? UPW_REF_VAST : 0;
}

static void load_image(struct upw_ref_image *m, const void *from) {
  const struct upw_ref_contract *p = m->p;
  size_t inputs = m->axes.inputs, channels = m->from_channels, ci = (size_t)p->ci;
  size_t first = (size_t)m->number * inputs * channels;
  memset(m->flags, 0, inputs * (size_t)p->groups);
  for (size_t i = 0; i < inputs; i++)
    for (size_t c = 0; c < channels; c++) {
      size_t at = p->planar ? c * inputs + i : i * channels + c;
      double value = upw_ref_load(p->dtype, from, first + at);
      m->x[i * channels + c] = value;
      m->flags[i * (size_t)p->groups + c / ci] |= flags_of(p, value);
    }
}

// ---- one output position of one group

// The input coordinate that output o takes with kernel position k, or -1.
static int64_t source(const struct upw_ref_image *m, int axis, int64_t o, int64_t k) {
  const struct upw_ref_axes *a = &m->axes;
  int64_t i = o * a->stride[axis] - a->pad[axis] + k * a->dilation[axis];
  if (m->p->transposed) {
    int64_t far = o + a->pad[axis] - k * a->dilation[axis];
    i = far % a->stride[axis] == 0 ? far / a->stride[axis] : -1;
  }
  return i >= 0 && i < a->in[axis] ? i : -1;
}

static void add_products(struct upw_ref_image *m, const double *x, const double *weight) {
  size_t ci = (size_t)m->p->ci, co = (size_t)m->p->co;
  double *restrict sum = m->sum, *restrict size = m->size;
  for (size_t i = 0; i < ci; i++, weight += co)
    for (size_t o = 0; o < co; o++) {
      double product = x[i] * weight[o];
      sum[o] += product;
      size[o] += fabs(product);
    }
}

static void add_precise(struct upw_ref_image *m, const double *x, const double *weight) {
  size_t ci = (size_t)m->p->ci, co = (size_t)m->p->co;
  for (size_t i = 0; i < ci; i++, weight += co)
    for (size_t o = 0; o < co; o++) {
      double product = x[i] * weight[o], before = m->sum[o];
      m->sum[o] = before + product;
      m->size[o] += fabs(product);
      double part = m->sum[o] - before;
      m->rest[o] +=
          (before - (m->sum[o] - part)) + (product - part) + fma(x[i], weight[o], -product);
    }
}

// Returns the flags of what is read; `taps` counts the kernel positions that lie inside.
static unsigned char add_taps(struct upw_ref_image *m, const int64_t o[3], size_t g, size_t *taps) {
  const struct upw_ref_axes *a = &m->axes;
  size_t ci = (size_t)m->p->ci, step = ci * (size_t)m->p->co, k = g * a->taps;
  unsigned char flags = 0;
  for (int64_t d = 0; d < a->kernel[0]; d++)
    for (int64_t h = 0; h < a->kernel[1]; h++)
      for (int64_t w = 0; w < a->kernel[2]; w++, k++) {
        int64_t z = source(m, 0, o[0], d), y = source(m, 1, o[1], h), x = source(m, 2, o[2], w);
        if (z < 0 || y < 0 || x < 0) continue;
        size_t i = (size_t)((z * a->in[1] + y) * a->in[2] + x);
        const double *from = m->x + i * m->from_channels + g * ci;
        (m->p->dtype == UPW_REF_F64 ? add_precise : add_products)(m, from, m->weight + k * step);
        flags |= m->flags[i * (size_t)m->p->groups + g];
        ++*taps;
      }
  return flags;
}

static void put(const struct upw_ref_image *m, size_t o, size_t c, size_t terms, double bias,
                unsigned char flags) {
  const struct upw_ref_answer *answer = m->answer;
  size_t at = upw_ref_at(m, o, c), j = c % (size_t)m->p->co;
  double sum = m->sum[j], rest = m->rest[j];
  if (m->p->bias) { // once more with its error: rest is 0 where it does not count
    double whole = sum + bias, part = whole - sum;
    if (m->p->dtype == UPW_REF_F64) rest += (sum - (whole - part)) + (bias - part);
    sum = whole;
  }
  answer->want[at] = sum - sum == 0 && rest - rest == 0 ? sum + rest : sum;
  // NaN and infinity say nothing about the rounding of others in the tile.
  answer->magnitude[at] = flags & UPW_REF_SPECIAL ? 0 : m->size[j] + fabs(bias);
  answer->terms[at] = (double)terms;
  // Of a tile all outputs may use a weight that one of them does not.
  answer->loose[at] = upw_ref_tiled(&m->axes) && m->spoiled[c] ? flags | UPW_REF_SPECIAL : flags;
}

static void position(struct upw_ref_image *m, const int64_t o[3], size_t at, const void *bias) {
  const struct upw_ref_contract *p = m->p;
  size_t ci = (size_t)p->ci, co = (size_t)p->co;
  for (size_t g = 0; g < (size_t)p->groups; g++) {
    size_t taps = 0;
    memset(m->sum, 0, co * sizeof *m->sum);
    memset(m->size, 0, co * sizeof *m->size);
    memset(m->rest, 0, co * sizeof *m->rest);
    unsigned char flags = add_taps(m, o, g, &taps);
    for (size_t c = g * co; c < (g + 1) * co; c++)
      put(m, at, c, taps * ci + (p->bias ? 1 : 0), p->bias ? upw_ref_load(p->dtype, bias, c) : 0,
          flags);
  }
}

static void skip(const struct upw_ref_image *m, size_t at) {
  for (size_t c = 0; c < m->channels; c++) {
    size_t i = upw_ref_at(m, at, c);
    m->answer->want[i] = m->answer->magnitude[i] = 0;
    m->answer->loose[i] = 0;
  }
}

static void sums(struct upw_ref_image *m, const void *bias) {
  const struct upw_ref_axes *a = &m->axes;
  int64_t o[3];
  size_t at = 0;
  for (o[0] = 0; o[0] < a->out[0]; o[0]++)
    for (o[1] = 0; o[1] < a->out[1]; o[1]++)
      for (o[2] = 0; o[2] < a->out[2]; o[2]++, at++)
        if (m->chosen[at])
          position(m, o, at, bias);
        else
          skip(m, at);
}

// ---- tiles

// Every output of one line, `step` positions apart, takes the largest magnitude and all flags of
// those that may lie in its tile. Where the tiles begin is the kernel's affair: any output nearer
// than a tile's length may share it, so that more is allowed than the one tile would.
static void spread_line(const struct upw_ref_image *m, int axis, size_t first, size_t step,
                        size_t c) {
  int64_t length = m->axes.out[axis], reach = m->axes.reach[axis] - 1;
  const struct upw_ref_answer *answer = m->answer;
  unsigned char *flags = (unsigned char *)(m->line + length);
  for (int64_t o = 0; o < length; o++) {
    size_t at = upw_ref_at(m, first + (size_t)o * step, c);
    m->line[o] = answer->magnitude[at];
    flags[o] = answer->loose[at];
  }
  for (int64_t o = 0; o < length; o++) {
    size_t at = upw_ref_at(m, first + (size_t)o * step, c);
    int64_t from = o > reach ? o - reach : 0, to = o + reach < length ? o + reach : length - 1;
    for (int64_t i = from; i <= to; i++) {
      answer->magnitude[at] = fmax(answer->magnitude[at], m->line[i]);
      answer->loose[at] |= flags[i];
    }
  }
}

static void spread(const struct upw_ref_image *m) {
  const struct upw_ref_axes *a = &m->axes;
  size_t step = 1;
  for (int axis = 2; axis >= 0; axis--) {
    size_t length = (size_t)a->out[axis];
    for (size_t first = 0; first < a->outputs && a->reach[axis] > 1; first++)
      if (first / step % length == 0)
        for (size_t c = 0; c < m->channels; c++) spread_line(m, axis, first, step, c);
    step *= length;
  }
}

// ---- the whole

static void set_axes(struct upw_ref_axes *a, const struct upw_ref_contract *p,
                     const struct upw_ref_query *query) {
  a->inputs = a->outputs = a->taps = 1;
  for (int i = 0; i < 3; i++) {
    int from = i - (3 - p->rank), real = from >= 0;
    int64_t tile = real && query->tile[from] > 1 ? query->tile[from] : 1;
    a->in[i] = real ? p->in[from] : 1;
    a->out[i] = real ? p->out[from] : 1;
    a->kernel[i] = real ? p->kernel[from] : 1;
    a->stride[i] = real ? p->stride[from] : 1;
    a->dilation[i] = real ? p->dilation[from] : 1;
    a->pad[i] = real ? p->pad[from] : 0;
    // The phases of a transposed one interleave: a tile is of one of them.
    a->reach[i] = tile > 1 && p->transposed ? tile * a->stride[i] : tile;
    a->inputs *= (size_t)a->in[i];
    a->outputs *= (size_t)a->out[i];
    a->taps *= (size_t)a->kernel[i];
  }
}

static int allocate(struct upw_ref_image *m) {
  const struct upw_ref_contract *p = m->p;
  const struct upw_ref_axes *a = &m->axes;
  size_t groups = (size_t)p->groups, ci = (size_t)p->ci, co = (size_t)p->co, longest = 0;
  for (int i = 0; i < 3; i++) longest = (size_t)a->out[i] > longest ? (size_t)a->out[i] : longest;
  m->x = calloc(a->inputs * m->from_channels + 1, sizeof *m->x);
  m->weight = calloc(groups * a->taps * ci * co + 1, sizeof *m->weight);
  m->sum = calloc(co + 1, sizeof *m->sum);
  m->size = calloc(co + 1, sizeof *m->size);
  m->rest = calloc(co + 1, sizeof *m->rest);
  m->line = calloc(longest + 1, sizeof *m->line + 1); // and a flag for each
  m->flags = calloc(a->inputs * groups + 1, 1);
  m->spoiled = calloc(m->channels + 1, 1);
  m->chosen = calloc(a->outputs + 1, 1);
  return m->x && m->weight && m->sum && m->size && m->rest && m->line && m->flags && m->spoiled &&
         m->chosen;
}

static void release(struct upw_ref_image *m) {
  void *all[] = {m->x,    m->weight, m->sum,     m->size,  m->rest,
                 m->line, m->flags,  m->spoiled, m->chosen};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

int upw_ref_contract(const void *params, const void *const *inputs,
                     const struct upw_ref_query *query, const struct upw_ref_answer *answer) {
  static const struct upw_ref_query everything = {0};
  const struct upw_ref_contract *p = params;
  struct upw_ref_image m = {.p = p, .query = query ? query : &everything, .answer = answer};
  int first = upw_ref_tensors(p), status = UPW_NO_MEMORY;
  m.from_channels = (size_t)(p->groups * p->ci);
  m.channels = (size_t)(p->groups * p->co);
  set_axes(&m.axes, p, m.query);
  if (allocate(&m)) {
    load_weight(&m, inputs[first]);
    for (m.number = 0; m.number < p->batch; m.number++) {
      load_image(&m, inputs[0]);
      upw_ref_choose(&m);
      sums(&m, p->bias ? inputs[first + 1] : NULL);
      spread(&m);
      upw_ref_finish(&m, inputs);
    }
    status = UPW_OK;
  }
  release(&m);
  return status;
}
