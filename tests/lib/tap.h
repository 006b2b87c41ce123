// SPDX-License-Identifier: MIT
// TAP for tests in C: the vocabulary of tap.lua. A test ends with `return tap_done();`.
#ifndef UPWEAVE_TESTS_TAP_H
#define UPWEAVE_TESTS_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

static inline int tap_ok(int good, const char *name) {
  tap_failed += !good;
  // A name ends at its first line; # would be a directive.
  printf("%s %d - %.*s\n", good ? "ok" : "not ok", ++tap_count, (int)strcspn(name, "#\n"), name);
  return good;
}

__attribute__((format(printf, 1, 2))) static inline void tap_diag(const char *format, ...) {
  va_list list;
  va_start(list, format);
  printf("# ");
  vprintf(format, list);
  printf("\n");
  va_end(list);
}

static inline int tap_is_int(long long got, long long want, const char *name) {
  if (!tap_ok(got == want, name)) tap_diag("got %lld, want %lld", got, want);
  return got == want;
}

static inline int tap_is_number(double got, double want, const char *name) {
  int same = got == want || (got != got && want != want);
  if (!tap_ok(same, name)) tap_diag("got %.17g, want %.17g", got, want);
  return same;
}

static inline int tap_is_text(const char *got, const char *want, const char *name) {
  int same = strcmp(got, want) == 0;
  if (!tap_ok(same, name)) tap_diag("got '%s', want '%s'", got, want);
  return same;
}

static inline int tap_like(const char *text, const char *part, const char *name) {
  int found = strstr(text, part) != NULL;
  if (!tap_ok(found, name)) tap_diag("'%s' lacks '%s'", text, part);
  return found;
}

static inline void tap_skip(const char *name, const char *reason) {
  printf("ok %d - %s # SKIP %s\n", ++tap_count, name, reason);
}

static inline int tap_done(void) {
  printf("1..%d\n", tap_count);
  return tap_failed ? 1 : 0;
}

#endif
