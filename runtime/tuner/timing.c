// SPDX-License-Identifier: MIT
// Times of candidates, interleaved: each round times every one of them once.
//
// Calls that are not timed bring a candidate's data back into the caches before its batch. One does
// not do: behind a candidate with non-temporal stores, the last-level cache of a Xeon took three
// calls to keep the output again, and whoever came next looked 2.2 times as slow. After a few
// rounds those far behind the best are no longer timed.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tuner.h"

enum { FEWEST_ROUNDS = 5, EARLY_ROUNDS = 3, WARM = 4, WARM_SLOW = 2 };
static const double batch_ns = 150e3, most_calls = 1 << 20, hopeless = 1.5;
static const double slow_ns = 2e6;   // one call
static const double most_ns = 1.5e9; // of all rounds of one candidate

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double batch(struct candidate *c, size_t calls) {
  const struct problem *p = c->problem;
  double begin = now_ns();
  for (size_t i = 0; i < calls; i++)
    c->kernel->run(p->timed_inputs, c->packed, p->timed_outputs, c->workspace);
  return (now_ns() - begin) / (double)calls;
}

static void calibrate(struct candidate *c) {
  size_t calls = 1;
  batch(c, 1);
  double once = batch(c, 1);
  while (once * (double)calls < batch_ns / 4 && (double)calls < most_calls) {
    calls *= 2;
    once = batch(c, calls);
  }
  double wanted = batch_ns / once;
  c->calls = (size_t)(wanted < 1 ? 1 : wanted > most_calls ? most_calls : wanted);
  c->first_ns = once;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *values, size_t count, double q) {
  double sorted[MOST_SAMPLES];
  memcpy(sorted, values, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_value);
  return sorted[(size_t)(q * (double)(count - 1) + 0.5)];
}

static size_t warm_calls(const struct candidate *c) {
  return c->first_ns > slow_ns ? WARM_SLOW : WARM;
}

static void drop_hopeless(struct candidate *candidates, size_t count, size_t anchor) {
  double best = 0;
  for (size_t i = 0; i < count; i++) {
    const struct candidate *c = &candidates[i];
    double median = c->right ? quantile(c->samples, c->count, 0.5) : 0;
    if (c->right && (best == 0 || median < best)) best = median;
  }
  for (size_t i = anchor + 1; i < count; i++) {
    struct candidate *c = &candidates[i];
    c->early = c->right && quantile(c->samples, c->count, 0) > best * hopeless;
  }
}

static size_t affordable(const struct candidate *candidates, size_t count, size_t rounds) {
  double slowest = 0;
  for (size_t i = 0; i < count; i++) {
    double ns = candidates[i].first_ns * (double)(candidates[i].calls + warm_calls(&candidates[i]));
    if (candidates[i].right && ns > slowest) slowest = ns;
  }
  double most = most_ns / (slowest + 1);
  if ((double)rounds > most) rounds = (size_t)most;
  return rounds < FEWEST_ROUNDS ? FEWEST_ROUNDS : rounds > MOST_SAMPLES ? MOST_SAMPLES : rounds;
}

void time_candidates(struct candidate *candidates, size_t count, size_t rounds) {
  size_t anchor = 0;
  while (anchor < count && !candidates[anchor].right) anchor++;
  for (size_t i = 0; i < count; i++)
    if (candidates[i].right) calibrate(&candidates[i]);
  rounds = affordable(candidates, count, rounds);
  for (size_t round = 0; round < rounds; round++) {
    double unit = 0;
    if (round == EARLY_ROUNDS) drop_hopeless(candidates, count, anchor);
    for (size_t i = 0; i < count; i++) {
      struct candidate *c = &candidates[i];
      if (!c->right || c->early) continue;
      batch(c, warm_calls(c));
      double ns = batch(c, c->calls);
      if (i == anchor) unit = ns;
      c->multiples[c->count] = ns / unit;
      c->samples[c->count++] = ns;
    }
  }
}

void report_times(struct candidate *c) {
  double median = quantile(c->samples, c->count, 0.5);
  double half = quantile(c->samples, c->count, 0.75) - quantile(c->samples, c->count, 0.25);
  json_number("min_ns", quantile(c->samples, c->count, 0));
  json_number("median_ns", median);
  json_number("spread", half / median);
  json_number("relative", quantile(c->multiples, c->count, 0.5));
  json_number("low", quantile(c->multiples, c->count, 0.25));
  json_number("high", quantile(c->multiples, c->count, 0.75));
  json_count("rounds", c->count);
  json_count("calls", c->calls);
  json_bool("early", c->early);
}
