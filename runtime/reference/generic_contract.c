// SPDX-License-Identifier: MIT
// "Generic C" of conv and conv_transpose: what the benchmarks call plain C code for any shape.
// generic_contract_element.h, once for each dtype. It is compiled with -O3 for the same target as
// the kernel.
#include <math.h>
#include <stdlib.h>

#include "contract.h"
#include "generic_half.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT ON // whatever the flags: multiply-adds as any C program gets them

// Three axes, whatever the rank. Kernel position k joins input in + n * in_step to output
// out + n * out_step for all n < count: conv steps over the inputs, conv_transpose over the
// outputs.
struct geometry {
  int64_t in[3], out[3], kernel[3], dilation[3], pad[3], in_step[3], out_step[3];
  int64_t inputs, outputs, taps;
  int transposed;
};
struct span {
  int64_t count, in, out;
};

static struct geometry geometry_of(const struct upw_ref_contract *p) {
  struct geometry a = {.inputs = 1, .outputs = 1, .taps = 1, .transposed = p->transposed};
  for (int i = 0; i < 3; i++) {
    int from = i - (3 - p->rank);
    int64_t stride = from >= 0 ? p->stride[from] : 1;
    a.in[i] = from >= 0 ? p->in[from] : 1;
    a.out[i] = from >= 0 ? p->out[from] : 1;
    a.kernel[i] = from >= 0 ? p->kernel[from] : 1;
    a.dilation[i] = from >= 0 ? p->dilation[from] : 1;
    a.pad[i] = from >= 0 ? p->pad[from] : 0;
    a.in_step[i] = p->transposed ? 1 : stride;
    a.out_step[i] = p->transposed ? stride : 1;
    a.inputs *= a.in[i];
    a.outputs *= a.out[i];
    a.taps *= a.kernel[i];
  }
  return a;
}

static int64_t steps_up(int64_t distance, int64_t step) {
  return distance > 0 ? (distance + step - 1) / step : 0;
}

static struct span span_of(const struct geometry *a, int axis, int64_t k) {
  int64_t offset = k * a->dilation[axis] - a->pad[axis];
  int64_t in_step = a->in_step[axis], out_step = a->out_step[axis];
  int64_t in = a->transposed ? 0 : offset, out = a->transposed ? offset : 0;
  int64_t skip = steps_up(-in, in_step), more = steps_up(-out, out_step);
  skip = more > skip ? more : skip;
  int64_t most = steps_up(a->in[axis] - in, in_step),
          count = steps_up(a->out[axis] - out, out_step);
  count = (most < count ? most : count) - skip;
  return (struct span){count > 0 ? count : 0, in + skip * in_step, out + skip * out_step};
}

#define NAME(x)        x##_f32
#define ELEMENT        float
#define NUMBER         float
#define LOAD(e)        (e)
#define STORE(n)       (n)
#define FUNCTION(name) name##f
#include "generic_contract_element.h"

#define NAME(x)        x##_f64
#define ELEMENT        double
#define NUMBER         double
#define LOAD(e)        (e)
#define STORE(n)       (n)
#define FUNCTION(name) name
#include "generic_contract_element.h"

#define NAME(x)        x##_f16
#define ELEMENT        uint16_t
#define NUMBER         float
#define LOAD(e)        of_f16(e)
#define STORE(n)       to_f16(n)
#define FUNCTION(name) name##f
#include "generic_contract_element.h"

#define NAME(x)        x##_bf16
#define ELEMENT        uint16_t
#define NUMBER         float
#define LOAD(e)        of_bf16(e)
#define STORE(n)       to_bf16(n)
#define FUNCTION(name) name##f
#include "generic_contract_element.h"

int upw_generic_contract(const void *params, const void *const *inputs, void *const *outputs) {
  typedef int run_fn(const struct upw_ref_contract *, const void *const *, void *);
  static run_fn *const runs[] = {[UPW_REF_F32] = run_f32,
                                 [UPW_REF_F64] = run_f64,
                                 [UPW_REF_F16] = run_f16,
                                 [UPW_REF_BF16] = run_bf16};
  const struct upw_ref_contract *p = params;
  return runs[p->dtype](p, inputs, outputs[0]);
}
