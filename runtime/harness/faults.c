// SPDX-License-Identifier: MIT
// The signal handler of verify. The variables here are the only state that it can reach.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"

enum { SIGNAL_STACK = 65536 };

sigjmp_buf faults_recovery;
static volatile sig_atomic_t number_of_last;
static void *volatile address_of_last;

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
enum { SIGNALS = sizeof signals / sizeof signals[0] };

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  number_of_last = number;
  address_of_last = info->si_addr;
  siglongjmp(faults_recovery, 1);
}

void faults_catch(void) {
  static unsigned char stack[SIGNAL_STACK]; // a kernel may have run off its own
  stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaltstack(&own, NULL);
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &action, NULL);
}

void faults_release(void) {
  for (int i = 0; i < SIGNALS; i++) signal(signals[i], SIG_DFL);
}

void faults_describe(char *text, const struct guarded *buffers, size_t count,
                     const struct guarded *workspace) {
  const struct guarded *g = guarded_owns(workspace, address_of_last) ? workspace : NULL;
  for (size_t i = 0; i < count; i++)
    if (guarded_owns(&buffers[i], address_of_last)) g = &buffers[i];
  if (!g || (number_of_last != SIGSEGV && number_of_last != SIGBUS)) {
    snprintf(text, FAULTS_TEXT, "%s", strsignal((int)number_of_last));
    return;
  }
  long long at = (long long)((intptr_t)address_of_last - (intptr_t)g->data);
  if (at < 0)
    snprintf(text, FAULTS_TEXT, "access %lld bytes before the start of %s", -at, g->name);
  else if ((size_t)at < g->bytes)
    snprintf(text, FAULTS_TEXT, "write to input %s at byte %lld", g->name, at);
  else
    snprintf(text, FAULTS_TEXT, "access %lld bytes past the end of %s", at - (long long)g->bytes,
             g->name);
}
