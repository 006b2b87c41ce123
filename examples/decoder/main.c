// SPDX-License-Identifier: MIT
// Two kernels with weights called from C: packed once, run in turn, compared with plain loops.
#include "up1.h"
#include "up2.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct block {
  float weight[UP1_WEIGHT_ELEMS], gamma[UP1_GAMMA_ELEMS], beta[UP1_BETA_ELEMS];
  float mean[UP1_MEAN_ELEMS], var[UP1_VAR_ELEMS];
};

static float x[UP1_X_ELEMS], between[UP1_Y_ELEMS], y[UP2_Y_ELEMS];
static float plain_between[UP1_Y_ELEMS], plain_y[UP2_Y_ELEMS];
static struct block blocks[2];
static _Alignas(UP1_PACKED_ALIGN) unsigned char packed1[UP1_PACKED_BYTES];
static _Alignas(UP2_PACKED_ALIGN) unsigned char packed2[UP2_PACKED_BYTES];

// What a trained network would have from a file.
static void fill(float *values, size_t count, float from, float to) {
  for (size_t i = 0; i < count; i++)
    values[i] = from + (to - from) * (float)rand() / (float)RAND_MAX;
}

static void invent(struct block *p) {
  fill(p->weight, UP1_WEIGHT_ELEMS, -0.1f, 0.1f);
  fill(p->gamma, UP1_GAMMA_ELEMS, 0.5f, 1.5f);
  fill(p->beta, UP1_BETA_ELEMS, -0.5f, 0.5f);
  fill(p->mean, UP1_MEAN_ELEMS, -0.5f, 0.5f);
  fill(p->var, UP1_VAR_ELEMS, 0.5f, 2.0f);
}

// conv_transpose, batch_norm and relu by their definitions: n inputs a side to 2n outputs.
static void plain(const struct block *p, const float *in, float *out, int ci, int co, int n) {
  for (int o = 0; o < co; o++)
    for (int i = 0; i < 4 * n * n; i++) {
      int h = i / (2 * n), w = i % (2 * n);
      double sum = 0;
      for (int c = 0; c < ci; c++)
        for (int k = 0; k < 16; k++) {
          int ih = h + 1 - k / 4, iw = w + 1 - k % 4;
          if (ih < 0 || iw < 0 || ih >= 2 * n || iw >= 2 * n || ih % 2 || iw % 2) continue;
          sum += (double)p->weight[(c * co + o) * 16 + k] * in[(c * n + ih / 2) * n + iw / 2];
        }
      sum = (sum - p->mean[o]) / sqrt(p->var[o] + 1e-5) * p->gamma[o] + p->beta[o];
      out[o * 4 * n * n + i] = sum > 0 ? (float)sum : 0;
    }
}

int main(void) {
  struct block *p = &blocks[0], *q = &blocks[1];
  fill(x, UP1_X_ELEMS, -1, 1);
  invent(p);
  invent(q);
  // Once: weights in the order that the kernels read, with the batch_norm folded in.
  if (up1_pack(p->weight, p->gamma, p->beta, p->mean, p->var, packed1)) return 1;
  if (up2_pack(q->weight, q->gamma, q->beta, q->mean, q->var, packed2)) return 1;
  // One workspace serves kernels that run one after the other.
  size_t bytes =
      UP1_WORKSPACE_BYTES > UP2_WORKSPACE_BYTES ? UP1_WORKSPACE_BYTES : UP2_WORKSPACE_BYTES;
  void *workspace = bytes ? aligned_alloc(UP1_WORKSPACE_ALIGN, (bytes + 63) / 64 * 64) : NULL;
  // As often as there are inputs.
  if (up1(x, packed1, between, workspace) || up2(between, packed2, y, workspace)) return 1;
  free(workspace);

  plain(p, x, plain_between, 64, 32, 16);
  plain(q, plain_between, plain_y, 32, 16, 32);
  double worst = 0;
  for (size_t i = 0; i < UP2_Y_ELEMS; i++) worst = fmax(worst, fabs((double)y[i] - plain_y[i]));
  printf("%d outputs, %s\n", UP2_Y_ELEMS, worst < 1e-5 ? "as they should be" : "wrong");
  return worst < 1e-5 ? 0 : 1;
}
