// SPDX-License-Identifier: MIT
// Texts of the status codes.
#include "upweave/runtime.h"

const char *upw_status_text(int status) {
  switch (status) {
  case UPW_OK:
    return "ok";
  case UPW_BAD_RANGE:
    return "task range outside the kernel's tasks";
  case UPW_BAD_TENSOR:
    return "tensor of another dtype or shape, or an index outside it";
  case UPW_BAD_FILE:
    return "file missing, unreadable or malformed";
  case UPW_NO_MEMORY:
    return "out of memory";
  case UPW_NO_TARGET:
    return "no variant in the library runs on this CPU";
  default:
    return "unknown status";
  }
}
