// SPDX-License-Identifier: MIT
// sources: runtime/reference/contract.c runtime/reference/contract_choose.c
// sources: runtime/reference/contract_post.c runtime/reference/generic_contract.c
// sources: runtime/reference/dtype.c
// The reference of conv and conv_transpose, and generic C: values computed by hand, and what holds
// for all of them. tests/kernels/reference_post.c has the epilogues and the tiles.
#include <math.h>

#include "reference.h"
#include "tap.h"
#include "upweave/kernel.h"

enum { ROOM = 4096 };
static double want[ROOM], magnitude[ROOM], terms[ROOM], extra[ROOM];
static unsigned char loose[ROOM];
static const struct upw_ref_answer answer = {want, magnitude, terms, extra, loose};
static float generic[ROOM];

static size_t outputs_of(const struct upw_ref_contract *p) {
  size_t n = (size_t)(p->batch * p->groups * p->co);
  for (int i = 0; i < p->rank; i++) n *= (size_t)p->out[i];
  return n;
}

// What is left out is 1, or 0 where that is natural.
static struct upw_ref_contract filled(struct upw_ref_contract p) {
  int64_t *ones[] = {&p.batch, &p.groups, &p.ci, &p.co};
  for (size_t i = 0; i < 4; i++) *ones[i] = *ones[i] ? *ones[i] : 1;
  p.rank = p.rank ? p.rank : 1;
  for (int i = 0; i < p.rank; i++) {
    p.stride[i] = p.stride[i] ? p.stride[i] : 1;
    p.dilation[i] = p.dilation[i] ? p.dilation[i] : 1;
  }
  return p;
}

static void evaluate(const struct upw_ref_contract *p, const float *x, const float *weight,
                     const float *bias) {
  const void *inputs[] = {x, weight, bias};
  void *outputs[] = {generic};
  int wrong = upw_ref_contract(p, inputs, NULL, &answer) != UPW_OK;
  wrong += upw_generic_contract(p, inputs, outputs) != UPW_OK;
  for (size_t i = 0; i < outputs_of(p); i++)
    wrong += !(fabs((double)generic[i] - want[i]) <=
               (terms[i] + 4) * (0x1p-24 * magnitude[i] + 0x1p-150));
  if (wrong) tap_is_int(wrong, 0, "generic C is near the reference");
}

static void expect(struct upw_ref_contract p, const float *x, const float *weight,
                   const float *bias, const double *values, const char *name) {
  int wrong = 0;
  p = filled(p);
  evaluate(&p, x, weight, bias);
  for (size_t i = 0; i < outputs_of(&p); i++) wrong += want[i] != values[i];
  tap_is_int(wrong, 0, name);
  for (size_t i = 0; i < outputs_of(&p) && wrong; i++)
    tap_diag("%zu: got %.9g want %.9g", i, want[i], values[i]);
}
#define VALUES(...)                                                                                \
  (const double[]) {                                                                               \
    __VA_ARGS__                                                                                    \
  }
#define CONV(...) ((struct upw_ref_contract){__VA_ARGS__})

static const float ramp[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const float decimal[4] = {1, 10, 100, 1000};

static void convs(void) {
  expect(CONV(.in = {4}, .out = {4}, .kernel = {3}, .pad = {1}), ramp, decimal, NULL,
         VALUES(210, 321, 432, 43), "conv with padding");
  tap_ok(terms[0] == 2 && terms[1] == 3 && terms[3] == 2, "terms are the taps inside");
  tap_ok(magnitude[0] == 210 && magnitude[3] == 43, "magnitude of positive ones");
  expect(CONV(.in = {7}, .out = {2}, .kernel = {3}, .stride = {2}, .dilation = {2}), ramp, decimal,
         NULL, VALUES(531, 753), "stride and dilation");
  expect(CONV(.in = {3}, .out = {2}, .kernel = {1}, .pad = {-1}), ramp, decimal, NULL, VALUES(2, 3),
         "a negative padding leaves out");
  expect(CONV(.in = {2}, .out = {5}, .kernel = {2}, .pad = {1}), ramp, decimal, NULL,
         VALUES(10, 21, 2, 0, 0), "more behind than before");
  tap_is_number(terms[4], 0, "no tap: the bits of 0");
  expect(CONV(.ci = 2, .co = 2, .bias = 1, .planar = 1, .in = {3}, .out = {3}, .kernel = {1}), ramp,
         decimal, (const float[]){0.5f, -1}, VALUES(41.5, 52.5, 63.5, 4099, 5199, 6299),
         "1x1: a matrix, and bias");
  tap_is_number(terms[0], 3, "bias is a term");
  tap_is_number(magnitude[3], 4101, "and its size counts");
  expect(CONV(.groups = 2, .co = 2, .planar = 1, .in = {2}, .out = {2}, .kernel = {1}), ramp,
         decimal, NULL, VALUES(1, 2, 10, 20, 300, 400, 3000, 4000), "groups");
  expect(CONV(.groups = 2, .co = 2, .in = {2}, .out = {2}, .kernel = {1}), ramp, decimal, NULL,
         VALUES(1, 10, 200, 2000, 3, 30, 400, 4000), "groups, interleaved");
  expect(CONV(.batch = 2, .rank = 2, .in = {2, 2}, .out = {1, 1}, .kernel = {2, 2}), ramp, decimal,
         NULL, VALUES(4321, 8765), "batch and two axes");
}

static void transposed(void) {
  expect(CONV(.transposed = 1, .in = {3}, .out = {7}, .kernel = {3}, .stride = {2}), ramp, decimal,
         NULL, VALUES(1, 10, 102, 20, 203, 30, 300), "conv_transpose");
  tap_ok(terms[1] == 1 && terms[2] == 2, "terms of its phases");
  expect(CONV(.transposed = 1, .in = {3}, .out = {5}, .kernel = {3}, .stride = {2}, .pad = {1}),
         ramp, decimal, NULL, VALUES(10, 102, 20, 203, 30), "padding takes away");
  expect(CONV(.transposed = 1, .in = {2}, .out = {4}, .kernel = {1}, .stride = {3}), ramp, decimal,
         NULL, VALUES(1, 0, 0, 2), "stride beyond the kernel");
  tap_ok(terms[1] == 0 && terms[0] == 1, "has outputs without a term");
  expect(CONV(.transposed = 1, .bias = 1, .in = {2}, .out = {4}, .kernel = {1}, .stride = {3}),
         ramp, decimal, (const float[]){-7}, VALUES(-6, -7, -7, -5), "or of the bias alone");
  expect(CONV(.transposed = 1, .in = {2}, .out = {5}, .kernel = {1}, .stride = {2}, .pad = {-1}),
         ramp, decimal, NULL, VALUES(0, 1, 0, 2, 0), "a negative padding adds");
  expect(CONV(.transposed = 1, .in = {2}, .out = {5}, .kernel = {3}, .dilation = {2}, .stride = {1},
              .pad = {0}),
         ramp, decimal, NULL, VALUES(1, 2, 10, 20, 100), "dilation");
  expect(CONV(.transposed = 1, .groups = 2, .ci = 1, .co = 2, .planar = 1, .in = {1}, .out = {1},
              .kernel = {1}),
         ramp, decimal, NULL, VALUES(1, 10, 200, 2000), "groups");
  expect(CONV(.transposed = 1, .ci = 2, .co = 2, .planar = 1, .in = {1}, .out = {1}, .kernel = {1}),
         ramp, decimal, NULL, VALUES(201, 2010), "the weight is in, out");
}

// ---- random problems

static uint32_t state = 1;
static int64_t draw(int64_t n) {
  state = state * 1664525u + 1013904223u;
  return (int64_t)(state >> 8) % n;
}

static void numbers(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = (float)(draw(2001) - 1000) / 256;
}

static size_t spatial(const int64_t *sizes, int rank) {
  size_t n = 1;
  for (int i = 0; i < rank; i++) n *= (size_t)sizes[i];
  return n;
}

static struct upw_ref_contract random_conv(void) {
  struct upw_ref_contract p = {.rank = (int)(1 + draw(3)), .planar = 1};
  p.batch = 1 + draw(2);
  p.groups = 1 + draw(3);
  p.ci = 1 + draw(3);
  p.co = 1 + draw(3);
  for (int i = 0; i < p.rank; i++) {
    p.kernel[i] = 1 + draw(3);
    p.stride[i] = 1 + draw(3);
    p.dilation[i] = 1 + draw(2);
    p.pad[i] = draw(4) - 1;
    p.out[i] = 1 + draw(3);
    p.in[i] = 1 + draw(5);
  }
  return p;
}

// The sum of conv(x) * y is that of x * conv_transpose(y), with the same numbers as weight.
static void adjoint(void) {
  static float x[ROOM], y[ROOM], weight[ROOM];
  int wrong = 0;
  for (int round = 0; round < 200; round++) {
    struct upw_ref_contract p = random_conv(), back = p;
    back.transposed = 1;
    back.ci = p.co;
    back.co = p.ci;
    memcpy(back.in, p.out, sizeof p.out);
    memcpy(back.out, p.in, sizeof p.in);
    size_t outputs = outputs_of(&p), inputs = outputs_of(&back);
    numbers(x, inputs);
    numbers(y, outputs);
    numbers(weight, (size_t)(p.groups * p.ci * p.co) * spatial(p.kernel, p.rank));
    double forth = 0, other = 0, size = 0;
    evaluate(&p, x, weight, NULL);
    for (size_t i = 0; i < outputs; i++) forth += want[i] * (double)y[i], size += fabs(want[i]);
    evaluate(&back, y, weight, NULL);
    for (size_t i = 0; i < inputs; i++) other += want[i] * (double)x[i];
    wrong += !(fabs(forth - other) <= 1e-12 * (size + 1));
  }
  tap_is_int(wrong, 0, "conv_transpose is the adjoint of conv");
}

// Interleaved tensors are the transposed planar ones.
static void layouts(void) {
  static float x[ROOM], turned[ROOM], weight[ROOM];
  static double kept[ROOM];
  int wrong = 0;
  for (int round = 0; round < 100; round++) {
    struct upw_ref_contract p = random_conv();
    p.transposed = round % 2;
    size_t in = spatial(p.in, p.rank), out = spatial(p.out, p.rank);
    size_t from = (size_t)(p.groups * p.ci), to = (size_t)(p.groups * p.co);
    numbers(x, (size_t)p.batch * from * in);
    numbers(weight, from * (size_t)p.co * spatial(p.kernel, p.rank));
    for (size_t i = 0; i < (size_t)p.batch * from * in; i++)
      turned[(i / in / from * in + i % in) * from + i / in % from] = x[i];
    evaluate(&p, x, weight, NULL);
    memcpy(kept, want, sizeof kept);
    p.planar = 0;
    evaluate(&p, turned, weight, NULL);
    for (size_t i = 0; i < outputs_of(&p); i++)
      wrong += want[(i / out / to * out + i % out) * to + i / out % to] != kept[i];
  }
  tap_is_int(wrong, 0, "both layouts agree");
}

// An impulse in x shows the kernel, mirrored.
static void impulse(void) {
  float x[27] = {0}, weight[27];
  struct upw_ref_contract p = filled(
      CONV(.rank = 3, .in = {3, 3, 3}, .out = {3, 3, 3}, .kernel = {3, 3, 3}, .pad = {1, 1, 1}));
  int wrong = 0;
  numbers(weight, 27);
  x[13] = 1;
  evaluate(&p, x, weight, NULL);
  for (int i = 0; i < 27; i++) wrong += want[i] != (double)weight[26 - i];
  p.transposed = 1;
  evaluate(&p, x, weight, NULL);
  for (int i = 0; i < 27; i++) wrong += want[i] != (double)weight[i];
  tap_is_int(wrong, 0, "an impulse shows the kernel");
}

static void precise(void) {
  const double x[3] = {1, 1e-20, -1}, weight[3] = {1, 1, 1};
  const void *inputs[] = {x, weight};
  struct upw_ref_contract p =
      filled(CONV(.dtype = UPW_REF_F64, .in = {3}, .out = {1}, .kernel = {3}));
  upw_ref_contract(&p, inputs, NULL, &answer);
  tap_is_number(want[0], 1e-20, "f64 keeps what its sums lose");
  tap_is_number(magnitude[0], 2, "and knows how much they could");
  const double close[3] = {1 + 0x1p-30, -1, 0}, one[3] = {1 - 0x1p-30, 1, 1};
  upw_ref_contract(&p, (const void *[]){close, one}, NULL, &answer);
  tap_is_number(want[0], -0x1p-60, "and what its products lose");
}

// Where the work is not enough for all: the corners, others, nothing wrong.
static void sampled(void) {
  static float x[ROOM];
  const float weight[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const void *inputs[] = {x, weight};
  struct upw_ref_contract p =
      filled(CONV(.rank = 2, .in = {40, 50}, .out = {40, 50}, .kernel = {3, 3}, .pad = {1, 1}));
  struct upw_ref_query query = {.work = 1800, .seed = 7, .tile = {1, 1}};
  static double all[ROOM];
  int known = 0, wrong = 0, tainted = 0;
  numbers(x, 2000);
  x[777] = NAN;
  upw_ref_contract(&p, inputs, NULL, &answer);
  memcpy(all, want, sizeof all);
  upw_ref_contract(&p, inputs, &query, &answer);
  for (int i = 0; i < 2000; i++) {
    if (terms[i] < 0) continue;
    known++;
    tainted += want[i] != want[i];
    wrong += want[i] != all[i] && want[i] == want[i];
  }
  tap_ok(known > 50 && known < 250, "about a tenth of the outputs");
  tap_is_int(wrong, 0, "which are the same as otherwise");
  tap_ok(terms[0] >= 0 && terms[49] >= 0 && terms[1950] >= 0 && terms[1999] >= 0, "all corners");
  tap_ok(tainted > 5, "and what NaN reaches");
  wrong = 0;
  for (query.work = 1, query.seed = 1; query.seed < 9; query.seed++) {
    upw_ref_contract(&p, inputs, &query, &answer);
    wrong += terms[0] < 0 || terms[49] < 0 || terms[1950] < 0 || terms[1999] < 0;
  }
  tap_is_int(wrong, 0, "however little work: the corners");
}

// What an output shares its tile with is calculated, too, even if it is not compared.
static void neighbours(void) {
  static float x[120];
  const float one = 1;
  struct upw_ref_contract p =
      filled(CONV(.rank = 2, .in = {3, 40}, .out = {3, 40}, .kernel = {1, 1}));
  struct upw_ref_query query = {.work = 1, .seed = 1, .tile = {4, 3}};
  x[2] = 5;
  x[117] = 7;
  upw_ref_contract(&p, (const void *[]){x, &one}, &query, &answer);
  tap_ok(terms[0] >= 0 && terms[39] >= 0 && terms[80] >= 0 && terms[119] >= 0,
         "corners in the same tile");
  tap_ok(magnitude[0] == 5 && magnitude[119] == 7, "the largest sum beside a corner");
}

int main(void) {
  convs();
  transposed();
  adjoint();
  layouts();
  impulse();
  precise();
  sampled();
  neighbours();
  return tap_done();
}
