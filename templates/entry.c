int ${name}(${parameters}) { return ${name}_range(${arguments}, 0, ${tasks}); }

static int ${name}_call_range(const void *const *inputs, const void *packed, void *const *outputs,
                              void *workspace, size_t begin, size_t end) {
  (void)packed;
  return ${name}_range(${call_arguments}, begin, end);
}

static int ${name}_call(const void *const *inputs, const void *packed, void *const *outputs,
                        void *workspace) {
  return ${name}_call_range(inputs, packed, outputs, workspace, 0, ${tasks});
}

static const struct upw_tensor ${name}_tensors[] = {
% for _, t in ipairs(tensors) do
  {"${t.name}", "${t.layout}", ${t.code}, ${t.bits}, ${t.role}, ${t.rank}, {${t.shape}}, ${t.bytes}},
% end
};

const struct upw_kernel ${name}_kernel = {
  UPW_KERNEL_ABI,
  ${tensor_count},
  "${name}",
% for _, line in ipairs(spec_literal) do
  ${line}
% end
  ${name}_tensors,
  0,
  1,
  ${upper}_WORKSPACE_BYTES,
  ${upper}_WORKSPACE_ALIGN,
  ${upper}_TASKS,
  ${name}_call,
  ${name}_call_range,
  NULL,
};
