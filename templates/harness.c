/* Test, bench and tuning programs of generated kernels: the table of what to call and what it must
 * compute. The program itself is in runtime/harness/harness.h; the tuner loads its kernels. */
#include "harness.h"
#include "reference.h"
% for _, case in ipairs(cases) do
% if case.header then
#include "${case.header}"
% end
% end

% for _, case in ipairs(cases) do
static const ${case.reference.type} params_${case.name} = {
%   for _, field in ipairs(case.reference.fields) do
    .${field[1]} = ${field[2]},
%   end
};

% if #case.baked > 0 then
%   for _, parameter in ipairs(case.baked) do
__asm__(".pushsection .rodata,\"a\",%progbits\n.globl ${parameter.symbol}\n"
        ".hidden ${parameter.symbol}\n.p2align 6\n${parameter.symbol}:\n"
        ".incbin \"${parameter.file}\"\n.popsection\n");
extern const unsigned char ${parameter.symbol}[] __attribute__((visibility("hidden")));
%   end
static const void *const baked_${case.name}[] = {
%   for _, parameter in ipairs(case.baked) do
    ${parameter.symbol},
%   end
};

% end
% end
static const struct upw_case cases[] = {
% for _, case in ipairs(cases) do
    {.kernel = ${case.header and "&" .. case.name .. "_kernel" or "NULL"},
     .op = "${case.op}",
     .reference = ${case.reference.func},
     .generic = ${case.generic},
     .params = &params_${case.name},
     .flops = (double)${case.flops},
     .tile = ${case.tile},
     .factor = ${case.factor},
     .baked = ${#case.baked > 0 and "baked_" .. case.name or "NULL"},
     .baked_count = ${#case.baked},
     .packed_bytes = ${case.packed_bytes}},
% end
};

int main(int argc, char **argv) {
  return ${main}(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
