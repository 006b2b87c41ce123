// SPDX-License-Identifier: MIT
// What the files of the harness share.
#ifndef UPWEAVE_HARNESS_INTERNAL_H
#define UPWEAVE_HARNESS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "harness.h"
#include "upweave/runtime.h"

enum { MOST_TENSORS = 16, MOST_PATTERNS = 256 };
enum { EXIT_WELL = 0, EXIT_USAGE = 2, EXIT_DATA = 3, EXIT_WRONG = 6, EXIT_MEASURE = 7 };

struct options {
  const char *only[MOST_PATTERNS];
  size_t only_count;
  uint64_t seed;
  size_t rounds;  // of random data in verify
  double seconds; // for one kernel in bench
  size_t threads;
  int cpu; // -1: the one the program runs on
  const char *data;
};

// Each handles one kernel, prints its line and returns an exit code.
int verify_case(const struct upw_case *c, const struct options *options);
int bench_case(const struct upw_case *c, const struct options *options);
int run_case(const struct upw_case *c, const struct options *options);

// ---- output: one JSON object a line

void json_begin(const char *kernel);
void json_text(const char *key, const char *value);
void json_number(const char *key, double value); // shortest form; "nan", "inf", "-inf" as strings
void json_count(const char *key, uint64_t value);
void json_bool(const char *key, int value);
void json_index(const char *key, const int64_t *index, int rank);
void json_end(void);

// ---- random numbers: xorshift64* seeded through splitmix64

struct rng {
  uint64_t state;
};
struct rng rng_seeded(uint64_t seed);
uint64_t rng_next(struct rng *rng);
size_t rng_below(struct rng *rng, size_t n);                  // n > 0
double rng_between(struct rng *rng, double low, double high); // of 2^24 numbers

// ---- comparison

struct comparison {
  int dtype;                        // enum upw_ref_dtype
  int plain;                        // uniform data: errors and ULPs are noted of these
  int overflows;                    // the data are so large that sums of right kernels may overflow
  size_t checked;                   // of all tensors compared
  size_t answered, wrong, worst_at; // of the last one
  uint64_t worst_got;               // bits
  size_t ulps;                      // elements that have max_ulp
  double worst_share, max_error, max_ulp;
};

// Of a whole tensor: true if all of it that the reference answered is right.
int compare(struct comparison *c, const struct upw_ref_answer *e, const void *y, size_t count);
double element_ulps(int dtype, uint64_t a, uint64_t b); // distance in representable numbers
uint64_t element_nearest(int dtype, double value);      // bits of the element nearest to it

// ---- test data

// NULL at the end; the first is plain uniform data.
const char *const *data_kinds(int dtype);
void data_fill(void *x, int dtype, size_t n, const char *kind, struct rng *rng);
// Tensor i of a kernel; an output reads about `reach` numbers. Parameters are uniform whatever the
// kind: weights such that sums have the size of the inputs, variances positive.
void data_fill_tensor(void *x, const struct upw_kernel *kernel, uint32_t i, const char *kind,
                      double reach, struct rng *rng);
size_t data_rounds(const char *kind, size_t n); // how often a tensor of n is to be filled so
// True if sums of these data may leave the range of the arithmetic.
int data_overflows(int dtype, const char *kind);

// ---- buffers between two guard zones

enum placement { FLUSH_LOW, FLUSH_HIGH, SHIFTED, PLACEMENTS };
extern const char *const placement_names[PLACEMENTS];

struct guarded {
  const char *name;
  unsigned char *map;    // guard zone, inside, guard zone
  unsigned char *inside; // pages that may be touched
  size_t inside_bytes;
  unsigned char *data; // of `bytes` bytes, somewhere inside
  size_t bytes;
};

int guarded_make(struct guarded *g, const char *name, size_t bytes);
void guarded_free(struct guarded *g);
// Puts the data at the low end, at the high end, or one `align` off a page; marks all else inside.
void guarded_place(struct guarded *g, enum placement where, size_t align);
int guarded_intact(const struct guarded *g, int64_t *offset); // offset from data of a changed mark
void guarded_writable(struct guarded *g, int writable);
int guarded_owns(const struct guarded *g, const void *address);

// ---- the machine's limits; compiled for the kernels' target

extern const char *const probe_isa;
void probe_read(const void *from, size_t bytes);
void probe_write(void *to, size_t bytes);
void probe_stream(void *to, size_t bytes);
double probe_fma(size_t iterations); // returns the operations done
enum { PROBE_STEP = 1024 };          // bytes are a multiple of this

// ---- threads: a pool that spins between calls and sleeps when parked

struct pool;
struct pool *pool_make(size_t workers, const int *cpus, size_t cpu_count); // NULL: no memory
void pool_park(struct pool *pool);
void pool_free(struct pool *pool);
struct upw_pool pool_callback(struct pool *pool);

#endif
