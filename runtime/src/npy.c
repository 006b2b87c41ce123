// SPDX-License-Identifier: MIT
// NumPy's .npy files, read as if an enemy had written them.
//
// The header is a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}.
// It is scanned by a cursor that cannot leave the buffer; keys may stand in any order and each must
// stand once. Sizes are multiplied with overflow checks, and the buffer for the data grows only
// behind the bytes that arrive.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upweave/runtime.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the runtime is written for little-endian machines"
#endif

enum { PREFIX_V1 = 10, PREFIX_V2 = 12, ALIGNMENT = 64, FIRST_BUFFER = 1 << 20, PATH_ROOM = 4096 };

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

// The first of a dtype's names is written. NumPy has no bf16: its bits are those of a u2, or of the
// opaque V2 that some libraries write.
static const struct {
  char descr[4];
  uint8_t code, bits;
} dtypes[] = {
    {"<f4", 2, 32}, {"<f2", 2, 16}, {"<f8", 2, 64}, {"|u1", 1, 8},  {"<u1", 1, 8},  {"|i1", 0, 8},
    {"<i1", 0, 8},  {"<i4", 0, 32}, {"<i8", 0, 64}, {"<u2", 4, 16}, {"|V2", 4, 16},
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

__attribute__((format(printf, 3, 4))) static int fail(int status, char *message, const char *format,
                                                      ...) {
  if (message) {
    va_list list;
    va_start(list, format);
    vsnprintf(message, UPW_NPY_MESSAGE, format, list);
    va_end(list);
  }
  return status;
}

// ---- header text

struct cursor {
  const char *at, *end;
};

static void skip_space(struct cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
    c->at++;
}

// Takes `token` (one of the characters of the dict's syntax) if it comes next.
static int take(struct cursor *c, char token) {
  skip_space(c);
  if (c->at == c->end || *c->at != token) return 0;
  c->at++;
  return 1;
}

static int take_word(struct cursor *c, const char *word) {
  size_t n = strlen(word);
  skip_space(c);
  if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return 0;
  c->at += n;
  return 1;
}

// A quoted string without escapes, at most room - 1 characters long.
static int take_string(struct cursor *c, char *text, size_t room) {
  skip_space(c);
  if (c->at == c->end || (*c->at != '\'' && *c->at != '"')) return 0;
  char quote = *c->at++;
  size_t n = 0;
  for (; c->at < c->end && *c->at != quote; c->at++) {
    if (*c->at == '\\' || *c->at < ' ' || *c->at > '~' || n + 1 >= room) return 0;
    text[n++] = *c->at;
  }
  text[n] = '\0';
  return take(c, quote);
}

static int take_integer(struct cursor *c, int64_t *value) {
  int digits = 0;
  skip_space(c);
  for (*value = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digits++) {
    int digit = *c->at - '0';
    if (*value > (INT64_MAX - digit) / 10) return 0;
    *value = *value * 10 + digit;
  }
  return digits > 0;
}

static int parse_shape(struct cursor *c, struct upw_npy_header *h, char *message) {
  if (!take(c, '(')) return fail(UPW_BAD_FILE, message, "shape is not a tuple");
  for (h->rank = 0; !take(c, ')'); h->rank++) {
    if (h->rank == 8) return fail(UPW_BAD_FILE, message, "more than 8 dimensions");
    if (!take_integer(c, &h->shape[h->rank]))
      return fail(UPW_BAD_FILE, message, "dimension %d is not a number from 0 to 2^63-1", h->rank);
    if (!take(c, ',') && (h->rank == 0 || c->at == c->end || *c->at != ')'))
      return fail(UPW_BAD_FILE, message, "shape is not a tuple");
  }
  return UPW_OK;
}

static int parse_descr(struct cursor *c, struct upw_npy_header *h, char *message) {
  char descr[32];
  if (!take_string(c, descr, sizeof descr))
    return fail(UPW_BAD_FILE, message, "dtype is not a plain one (structured dtypes are not read)");
  for (int i = 0; i < DTYPES; i++)
    if (strcmp(descr, dtypes[i].descr) == 0) {
      h->dtype_code = dtypes[i].code;
      h->dtype_bits = dtypes[i].bits;
      return UPW_OK;
    }
  return fail(UPW_BAD_FILE, message,
              "dtype '%s' is not read (little-endian f4 f2 f8 u1 i1 i4 i8 are, u2 as bf16)", descr);
}

enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };

static int parse_entry(struct cursor *c, struct upw_npy_header *h, int *seen, char *message) {
  char key[16];
  if (!take_string(c, key, sizeof key) || !take(c, ':'))
    return fail(UPW_BAD_FILE, message, "header is not a dict of the npy format");
  int which = strcmp(key, "descr") == 0           ? DESCR
              : strcmp(key, "fortran_order") == 0 ? ORDER
              : strcmp(key, "shape") == 0         ? SHAPE
                                                  : 0;
  if (which == 0 || (*seen & which))
    return fail(UPW_BAD_FILE, message, "header has an unknown or repeated key '%s'", key);
  *seen |= which;
  if (which == DESCR) return parse_descr(c, h, message);
  if (which == SHAPE) return parse_shape(c, h, message);
  if (take_word(c, "True"))
    return fail(UPW_BAD_FILE, message, "array is in Fortran order; save it in C order");
  return take_word(c, "False") ? UPW_OK : fail(UPW_BAD_FILE, message, "fortran_order is no bool");
}

static int parse_dict(struct cursor *c, struct upw_npy_header *h, char *message) {
  int seen = 0, comma = 1;
  if (!take(c, '{')) return fail(UPW_BAD_FILE, message, "header is not a dict");
  while (!take(c, '}')) {
    if (!comma) return fail(UPW_BAD_FILE, message, "header is not a dict of the npy format");
    int status = parse_entry(c, h, &seen, message);
    if (status != UPW_OK) return status;
    comma = take(c, ',');
  }
  skip_space(c);
  if (c->at != c->end) return fail(UPW_BAD_FILE, message, "header has text after its dict");
  return seen == ALL ? UPW_OK : fail(UPW_BAD_FILE, message, "header lacks descr, order or shape");
}

static int data_size(struct upw_npy_header *h, char *message) {
  size_t bytes = h->dtype_bits / 8;
  int empty = 0;
  for (int i = 0; i < h->rank; i++) {
    uint64_t n = (uint64_t)h->shape[i];
    empty |= n == 0;
    if (n != 0 && bytes > (size_t)PTRDIFF_MAX / n)
      return fail(UPW_BAD_FILE, message, "shape has more bytes than memory can have");
    if (n != 0) bytes *= (size_t)n;
  }
  h->bytes = empty ? 0 : bytes;
  return UPW_OK;
}

// Length of prefix and header text together; 0 with a message if these are not npy 1.0 or 2.0.
static size_t header_end(const unsigned char *b, size_t size, size_t *text, char *message) {
  if (size < PREFIX_V1 || memcmp(b, magic, sizeof magic) != 0) {
    fail(UPW_BAD_FILE, message, "not an npy file");
    return 0;
  }
  if ((b[6] != 1 && b[6] != 2) || b[7] != 0 || (b[6] == 2 && size < PREFIX_V2)) {
    fail(UPW_BAD_FILE, message, "npy format %d.%d is not read (1.0 and 2.0 are)", b[6], b[7]);
    return 0;
  }
  size_t length = (size_t)b[8] | (size_t)b[9] << 8;
  *text = PREFIX_V1;
  if (b[6] == 2) {
    length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    *text = PREFIX_V2;
  }
  if (length > UPW_NPY_HEADER_MAX - PREFIX_V2) {
    fail(UPW_BAD_FILE, message, "header is longer than %d bytes", UPW_NPY_HEADER_MAX);
    return 0;
  }
  return *text + length;
}

int upw_npy_parse(const void *start, size_t size, struct upw_npy_header *header, char *message) {
  size_t text = 0, end = header_end(start, size, &text, message);
  *header = (struct upw_npy_header){.offset = end};
  if (end == 0) return UPW_BAD_FILE;
  if (end > size) return fail(UPW_BAD_FILE, message, "file ends inside its header");
  struct cursor c = {(const char *)start + text, (const char *)start + end};
  int status = parse_dict(&c, header, message);
  return status == UPW_OK ? data_size(header, message) : status;
}

// ---- reading

static int read_header(FILE *file, struct upw_npy_header *header, char *message) {
  unsigned char prefix[PREFIX_V2];
  size_t text = 0, size = fread(prefix, 1, sizeof prefix, file);
  size_t end = header_end(prefix, size, &text, message);
  if (end == 0) return UPW_BAD_FILE;
  if (end < size) return fail(UPW_BAD_FILE, message, "header is not a dict");
  unsigned char *whole = malloc(end);
  if (!whole) return fail(UPW_NO_MEMORY, message, "out of memory");
  memcpy(whole, prefix, size);
  size += fread(whole + size, 1, end - size, file);
  int status = upw_npy_parse(whole, size, header, message);
  free(whole);
  return status;
}

// The file must end where its data end.
static int at_end(FILE *file, char *message) {
  if (ferror(file)) return fail(UPW_BAD_FILE, message, "cannot be read");
  return fgetc(file) == EOF ? UPW_OK : fail(UPW_BAD_FILE, message, "file goes on after its data");
}

static int truncated(size_t bytes, size_t got, char *message) {
  return fail(UPW_BAD_FILE, message, "file is truncated: %zu of %zu data bytes", got, bytes);
}

static int read_growing(FILE *file, size_t bytes, void **data, char *message) {
  size_t room = bytes < FIRST_BUFFER ? bytes : FIRST_BUFFER, got = 0;
  unsigned char *buffer = malloc(room ? room : 1);
  while (buffer) {
    got += fread(buffer + got, 1, room - got, file);
    if (got < room || room == bytes) break;
    room = room > bytes / 2 ? bytes : room * 2;
    unsigned char *larger = realloc(buffer, room);
    if (!larger) free(buffer);
    buffer = larger;
  }
  if (!buffer) return fail(UPW_NO_MEMORY, message, "no memory for %zu bytes", bytes);
  int status = got < bytes ? truncated(bytes, got, message) : at_end(file, message);
  if (status == UPW_OK)
    *data = buffer;
  else
    free(buffer);
  return status;
}

static FILE *open_file(const char *path, const char *mode, char *message) {
  FILE *file = fopen(path, mode);
  if (!file) fail(UPW_BAD_FILE, message, "cannot be opened");
  return file;
}

int upw_npy_read(const char *path, size_t limit, struct upw_npy_array *array, char *message) {
  *array = (struct upw_npy_array){.data = NULL};
  FILE *file = open_file(path, "rb", message);
  if (!file) return UPW_BAD_FILE;
  int status = read_header(file, &array->header, message);
  if (status == UPW_OK && array->header.bytes > limit)
    status = fail(UPW_BAD_FILE, message, "%zu data bytes are more than the limit of %zu",
                  array->header.bytes, limit);
  if (status == UPW_OK) status = read_growing(file, array->header.bytes, &array->data, message);
  fclose(file);
  return status;
}

void upw_npy_free(struct upw_npy_array *array) {
  free(array->data);
  array->data = NULL;
}

static const char *dtype_name(uint8_t code, uint8_t bits) {
  for (int i = 0; i < DTYPES; i++)
    if (dtypes[i].code == code && dtypes[i].bits == bits) return dtypes[i].descr;
  return NULL;
}

// Appends "(1, 2, 3)", as Python writes a tuple.
static size_t print_shape(char *text, size_t room, const int64_t *shape, int rank) {
  size_t n = (size_t)snprintf(text, room, "(");
  for (int i = 0; i < rank; i++)
    n += (size_t)snprintf(text + n, room - n, "%s%lld", i ? ", " : "", (long long)shape[i]);
  return n + (size_t)snprintf(text + n, room - n, rank == 1 ? ",)" : ")");
}

static int same_tensor(const struct upw_npy_header *h, const struct upw_tensor *t, char *message) {
  enum { ROOM = 8 * 22 + 8 };
  char got[ROOM], want[ROOM];
  int same = h->rank == t->rank;
  for (int i = 0; same && i < t->rank; i++) same = h->shape[i] == t->shape[i];
  if (!same) {
    print_shape(got, ROOM, h->shape, h->rank);
    print_shape(want, ROOM, t->shape, t->rank);
    return fail(UPW_BAD_TENSOR, message, "shape is %s, %s has %s", got, t->name, want);
  }
  if (h->dtype_code != t->dtype_code || h->dtype_bits != t->dtype_bits) {
    const char *name = dtype_name(t->dtype_code, t->dtype_bits);
    return fail(UPW_BAD_TENSOR, message, "dtype is %s, %s has %s",
                dtype_name(h->dtype_code, h->dtype_bits), t->name, name ? name : "another");
  }
  return h->bytes == t->bytes ? UPW_OK : fail(UPW_BAD_TENSOR, message, "size differs");
}

int upw_npy_read_into(const char *path, const struct upw_tensor *expected, void *data,
                      char *message) {
  struct upw_npy_header header;
  FILE *file = open_file(path, "rb", message);
  if (!file) return UPW_BAD_FILE;
  int status = read_header(file, &header, message);
  if (status == UPW_OK) status = same_tensor(&header, expected, message);
  if (status == UPW_OK) {
    size_t got = header.bytes ? fread(data, 1, header.bytes, file) : 0;
    status = got < header.bytes ? truncated(header.bytes, got, message) : at_end(file, message);
  }
  fclose(file);
  return status;
}

// ---- writing

static size_t print_header(char *text, size_t room, const struct upw_tensor *t, const char *descr) {
  size_t n = PREFIX_V1;
  n += (size_t)snprintf(text + n, room - n,
                        "{'descr': '%s', 'fortran_order': False, 'shape': ", descr);
  n += print_shape(text + n, room - n, t->shape, t->rank);
  n += (size_t)snprintf(text + n, room - n, ", }");
  size_t end = (n + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(text + n, ' ', end - n);
  text[end - 1] = '\n';
  memcpy(text, magic, sizeof magic);
  const unsigned char rest[4] = {1, 0, (unsigned char)((end - PREFIX_V1) & 255),
                                 (unsigned char)((end - PREFIX_V1) >> 8)};
  memcpy(text + sizeof magic, rest, sizeof rest);
  return end;
}

static int write_file(const char *path, const char *head, size_t head_bytes, const void *data,
                      size_t bytes) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  int well = fwrite(head, 1, head_bytes, file) == head_bytes;
  well = well && (bytes == 0 || fwrite(data, 1, bytes, file) == bytes);
  return fclose(file) == 0 && well;
}

int upw_npy_write(const char *path, const struct upw_tensor *tensor, const void *data,
                  char *message) {
  char head[512], part[PATH_ROOM];
  const char *descr = dtype_name(tensor->dtype_code, tensor->dtype_bits);
  if (!descr || tensor->rank > 8)
    return fail(UPW_BAD_TENSOR, message, "npy has no such dtype or rank");
  if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
    return fail(UPW_BAD_FILE, message, "path is too long");
  size_t head_bytes = print_header(head, sizeof head, tensor, descr);
  if (write_file(part, head, head_bytes, data, tensor->bytes) && rename(part, path) == 0)
    return UPW_OK;
  remove(part);
  return fail(UPW_BAD_FILE, message, "cannot be written");
}
