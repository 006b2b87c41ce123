/* SPDX-License-Identifier: MIT
 * Frame of the program that tools/winograd_errors.lua prints: a convolution directly, by an
 * algorithm and in double. The algorithm acts on the last axis, or on both; taps beyond its own
 * come in blocks, whose shift is a tile's step. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 60, CO = 16, SEEDS = 5, MAX_N = 8 };

struct algorithm {
  const char *name;
  int m, r, axes, across, taps; /* kernel: across x taps */
  const double *g;              /* (m + r - 1) x r */
  void (*input)(const float *, float *);
  void (*output)(const float *, float *);
};

struct errors {
  double max, square;
};

static uint64_t state[2];

static uint64_t next(void) /* xoroshiro128+ */
{
  const uint64_t a = state[0], b = state[1] ^ state[0], sum = state[0] + state[1];
  state[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
  state[1] = (b << 37) | (b >> 27);
  return sum;
}

static float *uniform(size_t n) {
  float *p = malloc(n * sizeof *p);
  if (!p) exit(1);
  for (size_t i = 0; i < n; i++) p[i] = (float)((double)(next() >> 40) * 0x1p-24 - 0.5);
  return p;
}

static void *zeros(size_t n, size_t size) {
  void *p = calloc(n, size);
  if (!p) exit(1);
  return p;
}

/* x is {rows, columns, k}, w is {across, taps, k, CO}, results are {SIZE, SIZE, CO}. */
static void direct(const struct algorithm *a, int k, const float *x, const float *w, float *y,
                   double *exact) {
  const int columns = SIZE + a->taps - 1;
  for (int p = 0; p < SIZE * SIZE; p++) {
    float acc[CO] = {0};
    double sum[CO] = {0};
    for (int i = 0; i < a->across; i++)
      for (int j = 0; j < a->taps; j++)
        for (int c = 0; c < k; c++) {
          const float v = x[((p / SIZE + i) * columns + p % SIZE + j) * k + c];
          const float *u = w + ((i * a->taps + j) * k + c) * CO;
          for (int o = 0; o < CO; o++) {
            acc[o] = fmaf(v, u[o], acc[o]);
            sum[o] += (double)v * u[o];
          }
        }
    for (int o = 0; o < CO; o++) y[p * CO + o] = acc[o], exact[p * CO + o] = sum[o];
  }
}

/* The transformed weights of one block and tap across: {n or n·n, k, CO}. */
static float *weights(const struct algorithm *a, int k, const float *w, int i, int block) {
  const int n = a->m + a->r - 1, rows = a->axes == 2 ? n : 1;
  float *u = zeros((size_t)(rows * n * k * CO), sizeof *u);
  for (int xi = 0; xi < rows * n; xi++)
    for (int q = 0; q < k * CO; q++) {
      double sum = 0;
      for (int s = 0; s < (a->axes == 2 ? a->r : 1); s++)
        for (int t = 0; t < a->r && block * a->r + t < a->taps; t++) {
          const double row = a->axes == 2 ? a->g[xi / n * a->r + s] : 1;
          const double tap = w[((i + s) * a->taps + block * a->r + t) * k * CO + q];
          sum += row * a->g[xi % n * a->r + t] * tap;
        }
      u[xi * k * CO + q] = (float)sum;
    }
  return u;
}

/* Adds the products of one block and tap across for the tile whose first output is (oy, ox). */
static void products(const struct algorithm *a, int k, const float *x, const float *u, int iy,
                     int ix, float (*sums)[CO]) {
  const int n = a->m + a->r - 1, rows = a->axes == 2 ? n : 1, columns = SIZE + a->taps - 1;
  for (int c = 0; c < k; c++) {
    float d[MAX_N * MAX_N], v[MAX_N * MAX_N];
    for (int i = 0; i < rows * n; i++) {
      const int column = ix + i % n; /* beyond the last input only where taps are absent */
      d[i] = column < columns ? x[((iy + i / n) * columns + column) * k + c] : 0;
    }
    a->input(d, v);
    for (int xi = 0; xi < rows * n; xi++)
      for (int o = 0; o < CO; o++) sums[xi][o] = fmaf(v[xi], u[(xi * k + c) * CO + o], sums[xi][o]);
  }
}

static void store(const struct algorithm *a, float (*sums)[CO], int oy, int ox, float *y) {
  const int n = a->m + a->r - 1, rows = a->axes == 2 ? n : 1;
  for (int o = 0; o < CO; o++) {
    float products_of_o[MAX_N * MAX_N], outputs[MAX_N * MAX_N];
    for (int xi = 0; xi < rows * n; xi++) products_of_o[xi] = sums[xi][o];
    a->output(products_of_o, outputs);
    for (int i = 0; i < (a->axes == 2 ? a->m : 1) * a->m; i++)
      y[((oy + i / a->m) * SIZE + ox + i % a->m) * CO + o] = outputs[i];
  }
}

static void tiled(const struct algorithm *a, int k, const float *x, const float *w, float *y) {
  const int blocks = (a->taps + a->r - 1) / a->r, lines = a->axes == 2 ? 1 : a->across;
  const int step = a->axes == 2 ? a->m : 1;
  float *u[64];
  for (int e = 0; e < lines * blocks; e++) u[e] = weights(a, k, w, e / blocks, e % blocks);
  for (int oy = 0; oy < SIZE; oy += step)
    for (int ox = 0; ox < SIZE; ox += a->m) {
      float sums[MAX_N * MAX_N][CO] = {{0}};
      for (int e = 0; e < lines * blocks; e++)
        products(a, k, x, u[e], oy + e / blocks, ox + e % blocks * a->r, sums);
      store(a, sums, oy, ox, y);
    }
  for (int e = 0; e < lines * blocks; e++) free(u[e]);
}

static struct errors compare(const float *y, const double *exact) {
  double largest = 0, max = 0, square = 0, all = 0;
  for (int i = 0; i < SIZE * SIZE * CO; i++) {
    const double error = fabs(y[i] - exact[i]);
    largest = fmax(largest, fabs(exact[i]));
    max = fmax(max, error);
    square += error * error;
    all += exact[i] * exact[i];
  }
  return (struct errors){max / largest * 0x1p24, square / all};
}

static void measure(const struct algorithm *a, int k) {
  struct errors plain = {0, 0}, own = {0, 0};
  for (int seed = 1; seed <= SEEDS; seed++) {
    state[0] = 0x9E3779B97F4A7C15u * (uint64_t)seed, state[1] = 0xBF58476D1CE4E5B9u;
    for (int i = 0; i < 20; i++) next();
    float *x = uniform((size_t)((SIZE + a->across - 1) * (SIZE + a->taps - 1) * k));
    float *w = uniform((size_t)(a->across * a->taps * k * CO));
    float *y = zeros(SIZE * SIZE * CO, sizeof *y);
    double *exact = zeros(SIZE * SIZE * CO, sizeof *exact);
    direct(a, k, x, w, y, exact);
    const struct errors p = compare(y, exact);
    tiled(a, k, x, w, y);
    const struct errors t = compare(y, exact);
    plain.max += p.max / SEEDS, plain.square += p.square / SEEDS;
    own.max += t.max / SEEDS, own.square += t.square / SEEDS;
    free(x), free(w), free(y), free(exact);
  }
  printf("| %s | %d | %.1f | %.1f | %.2f | %.1e | %.1e | %.2f |\n", a->name, k, plain.max, own.max,
         own.max / plain.max, sqrt(plain.square), sqrt(own.square),
         sqrt(own.square / plain.square));
  fflush(stdout);
}
