// SPDX-License-Identifier: MIT
// The tables of a problem's axes: which rule fills them, in which arithmetic, how long they are.
#include "axis.h"

#include "arithmetic.h"
#include "upweave/kernel.h"

#pragma STDC FP_CONTRACT OFF

double upw_ref_keys_near(int single, double x, double a) {
  double sum = upw_ref_as(single, upw_ref_as(single, (a + 2) * x) - upw_ref_as(single, a + 3));
  return upw_ref_as(single, upw_ref_as(single, upw_ref_as(single, sum * x) * x) + 1);
}

double upw_ref_keys_far(int single, double x, double a) {
  double sum = upw_ref_as(single, upw_ref_as(single, a * x) - upw_ref_as(single, 5 * a));
  sum = upw_ref_as(single, upw_ref_as(single, sum * x) + upw_ref_as(single, 8 * a));
  return upw_ref_as(single, upw_ref_as(single, sum * x) - upw_ref_as(single, 4 * a));
}

// The mean over [floor(o*in/out), ceil((o+1)*in/out)), the same in every framework and arithmetic.
void upw_ref_area(struct upw_ref_axis *table, const struct upw_ref_rule *r, int64_t o) {
  int64_t begin = o * r->in / r->out;
  int64_t end = ((o + 1) * r->in - 1) / r->out + 1;
  for (int64_t i = begin; i < end; i++) upw_ref_axis_put(table, o, i, 1.0 / (double)(end - begin));
}

static int is_nearest(int mode) {
  return mode == UPW_REF_NEAREST || mode == UPW_REF_NEAREST_EXACT;
}

int upw_ref_is_fixed(const struct upw_ref_interpolate *p) {
  return p->dtype == UPW_REF_U8 && !is_nearest(p->mode);
}

static int is_single(const struct upw_ref_interpolate *p) {
  if (p->profile == UPW_REF_TORCH) return p->dtype != UPW_REF_F64 && !upw_ref_is_fixed(p);
  if (p->profile == UPW_REF_PADDLE) return p->dtype != UPW_REF_F64 || p->mode != UPW_REF_BICUBIC;
  return p->profile == UPW_REF_TFLITE;
}

static struct upw_ref_rule rule_of(const struct upw_ref_interpolate *p, int axis) {
  int linear = p->mode >= UPW_REF_LINEAR && p->mode <= UPW_REF_TRILINEAR;
  return (struct upw_ref_rule){.p = p,
                               .mode = linear ? UPW_REF_LINEAR : p->mode,
                               .single = is_single(p),
                               .in = p->in[axis],
                               .out = p->out[axis],
                               .scale = p->scale[axis],
                               .roi_start = p->roi_start[axis],
                               .roi_end = p->roi_end[axis]};
}

int64_t upw_ref_reach(int mode) {
  return mode == UPW_REF_BICUBIC ? 2 : 1;
}

static size_t most_taps(const struct upw_ref_rule *r) {
  int64_t reach = upw_ref_reach(r->mode);
  double ratio = r->scale > 0 ? 1 / r->scale : (double)r->in / (double)r->out;
  double aligned = r->out > 1 ? (double)(r->in - 1) / (double)(r->out - 1) : 0;
  if (r->p->align_corners && aligned > ratio) ratio = aligned;
  if (is_nearest(r->mode)) return 1;
  if (r->mode == UPW_REF_AREA) return (size_t)(r->in / r->out + 2);
  if (!r->p->antialias || ratio < 1) ratio = 1;
  return 2 * (size_t)ceil((double)reach * ratio) + 4;
}

static upw_ref_rule_fn *filler(const struct upw_ref_rule *r) {
  static upw_ref_rule_fn *const frameworks[] = {[UPW_REF_TORCH] = upw_ref_torch,
                                                [UPW_REF_ONNX] = upw_ref_onnx,
                                                [UPW_REF_PADDLE] = upw_ref_paddle,
                                                [UPW_REF_TFLITE] = upw_ref_tflite};
  if (r->mode == UPW_REF_AREA) return upw_ref_area;
  return r->p->exact ? upw_ref_exact : frameworks[r->p->profile];
}

// ONNX's evaluator leaves out an axis whose scale is 1 but for rounding, unless a window is cut
// out.
static int is_kept(const struct upw_ref_rule *r) {
  const double scale = r->scale > 0 ? r->scale : 1, largest = scale > 1 ? scale : 1;
  if (fabs(scale - 1) > 1e-9 * largest) return 0;
  if (r->p->coordinates != UPW_REF_TF_CROP_AND_RESIZE) return 1;
  return r->roi_start == 0 && r->roi_end == 1;
}

// Where an axis of equal sizes is copied as it is: PyTorch's linear modes, and antialias and fixed
// point, where such a pass is left out, whatever the scale; Paddle if all sizes are equal; ONNX.
static int is_skipped(const struct upw_ref_rule *r) {
  const struct upw_ref_interpolate *p = r->p;
  int same = r->in == r->out;
  if (p->profile == UPW_REF_ONNX) return same && is_kept(r);
  if (p->profile == UPW_REF_TORCH)
    return same && (r->mode == UPW_REF_LINEAR || (r->mode == UPW_REF_BICUBIC && p->antialias) ||
                    upw_ref_is_fixed(p));
  for (int i = 0; i < p->rank; i++) same &= p->in[i] == p->out[i];
  return same && p->profile == UPW_REF_PADDLE;
}

static int build(struct upw_ref_axis *table, const struct upw_ref_interpolate *params, int axis) {
  struct upw_ref_rule r = rule_of(params, axis);
  int status = upw_ref_axis_allocate(table, r.in, r.out, most_taps(&r));
  if (status != UPW_OK) return status;
  upw_ref_rule_fn *fill = filler(&r);
  int skipped = is_skipped(&r);
  for (int64_t o = 0; o < r.out; o++)
    if (skipped)
      upw_ref_axis_put(table, o, o, 1);
    else
      fill(table, &r, o);
  if (upw_ref_is_fixed(params) && !skipped) upw_ref_axis_quantise(table);
  upw_ref_axis_finish(table);
  return UPW_OK;
}

static int build_single(struct upw_ref_axis *table) {
  int status = upw_ref_axis_allocate(table, 1, 1, 1);
  if (status != UPW_OK) return status;
  upw_ref_axis_put(table, 0, 0, 1);
  upw_ref_axis_finish(table);
  return UPW_OK;
}

int upw_ref_axes_build(struct upw_ref_axis axes[3], const struct upw_ref_interpolate *params) {
  int absent = 3 - params->rank;
  int status = UPW_OK;
  for (int i = 0; i < 3; i++) axes[i] = (struct upw_ref_axis){0};
  for (int i = 0; i < 3 && status == UPW_OK; i++)
    status = i < absent ? build_single(&axes[i]) : build(&axes[i], params, i - absent);
  if (status != UPW_OK) upw_ref_axes_free(axes);
  return status;
}

void upw_ref_axes_free(struct upw_ref_axis axes[3]) {
  for (int i = 0; i < 3; i++) upw_ref_axis_release(&axes[i]);
}
