// SPDX-License-Identifier: MIT
// The harness in a child process, for tests of it: a wrong kernel may end the program.
// Define _GNU_SOURCE before the first #include.
#ifndef UPWEAVE_TESTS_CHILD_H
#define UPWEAVE_TESTS_CHILD_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static char output[1 << 16]; // of the last child's stdout

// Returns the child's exit code, 128 + the signal that ended it.
static int harness_child(char **argv, const struct upw_case *cases, size_t count) {
  int pipes[2], argc = 0, status = 0;
  while (argv[argc]) argc++;
  fflush(stdout);
  if (pipe(pipes) != 0) abort();
  pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], 1);
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    int code = upw_harness_main(argc, argv, cases, count);
    fflush(stdout);
    _exit(code);
  }
  close(pipes[1]);
  size_t size = 0;
  for (ssize_t n = 1; n > 0; size += (size_t)(n > 0 ? n : 0))
    n = read(pipes[0], output + size, sizeof output - 1 - size);
  output[size] = '\0';
  close(pipes[0]);
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
