// SPDX-License-Identifier: MIT
// sources: runtime/src/status.c
// Every status has a text of its own, and so has none.
#include "tap.h"
#include "upweave/runtime.h"

int main(void) {
  for (int a = UPW_OK; a <= UPW_NO_TARGET; a++) {
    tap_ok(upw_status_text(a)[0] != '\0', "a status has a text");
    for (int b = UPW_OK; b < a; b++)
      tap_ok(strcmp(upw_status_text(a), upw_status_text(b)) != 0, "no other status has it");
  }
  tap_is_text(upw_status_text(UPW_OK), "ok", "success");
  tap_is_text(upw_status_text(-1), "unknown status", "below the codes");
  tap_is_text(upw_status_text(UPW_NO_TARGET + 1), "unknown status", "above the codes");
  return tap_done();
}
