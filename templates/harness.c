/* Test and bench program of generated kernels: the table of what to call and what it must compute.
 * The program itself is upw_harness_main (runtime/harness/harness.h). */
#include "harness.h"
#include "reference.h"
% for _, case in ipairs(cases) do
#include "${case.header}"
% end

% for _, case in ipairs(cases) do
static const ${case.reference.type} params_${case.name} = {
%   for _, field in ipairs(case.reference.fields) do
    .${field[1]} = ${field[2]},
%   end
};

% end
static const struct upw_case cases[] = {
% for _, case in ipairs(cases) do
    {.kernel = &${case.name}_kernel,
     .op = "${case.op}",
     .reference = ${case.reference.func},
     .generic = upw_generic_${case.op},
     .params = &params_${case.name},
     .flops = (double)${case.flops}},
% end
};

int main(int argc, char **argv) {
  return upw_harness_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
