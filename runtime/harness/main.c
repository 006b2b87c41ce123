// SPDX-License-Identifier: MIT
// The program's command line.
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int usage(const char *what) {
  fprintf(stderr,
          "%s\nusage: verify [--only PATTERN]... [--seed N] [--rounds N]\n"
          "       bench [--only PATTERN]... [--seconds S] [--threads N] [--cpu N]\n"
          "       run [--only PATTERN]... --data DIR\n",
          what);
  return EXIT_USAGE;
}

static int whole_number(const char *text, uint64_t most, uint64_t *value) {
  char *end = NULL;
  if (*text < '0' || *text > '9') return 0;
  *value = strtoull(text, &end, 10);
  return *end == '\0' && *value <= most;
}

static int take_option(const char *key, const char *value, struct options *o) {
  uint64_t n = 0;
  if (strcmp(key, "--only") == 0 && o->only_count < MOST_PATTERNS) {
    o->only[o->only_count++] = value;
    return 1;
  }
  if (strcmp(key, "--data") == 0) {
    o->data = value;
    return 1;
  }
  if (strcmp(key, "--seconds") == 0) {
    o->seconds = strtod(value, NULL);
    return o->seconds > 0 && o->seconds <= 3600;
  }
  if (strcmp(key, "--seed") == 0) return whole_number(value, UINT64_MAX, &o->seed);
  if (strcmp(key, "--rounds") == 0 && whole_number(value, 1000000, &n)) {
    o->rounds = (size_t)n;
    return n > 0;
  }
  if (strcmp(key, "--threads") == 0 && whole_number(value, 1024, &n)) {
    o->threads = (size_t)n;
    return n > 0;
  }
  if (strcmp(key, "--cpu") == 0 && whole_number(value, 1023, &n)) {
    o->cpu = (int)n;
    return 1;
  }
  return 0;
}

static int chosen(const struct upw_case *c, const struct options *o) {
  for (size_t i = 0; i < o->only_count; i++)
    if (fnmatch(o->only[i], c->kernel->name, 0) == 0) return 1;
  return o->only_count == 0;
}

int upw_harness_main(int argc, char **argv, const struct upw_case *cases, size_t count) {
  struct options options = {.seed = 1, .rounds = 2, .seconds = 1, .threads = 1, .cpu = -1};
  int (*handle)(const struct upw_case *, const struct options *) = NULL;
  const char *verb = argc > 1 ? argv[1] : "";
  if (strcmp(verb, "verify") == 0)
    handle = verify_case;
  else if (strcmp(verb, "bench") == 0)
    handle = bench_case;
  else if (strcmp(verb, "run") == 0)
    handle = run_case;
  if (!handle) return usage("no such subcommand");
  for (int i = 2; i < argc; i += 2)
    if (i + 1 == argc || !take_option(argv[i], argv[i + 1], &options)) return usage(argv[i]);
  if (handle == run_case && !options.data) return usage("run needs --data");
  int worst = EXIT_WELL;
  size_t done = 0;
  for (size_t i = 0; i < count; i++)
    if (chosen(&cases[i], &options)) {
      int code = handle(&cases[i], &options);
      worst = code > worst ? code : worst;
      done++;
    }
  return done ? worst : usage("no kernel has such a name");
}
