// SPDX-License-Identifier: MIT
// sources: runtime/harness/main.c runtime/harness/verify.c runtime/harness/compare.c
// sources: runtime/harness/subject.c
// sources: runtime/harness/faults.c runtime/harness/bench.c runtime/harness/run.c
// sources: runtime/harness/probe.c runtime/harness/pool.c runtime/harness/memory.c
// sources: runtime/harness/data.c runtime/harness/json.c runtime/reference/axis.c
// sources: runtime/reference/table.c runtime/reference/interpolate.c runtime/reference/dtype.c
// sources: runtime/reference/torch.c runtime/reference/onnx.c runtime/reference/paddle.c
// sources: runtime/reference/tflite.c runtime/reference/exact.c runtime/reference/generic.c
// sources: runtime/src/npy.c runtime/src/status.c runtime/src/parallel.c
// flags: -O1 -g
// The harness finds what is wrong with one dtype only. Kernels of every dtype that copy or blend
// two rows into three, right and wrong; each runs in a child process.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dtype.h"
#include "harness.h"
#include "tap.h"
#include "upweave/runtime.h"

enum { ROW = 37 };

enum fault {
  NONE,
  QUIETS_NAN,
  DROPS_PAYLOAD,
  LOSES_SIGN_OF_ZERO,
  FLUSHES_DENORMALS,
  TRUNCATES, // where the nearest is due
  ROUNDS_TWICE,
  MOVES_WORDS, // two bytes at a time past an odd end
  ONE_OFF      // in one value of 256
};

static enum fault fault;
static int dtype, blends;

static uint64_t spoiled_copy(uint64_t bits) {
  const struct upw_ref_format *f = upw_ref_format(dtype);
  uint64_t infinity = ((UINT64_C(1) << f->exponent) - 1) << f->mantissa;
  uint64_t magnitude = (UINT64_C(1) << (f->bytes * 8 - 1)) - 1;
  if (f->mantissa == 0) return fault == ONE_OFF && bits == 254 ? 255 : bits;
  uint64_t quiet = UINT64_C(1) << (f->mantissa - 1);
  if ((bits & magnitude) > infinity) {
    if (fault == QUIETS_NAN) return bits | quiet;
    if (fault == DROPS_PAYLOAD) return infinity | quiet;
  }
  if (fault == LOSES_SIGN_OF_ZERO && (bits & magnitude) == 0) return 0;
  if (fault == FLUSHES_DENORMALS && (bits & infinity) == 0) return bits & ~magnitude;
  return bits;
}

static void blend(void *y, size_t i, double a, double b) {
  double sum = 0.5 * a + 0.5 * b;
  if (fault == ROUNDS_TWICE) sum = upw_ref_rounded(dtype, a) / 2 + upw_ref_rounded(dtype, b / 2);
  upw_ref_store(dtype, y, i, dtype == UPW_REF_U8 ? floor(sum + 0.5) : sum);
  uint64_t bits = upw_ref_bits(dtype, y, i);
  double stored = upw_ref_load(dtype, y, i);
  if (fault == TRUNCATES && stored == stored && fabs(stored) > fabs(sum)) bits--;
  if (fault == ONE_OFF && dtype == UPW_REF_U8 && sum == 127.5) bits--;
  upw_ref_set_bits(dtype, y, i, bits);
}

// Linear, corners aligned: the rows and their mean. A copy: nearest, the first row twice.
static int range(const void *const *inputs, const void *packed, void *const *outputs,
                 void *workspace, size_t begin, size_t end) {
  const void *x = inputs[0];
  (void)packed, (void)workspace;
  if (begin > end || end > 3) return UPW_BAD_RANGE;
  for (size_t h = begin; h < end; h++)
    for (size_t i = 0; i < ROW; i++) {
      size_t at = h * ROW + i, low = (blends ? h / 2 : h * 2 / 3) * ROW + i;
      if (blends)
        blend(outputs[0], at, upw_ref_load(dtype, x, low),
              upw_ref_load(dtype, x, (h + 1) / 2 * ROW + i));
      else
        upw_ref_set_bits(dtype, outputs[0], at, spoiled_copy(upw_ref_bits(dtype, x, low)));
    }
  if (fault == MOVES_WORDS && end == 3) {
    volatile unsigned char *y = outputs[0];
    y[3 * ROW * upw_ref_format(dtype)->bytes] = 0;
  }
  return UPW_OK;
}

static int run(const void *const *inputs, const void *packed, void *const *outputs,
               void *workspace) {
  return range(inputs, packed, outputs, workspace, 0, 3);
}

// The exit code of `verify` on such a kernel.
static int verify(int type, int blending, enum fault wrong) {
  const struct upw_ref_format *f = upw_ref_format(type);
  uint8_t code = f->code, bits = (uint8_t)(f->bytes * 8);
  const struct upw_tensor tensors[] = {
      {"x", "NCHW", code, bits, UPW_INPUT, 4, {1, 1, 2, ROW}, (size_t)2 * ROW * f->bytes},
      {"y", "NCHW", code, bits, UPW_OUTPUT, 4, {1, 1, 3, ROW}, (size_t)3 * ROW * f->bytes},
  };
  const struct upw_kernel kernel = {.abi = UPW_KERNEL_ABI,
                                    .tensor_count = 2,
                                    .name = "rows",
                                    .spec = "{}",
                                    .tensors = tensors,
                                    .workspace_align = 1,
                                    .tasks = 3,
                                    .run = run,
                                    .range = range};
  const struct upw_ref_interpolate params = {.dtype = type,
                                             .mode = blending ? UPW_REF_BILINEAR : UPW_REF_NEAREST,
                                             .rank = 2,
                                             .planar = 1,
                                             .align_corners = blending,
                                             .batch = 1,
                                             .channels = 1,
                                             .in = {2, ROW},
                                             .out = {3, ROW}};
  const struct upw_case c = {.kernel = &kernel,
                             .op = "interpolate",
                             .reference = upw_ref_interpolate,
                             .generic = upw_generic_interpolate,
                             .params = &params,
                             .flops = 1};
  int status = 0;
  fault = wrong;
  dtype = type;
  blends = blending;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stdout)) _exit(1);
    int code_of_run = upw_harness_main(2, (char *[]){"harness", "verify"}, &c, 1);
    if (code_of_run == 0 && wrong == NONE)
      code_of_run =
          upw_harness_main(4, (char *[]){"harness", "bench", "--seconds", "0.001"}, &c, 1);
    _exit(code_of_run);
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *const names[] = {"f32", "f64", "f16", "bf16", "u8"};

static void wrong(int type, int blending, enum fault kind, const char *name) {
  char text[96];
  snprintf(text, sizeof text, "%s: %s", names[type], name);
  tap_is_int(verify(type, blending, kind), 6, text);
}

int main(void) {
  for (int type = UPW_REF_F32; type <= UPW_REF_U8; type++) {
    tap_is_int(verify(type, 0, NONE), 0, names[type]);
    tap_is_int(verify(type, 1, NONE), 0, "blended");
    wrong(type, 0, MOVES_WORDS, "a write past the end");
    if (type == UPW_REF_U8) continue;
    wrong(type, 0, QUIETS_NAN, "a copy that quiets NaNs");
    wrong(type, 0, DROPS_PAYLOAD, "a copy that forgets which NaN it was");
    wrong(type, 0, LOSES_SIGN_OF_ZERO, "a copy that loses the sign of 0");
    wrong(type, 0, FLUSHES_DENORMALS, "a copy that flushes denormals");
  }
  for (int type = UPW_REF_F16; type <= UPW_REF_BF16; type++) {
    wrong(type, 1, TRUNCATES, "a sum that is cut off");
    wrong(type, 1, ROUNDS_TWICE, "a sum of rounded products");
  }
  wrong(UPW_REF_U8, 0, ONE_OFF, "a copy with one value wrong");
  wrong(UPW_REF_U8, 1, ONE_OFF, "a half rounded down");
  return tap_done();
}
