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
// The harness must find every kind of wrong kernel. Each wrong kernel runs in a child process.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "child.h"
#include "tap.h"
#include "upweave/runtime.h"

enum { TASKS = 5, IN = 6, OUT = 12 };

enum fault {
  NONE,
  WRONG_VALUE,
  WRONG_WEIGHT,
  LOST_SIGN,
  TOUCHES_NEIGHBOUR,
  NOT_WRITTEN,
  WRITES_PAST_END,
  WRITES_FAR_PAST_END,
  WRITES_BEFORE_START,
  READS_PAST_END,
  READS_BEFORE_START,
  READS_FAR,
  WRITES_INPUT,
  WORKSPACE_TOO_LONG,
  WORKSPACE_TOO_LONG_WRITE,
  READS_OLD_WORKSPACE,
  READS_OLD_OUTPUT,
  NEEDS_ALIGNMENT,
  ABORTS,
  FAILS,
  ACCEPTS_BAD_BEGIN,
  ACCEPTS_BAD_END,
  RANGE_WRITES_ALL,
  RANGE_DIFFERS,
  RANGE_SKIPS,
  KEEPS_STATE,
  FAULTS
};

static enum fault fault;
static volatile float sink;

// One row of a linear upsampling by 2 (weights 1/4 and 3/4), copied through the workspace.
static void row(const float *x, float *y, float *workspace, size_t task, int whole) {
  static int calls;
  volatile float *out = y;
  if (fault == READS_OLD_WORKSPACE && workspace[0] == workspace[0]) return;
  for (size_t i = 0; i < IN; i++) workspace[i] = x[i];
  if (fault == WORKSPACE_TOO_LONG) sink = ((volatile float *)workspace)[IN + 1024];
  if (fault == WORKSPACE_TOO_LONG_WRITE) ((volatile float *)workspace)[IN] = 1;
  for (size_t o = 0; o < OUT; o++) {
    size_t i = o / 2, left = o % 2 ? i : i - (i > 0), right = o % 2 ? i + (i < IN - 1) : i;
    float w = o % 2 ? 0.75f : 0.25f;
    if (fault == WRONG_WEIGHT && o == 5) w += 1e-5f;
    out[o] = left == right ? workspace[i] : w * workspace[left] + (1 - w) * workspace[right];
  }
  if (fault == WRONG_VALUE && task == 3) out[7] += 0.5f;
  if (fault == LOST_SIGN) out[0] = workspace[0] < 0 ? -workspace[0] : workspace[0];
  if (fault == TOUCHES_NEIGHBOUR) out[4] += 0 * workspace[5];
  if (fault == RANGE_DIFFERS && !whole) out[4] = out[4] * 1.0000001f;
  if (fault == KEEPS_STATE && calls++ > 3) out[2] += 1;
}

static int range(const void *const *inputs, const void *packed, void *const *outputs,
                 void *workspace, size_t begin, size_t end) {
  const float *x = inputs[0];
  float *y = outputs[0];
  volatile float *out = y;
  int whole = begin == 0 && end == TASKS;
  (void)packed;
  if ((begin > end && fault != ACCEPTS_BAD_BEGIN) || (end > TASKS && fault != ACCEPTS_BAD_END))
    return UPW_BAD_RANGE;
  if (end > TASKS) end = TASKS;
  if (fault == RANGE_WRITES_ALL && begin < end) begin = 0, end = TASKS;
  if (fault == RANGE_SKIPS && !whole && begin < end) end--;
  if (fault == READS_OLD_OUTPUT) sink = out[0] == out[0] ? 1.0f : 0.0f;
  for (size_t t = begin; t < end; t++) row(x + t * IN, y + t * OUT, workspace, t, whole);
  if (!whole) return UPW_OK;
  if (fault == NOT_WRITTEN) memcpy(y + TASKS * OUT - 1, &(const uint32_t){0x7FCADDED}, 4);
  if (fault == WRITES_PAST_END) out[TASKS * OUT] = 1;
  if (fault == WRITES_FAR_PAST_END) out[TASKS * OUT + 1024] = 1;
  if (fault == WRITES_BEFORE_START) out[-1] = 1;
  if (fault == READS_PAST_END) sink = ((const volatile float *)x)[TASKS * IN];
  if (fault == READS_BEFORE_START) sink = ((const volatile float *)x)[-1];
  if (fault == READS_FAR) out[0] = ((const volatile float *)x)[TASKS * IN + 2048];
  if (fault == WRITES_INPUT) *(volatile float *)(uintptr_t)x = *x;
  if (fault == NEEDS_ALIGNMENT && (uintptr_t)x % 16 != 0) out[3] = 9;
  if (fault == ABORTS) abort();
  return fault == FAILS ? UPW_NO_MEMORY : UPW_OK;
}

static int run(const void *const *inputs, const void *packed, void *const *outputs,
               void *workspace) {
  return range(inputs, packed, outputs, workspace, 0, TASKS);
}

static const struct upw_tensor tensors[] = {
    {"x", "NCW", 2, 32, UPW_INPUT, 3, {1, TASKS, IN}, sizeof(float[TASKS * IN])},
    {"y", "NCW", 2, 32, UPW_OUTPUT, 3, {1, TASKS, OUT}, sizeof(float[TASKS * OUT])},
};
static const struct upw_kernel kernel = {.abi = UPW_KERNEL_ABI,
                                         .tensor_count = 2,
                                         .name = "twice",
                                         .spec = "{}",
                                         .tensors = tensors,
                                         .packed_align = 1,
                                         .workspace_bytes = sizeof(float[IN]),
                                         .workspace_align = 4,
                                         .tasks = TASKS,
                                         .run = run,
                                         .range = range};

static int empty_range(const void *const *inputs, const void *packed, void *const *outputs,
                       void *workspace, size_t begin, size_t end) {
  (void)inputs, (void)packed, (void)outputs, (void)workspace;
  return begin > end || end > 0 ? UPW_BAD_RANGE : UPW_OK;
}
static int empty_run(const void *const *inputs, const void *packed, void *const *outputs,
                     void *workspace) {
  return empty_range(inputs, packed, outputs, workspace, 0, 0);
}
static const struct upw_tensor no_tensors[] = {
    {"x", "NCW", 2, 32, UPW_INPUT, 3, {0, TASKS, IN}, 0},
    {"y", "NCW", 2, 32, UPW_OUTPUT, 3, {0, TASKS, OUT}, 0},
};
static const struct upw_kernel empty = {.abi = UPW_KERNEL_ABI,
                                        .tensor_count = 2,
                                        .name = "none",
                                        .spec = "{}",
                                        .tensors = no_tensors,
                                        .workspace_align = 1,
                                        .run = empty_run,
                                        .range = empty_range};

static const struct upw_ref_interpolate params = {.mode = UPW_REF_LINEAR,
                                                  .rank = 1,
                                                  .planar = 1,
                                                  .batch = 1,
                                                  .channels = TASKS,
                                                  .in = {IN},
                                                  .out = {OUT}};
static const struct upw_ref_interpolate no_params = {
    .mode = UPW_REF_LINEAR, .rank = 1, .planar = 1, .channels = TASKS, .in = {IN}, .out = {OUT}};
static const struct upw_case cases[] = {
    {.kernel = &kernel,
     .op = "interpolate",
     .reference = upw_ref_interpolate,
     .generic = upw_generic_interpolate,
     .params = &params,
     .flops = 240},
    {.kernel = &empty,
     .op = "interpolate",
     .reference = upw_ref_interpolate,
     .generic = upw_generic_interpolate,
     .params = &no_params,
     .flops = 0},
};

#define HARNESS(...) harness_child((char *[]){"harness", __VA_ARGS__, NULL}, cases, 2)

static const struct {
  enum fault fault;
  const char *name, *part;
} expectations[] = {
    {WRONG_VALUE, "a wrong value", "\"kind\":\"value\",\"index\":[0,3,7]"},
    {WRONG_WEIGHT, "a weight off by 1e-5", "\"kind\":\"value\""},
    {LOST_SIGN, "a lost sign", "\"kind\":\"value\""},
    {TOUCHES_NEIGHBOUR, "0 * an input that is not used", "\"kind\":\"value\""},
    {NOT_WRITTEN, "an output not written", "\"kind\":\"not written\",\"index\":[0,4,11]"},
    {WRITES_PAST_END, "a write past the end", "write at byte 240 of y, which has 240 bytes"},
    {WRITES_FAR_PAST_END, "a far write past the end", "past the end of y"},
    {WRITES_BEFORE_START, "a write before the start", "before the start of y"},
    {READS_PAST_END, "a read past the end", "access 0 bytes past the end of x"},
    {READS_BEFORE_START, "a read before the start", "access 4 bytes before the start of x"},
    {READS_FAR, "a far read", "past the end of x"},
    {WRITES_INPUT, "a write to the input", "write to input x at byte 0"},
    {WORKSPACE_TOO_LONG, "a read past the workspace", "past the end of workspace"},
    {WORKSPACE_TOO_LONG_WRITE, "a write past the workspace", "write at byte 24 of workspace"},
    {READS_OLD_WORKSPACE, "a result that depends on the workspace", "\"kind\":\"not written\""},
    {READS_OLD_OUTPUT, "a harmless read of the output", NULL},
    {NEEDS_ALIGNMENT, "a kernel that needs alignment", "data, buffers high"},
    {ABORTS, "an abort", "Aborted"},
    {FAILS, "a status", "run returned 4 (out of memory)"},
    {ACCEPTS_BAD_BEGIN, "begin > end accepted", "begin > end was not refused"},
    {ACCEPTS_BAD_END, "end > tasks accepted", "\"kind\":\"range\""},
    {RANGE_WRITES_ALL, "a range that writes the rest as well", NULL},
    {RANGE_DIFFERS, "a range with another result", "ranges of tasks"},
    {RANGE_SKIPS, "a range that skips a task", "\"kind\":\"not written\""},
    {KEEPS_STATE, "a kernel with a memory", "\"kind\":\"value\""},
};

static void wrong_kernels(void) {
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
    const char *part = expectations[i].part;
    fault = expectations[i].fault;
    int code = HARNESS("verify", "--only", "twice");
    tap_is_int(code, part ? 6 : 0, expectations[i].name);
    tap_like(output, part ? "\"ok\":false" : "\"ok\":true", "its line");
    if (part) tap_like(output, part, "says what is wrong");
  }
  fault = NONE;
}

static void right_kernels(void) {
  tap_is_int(HARNESS("verify"), 0, "right kernels pass");
  tap_like(output, "{\"kernel\":\"twice\",\"ok\":true,\"max_ulp\":", "a line for one");
  tap_like(output, "{\"kernel\":\"none\",\"ok\":true", "and for the empty one");
  tap_like(output, "\"checked\":0,", "which has nothing to check");
  tap_is_int(HARNESS("verify", "--only", "no*", "--seed", "7", "--rounds", "1"), 0, "--only");
  tap_ok(strstr(output, "twice") == NULL, "leaves the others out");
  tap_like(output, "\"seed\":7", "the seed is printed");
}

static void usage(void) {
  tap_is_int(HARNESS("verify", "--only", "nothing"), 2, "no such kernel");
  tap_is_int(HARNESS("verify", "--seed"), 2, "an option without a value");
  tap_is_int(HARNESS("verify", "--seed", "-1"), 2, "a negative seed");
  tap_is_int(HARNESS("verify", "--rounds", "0"), 2, "no rounds");
  tap_is_int(HARNESS("bench", "--seconds", "x"), 2, "no number");
  tap_is_int(HARNESS("improve"), 2, "no such subcommand");
  tap_is_int(HARNESS("run"), 2, "run needs a folder");
}

static void bench(void) {
  tap_is_int(HARNESS("bench", "--only", "twice", "--seconds", "0.01", "--threads", "2"), 0,
             "bench");
  const char *keys[] = {"min_ns",    "median_ns",  "spread",   "reference_ns", "read_gbs",
                        "write_gbs", "fma_gflops", "limit_ns", "share",        "threads_ns"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) tap_like(output, keys[i], "its line");
  fault = FAILS;
  tap_is_int(HARNESS("bench", "--only", "twice", "--seconds", "0.01"), 7, "a failing kernel");
  fault = NONE;
}

static void files(void) {
  char folder[] = "/tmp/upweave-harness-XXXXXX", path[64];
  float x[TASKS * IN], y[TASKS * OUT] = {0};
  for (size_t i = 0; i < TASKS * IN; i++) x[i] = (float)i;
  if (!mkdtemp(folder)) abort();
  tap_is_int(HARNESS("run", "--only", "twice", "--data", folder), 3, "run without a file");
  tap_like(output, "twice.x.npy", "names it");
  snprintf(path, sizeof path, "%s/twice.x.npy", folder);
  tap_is_int(upw_npy_write(path, &tensors[0], x, NULL), UPW_OK, "write the input");
  tap_is_int(HARNESS("run", "--only", "twice", "--data", folder), 0, "run");
  remove(path);
  snprintf(path, sizeof path, "%s/twice.y.npy", folder);
  tap_is_int(upw_npy_read_into(path, &tensors[1], y, NULL), UPW_OK, "read the output");
  tap_is_number((double)y[OUT + 3], 7.25, "a value of the second row");
  remove(path);
  rmdir(folder);
}

int main(void) {
  right_kernels();
  wrong_kernels();
  usage();
  bench();
  files();
  return tap_done();
}
