// SPDX-License-Identifier: MIT
// 5,000 mutated .npy files: each is read right or refused with a reason. Seeded, so that every run
// has the same files; the number of a file that was not understood is printed.
//
// npy_mutations.c runs it under the sanitizers, npy_memory.c with 512 MB of address space.
#ifndef UPWEAVE_TESTS_NPY_MUTATIONS_H
#define UPWEAVE_TESTS_NPY_MUTATIONS_H

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "upweave/runtime.h"

enum { MUTATIONS = 5000, SECONDS = 120, ROOM = 4096, PREFIX = 10 };

struct file {
  unsigned char bytes[2 * ROOM];
  size_t size;
};

static uint64_t mutations_state = 88172645463325252u;
static size_t below(size_t n) {
  mutations_state ^= mutations_state << 13;
  mutations_state ^= mutations_state >> 7;
  mutations_state ^= mutations_state << 17;
  return (size_t)(mutations_state >> 11) % n;
}

// A valid file of a dtype and shape at random, and the tensor in it.
static struct upw_tensor compose(struct file *f, const char *path) {
  static const uint8_t dtypes[][2] = {{2, 32}, {2, 64}, {2, 16}, {4, 16},
                                      {1, 8},  {0, 8},  {0, 32}, {0, 64}};
  const uint8_t *dtype = dtypes[below(sizeof dtypes / sizeof dtypes[0])];
  struct upw_tensor t = {.name = "x",
                         .layout = "",
                         .dtype_code = dtype[0],
                         .dtype_bits = dtype[1],
                         .rank = (uint8_t)below(9),
                         .bytes = dtype[1] / 8};
  unsigned char data[256 * 8];
  for (int i = 0; i < t.rank; i++) {
    t.shape[i] = (int64_t)(below(20) ? 1 + below(2) : 0);
    t.bytes *= (size_t)t.shape[i];
  }
  for (size_t i = 0; i < t.bytes; i++) data[i] = (unsigned char)below(256);
  if (upw_npy_write(path, &t, data, NULL) != UPW_OK) abort();
  FILE *file = fopen(path, "rb");
  if (!file) abort();
  f->size = fread(f->bytes, 1, ROOM, file);
  fclose(file);
  return t;
}

static void replace(struct file *f, size_t at, size_t cut, const char *text, size_t length) {
  if (f->size - cut + length > sizeof f->bytes) return;
  memmove(f->bytes + at + length, f->bytes + at + cut, f->size - at - cut);
  memcpy(f->bytes + at, text, length);
  f->size += length - cut;
}

// What a header could be made of, to stand where it should not.
static void plant(struct file *f) {
  static const char *const words[] = {"True",
                                      "False",
                                      "(",
                                      ")",
                                      "()",
                                      "(,)",
                                      "{",
                                      "}",
                                      "'",
                                      "\"",
                                      ",",
                                      ":",
                                      "-1",
                                      "0",
                                      "1e9",
                                      "9",
                                      "99999999999999999999",
                                      "9223372036854775807",
                                      "4294967296",
                                      "2147483648,2147483648,",
                                      "<f4",
                                      ">f4",
                                      "<c16",
                                      "|O",
                                      "|S5",
                                      "|V0",
                                      "|V2",
                                      "<u2",
                                      "=f4",
                                      "<f3",
                                      "descr",
                                      "shape",
                                      "\\n",
                                      "#",
                                      "fortran_order",
                                      "'descr': '<f4', ",
                                      "'shape': (1,), ",
                                      "[('a', '<f4')]",
                                      "None",
                                      "1L",
                                      "0x10",
                                      "((((((((((((((((((((((((((((((((",
                                      "1,1,1,1,1,1,1,1,1,1,1,1,"};
  const char *word = words[below(sizeof words / sizeof words[0])];
  size_t at = below(f->size), cut = below(8);
  replace(f, at, cut < f->size - at ? cut : 0, word, strlen(word));
}

static void mutate(struct file *f) {
  if (f->size == 0) return;
  size_t at = below(below(4) ? (f->size < 80 ? f->size : 80) : f->size); // mostly in the header
  size_t some = 1 + below(12), rest = f->size - at;
  switch (below(8)) {
  case 0:
    f->bytes[at] = (unsigned char)below(256);
    break;
  case 1:
    f->bytes[at] ^= (unsigned char)(1u << below(8));
    break;
  case 2:
    f->size = at;
    break;
  case 3:
    replace(f, at, some < rest ? some : rest, "", 0);
    break;
  case 4: { // some bytes twice
    char twice[12];
    memcpy(twice, f->bytes + at, some < rest ? some : rest);
    replace(f, at, 0, twice, some < rest ? some : rest);
    break;
  }
  case 5: // the lengths in the prefix
    f->bytes[(6 + below(6)) % f->size] = (unsigned char)(below(2) ? 255 : below(256));
    break;
  default:
    plant(f);
  }
}

static int known(const struct upw_npy_header *h) {
  size_t bytes = h->dtype_bits / 8;
  if (h->rank > 8 || bytes == 0 || bytes > 8) return 0;
  for (int i = 0; i < h->rank; i++) bytes *= (size_t)h->shape[i];
  return bytes == h->bytes;
}

// True if a whole file was read as what it holds, or refused with a reason.
static int is_right(const struct file *f, int status, const struct upw_npy_array *a,
                    const char *message) {
  const struct upw_npy_header *h = &a->header;
  if (status == UPW_OK)
    return known(h) && h->offset + h->bytes == f->size && h->offset >= PREFIX &&
           memcmp(a->data, f->bytes + h->offset, h->bytes) == 0;
  return status == UPW_BAD_FILE && a->data == NULL && message[0] != '\0' &&
         memchr(message, '\0', UPW_NPY_MESSAGE) != NULL && !strchr(message, '\n');
}

static int is_right_into(const struct file *f, int status, const struct upw_tensor *t,
                         const unsigned char *data) {
  if (status != UPW_OK) return status == UPW_BAD_FILE || status == UPW_BAD_TENSOR;
  return f->size >= t->bytes && memcmp(data, f->bytes + f->size - t->bytes, t->bytes) == 0;
}

static inline int npy_mutations(void) {
  static struct file f;
  char path[64], message[UPW_NPY_MESSAGE];
  int wrong = 0, wrong_into = 0, refused = 0;
  const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; // a disk is slow
  snprintf(path, sizeof path, "%s/upweave-mutations-%ld.npy", folder, (long)getpid());
  alarm(SECONDS);
  for (int round = 0; round < MUTATIONS; round++) {
    struct upw_npy_array array;
    struct upw_tensor tensor = compose(&f, path);
    for (size_t changes = below(4); changes > 0; changes--) mutate(&f);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(f.bytes, 1, f.size, file) != f.size || fclose(file) != 0) abort();
    memset(message, 0, sizeof message);
    int status = upw_npy_read(path, SIZE_MAX, &array, message);
    refused += status != UPW_OK;
    if (!is_right(&f, status, &array, message) && wrong++ < 5)
      tap_diag("file %d: status %d: %.200s", round, status, message);
    upw_npy_free(&array);
    unsigned char *into = malloc(tensor.bytes + 1); // the sanitizer sees a write behind it
    status = upw_npy_read_into(path, &tensor, into, message);
    if (!is_right_into(&f, status, &tensor, into) && wrong_into++ < 5)
      tap_diag("file %d into a tensor: status %d: %.200s", round, status, message);
    free(into);
  }
  remove(path);
  alarm(0);
  tap_is_int(wrong, 0, "every file is read right or refused with a reason");
  tap_is_int(wrong_into, 0, "also into a tensor of the kernel's");
  tap_ok(refused > MUTATIONS / 2 && refused < MUTATIONS - MUTATIONS / 10, "some of each");
  tap_diag("%d of %d refused", refused, MUTATIONS);
  return tap_done();
}

#endif
