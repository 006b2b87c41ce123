// SPDX-License-Identifier: MIT
// sources: runtime/harness/main.c runtime/harness/verify.c runtime/harness/compare.c
// sources: runtime/harness/subject.c runtime/harness/faults.c runtime/harness/bench.c
// sources: runtime/harness/run.c runtime/harness/probe.c runtime/harness/pool.c
// sources: runtime/harness/memory.c runtime/harness/data.c runtime/harness/json.c
// sources: runtime/reference/contract.c runtime/reference/contract_choose.c
// sources: runtime/reference/contract_post.c runtime/reference/generic_contract.c
// sources: runtime/reference/dtype.c runtime/src/npy.c runtime/src/status.c
// sources: runtime/src/parallel.c
// flags: -O1 -g
// The harness on a kernel with parameters: what goes wrong with packing and with what is packed.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "child.h"
#include "tap.h"
#include "upweave/runtime.h"

// A convolution of interleaved rows, kernel 5, padding 2, plus bias, plus a residual, relu.
enum { WIDTH = 20, CI = 3, CO = 4, TAPS = 5, WEIGHTS = CO * CI * TAPS, PACK = WEIGHTS + CO };
enum { TILE = 4 };

enum fault {
  NONE,
  PACK_WRITES_PAST_END,
  PACK_LEAVES_OUT,
  PACK_WRITES_PARAMETER,
  PACK_READS_PAST_END,
  PACK_READS_FAR,
  PACK_FAILS,
  PACK_NEEDS_ALIGNMENT,
  READS_PAST_PACKED,
  WRITES_PACKED,
  FORGETS_RESIDUAL,
  FORGETS_BIAS,
  WRONG_WEIGHT,
  NOT_WRITTEN,
  NOT_WRITTEN_IF_NAN,
  SPREADS,
  SPREADS_FAR
};

static enum fault fault;
static volatile float sink;

static int pack(const void *const *parameters, void *packed) {
  const float *weight = parameters[0], *bias = parameters[1];
  float *to = packed;
  for (int k = 0; k < TAPS; k++)
    for (int i = 0; i < CI; i++)
      for (int o = 0; o < CO; o++) *to++ = weight[(o * CI + i) * TAPS + k];
  for (int o = 0; o < CO; o++)
    if (fault != PACK_LEAVES_OUT || o < CO - 1) to[o] = bias[o];
  if (fault == PACK_WRITES_PAST_END) ((volatile float *)to)[CO] = 1;
  if (fault == PACK_WRITES_PARAMETER) *(volatile float *)(uintptr_t)weight = *weight;
  if (fault == PACK_READS_PAST_END) sink = ((const volatile float *)bias)[CO];
  if (fault == PACK_READS_FAR) to[0] += 0 * ((const volatile float *)bias)[CO];
  if (fault == PACK_NEEDS_ALIGNMENT && (uintptr_t)weight % 64 != 0) to[0] += 1;
  return fault == PACK_FAILS ? UPW_NO_MEMORY : UPW_OK;
}

static float sum(const float *x, const float *packed, int at, int o) {
  float value = fault == FORGETS_BIAS ? 0 : packed[WEIGHTS + o];
  for (int k = 0; k < TAPS; k++)
    for (int i = 0; i < CI; i++) {
      int from = at + k - 2;
      if (from >= 0 && from < WIDTH) value += x[from * CI + i] * packed[(k * CI + i) * CO + o];
    }
  int first = at / TILE * TILE;
  for (int near = first; near < first + TILE && fault == SPREADS; near++) value += 0 * x[near * CI];
  if (fault == SPREADS_FAR) value += 0 * x[(at + 10) % WIDTH * CI];
  return value;
}

static int range(const void *const *inputs, const void *packed, void *const *outputs,
                 void *workspace, size_t begin, size_t end) {
  const float *x = inputs[0], *residual = inputs[1], *weight = packed;
  float *y = outputs[0];
  (void)workspace;
  if (begin > end || end > WIDTH) return UPW_BAD_RANGE;
  if (fault == READS_PAST_PACKED) sink = ((const volatile float *)weight)[PACK];
  if (fault == WRITES_PACKED) *(volatile float *)(uintptr_t)weight = *weight;
  for (int at = (int)begin; at < (int)end; at++)
    for (int o = 0; o < CO; o++) {
      float value = sum(x, weight, at, o);
      if (fault == WRONG_WEIGHT && o == 2) value += 1e-5f * x[at * CI];
      if (fault != FORGETS_RESIDUAL) value += residual[at * CO + o];
      if (fault == NOT_WRITTEN && at == WIDTH - 1) continue;
      if (fault == NOT_WRITTEN_IF_NAN && value != value) continue;
      y[at * CO + o] = value < 0 ? 0 : value;
    }
  return UPW_OK;
}

static int run(const void *const *inputs, const void *packed, void *const *outputs,
               void *workspace) {
  return range(inputs, packed, outputs, workspace, 0, WIDTH);
}

static const struct upw_tensor tensors[] = {
    {"x", "NWC", 2, 32, UPW_INPUT, 3, {1, WIDTH, CI}, sizeof(float[WIDTH * CI])},
    {"residual", "NWC", 2, 32, UPW_INPUT, 3, {1, WIDTH, CO}, sizeof(float[WIDTH * CO])},
    {"y", "NWC", 2, 32, UPW_OUTPUT, 3, {1, WIDTH, CO}, sizeof(float[WIDTH * CO])},
    {"weight", "", 2, 32, UPW_PARAMETER, 3, {CO, CI, TAPS}, sizeof(float[WEIGHTS])},
    {"bias", "", 2, 32, UPW_PARAMETER, 1, {CO}, sizeof(float[CO])},
};
static const struct upw_kernel kernel = {.abi = UPW_KERNEL_ABI,
                                         .tensor_count = 5,
                                         .name = "row",
                                         .spec = "{}",
                                         .tensors = tensors,
                                         .packed_bytes = sizeof(float[PACK]),
                                         .packed_align = 64,
                                         .workspace_align = 1,
                                         .tasks = WIDTH,
                                         .run = run,
                                         .range = range,
                                         .pack = pack};
static const struct upw_ref_contract params = {.rank = 1,
                                               .bias = 1,
                                               .batch = 1,
                                               .groups = 1,
                                               .ci = CI,
                                               .co = CO,
                                               .in = {WIDTH},
                                               .out = {WIDTH},
                                               .kernel = {TAPS},
                                               .stride = {1},
                                               .dilation = {1},
                                               .pad = {2},
                                               .post_count = 2,
                                               .post = {{UPW_REF_ADD, 0, 0}, {UPW_REF_RELU, 0, 0}}};

static struct upw_case c = {.kernel = &kernel,
                            .op = "conv",
                            .reference = upw_ref_contract,
                            .generic = upw_generic_contract,
                            .params = &params,
                            .flops = 2400,
                            .tile = {1}};
#define HARNESS(...) harness_child((char *[]){"harness", __VA_ARGS__, NULL}, &c, 1)

static const struct {
  enum fault fault;
  int64_t tile;
  const char *name, *part;
} expectations[] = {
    {NONE, 1, "a right kernel", NULL},
    {NONE, TILE, "also as one with tiles", NULL},
    {PACK_WRITES_PAST_END, 1, "pack writes past the end", "write at byte 256 of packed, which has"},
    {PACK_LEAVES_OUT, 1, "pack leaves out what run reads", "\"kind\":\"value\""},
    {PACK_WRITES_PARAMETER, 1, "pack writes a parameter", "write to input weight at byte 0"},
    {PACK_READS_PAST_END, 1, "pack reads past a parameter", "access 0 bytes past the end of bias"},
    {PACK_READS_FAR, 1, "pack uses what is no parameter", "\"kind\":\"value\""},
    {PACK_FAILS, 1, "pack fails", "pack returned 4 (out of memory)"},
    {PACK_NEEDS_ALIGNMENT, 1, "pack needs aligned parameters", "data, buffers high"},
    {READS_PAST_PACKED, 1, "run reads past packed", "access 0 bytes past the end of packed"},
    {WRITES_PACKED, 1, "run writes packed", "write to input packed at byte 0"},
    {FORGETS_RESIDUAL, 1, "no residual", "\"kind\":\"value\""},
    {FORGETS_BIAS, 1, "no bias", "\"kind\":\"value\""},
    {WRONG_WEIGHT, 1, "a weight off by 1e-5", "\"kind\":\"value\""},
    {NOT_WRITTEN, 1, "outputs not written", "\"kind\":\"not written\",\"index\":[0,19,0]"},
    {NOT_WRITTEN_IF_NAN, 1, "where a NaN belongs", "\"kind\":\"not written\""},
    {SPREADS, 1, "NaN spread in a direct kernel", "\"kind\":\"value\""},
    {SPREADS, TILE, "NaN spread in a tile", NULL},
    {SPREADS_FAR, TILE, "NaN spread beyond", "\"kind\":\"value\""},
};

static void verify(void) {
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
    const char *part = expectations[i].part;
    fault = expectations[i].fault;
    c.tile[0] = expectations[i].tile;
    tap_is_int(HARNESS("verify"), part ? 6 : 0, expectations[i].name);
    tap_like(output, part ? part : "\"ok\":true", "its line");
  }
  fault = NONE;
  c.tile[0] = 1;
}

// A reference that has no answer, as for most outputs of a large contraction.
static int silent(const void *given, const void *const *inputs, const struct upw_ref_query *query,
                  const struct upw_ref_answer *answer) {
  (void)given, (void)inputs, (void)query;
  for (size_t i = 0; i < WIDTH * CO; i++) answer->terms[i] = -1;
  return UPW_OK;
}

static void unanswered(void) {
  c.reference = silent;
  tap_is_int(HARNESS("verify"), 0, "a reference without answers");
  tap_like(output, "\"checked\":0,", "compares nothing");
  fault = NOT_WRITTEN;
  tap_is_int(HARNESS("verify"), 6, "but outputs not written are seen");
  tap_like(output, "\"kind\":\"not written\",\"index\":[0,19,0]", "all the same");
  fault = NONE;
  c.reference = upw_ref_contract;
}

static void bench(void) {
  tap_is_int(HARNESS("bench", "--seconds", "0.01", "--threads", "2"), 0, "bench");
  tap_like(output, "\"pack_ns\":", "times packing");
  tap_like(output, "\"in_bytes\":816,", "x, residual and packed are read");
  fault = PACK_FAILS;
  tap_is_int(HARNESS("bench", "--seconds", "0.01"), 7, "a failing pack");
  fault = NONE;
}

static void write_file(const char *folder, const struct upw_tensor *t, float value) {
  static float data[WIDTH * CO];
  char path[96];
  for (size_t i = 0; i < t->bytes / sizeof value; i++) data[i] = value;
  snprintf(path, sizeof path, "%s/row.%s.npy", folder, t->name);
  tap_is_int(upw_npy_write(path, t, data, NULL), UPW_OK, t->name);
}

static void files(void) {
  char folder[] = "/tmp/upweave-harness-XXXXXX", path[96];
  float y[WIDTH * CO] = {0};
  if (!mkdtemp(folder)) abort();
  write_file(folder, &tensors[0], 1);
  write_file(folder, &tensors[1], 100);
  write_file(folder, &tensors[3], 0.5f);
  tap_is_int(HARNESS("run", "--data", folder), 3, "run without a parameter");
  tap_like(output, "row.bias.npy", "names it");
  write_file(folder, &tensors[4], 1000);
  tap_is_int(HARNESS("run", "--data", folder), 0, "run");
  snprintf(path, sizeof path, "%s/row.y.npy", folder);
  tap_is_int(upw_npy_read_into(path, &tensors[2], y, NULL), UPW_OK, "read the output");
  tap_ok(y[0] == 1104.5f && y[WIDTH * CO / 2] == 1107.5f, "its values");
  for (size_t i = 0; i < 5; i++) {
    snprintf(path, sizeof path, "%s/row.%s.npy", folder, tensors[i].name);
    remove(path);
  }
  rmdir(folder);
}

int main(void) {
  verify();
  unanswered();
  bench();
  files();
  return tap_done();
}
