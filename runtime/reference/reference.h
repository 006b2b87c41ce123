// SPDX-License-Identifier: MIT
// Reference operators: what a kernel must compute, and plain C code to time it against.
//
// A reference is written from the frameworks' definitions with run-time parameters and shares
// nothing with the generator. It hands out, for every output element and in y's memory order,
// what the tolerance of a comparison needs:
//
//   want       the value in double, over the framework's own weights
//   magnitude  sum of |w * x| over the element's taps
//   terms      the number n of taps; 0: the element is a copy and must be equal bit for bit
//
// A kernel's value is right if |got - want| <= (n + 4) * (2^-24 * magnitude + 2^-150); the second
// part is the rounding of denormal products. Taps of weight exactly 0 do not exist: what they
// would read does not reach the output, NaN and infinity included.
//
// A generic operator is the same computation as a C programmer writes it for any shape: float
// arithmetic, ordinary loops, tables per call. The benchmarks time it as "generic C".
#ifndef UPWEAVE_REFERENCE_H
#define UPWEAVE_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Both return an enum upw_status: UPW_OK, or UPW_NO_MEMORY without a result.
typedef int upw_ref_fn(const void *params, const void *const *inputs, double *want,
                       double *magnitude, double *terms);
typedef int upw_generic_fn(const void *params, const void *const *inputs, void *const *outputs);

enum upw_ref_mode {
  UPW_REF_NEAREST = 0,
  UPW_REF_NEAREST_EXACT = 1,
  UPW_REF_LINEAR = 2,
  UPW_REF_BILINEAR = 3, // the rank decides; the three linear names mean the same
  UPW_REF_TRILINEAR = 4,
  UPW_REF_BICUBIC = 5,
  UPW_REF_AREA = 6
};

// PyTorch 2.13 F.interpolate on float32.
struct upw_ref_interpolate {
  int mode;          // enum upw_ref_mode
  int rank;          // spatial axes, 1 to 3
  int planar;        // 1: N,C,spatial…  0: N,spatial…,C
  int align_corners; // linear and cubic modes
  int antialias;     // linear and cubic modes of rank 2
  int exact;         // coordinates and weights without rounding instead of the framework's float32
  int64_t batch, channels;
  int64_t in[3], out[3]; // outermost axis first, `rank` entries
  double scale[3]; // the given scale_factor where it enters the coordinates; 0: ratio is in/out
};

upw_ref_fn upw_ref_interpolate;
upw_generic_fn upw_generic_interpolate;

#ifdef __cplusplus
}
#endif

#endif
