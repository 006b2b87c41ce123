// SPDX-License-Identifier: MIT
// Self-description of a generated kernel, and the status codes it returns.
//
// Every generated header repeats the guarded text below, so that a program needs nothing but the
// generated files; whichever copy comes first is used. The text is the ABI: it changes only
// together with UPW_KERNEL_ABI. Valid C11 and C++.
#ifndef UPWEAVE_KERNEL_H
#define UPWEAVE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

// clang-format off
#ifdef __cplusplus
extern "C" {
#endif
#ifndef UPW_KERNEL_ABI
#define UPW_KERNEL_ABI 1
enum upw_status {
  UPW_OK = 0,
  UPW_BAD_RANGE = 1,  /* not begin <= end <= TASKS */
  UPW_BAD_TENSOR = 2, /* not the tensor the kernel takes */
  UPW_BAD_FILE = 3,
  UPW_NO_MEMORY = 4,
  UPW_NO_TARGET = 5   /* no variant in the library runs on this CPU */
};
enum upw_role { UPW_INPUT = 0, UPW_OUTPUT = 1, UPW_PARAMETER = 2 };
struct upw_tensor {
  const char *name;
  const char *layout;   /* "NCHW", …; "" where none applies */
  uint8_t dtype_code;   /* DLPack: 0 int, 1 uint, 2 float, 4 bfloat */
  uint8_t dtype_bits;
  uint8_t role;         /* enum upw_role */
  uint8_t rank;
  int64_t shape[8];     /* in memory order of the layout */
  size_t bytes;
};
struct upw_kernel {
  uint32_t abi;         /* UPW_KERNEL_ABI */
  uint32_t tensor_count;
  const char *name;
  const char *spec;     /* canonical JSON */
  const struct upw_tensor *tensors; /* inputs, outputs, parameters, each in argument order */
  size_t packed_bytes, packed_align, workspace_bytes, workspace_align, tasks;
  int (*run)(const void *const *inputs, const void *packed, void *const *outputs, void *workspace);
  int (*range)(const void *const *inputs, const void *packed, void *const *outputs, void *workspace,
               size_t begin, size_t end);
  int (*pack)(const void *const *parameters, void *packed); /* NULL without parameters */
};
#endif
#ifdef __cplusplus
}
#endif
// clang-format on

#endif
