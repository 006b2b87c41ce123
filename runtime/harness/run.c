// SPDX-License-Identifier: MIT
// `run`: inputs and parameters from .npy files, outputs to .npy files.
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

enum { PATH_ROOM = 4096, ALIGNMENT = 64 };

struct tensors {
  const void *inputs[MOST_TENSORS], *parameters[MOST_TENSORS];
  void *outputs[MOST_TENSORS];
  void *all[MOST_TENSORS];
  void *workspace, *packed;
};

static int refuse(const char *kernel, const char *path, const char *why) {
  json_begin(kernel);
  json_bool("ok", 0);
  if (path) json_text("file", path);
  json_text("reason", why);
  json_end();
  return EXIT_DATA;
}

static void *aligned(size_t bytes) {
  return aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
}

static int path_of(char *path, const char *folder, const char *kernel, const char *tensor) {
  int n = snprintf(path, PATH_ROOM, "%s/%s.%s.npy", folder, kernel, tensor);
  return n > 0 && n < PATH_ROOM;
}

static int allocate(const struct upw_kernel *k, struct tensors *t) {
  size_t inputs = 0, outputs = 0, parameters = 0;
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    t->all[i] = aligned(k->tensors[i].bytes);
    if (!t->all[i]) return 0;
    if (k->tensors[i].role == UPW_OUTPUT)
      t->outputs[outputs++] = t->all[i];
    else if (k->tensors[i].role == UPW_INPUT)
      t->inputs[inputs++] = t->all[i];
    else
      t->parameters[parameters++] = t->all[i];
  }
  t->workspace = aligned(k->workspace_bytes);
  t->packed = aligned(k->packed_bytes);
  return t->workspace && t->packed;
}

static int run_files(const struct upw_kernel *k, const char *folder, struct tensors *t) {
  char path[PATH_ROOM], message[UPW_NPY_MESSAGE];
  for (uint32_t i = 0; i < k->tensor_count; i++) {
    if (!path_of(path, folder, k->name, k->tensors[i].name))
      return refuse(k->name, folder, "path is too long");
    if (k->tensors[i].role != UPW_OUTPUT &&
        upw_npy_read_into(path, &k->tensors[i], t->all[i], message) != UPW_OK)
      return refuse(k->name, path, message);
  }
  int status = k->pack ? k->pack(t->parameters, t->packed) : UPW_OK;
  if (status == UPW_OK)
    status = k->run(t->inputs, k->pack ? t->packed : NULL, t->outputs, t->workspace);
  if (status != UPW_OK) return refuse(k->name, NULL, upw_status_text(status));
  for (uint32_t i = 0; i < k->tensor_count; i++)
    if (k->tensors[i].role == UPW_OUTPUT &&
        (!path_of(path, folder, k->name, k->tensors[i].name) ||
         upw_npy_write(path, &k->tensors[i], t->all[i], message) != UPW_OK))
      return refuse(k->name, path, message);
  json_begin(k->name);
  json_bool("ok", 1);
  json_end();
  return EXIT_WELL;
}

int run_case(const struct upw_case *c, const struct options *options) {
  struct tensors t = {.workspace = NULL};
  int code;
  if (c->kernel->tensor_count > MOST_TENSORS)
    return refuse(c->kernel->name, NULL, "the kernel has more tensors than the harness");
  code = allocate(c->kernel, &t) ? run_files(c->kernel, options->data, &t)
                                 : refuse(c->kernel->name, NULL, "out of memory");
  for (int i = 0; i < MOST_TENSORS; i++) free(t.all[i]);
  free(t.workspace);
  free(t.packed);
  return code;
}
