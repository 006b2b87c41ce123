// SPDX-License-Identifier: MIT
// Reference operators: what a kernel must compute, and plain C code to time it against.
//
// A reference is written from the frameworks' definitions with run-time parameters and shares
// nothing with the generator. Inputs are of the stored dtype: the kernel's inputs in their order,
// then its parameters. The answer says of every output element, in y's memory order, what the
// tolerance of a comparison needs; struct upw_ref_answer has the arrays.
//
// A kernel's value is right if |got - want| <= (n + 4) * (2^-24 * magnitude + 2^-150) + extra, n
// being the terms; 2^-150 is the rounding of denormal products. f64: 2^-53 and 2^-1074. f16, bf16:
// half a unit in the last place of what is stored is added. Taps that the operator itself gives the
// weight 0 do not exist: what they would read does not reach the output, NaN and infinity included.
//
// A generic operator is the same computation as a C programmer writes it for any shape: arithmetic
// in float, double or integers, ordinary loops, tables per call. The benchmarks time it as "generic
// C".
#ifndef UPWEAVE_REFERENCE_H
#define UPWEAVE_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct upw_ref_query {
  double work;     // products of a weight and an input to spend, about; 0: all elements
  uint64_t seed;   // of the choice of elements where `work` is not enough for all
  int64_t tile[3]; // outputs along each spatial axis, of one phase, that the kernel rounds
                   // together; 0 or 1: direct
  double factor;   // of what is allowed in tiles; 0: that of the class
};

struct upw_ref_answer {
  double *want;      // the value in double, over the framework's own weights; of f64 with
                     // compensated sums; of u8 in fixed point the very integer
  double *magnitude; // sum of |w * x| over the element's taps
  double *terms; // the number n of taps; 0: the element must be equal bit for bit (copies, fixed
                 // point, extrapolation values); negative: nothing is said of the element
  double *extra; // error allowed beside; untouched where there never is any
  unsigned char *loose; // 1: NaN and infinity are right, too; untouched where they never are
};

// Both return an enum upw_status: UPW_OK, or UPW_NO_MEMORY without a result. query NULL asks for
// all elements of a direct kernel.
typedef int upw_ref_fn(const void *params, const void *const *inputs,
                       const struct upw_ref_query *query, const struct upw_ref_answer *answer);
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

enum upw_ref_profile { UPW_REF_TORCH, UPW_REF_ONNX, UPW_REF_PADDLE, UPW_REF_TFLITE };

enum upw_ref_dtype { UPW_REF_F32, UPW_REF_F64, UPW_REF_F16, UPW_REF_BF16, UPW_REF_U8 };

// ONNX Resize: coordinate_transformation_mode and nearest_mode.
enum upw_ref_coordinates {
  UPW_REF_HALF_PIXEL,
  UPW_REF_HALF_PIXEL_SYMMETRIC,
  UPW_REF_PYTORCH_HALF_PIXEL,
  UPW_REF_ALIGN_CORNERS,
  UPW_REF_ASYMMETRIC,
  UPW_REF_TF_HALF_PIXEL_FOR_NN,
  UPW_REF_TF_CROP_AND_RESIZE
};

enum upw_ref_nearest {
  UPW_REF_ROUND_PREFER_FLOOR,
  UPW_REF_ROUND_PREFER_CEIL,
  UPW_REF_FLOOR,
  UPW_REF_CEIL,
  UPW_REF_SIMPLE // up to opset 10: ceil where the scale is below 1, else floor
};

// What a profile does not know is 0: a zeroed struct with mode, sizes and rank is PyTorch's default
// on float32.
struct upw_ref_interpolate {
  int profile;            // enum upw_ref_profile
  int dtype;              // enum upw_ref_dtype, of x and y
  int mode;               // enum upw_ref_mode
  int rank;               // spatial axes, 1 to 3
  int planar;             // 1: N,C,spatial…  0: N,spatial…,C
  int align_corners;      // torch and paddle: linear and cubic, paddle and tflite: nearest too
  int antialias;          // linear and cubic; torch: of rank 2
  int exact;              // coordinates and weights without rounding, not by the framework's floats
  int half_pixel_centers; // tflite
  int align_mode;         // paddle
  int coordinates;        // onnx, enum upw_ref_coordinates
  int nearest_mode;       // onnx, enum upw_ref_nearest
  int exclude_outside;    // onnx
  double cubic_coeff_a;   // onnx
  double extrapolation_value; // onnx, tf_crop_and_resize
  int64_t batch, channels;
  int64_t in[3], out[3]; // outermost axis first, `rank` entries
  double scale[3];       // the given scale where it enters the coordinates; 0: that of the sizes
  double roi_start[3], roi_end[3]; // onnx, tf_crop_and_resize
};

upw_ref_fn upw_ref_interpolate;
upw_generic_fn upw_generic_interpolate;

// ---- contractions: conv and conv_transpose, and what is done to their sums before the store

enum upw_ref_post_kind {
  UPW_REF_RELU,
  UPW_REF_LEAKY_RELU, // a: the slope below 0
  UPW_REF_PRELU,      // parameter slope
  UPW_REF_CLAMP,      // a, b: least and most
  UPW_REF_SIGMOID,
  UPW_REF_TANH,
  UPW_REF_GELU,
  UPW_REF_GELU_TANH,
  UPW_REF_ADD,       // a further input like y
  UPW_REF_BATCH_NORM // parameters gamma, beta, mean, var; eps is the operator's
};

struct upw_ref_post {
  int kind; // enum upw_ref_post_kind
  double a, b;
};

enum upw_ref_numerics { UPW_REF_STRICT, UPW_REF_DEFAULT, UPW_REF_FAST };

enum { UPW_REF_MOST_POST = 8 };

// Inputs: x, one more for each `add`; weight, bias; then for each `post` its parameters. The weight
// is {out, in/groups, k...}, transposed {in, out/groups, k...}, whatever the layout of x.
struct upw_ref_contract {
  int dtype;      // enum upw_ref_dtype, of all tensors
  int rank;       // spatial axes, 1 to 3
  int planar;     // 1: N,C,spatial…  0: N,spatial…,C
  int transposed; // conv_transpose
  int bias;
  int64_t batch, groups, ci, co; // channels of a group: of x, of y
  int64_t in[3], out[3];         // outermost axis first, `rank` entries
  int64_t kernel[3], stride[3], dilation[3];
  int64_t pad[3]; // before the first element; may be negative. `out` says what is after the last
  double eps;     // of batch_norm
  int post_count;
  struct upw_ref_post post[UPW_REF_MOST_POST];
  int numerics; // enum upw_ref_numerics: what a kernel with a tile may lose
};

upw_ref_fn upw_ref_contract;
upw_generic_fn upw_generic_contract;

#ifdef __cplusplus
}
#endif

#endif
