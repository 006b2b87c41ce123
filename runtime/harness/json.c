// SPDX-License-Identifier: MIT
// JSON lines on stdout.
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

static void quoted(const char *text) {
  putchar('"');
  for (const char *p = text; *p; p++) {
    unsigned char ch = (unsigned char)*p;
    if (ch == '"' || ch == '\\')
      printf("\\%c", ch);
    else if (ch < ' ')
      printf("\\u%04x", ch);
    else
      putchar(ch);
  }
  putchar('"');
}

static void key_of(const char *key) {
  putchar(',');
  quoted(key);
  putchar(':');
}

void json_begin(const char *kernel) {
  printf("{\"kernel\":");
  quoted(kernel);
}

void json_text(const char *key, const char *value) {
  key_of(key);
  quoted(value);
}

void json_number(const char *key, double value) {
  char text[40];
  key_of(key);
  if (value != value || value - value != 0) {
    quoted(value != value ? "nan" : value > 0 ? "inf" : "-inf");
    return;
  }
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  printf("%s", text);
}

void json_count(const char *key, uint64_t value) {
  key_of(key);
  printf("%llu", (unsigned long long)value);
}

void json_bool(const char *key, int value) {
  key_of(key);
  printf("%s", value ? "true" : "false");
}

void json_index(const char *key, const int64_t *index, int rank) {
  key_of(key);
  putchar('[');
  for (int i = 0; i < rank; i++) printf("%s%lld", i ? "," : "", (long long)index[i]);
  putchar(']');
}

void json_end(void) {
  printf("}\n");
  fflush(stdout);
}
