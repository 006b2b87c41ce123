/* SPDX-License-Identifier: MIT
 * PNG through libpng's simplified interface: whatever the file holds becomes 8-bit RGB, a
 * transparent picture on white.
 */
#include "picture.h"

#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 32768 };

static int fault(const char *path, const char *why) {
  fprintf(stderr, "%s: %s\n", path, why);
  return -1;
}

int picture_new(struct picture *p, int width, int height) {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
    return fault("picture", "its sides must be 1 to 32768 pixels");
  p->width = width;
  p->height = height;
  p->rgb = malloc((size_t)width * (size_t)height * 3);
  if (!p->rgb) return fault("picture", "not enough memory");
  return 0;
}

void picture_free(struct picture *p) {
  free(p->rgb);
  p->rgb = NULL;
}

int picture_read(struct picture *p, const char *path) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&image, path)) return fault(path, image.message);
  image.format = PNG_FORMAT_RGB;
  if (image.width > MAX_SIDE || image.height > MAX_SIDE ||
      picture_new(p, (int)image.width, (int)image.height) != 0) {
    png_image_free(&image);
    return fault(path, "the picture is too large");
  }
  memset(p->rgb, 255, PNG_IMAGE_SIZE(image)); /* what shines through a transparent picture */
  if (!png_image_finish_read(&image, NULL, p->rgb, 0, NULL)) {
    picture_free(p);
    return fault(path, image.message);
  }
  return 0;
}

int picture_write(const struct picture *p, const char *path) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = (png_uint_32)p->width;
  image.height = (png_uint_32)p->height;
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST;
  if (!png_image_write_to_file(&image, path, 0, p->rgb, 0, NULL)) return fault(path, image.message);
  return 0;
}

void picture_crop(const struct picture *from, int x, int y, struct picture *part) {
  size_t bytes = (size_t)part->width * 3;
  for (int row = 0; row < part->height; row++) {
    const unsigned char *line =
        from->rgb + ((size_t)(y + row) * (size_t)from->width + (size_t)x) * 3;
    memcpy(part->rgb + (size_t)row * bytes, line, bytes);
  }
}
