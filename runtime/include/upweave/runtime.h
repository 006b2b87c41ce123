// SPDX-License-Identifier: MIT
// libupweave: what programs around generated kernels need. Generated kernels never need it.
//
// Status texts, running a kernel on several threads, and NumPy's .npy files. No function keeps
// state; every function may be called from several threads at once. Valid C11 and C++.
#ifndef UPWEAVE_RUNTIME_H
#define UPWEAVE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "upweave/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- status

// The English text of an enum upw_status; never NULL.
const char *upw_status_text(int status);

// ---- threads

// A thread pool as a callback. run calls body for each index < n, with worker < workers and no two
// calls of one worker at the same time, and returns after the last call with the first nonzero
// status or 0.
#ifndef UPW_POOL_ABI
#define UPW_POOL_ABI 1
struct upw_pool {
  void *context;
  size_t workers;
  int (*run)(void *context, size_t n, int (*body)(void *arg, size_t index, size_t worker),
             void *arg);
};
#endif

// The pool of OpenMP with `workers` threads, 0 for as many as OpenMP would use; a pool of one
// worker, the caller, where the library was compiled without OpenMP.
struct upw_pool upw_openmp_pool(size_t workers);

// Bytes of workspace that upw_parallel_for needs: one of the kernel's for each worker, each
// starting on a cache line of its own. pool NULL: one worker.
size_t upw_parallel_workspace_bytes(const struct upw_kernel *kernel, const struct upw_pool *pool);

// Runs all tasks of a kernel on a pool; pool NULL runs them on the caller. `workspace` has
// upw_parallel_workspace_bytes() bytes and the kernel's workspace_align; it may be NULL where that
// is 0. The result does not depend on the pool. Returns the first nonzero status or UPW_OK.
int upw_parallel_for(const struct upw_kernel *kernel, const void *const *inputs, const void *packed,
                     void *const *outputs, void *workspace, const struct upw_pool *pool);

// ---- .npy files, format 1.0 and 2.0, C order, little-endian: f4 f2 f8 u1 i1 i4 i8
//
// The format has no bf16: its bits are written as u2, and u2 and V2 are read as bf16.
//
// Every function returns an enum upw_status. `message`, of UPW_NPY_MESSAGE bytes or NULL, gets a
// one-line reason when it is not UPW_OK. A file's header is never believed: memory is taken only as
// fast as the file really delivers bytes.

enum { UPW_NPY_MESSAGE = 256, UPW_NPY_HEADER_MAX = 65536 };

struct upw_npy_header {
  uint8_t dtype_code, dtype_bits; // DLPack; f16 is read as uint16_t by the caller
  uint8_t rank;
  int64_t shape[8];
  size_t bytes;  // of the data
  size_t offset; // of the data in the file
};

struct upw_npy_array {
  struct upw_npy_header header;
  void *data; // of malloc; upw_npy_free
};

// Understands the start of a file that lies in memory, `size` bytes of it.
int upw_npy_parse(const void *start, size_t size, struct upw_npy_header *header, char *message);

// Reads a whole file of at most `limit` data bytes.
int upw_npy_read(const char *path, size_t limit, struct upw_npy_array *array, char *message);
void upw_npy_free(struct upw_npy_array *array);

// Reads a file that must have the dtype and shape of `expected` into data of expected->bytes bytes.
int upw_npy_read_into(const char *path, const struct upw_tensor *expected, void *data,
                      char *message);

// Writes format 1.0. The file appears whole, by renaming `path`.part, or not at all.
int upw_npy_write(const char *path, const struct upw_tensor *tensor, const void *data,
                  char *message);

#ifdef __cplusplus
}
#endif

#endif
