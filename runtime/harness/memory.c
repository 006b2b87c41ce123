// SPDX-License-Identifier: MIT
// Buffers between guard zones: a touch outside the pages of a buffer is a fault, a write to what
// lies on them beside the data changes a mark.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

// As float a NaN: values read from beside the data do not go unnoticed.
enum { MARK = 0xFF, SHIFT_ROOM = 64 };

// So wide that an address a few rows off is still told as this buffer's.
enum { GUARD = 1 << 16 };

const char *const placement_names[PLACEMENTS] = {"low", "high", "shifted"};

int guarded_make(struct guarded *g, const char *name, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE); // GUARD is a multiple of it
  size_t inside = (bytes + SHIFT_ROOM + page - 1) / page * page;
  *g = (struct guarded){.name = name, .inside_bytes = inside, .bytes = bytes};
  void *map = mmap(NULL, inside + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return UPW_NO_MEMORY;
  g->map = map;
  g->inside = g->map + GUARD;
  g->data = g->inside;
  guarded_writable(g, 1);
  return UPW_OK;
}

void guarded_free(struct guarded *g) {
  if (g->map) munmap(g->map, g->inside_bytes + 2 * GUARD);
  g->map = NULL;
}

void guarded_writable(struct guarded *g, int writable) {
  mprotect(g->inside, g->inside_bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

void guarded_place(struct guarded *g, enum placement where, size_t align) {
  guarded_writable(g, 1);
  g->data = g->inside;
  if (where == FLUSH_HIGH) g->data += (g->inside_bytes - g->bytes) / align * align;
  if (where == SHIFTED) g->data += align;
  memset(g->inside, MARK, (size_t)(g->data - g->inside));
  unsigned char *after = g->data + g->bytes;
  memset(after, MARK, (size_t)(g->inside + g->inside_bytes - after));
}

int guarded_intact(const struct guarded *g, int64_t *offset) {
  const unsigned char *end = g->inside + g->inside_bytes;
  for (const unsigned char *p = g->inside; p < end; p++) {
    if (p == g->data) p += g->bytes;
    if (p < end && *p != MARK) {
      *offset = p - g->data;
      return 0;
    }
  }
  return 1;
}

int guarded_owns(const struct guarded *g, const void *address) {
  uintptr_t at = (uintptr_t)address, begin = (uintptr_t)g->map;
  return g->map && at >= begin && at < begin + g->inside_bytes + 2 * GUARD;
}
