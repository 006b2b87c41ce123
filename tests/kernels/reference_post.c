// SPDX-License-Identifier: MIT
// sources: runtime/reference/contract.c runtime/reference/contract_choose.c
// sources: runtime/reference/contract_post.c runtime/reference/generic_contract.c
// sources: runtime/reference/dtype.c
// Epilogues of a contraction: their values, and the error that is allowed behind them; what tiles
// spread, and what nothing is said of.
#include <math.h>

#include "reference.h"
#include "tap.h"
#include "upweave/kernel.h"

enum { ROOM = 64 };
static double want[ROOM], magnitude[ROOM], terms[ROOM], extra[ROOM];
static unsigned char loose[ROOM];
static const struct upw_ref_answer answer = {want, magnitude, terms, extra, loose};

static const struct upw_ref_contract line = {.rank = 1,
                                             .batch = 1,
                                             .groups = 1,
                                             .ci = 1,
                                             .co = 1,
                                             .in = {1},
                                             .out = {1},
                                             .kernel = {1},
                                             .stride = {1},
                                             .dilation = {1}};

// One output: v times 1, then what `post` says; `rest` are the inputs behind x and the weight.
static void store(double v, struct upw_ref_post post, const float *residual, const float *rest) {
  const float x = (float)v, one = 1;
  struct upw_ref_contract p = line;
  const void *inputs[8] = {&x, residual, &one};
  int at = residual ? 3 : 2;
  if (!residual) inputs[1] = &one;
  for (int i = 0; i < 4 && rest; i++) inputs[at + i] = rest + i;
  p.eps = 1;
  p.post_count = 1;
  p.post[0] = post;
  tap_is_int(upw_ref_contract(&p, inputs, NULL, &answer), UPW_OK, "reference");
  float generic = 0;
  upw_generic_contract(&p, inputs, (void *[]){&generic});
  // What it makes of infinities is its own affair.
  tap_ok(v - v != 0 || fabs((double)generic - want[0]) <=
                           (terms[0] + 4) * (0x1p-24 * magnitude[0] + 0x1p-150) + extra[0],
         "generic C is near");
}
#define POST(...) (struct upw_ref_post){__VA_ARGS__}, NULL, NULL

static void near(double got, double value, const char *name) {
  if (!tap_ok(fabs(got - value) <= 1e-13 * fabs(value), name))
    tap_diag("got %.17g, want %.17g", got, value);
}

static void values(void) {
  store(-2, POST(.kind = UPW_REF_RELU));
  tap_is_number(want[0], 0, "relu below 0");
  tap_is_number(magnitude[0], 2, "keeps the error of the sum");
  store(-2, POST(.kind = UPW_REF_LEAKY_RELU, .a = 0.1));
  tap_is_number(want[0], -2 * (double)0.1f, "leaky_relu has its slope as float");
  tap_is_number(terms[0], 2, "and rounds once more");
  store(-2, POST(.kind = UPW_REF_LEAKY_RELU, .a = -3));
  tap_is_number(magnitude[0], 6, "a steep one widens the error");
  store(9, POST(.kind = UPW_REF_CLAMP, .a = 0, .b = 6));
  tap_is_number(want[0], 6, "clamp");
  store(-2, (struct upw_ref_post){.kind = UPW_REF_PRELU}, NULL, (const float[]){0.5f, 0, 0, 0});
  tap_is_number(want[0], -1, "prelu");
  store(-2, (struct upw_ref_post){.kind = UPW_REF_ADD}, (const float[]){5}, NULL);
  tap_is_number(want[0], 3, "add");
  tap_ok(magnitude[0] == 7 && terms[0] == 2, "a residual is a term");
  // gamma 2, beta 1, mean 3, var 3, eps 1: v - 3 + 1
  store(-2, (struct upw_ref_post){.kind = UPW_REF_BATCH_NORM}, NULL, (const float[]){2, 1, 3, 3});
  near(want[0], -4, "batch_norm");
  near(magnitude[0], 6, "its shift counts");
  tap_is_number(terms[0], 5, "four roundings more");
}

static void functions(void) {
  store(1, POST(.kind = UPW_REF_SIGMOID));
  near(want[0], 0.73105857863000487925, "sigmoid");
  tap_is_number(magnitude[0], 0.25, "has a slope of a quarter");
  near(extra[0], 8 * 0x1p-24, "and 8 units of its own");
  store(-1, POST(.kind = UPW_REF_TANH));
  near(want[0], -0.76159415595576488812, "tanh");
  near(extra[0], 8 * 0x1p-24, "8 units");
  store(1, POST(.kind = UPW_REF_GELU));
  near(want[0], 0.84134474606854294859, "gelu");
  near(extra[0], 8 * 0x1p-24, "8 units, more than 2^-22");
  near(magnitude[0], 1.13, "the largest slope");
  store(-3, POST(.kind = UPW_REF_GELU));
  near(want[0], -0.0040496940948902128, "gelu below 0");
  near(extra[0], 3 * 0x1p-22, "an absolute error that grows");
  store(1, POST(.kind = UPW_REF_GELU_TANH));
  near(want[0], 0.84119199060827670, "gelu(tanh)");
  store(-INFINITY, POST(.kind = UPW_REF_GELU_TANH));
  tap_is_number(want[0], 0, "the limits");
  store(-INFINITY, POST(.kind = UPW_REF_GELU));
  tap_is_number(want[0], 0, "of both");
  store(INFINITY, POST(.kind = UPW_REF_TANH));
  tap_is_number(want[0], 1, "and of tanh");
  store(NAN, POST(.kind = UPW_REF_CLAMP, .a = 0, .b = 6));
  tap_ok(want[0] != want[0], "NaN stays NaN");
}

// What follows a function scales its error, too. gamma -16, beta 0, mean 0, var 3, eps 1: times -8
static void chained(void) {
  const float x = 1, one = 1, rest[4] = {-16, 0, 0, 3};
  const void *inputs[] = {&x, &one, rest, rest + 1, rest + 2, rest + 3};
  struct upw_ref_contract p = line;
  p.eps = 1;
  p.post_count = 2;
  p.post[0].kind = UPW_REF_SIGMOID;
  p.post[1].kind = UPW_REF_BATCH_NORM;
  upw_ref_contract(&p, inputs, NULL, &answer);
  near(want[0], -8 * 0.73105857863000487925, "a factor behind a function");
  near(magnitude[0], 2, "scales the error of the sum");
  near(extra[0], 8 * 0x1p-24 * (8 + 4 * (0.73105857863000487925 - 0.25)),
       "and that of the function");
}

// The stated slopes are slopes: nowhere is a function steeper.
static void slopes(void) {
  for (int kind = UPW_REF_SIGMOID; kind <= UPW_REF_GELU_TANH; kind++) {
    enum { STEPS = 1600 };
    double last = 0, most = 0, slope = 0;
    for (int i = 0; i <= STEPS; i++) {
      const float x = -8 + (float)i / 100, one = 1;
      struct upw_ref_contract p = line;
      p.post_count = 1;
      p.post[0].kind = kind;
      upw_ref_contract(&p, (const void *[]){&x, &one}, NULL, &answer);
      if (i > 0 && fabs(want[0] - last) * 100 > most) most = fabs(want[0] - last) * 100;
      last = want[0];
      if (x > 1) slope = magnitude[0] / (double)x;
    }
    tap_ok(most <= slope * 1.0001 && most > slope * 0.99, "a function's largest slope");
  }
}

// ---- tiles of four outputs, somewhere

static void row(const float *x, int64_t tile, int numerics, int post) {
  const float weight = 1;
  const struct upw_ref_query query = {.tile = {tile}};
  struct upw_ref_contract p = line;
  p.in[0] = p.out[0] = 12;
  p.numerics = numerics;
  p.post_count = post >= 0;
  p.post[0].kind = post >= 0 ? post : 0;
  upw_ref_contract(&p, (const void *[]){x, &weight}, &query, &answer);
}

static void tiles(void) {
  float x[12] = {1, 1, 1, 1, 1, 8, 1, 1, 1, 1, 1, 1};
  row(x, 4, UPW_REF_DEFAULT, -1);
  tap_ok(magnitude[1] == 2 && magnitude[2] == 16 && magnitude[8] == 16 && magnitude[9] == 2,
         "the largest sum nearer than a tile, and the factor of its class");
  tap_is_number(extra[0], 5 * 3 * 0x1p-150, "whose square is that of denormals");
  row(x, 4, UPW_REF_FAST, -1);
  tap_is_number(magnitude[0], 5, "fast");
  row(x, 1, UPW_REF_FAST, -1);
  tap_ok(magnitude[0] == 1 && magnitude[4] == 1 && magnitude[5] == 8,
         "direct kernels have neither");
  const float one = 1;
  const struct upw_ref_query named = {.tile = {4}, .factor = 16};
  upw_ref_contract(&line, (const void *[]){x, &one}, &named, &answer);
  tap_is_number(magnitude[0], 16, "a kernel may name its own factor");
  x[5] = NAN;
  row(x, 4, UPW_REF_DEFAULT, -1);
  tap_ok(!loose[1] && loose[2] && loose[8] && !loose[9], "NaN may spread in a tile, not farther");
  tap_ok(want[4] == 1 && magnitude[4] == 2 && want[5] != want[5], "numbers stay numbers");
  row(x, 1, UPW_REF_DEFAULT, -1);
  tap_ok(!loose[4] && loose[5] && !loose[6], "nor at all in direct kernels");
}

// Tiles of two outputs of a phase.
static void phases(void) {
  const float x[6] = {1, 1, 8, 1, 1, 1}, weight = 1;
  const struct upw_ref_query query = {.tile = {2}};
  struct upw_ref_contract p = line;
  p.transposed = 1;
  p.in[0] = 6;
  p.out[0] = 12;
  p.stride[0] = 2;
  p.numerics = UPW_REF_DEFAULT;
  upw_ref_contract(&p, (const void *[]){x, &weight}, &query, &answer);
  tap_ok(magnitude[0] == 2 && magnitude[1] == 16 && magnitude[7] == 16 && magnitude[8] == 2,
         "tiles of a transposed one reach over its phases");
}

// Parameters as they come: weights that are no numbers, and such as hide how large inputs are.
static void parameters(int64_t tile, const float *weight) {
  float x[12] = {1, 1, 1, 1, 1, 1e37f, 1, 1, 1, 1, 1, 1};
  const struct upw_ref_query query = {.tile = {tile}};
  struct upw_ref_contract p = line;
  p.in[0] = 12;
  p.out[0] = 12;
  p.kernel[0] = 2;
  p.pad[0] = 1; // output 0 has the second weight only
  upw_ref_contract(&p, (const void *[]){x, weight}, &query, &answer);
}

static void weights(void) {
  parameters(1, (const float[]){NAN, 1});
  tap_ok(!loose[0] && want[0] == 1 && want[1] != want[1], "a weight reaches those that use it");
  parameters(4, (const float[]){NAN, 1});
  tap_ok(loose[0] && want[0] == 1, "in a tile all may use a weight");
  parameters(1, (const float[]){0, 0});
  tap_ok(!loose[5] && want[5] == 0, "nothing overflows where weights are 0");
  parameters(4, (const float[]){0, 0});
  tap_ok(loose[5] && loose[2] && !loose[0] && terms[5] == 2, "in a tile inputs may");
}

static void overflows(void) {
  const float x[12] = {0, 1e38f, 3.4028235e38f, 3e36f, 3e34f, INFINITY};
  row(x, 1, UPW_REF_STRICT, -1);
  tap_ok(!loose[1] && loose[2] && terms[2] == 1, "a sum as large as the largest may overflow");
  row(x, 1, UPW_REF_STRICT, UPW_REF_RELU);
  tap_ok(terms[1] == 1 && terms[2] == -1 && terms[5] == 1, "nothing is known behind an epilogue");
  row(x, 2, UPW_REF_FAST, UPW_REF_RELU);
  tap_ok(terms[3] == -1 && terms[10] == 1, "transforms overflow earlier");
}

int main(void) {
  values();
  functions();
  chained();
  slopes();
  tiles();
  phases();
  weights();
  overflows();
  return tap_done();
}
