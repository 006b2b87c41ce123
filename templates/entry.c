${run} {
  return ${name}_range(${arguments}, 0, ${tasks});
}

${call_range} {
% if not pack then
  (void)packed;
% end
  return ${name}_range(${call_arguments}, begin, end);
}

${call} {
  return ${name}_call_range(inputs, packed, outputs, workspace, 0, ${tasks});
}

% if pack then
${call_pack} {
  return ${name}_pack(${pack_calls});
}

% end
static const struct upw_tensor ${name}_tensors[] = {
% for _, t in ipairs(tensors) do
  {"${t.name}", "${t.layout}", ${t.code}, ${t.bits}, ${t.role}, ${t.rank}, {${t.shape}}, ${t.bytes}},
% end
};

const struct upw_kernel ${name}_kernel = {
  .abi = UPW_KERNEL_ABI,
  .tensor_count = ${tensor_count},
  .name = "${name}",
  .spec =
% for _, line in ipairs(spec_literal) do
    ${line}
% end
  .tensors = ${name}_tensors,
% if pack then
  .packed_bytes = ${upper}_PACKED_BYTES,
  .packed_align = ${upper}_PACKED_ALIGN,
% else
  .packed_bytes = 0,
  .packed_align = 1,
% end
  .workspace_bytes = ${upper}_WORKSPACE_BYTES,
  .workspace_align = ${upper}_WORKSPACE_ALIGN,
  .tasks = ${upper}_TASKS,
  .run = ${name}_call,
  .range = ${name}_call_range,
  .pack = ${pack and name .. "_call_pack" or "NULL"},
};
