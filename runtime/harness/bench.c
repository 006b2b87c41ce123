// SPDX-License-Identifier: MIT
// `bench`: a kernel, plain C and the machine's own limits, interleaved in one process.
//
// Each round times every sampler once, a batch of calls long enough for the clock; the samplers
// meet the same clock frequency and the same neighbours. Before each batch one call that is not
// timed brings the sampler's buffers back into the caches. Buffers are reused, aligned to 64 bytes
// and backed by large pages where the system gives them, the kernel's and the probes' alike.
//
// The limit of a kernel: max(in / read + out / write, flops / fma), with the bandwidths of one
// buffer as large as all tensors together, packed parameters among the inputs, and `write` the
// better of normal and non-temporal stores. All figures are medians over the rounds; `share` is
// limit_ns / median_ns; `spread` is the middle half of the rounds' range over the median.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "dtype.h"
#include "internal.h"

enum {
  FEWEST_ROUNDS = 21,
  MOST_ROUNDS = 401,
  FEWEST_SLOW = 5, // samples of a sampler that takes longer than SLOW_NS
  MOST_CALLS = 1 << 20,
  FMA_ITERATIONS = 256,
  PACKINGS = 3,     // of which the fastest is reported
  THREADS_WARM = 4, // untimed calls on several threads before a timed batch
  LARGE_PAGE = 2 << 20,
  OFFSET = 17 * 64 // buffers do not begin at the same place of a page
};
static const double batch_ns = 60e3, slow_ns = 5e6, endless_ns = 3e8, sustained_ns = 3e6;

enum sampler_name { KERNEL, GENERIC, READ, WRITE, STREAM, FMA, THREADS, SAMPLERS };

struct bench {
  const struct upw_case *c;
  const void *inputs[MOST_TENSORS]; // and parameters behind them, for generic code
  void *outputs[MOST_TENSORS];
  void *workspace, *packed, *from, *to;
  double pack_ns;
  size_t in_bytes, out_bytes, probe_bytes;
  struct {
    void *map;
    size_t bytes;
  } regions[MOST_TENSORS + 4]; // what all these lie in
  size_t region_count;
  struct pool *pool;
  struct upw_pool callback;
  int doubles; // the output is f64
  int failed;
};

struct sampler {
  void (*run)(struct bench *);
  size_t calls, every; // calls in a batch; sampled in every so many rounds
  double first_ns;     // one call, as measured before the rounds
  double *samples;     // ns of one call
  size_t count;
};

// ---- what is timed

static void run_kernel(struct bench *b) {
  b->failed |= b->c->kernel->run(b->inputs, b->packed, b->outputs, b->workspace);
}
static void run_generic(struct bench *b) {
  b->failed |= b->c->generic(b->c->params, b->inputs, b->outputs);
}
static void run_read(struct bench *b) {
  probe_read(b->from, b->probe_bytes);
}
static void run_write(struct bench *b) {
  probe_write(b->to, b->probe_bytes);
}
static void run_stream(struct bench *b) {
  probe_stream(b->to, b->probe_bytes);
}
static void run_fma(struct bench *b) {
  (void)b;
  probe_fma(FMA_ITERATIONS);
}
static void run_threads(struct bench *b) {
  b->failed |=
      upw_parallel_for(b->c->kernel, b->inputs, b->packed, b->outputs, b->workspace, &b->callback);
}

static void (*const runs[SAMPLERS])(struct bench *) = {
    run_kernel, run_generic, run_read, run_write, run_stream, run_fma, run_threads};

static int wanted(const struct bench *b, int name) {
  return name == GENERIC ? b->c->generic != NULL : name == THREADS ? b->pool != NULL : 1;
}

// ---- timing

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_batch(struct sampler *s, struct bench *b, size_t calls) {
  double begin = now_ns();
  for (size_t i = 0; i < calls; i++) s->run(b);
  return (now_ns() - begin) / (double)calls;
}

static size_t limited(double value, size_t low, size_t high) {
  return value <= (double)low ? low : value >= (double)high ? high : (size_t)value;
}

// A sampler that takes endlessly, as generic code may, has its first call as its only sample.
static void calibrate(struct sampler *s, struct bench *b, double batch) {
  s->calls = 1;
  s->first_ns = time_batch(s, b, 1);
  if (s->first_ns > endless_ns) {
    s->samples[s->count++] = s->first_ns;
    return;
  }
  double once = time_batch(s, b, 1);
  while (once * (double)s->calls < batch / 4 && s->calls < MOST_CALLS) {
    s->calls *= 2;
    once = time_batch(s, b, s->calls);
  }
  s->calls = limited(batch / once, 1, MOST_CALLS);
  s->first_ns = once;
}

// How long a batch takes. The peak of arithmetic is sustained for as long as the kernel runs, or
// some milliseconds: processors begin with a higher clock than they keep (here by a sixth).
static double batch_of(const struct sampler *samplers, int name) {
  double kernel = samplers[KERNEL].first_ns;
  if (name != FMA || kernel < batch_ns) return batch_ns;
  return kernel < sustained_ns ? kernel : sustained_ns;
}

static double round_ns(const struct sampler *s) {
  return s->first_ns * (double)(s->calls + 1) / (double)s->every;
}

static size_t plan_rounds(struct sampler *samplers, const struct bench *b, double seconds) {
  double fast = 0, slow = 0;
  for (int i = 0; i < SAMPLERS; i++)
    if (wanted(b, i)) {
      samplers[i].every = 1;
      if (samplers[i].count) continue;
      if (i == GENERIC && samplers[i].first_ns > slow_ns) {
        samplers[i].every = FEWEST_ROUNDS / FEWEST_SLOW;
        slow += round_ns(&samplers[i]);
      } else {
        fast += round_ns(&samplers[i]);
      }
    }
  return limited(seconds * 1e9 / (fast + slow), FEWEST_ROUNDS, MOST_ROUNDS);
}

static void measure(struct sampler *samplers, struct bench *b, size_t rounds) {
  for (size_t round = 0; round < rounds; round++)
    for (int i = 0; i < SAMPLERS; i++) {
      struct sampler *s = &samplers[i];
      if (!wanted(b, i) || s->first_ns > endless_ns || round % s->every != 0) continue;
      // The probes before it evicted the kernel's data; threads also have to wake and to find their
      // own part in their own cache.
      for (int warm = 0; warm < (i == THREADS ? THREADS_WARM : 1); warm++) s->run(b);
      s->samples[s->count++] = time_batch(s, b, s->calls);
      if (i == THREADS) pool_park(b->pool);
    }
}

// ---- statistics

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const struct sampler *s, double q) {
  return s->samples[(size_t)(q * (double)(s->count - 1) + 0.5)];
}

static double median(const struct sampler *s) {
  return quantile(s, 0.5);
}

// ---- report

static void report_limit(const struct bench *b, const struct sampler *samplers) {
  double bytes = (double)b->probe_bytes, flops = b->c->flops;
  double read = bytes / median(&samplers[READ]), write = bytes / median(&samplers[WRITE]);
  double stream = bytes / median(&samplers[STREAM]);
  double fma = probe_fma(FMA_ITERATIONS) / median(&samplers[FMA]);
  if (b->doubles) fma /= 2; // half as many fit a vector
  double best = write > stream ? write : stream;
  double memory = (double)b->in_bytes / read + (double)b->out_bytes / best;
  double limit = flops / fma > memory ? flops / fma : memory;
  double time = median(&samplers[KERNEL]);
  json_number("read_gbs", read);
  json_number("write_gbs", best);
  json_number("store_gbs", write);
  json_number("stream_gbs", stream);
  json_number("fma_gflops", fma);
  json_number("limit_ns", limit);
  json_text("limited_by", flops / fma > memory ? "arithmetic" : "memory");
  json_number("share", limit / time);
  json_number("gbs", (double)(b->in_bytes + b->out_bytes) / time);
  json_number("gflops", flops / time);
}

static int report(const struct bench *b, struct sampler *samplers, size_t rounds) {
  const char *name = b->c->kernel->name;
  if (b->failed) return EXIT_MEASURE;
  for (int i = 0; i < SAMPLERS; i++)
    if (samplers[i].count) qsort(samplers[i].samples, samplers[i].count, sizeof(double), by_value);
  const struct sampler *k = &samplers[KERNEL];
  json_begin(name);
  json_bool("ok", 1);
  json_number("min_ns", k->samples[0]);
  json_number("median_ns", median(k));
  json_number("spread", (quantile(k, 0.75) - quantile(k, 0.25)) / median(k));
  if (wanted(b, GENERIC)) json_number("reference_ns", median(&samplers[GENERIC]));
  report_limit(b, samplers);
  if (b->packed) json_number("pack_ns", b->pack_ns);
  if (wanted(b, THREADS)) {
    json_count("threads", b->callback.workers);
    json_number("threads_ns", median(&samplers[THREADS]));
  }
  json_count("rounds", rounds);
  json_count("calls", k->calls);
  json_count("in_bytes", b->in_bytes);
  json_count("out_bytes", b->out_bytes);
  json_text("probes", probe_isa);
  json_end();
  return EXIT_WELL;
}

// ---- setting up

static size_t region_bytes(size_t bytes) {
  return (bytes + OFFSET + 2 * LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
}

// Zeroed memory `which` steps of OFFSET behind a large page's start.
static void *buffer(struct bench *b, size_t bytes, size_t which) {
  size_t region = region_bytes(bytes + which * OFFSET) + LARGE_PAGE;
  unsigned char *at =
      mmap(NULL, region, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if ((void *)at == MAP_FAILED) return NULL;
  b->regions[b->region_count].map = at;
  b->regions[b->region_count++].bytes = region;
  at += LARGE_PAGE - (size_t)((uintptr_t)at % LARGE_PAGE);
#ifdef MADV_HUGEPAGE
  madvise(at, region - LARGE_PAGE, MADV_HUGEPAGE);
#endif
  memset(at, 0, bytes + which * OFFSET);
  return at + which * OFFSET;
}

// Memory for one tensor with data in it, and its place among the kernel's arguments.
static int set_up_tensor(struct bench *b, uint32_t i, size_t *inputs, size_t *outputs,
                         struct rng *rng) {
  const struct upw_tensor *t = &b->c->kernel->tensors[i];
  void *data = buffer(b, t->bytes, i + 1);
  if (!data || upw_ref_dtype_of(t->dtype_code, t->dtype_bits) < 0) return 0;
  if (t->role == UPW_OUTPUT) {
    b->outputs[(*outputs)++] = data;
    b->out_bytes += t->bytes;
    b->doubles |= t->dtype_code == 2 && t->dtype_bits == 64;
    return 1;
  }
  data_fill_tensor(data, b->c->kernel, i, "uniform", 1, rng);
  if (t->role == UPW_INPUT) b->in_bytes += t->bytes;
  b->inputs[(*inputs)++] = data;
  return 1;
}

// Packs the parameters; they are what lies behind the inputs.
static int set_up_packed(struct bench *b, const void *const *parameters) {
  const struct upw_kernel *k = b->c->kernel;
  if (!k->pack) return 1;
  b->packed = buffer(b, k->packed_bytes, 0);
  b->in_bytes += k->packed_bytes;
  for (int i = 0; i < PACKINGS && b->packed; i++) {
    double begin = now_ns();
    if (k->pack(parameters, b->packed) != UPW_OK) return 0;
    double time = now_ns() - begin;
    b->pack_ns = i == 0 || time < b->pack_ns ? time : b->pack_ns;
  }
  return b->packed != NULL;
}

static int set_up(struct bench *b, const struct options *options) {
  const struct upw_kernel *k = b->c->kernel;
  struct rng rng = rng_seeded(options->seed);
  size_t inputs = 0, outputs = 0, parameters = 0;
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    if (!set_up_tensor(b, i, &inputs, &outputs, &rng)) return 0;
    parameters += k->tensors[i].role == UPW_PARAMETER;
  }
  for (size_t i = 0; i < b->c->baked_count; i++) b->inputs[inputs + i] = b->c->baked[i];
  b->in_bytes += b->c->packed_bytes;
  if (!set_up_packed(b, b->inputs + inputs - parameters)) return 0;
  size_t both = b->in_bytes + b->out_bytes;
  b->probe_bytes = (both + PROBE_STEP - 1) / PROBE_STEP * PROBE_STEP;
  b->from = buffer(b, b->probe_bytes, 0);
  b->to = buffer(b, b->probe_bytes, 0);
  b->workspace = buffer(b, upw_parallel_workspace_bytes(k, &b->callback), 0);
  return b->from && b->to && b->workspace;
}

// Pins the program; lists the CPUs it was allowed before, the pinned one first.
static size_t pin_main(int wish, int *cpus) {
  static cpu_set_t allowed;
  static int known = 0;
  cpu_set_t one;
  if (!known) known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
  int here = wish >= 0 ? wish : known > 1 ? 0 : sched_getcpu();
  size_t count = 0;
  cpus[count++] = here;
  for (int i = 0; i < CPU_SETSIZE && known; i++)
    if (i != here && CPU_ISSET((size_t)i, &allowed)) cpus[count++] = i;
  CPU_ZERO(&one);
  CPU_SET((size_t)here, &one);
  sched_setaffinity(0, sizeof one, &one);
  return count;
}

static int measured(struct bench *b, const struct options *options) {
  struct sampler samplers[SAMPLERS] = {{.run = NULL}};
  double *samples = calloc(SAMPLERS * MOST_ROUNDS, sizeof *samples);
  if (!samples || !set_up(b, options)) {
    free(samples);
    return EXIT_MEASURE;
  }
  for (int i = 0; i < SAMPLERS; i++) {
    samplers[i].run = runs[i];
    samplers[i].samples = samples + i * MOST_ROUNDS;
    if (wanted(b, i)) calibrate(&samplers[i], b, batch_of(samplers, i));
    if (wanted(b, THREADS)) pool_park(b->pool);
  }
  size_t rounds = plan_rounds(samplers, b, options->seconds);
  measure(samplers, b, rounds);
  int code = report(b, samplers, rounds);
  free(samples);
  return code;
}

int bench_case(const struct upw_case *c, const struct options *options) {
  struct bench b = {.c = c};
  int cpus[CPU_SETSIZE];
  int code = EXIT_MEASURE;
  size_t cpu_count = pin_main(options->cpu, cpus);
  if (options->threads > 1) {
    b.pool = pool_make(options->threads, cpus, cpu_count);
    if (b.pool) b.callback = pool_callback(b.pool);
  }
  if (c->kernel->tensor_count + c->baked_count <= MOST_TENSORS) code = measured(&b, options);
  if (b.pool) pool_free(b.pool);
  for (size_t i = 0; i < b.region_count; i++) munmap(b.regions[i].map, b.regions[i].bytes);
  if (code != EXIT_WELL) {
    json_begin(c->kernel->name);
    json_bool("ok", 0);
    json_text("reason", "the kernel failed or memory is short");
    json_end();
  }
  return code;
}
