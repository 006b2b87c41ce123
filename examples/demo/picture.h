/* SPDX-License-Identifier: MIT
 * Pictures of the demo: eight bits a channel, red, green, blue, row by row; PNG in files.
 */
#ifndef UPW_DEMO_PICTURE_H
#define UPW_DEMO_PICTURE_H

struct picture {
  int width;
  int height;
  unsigned char *rgb; /* width * height * 3 bytes, owned */
};

/* All return 0, or print the reason to stderr and return -1. */
int picture_new(struct picture *p, int width, int height);
int picture_read(struct picture *p, const char *path);
int picture_write(const struct picture *p, const char *path);
void picture_free(struct picture *p);

/* The part of `from` that begins at (x, y), as large as `part`, which exists already. */
void picture_crop(const struct picture *from, int x, int y, struct picture *part);

#endif
