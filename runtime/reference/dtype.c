// SPDX-License-Identifier: MIT
// Elements of tensors as numbers. A float of any size is a sign, `exponent` bits and `mantissa`
// bits; its conversions move those, and never ask the machine's floating point.
#include "dtype.h"

#include <math.h>
#include <string.h>

#include "reference.h"

enum { DOUBLE_MANTISSA = 52, DOUBLE_BIAS = 1023, DOUBLE_SPECIAL = 0x7FF };

static const struct upw_ref_format formats[] = {
    [UPW_REF_F32] = {2, 4, 23, 8, 0x1p-24, 0x1p-150},
    [UPW_REF_F64] = {2, 8, 52, 11, 0x1p-53, 0x1p-1074},
    [UPW_REF_F16] = {2, 2, 10, 5, 0x1p-24, 0x1p-150},
    [UPW_REF_BF16] = {4, 2, 7, 8, 0x1p-24, 0x1p-150},
    [UPW_REF_U8] = {1, 1, 0, 0, 0, 0},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

const struct upw_ref_format *upw_ref_format(int dtype) {
  return &formats[dtype];
}

int upw_ref_dtype_of(int code, int bits) {
  for (int dtype = 0; dtype < FORMATS; dtype++)
    if (formats[dtype].code == code && formats[dtype].bytes * 8 == bits) return dtype;
  return -1;
}

uint64_t upw_ref_bits(int dtype, const void *x, size_t i) {
  uint64_t bits = 0; // little-endian, as all of the runtime
  size_t bytes = formats[dtype].bytes;
  memcpy(&bits, (const unsigned char *)x + i * bytes, bytes);
  return bits;
}

void upw_ref_set_bits(int dtype, void *y, size_t i, uint64_t bits) {
  size_t bytes = formats[dtype].bytes;
  memcpy((unsigned char *)y + i * bytes, &bits, bytes);
}

static double widened(const struct upw_ref_format *f, uint64_t bits) {
  uint64_t special = (1u << f->exponent) - 1, exponent = bits >> f->mantissa & special;
  uint64_t mantissa = bits & ((UINT64_C(1) << f->mantissa) - 1);
  uint64_t sign = bits >> (f->mantissa + f->exponent) << 63, whole;
  int bias = (int)(special / 2);
  double value;
  if (exponent == 0) { // zero or denormal: mantissa units of the smallest
    value = ldexp((double)mantissa, 1 - bias - f->mantissa);
    memcpy(&whole, &value, sizeof whole);
  } else {
    exponent = exponent == special ? DOUBLE_SPECIAL : exponent + DOUBLE_BIAS - (uint64_t)bias;
    whole = exponent << DOUBLE_MANTISSA | mantissa << (DOUBLE_MANTISSA - f->mantissa);
  }
  whole |= sign;
  memcpy(&value, &whole, sizeof value);
  return value;
}

// `n` without its lowest `shift` bits, rounded to nearest, ties to even.
static uint64_t shifted(uint64_t n, int shift) {
  if (shift > 60) return 0;
  uint64_t half = UINT64_C(1) << (shift - 1), rest = n & (half * 2 - 1), whole = n >> shift;
  return whole + (rest > half || (rest == half && whole % 2 != 0));
}

static uint64_t narrowed(const struct upw_ref_format *f, double value) {
  uint64_t whole, special = (1u << f->exponent) - 1;
  int drop = DOUBLE_MANTISSA - f->mantissa;
  memcpy(&whole, &value, sizeof whole);
  uint64_t sign = whole >> 63 << (f->mantissa + f->exponent);
  uint64_t mantissa = whole & ((UINT64_C(1) << DOUBLE_MANTISSA) - 1);
  int exponent = (int)(whole >> DOUBLE_MANTISSA & DOUBLE_SPECIAL);
  if (exponent == DOUBLE_SPECIAL) {
    uint64_t payload = mantissa >> drop;
    if (mantissa != 0 && payload == 0) payload = UINT64_C(1) << (f->mantissa - 1);
    return sign | special << f->mantissa | payload;
  }
  if (exponent == 0) return sign; // a denormal double is 0 in all smaller formats
  exponent += (int)(special / 2) - DOUBLE_BIAS;
  mantissa |= UINT64_C(1) << DOUBLE_MANTISSA;
  // The leading 1 adds itself to the exponent, and so does a carry out of the mantissa.
  uint64_t bits = exponent > 0 ? ((uint64_t)(exponent - 1) << f->mantissa) + shifted(mantissa, drop)
                               : shifted(mantissa, drop + 1 - exponent);
  uint64_t infinity = special << f->mantissa;
  return sign | (bits < infinity ? bits : infinity);
}

double upw_ref_load(int dtype, const void *x, size_t i) {
  const struct upw_ref_format *f = &formats[dtype];
  double value;
  if (dtype == UPW_REF_U8) return ((const uint8_t *)x)[i];
  if (dtype != UPW_REF_F64) return widened(f, upw_ref_bits(dtype, x, i));
  memcpy(&value, (const unsigned char *)x + i * sizeof value, sizeof value);
  return value;
}

void upw_ref_store(int dtype, void *y, size_t i, double value) {
  if (dtype == UPW_REF_U8)
    ((uint8_t *)y)[i] = (uint8_t)(value >= 255 ? 255 : value > 0 ? nearbyint(value) : 0);
  else if (dtype == UPW_REF_F64)
    memcpy((unsigned char *)y + i * sizeof value, &value, sizeof value);
  else
    upw_ref_set_bits(dtype, y, i, narrowed(&formats[dtype], value));
}

double upw_ref_rounded(int dtype, double value) {
  unsigned char element[sizeof value];
  upw_ref_store(dtype, element, 0, value);
  return upw_ref_load(dtype, element, 0);
}

double upw_ref_half_step(int dtype, double value) {
  const struct upw_ref_format *f = &formats[dtype];
  int exponent = 0, lowest = 2 - (1 << (f->exponent - 1)); // of the smallest normal number
  if (f->mantissa == 0 || value - value != 0) return 0;
  frexp(value, &exponent); // value = m * 2^exponent, 1/2 <= m < 1
  exponent = value != 0 && exponent - 1 > lowest ? exponent - 1 : lowest;
  return ldexp(0.5, exponent - f->mantissa);
}
