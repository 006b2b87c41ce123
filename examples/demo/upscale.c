/* SPDX-License-Identifier: MIT
 * Runs the demo's kernels on a picture.
 *
 * usage: upscale IN.png FOLDER [LABEL X Y WIDTH HEIGHT]...
 * Writes FOLDER/KERNEL.png for every kernel, and for every label the part of the picture at (X, Y)
 * as each enlarging kernel gives it: FOLDER/LABEL-KERNEL.png. Sizes and layouts come from the
 * kernels' descriptions, so this program does not know what they compute. A picture larger than
 * the kernels' input is cut to its middle.
 */
#include "picture.h"

#include "bicubic4x.h"
#include "bicubic4x_planar.h"
#include "bilinear2x.h"
#include "bilinear2x_planar.h"
#include "bilinear4x.h"
#include "nearest4x.h"
#include "reduce_antialias.h"
#include "reduce_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct upw_kernel *const kernels[] = {
    &nearest4x_kernel,    &bilinear4x_kernel,        &bicubic4x_kernel,
    &bilinear2x_kernel,   &bilinear2x_planar_kernel, &bicubic4x_planar_kernel,
    &reduce_plain_kernel, &reduce_antialias_kernel,
};
enum { KERNELS = sizeof kernels / sizeof *kernels, CHANNELS = 3, ARGUMENTS_OF_A_PART = 5 };

struct part {
  const char *label;
  int x, y, width, height;
};

static int planar(const struct upw_tensor *t) {
  return strcmp(t->layout, "NCHW") == 0;
}

static int width_of(const struct upw_tensor *t) {
  return (int)t->shape[planar(t) ? 3 : 2];
}

static int height_of(const struct upw_tensor *t) {
  return (int)t->shape[planar(t) ? 2 : 1];
}

/* Element of a tensor that holds channel c of pixel number `at`. */
static size_t place(const struct upw_tensor *t, size_t at, size_t c) {
  size_t pixels = (size_t)width_of(t) * (size_t)height_of(t);
  return planar(t) ? c * pixels + at : at * CHANNELS + c;
}

static void to_floats(const struct picture *p, const struct upw_tensor *t, float *data) {
  size_t pixels = (size_t)p->width * (size_t)p->height;
  for (size_t at = 0; at < pixels; at++)
    for (size_t c = 0; c < CHANNELS; c++)
      data[place(t, at, c)] = (float)p->rgb[at * CHANNELS + c] / 255.0f;
}

/* Bicubic filters reach beyond black and white: cut. */
static void to_bytes(const float *data, const struct upw_tensor *t, struct picture *p) {
  size_t pixels = (size_t)p->width * (size_t)p->height;
  for (size_t at = 0; at < pixels; at++) {
    for (size_t c = 0; c < CHANNELS; c++) {
      float v = data[place(t, at, c)] * 255.0f + 0.5f;
      p->rgb[at * CHANNELS + c] = (unsigned char)(v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v);
    }
  }
}

static void *allocate(size_t bytes) {
  return aligned_alloc(64, bytes / 64 * 64 + 64);
}

/* result = kernel(picture); result exists with the size of the kernel's output. */
static int apply(const struct upw_kernel *k, const struct picture *p, struct picture *result) {
  const struct upw_tensor *in = &k->tensors[0], *out = &k->tensors[1];
  float *x = allocate(in->bytes), *y = allocate(out->bytes);
  void *workspace = allocate(k->workspace_bytes);
  int status = UPW_NO_MEMORY;
  if (x && y && workspace) {
    const void *inputs[] = {x};
    void *outputs[] = {y};
    to_floats(p, in, x);
    status = k->run(inputs, NULL, outputs, workspace);
    if (status == UPW_OK) to_bytes(y, out, result);
  }
  if (status != UPW_OK) fprintf(stderr, "%s: status %d\n", k->name, status);
  free(x);
  free(y);
  free(workspace);
  return status == UPW_OK ? 0 : -1;
}

static int write_part(const struct picture *p, int scale, const struct part *part,
                      const char *folder, const char *name) {
  char path[4096];
  struct picture piece;
  snprintf(path, sizeof path, "%s/%s-%s.png", folder, part->label, name);
  if (picture_new(&piece, part->width * scale, part->height * scale) != 0) return -1;
  picture_crop(p, part->x * scale, part->y * scale, &piece);
  int result = picture_write(&piece, path);
  picture_free(&piece);
  return result;
}

static int write_all(const struct upw_kernel *k, const struct picture *p, const char *folder,
                     const struct part *parts, int count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.png", folder, k->name);
  int scale = p->width / width_of(&k->tensors[0]);
  int result = picture_write(p, path);
  for (int at = 0; at < count && scale >= 1 && result == 0; at++)
    result = write_part(p, scale, &parts[at], folder, k->name);
  return result;
}

static int show(const struct upw_kernel *k, const struct picture *p, const char *folder,
                const struct part *parts, int count) {
  struct picture result;
  const struct upw_tensor *out = &k->tensors[1];
  if (picture_new(&result, width_of(out), height_of(out)) != 0) return -1;
  int status = apply(k, p, &result);
  if (status == 0) status = write_all(k, &result, folder, parts, count);
  picture_free(&result);
  return status;
}

/* The middle of the picture, as large as the kernels' input. */
static int fit(struct picture *p) {
  const struct upw_tensor *in = &kernels[0]->tensors[0];
  struct picture middle;
  if (p->width < width_of(in) || p->height < height_of(in)) {
    fprintf(stderr, "the picture is smaller than the kernels were built for\n");
    return -1;
  }
  if (picture_new(&middle, width_of(in), height_of(in)) != 0) return -1;
  picture_crop(p, (p->width - middle.width) / 2, (p->height - middle.height) / 2, &middle);
  picture_free(p);
  *p = middle;
  return 0;
}

static int read_parts(char **argv, int count, const struct picture *p, struct part *parts) {
  for (int at = 0; at < count; at++, argv += ARGUMENTS_OF_A_PART) {
    struct part r = {argv[0], atoi(argv[1]), atoi(argv[2]), atoi(argv[3]), atoi(argv[4])};
    int inside = r.x >= 0 && r.y >= 0 && r.width > 0 && r.height > 0 && r.width <= p->width - r.x &&
                 r.height <= p->height - r.y;
    if (!inside) {
      fprintf(stderr, "%s lies outside the picture\n", r.label);
      return -1;
    }
    parts[at] = r;
  }
  return 0;
}

static int run(const char *file, const char *folder, char **argv, int count) {
  struct picture p;
  char path[4096];
  struct part *parts = calloc((size_t)count + 1, sizeof *parts);
  if (!parts || picture_read(&p, file) != 0) {
    free(parts);
    return -1;
  }
  int status = fit(&p);
  if (status == 0) status = read_parts(argv, count, &p, parts);
  for (int at = 0; at < KERNELS && status == 0; at++)
    status = show(kernels[at], &p, folder, parts, count);
  snprintf(path, sizeof path, "%s/input.png", folder);
  if (status == 0) status = picture_write(&p, path);
  picture_free(&p);
  free(parts);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 3 || (argc - 3) % ARGUMENTS_OF_A_PART != 0) {
    fprintf(stderr, "usage: upscale IN.png FOLDER [LABEL X Y WIDTH HEIGHT]...\n");
    return 2;
  }
  return run(argv[1], argv[2], argv + 3, (argc - 3) / ARGUMENTS_OF_A_PART) != 0;
}
