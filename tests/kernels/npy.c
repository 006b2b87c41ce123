// SPDX-License-Identifier: MIT
// sources: runtime/src/npy.c
// .npy files: round trips of every dtype, and files that are wrong in every way.
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "upweave/runtime.h"

static char path[64];
static char message[UPW_NPY_MESSAGE];

static void store(const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) abort();
}

// A file of format `major` with this header text and `data` bytes behind it.
static size_t compose(unsigned char *to, int major, const char *text, size_t data) {
  size_t length = strlen(text), at = 8;
  memcpy(to, "\x93NUMPY\x01\x00", at);
  to[6] = (unsigned char)major;
  to[at++] = (unsigned char)(length & 255);
  to[at++] = (unsigned char)(length >> 8 & 255);
  if (major == 2) {
    to[at++] = 0;
    to[at++] = 0;
  }
  memcpy(to + at, text, length);
  memset(to + at + length, 7, data);
  return at + length + data;
}

static int read_text(int major, const char *text, size_t data, struct upw_npy_array *array) {
  static unsigned char file[4096];
  store(file, compose(file, major, text, data));
  return upw_npy_read(path, 1 << 20, array, message);
}

static void refused(const char *text, size_t data, const char *why) {
  struct upw_npy_array array;
  message[0] = '\0';
  int status = read_text(1, text, data, &array);
  tap_is_int(status, UPW_BAD_FILE, text);
  tap_like(message, why, "and says why");
  tap_ok(array.data == NULL, "and keeps nothing");
}

static void accepted(int major, const char *text, size_t data, int rank) {
  struct upw_npy_array array;
  message[0] = '\0';
  tap_is_int(read_text(major, text, data, &array), UPW_OK, text);
  tap_is_int(array.header.rank, rank, message[0] ? message : "with this rank");
  tap_is_int((long long)array.header.bytes, (long long)data, "and these bytes");
  upw_npy_free(&array);
}

static void round_trip(uint8_t code, uint8_t bits) {
  unsigned char data[2 * 3 * 8], back[sizeof data];
  struct upw_tensor tensor = {.name = "x",
                              .layout = "",
                              .dtype_code = code,
                              .dtype_bits = bits,
                              .rank = 2,
                              .shape = {2, 3},
                              .bytes = (size_t)6 * bits / 8};
  struct upw_npy_array array;
  for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(37 * i + bits);
  tap_is_int(upw_npy_write(path, &tensor, data, message), UPW_OK, "write");
  memset(back, 0, sizeof back);
  tap_is_int(upw_npy_read_into(path, &tensor, back, message), UPW_OK, "read into");
  tap_ok(memcmp(data, back, tensor.bytes) == 0, "the same bytes");
  tap_is_int(upw_npy_read(path, 1000, &array, message), UPW_OK, "read");
  tap_ok(array.header.dtype_code == code && array.header.dtype_bits == bits, "the same dtype");
  tap_ok(array.header.rank == 2 && array.header.shape[0] == 2 && array.header.shape[1] == 3,
         "the same shape");
  tap_is_int((long long)(array.header.offset % 64), 0, "data aligned as NumPy does");
  tap_ok(memcmp(array.data, data, tensor.bytes) == 0, "the same bytes again");
  upw_npy_free(&array);
  tap_is_int(upw_npy_read(path, tensor.bytes - 1, &array, message), UPW_BAD_FILE, "limit");
  tap_like(message, "limit", "says so");
}

static void shapes(void) {
  struct upw_tensor t = {
      .name = "x", .layout = "", .dtype_code = 2, .dtype_bits = 32, .rank = 0, .bytes = 4};
  float scalar = 3.5f, back = 0;
  tap_is_int(upw_npy_write(path, &t, &scalar, message), UPW_OK, "scalar");
  tap_is_int(upw_npy_read_into(path, &t, &back, message), UPW_OK, "scalar back");
  tap_is_number((double)back, 3.5, "its value");
  t.rank = 1;
  t.shape[0] = 0;
  t.bytes = 0;
  tap_is_int(upw_npy_write(path, &t, NULL, message), UPW_OK, "empty");
  tap_is_int(upw_npy_read_into(path, &t, NULL, message), UPW_OK, "empty back");
  t.shape[0] = 1;
  t.bytes = 4;
  tap_is_int(upw_npy_read_into(path, &t, &back, message), UPW_BAD_TENSOR, "another shape");
  tap_like(message, "shape is (0,), x has (1,)", "says both shapes");
  tap_is_int(upw_npy_write(path, &t, &scalar, message), UPW_OK, "one element");
  t.dtype_code = 0;
  tap_is_int(upw_npy_read_into(path, &t, &back, message), UPW_BAD_TENSOR, "another dtype");
  tap_like(message, "dtype is <f4, x has <i4", "says both dtypes");
  t.dtype_code = 4;
  t.dtype_bits = 16;
  tap_is_int(upw_npy_write(path, &t, &scalar, message), UPW_OK, "bf16 as its bits");
  t.dtype_bits = 8;
  tap_is_int(upw_npy_write(path, &t, &scalar, message), UPW_BAD_TENSOR, "npy has no 8-bit bfloat");
  tap_is_int(upw_npy_write("/nonexistent/x.npy",
                           &(struct upw_tensor){.dtype_code = 2, .dtype_bits = 32}, NULL, message),
             UPW_BAD_FILE, "no such folder");
  tap_is_int(upw_npy_read_into("/nonexistent/x.npy", &t, NULL, NULL), UPW_BAD_FILE, "no message");
  tap_is_int(upw_npy_read_into("/tmp", &t, &back, message), UPW_BAD_FILE, "a folder");
  tap_is_int(upw_npy_read_into("/dev/null", &t, &back, message), UPW_BAD_FILE, "an empty device");
}

static void malformed(void) {
  refused("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }\n", 8, "'>f4' is not read");
  refused("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }\n", 8, "Fortran");
  refused("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }\n", 16, "'<c8' is not read");
  refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }\n", 8, "structured");
  refused("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n", 8, "is not read");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 8, "truncated: 8 of 12");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", 8, "goes on");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", 8, "number from 0");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, }\n", 8, "number from 0");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2), }\n", 8, "tuple");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': [2], }\n", 8, "tuple");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }\n", 8, "8 dim");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000,), }\n", 8, "limit");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,), }\n", 8,
          "more bytes than memory");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }\n", 8,
          "number from 0");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n", 8,
          "more bytes than memory");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 0, 4), }\n", 8,
          "more bytes than memory");
  refused("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n", 8,
          "repeated");
  refused("{'descr': '<f4', 'shape': (2,)}\n", 8, "lacks");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}\n", 8, "unknown");
  refused("{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}\n", 8, "not a dict");
  refused("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}\n", 8, "no bool");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x\n", 8, "after its dict");
  refused("{'descr': '<f4\\n', 'fortran_order': False, 'shape': (2,)}\n", 8, "plain one");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", 0, "not a dict");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2", 0, "tuple");
  refused("{'descr': '<f4", 0, "plain one");
  refused("{'descr': 'a name of 31 characters so long', }", 0, "'a name of 31 characters so long'");
  refused("{'descr': 'a name of 32 characters too long', }", 0, "plain one");
  refused("{", 0, "not a dict");
  refused("", 0, "not a dict");
}

static void well_formed(void) {
  accepted(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8, 1);
  accepted(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8, 1);
  accepted(1, "{\"shape\": (2, 2), \"fortran_order\": False, \"descr\": \"|u1\"}", 4, 2);
  accepted(1, " {'descr':'<i8','fortran_order':False,'shape':()} \n", 8, 0);
  accepted(1, "{'descr': '|V2', 'fortran_order': False, 'shape': (3,), }\n", 6, 1);
  accepted(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 0, 5), }\n", 0, 3);
}

static void prefixes(void) {
  unsigned char file[256];
  struct upw_npy_header header;
  size_t size = compose(file, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8);
  for (size_t n = 0; n < size - 8; n++) {
    unsigned char *exact = malloc(n ? n : 1); // the sanitizer sees a read behind it
    memcpy(exact, file, n);
    if (upw_npy_parse(exact, n, &header, message) != UPW_BAD_FILE)
      tap_ok(0, "a header cut short is refused");
    free(exact);
  }
  file[6] = 3;
  tap_is_int(upw_npy_parse(file, size, &header, message), UPW_BAD_FILE, "format 3.0");
  tap_like(message, "format 3.0", "says so");
  file[6] = 2;
  file[8] = file[9] = file[10] = file[11] = 255;
  tap_is_int(upw_npy_parse(file, size, &header, message), UPW_BAD_FILE, "a header of 4 GB");
  tap_like(message, "longer than", "says so");
  tap_is_int(upw_npy_parse(file, 11, &header, message), UPW_BAD_FILE, "a length cut short");
  tap_like(message, "format 2.0", "is of no format");
  store(file, 5);
  struct upw_npy_array array;
  tap_is_int(upw_npy_read(path, 100, &array, message), UPW_BAD_FILE, "five bytes");
}

// One byte changed at a time, at random: no crash, no leak, and either refused or consistent.
static void mutations(void) {
  unsigned char file[256], copy[sizeof file];
  uint64_t state = 88172645463325252u;
  int refused_count = 0, odd = 0;
  size_t size = compose(file, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8);
  for (int round = 0; round < 20000; round++) {
    struct upw_npy_header header;
    memcpy(copy, file, size);
    for (int changes = 1 + round % 3; changes > 0; changes--) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      copy[state % (size - 8)] = (unsigned char)(state >> 40);
    }
    int status = upw_npy_parse(copy, size, &header, message);
    refused_count += status != UPW_OK;
    odd += status == UPW_OK && (header.rank > 8 || header.offset > size || header.dtype_bits == 0);
  }
  tap_is_int(odd, 0, "what is accepted is consistent");
  tap_ok(refused_count > 15000, "most mutations are refused");
}

int main(void) {
  snprintf(path, sizeof path, "/tmp/upweave-npy-%ld.npy", (long)getpid());
  const uint8_t dtypes[][2] = {{2, 32}, {2, 16}, {4, 16}, {2, 64},
                               {1, 8},  {0, 8},  {0, 32}, {0, 64}};
  for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
    round_trip(dtypes[i][0], dtypes[i][1]);
  shapes();
  malformed();
  well_formed();
  prefixes();
  mutations();
  remove(path);
  return tap_done();
}
