// SPDX-License-Identifier: MIT
// The numbers that frameworks compute coordinates and weights in: float or double.
//
// A float is kept in a double here, and every operation on floats is the double's, rounded: a
// sum, product or quotient of two floats so rounded twice is the one rounded once.
#ifndef UPWEAVE_REFERENCE_ARITHMETIC_H
#define UPWEAVE_REFERENCE_ARITHMETIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

// The result of an operation in float (single) or double.
static inline double upw_ref_as(int single, double value) {
  return single ? (double)(float)value : value;
}

// a*b+c rounded once. A product of floats is exact in double; their sum is rounded to odd there, so
// that the second rounding is the only one that counts.
static inline double upw_ref_fused(int single, double a, double b, double c) {
  if (!single) return fma(a, b, c);
  double product = a * b;
  double sum = product + c;
  double part = sum - product;
  double error = (product - (sum - part)) + (c - part);
  int64_t bits;
  memcpy(&bits, &sum, sizeof bits);
  if (error != 0 && bits % 2 == 0) bits += (error > 0) == (sum > 0) ? 1 : -1;
  memcpy(&sum, &bits, sizeof sum);
  return (double)(float)sum;
}

static inline int64_t upw_ref_limit(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

#endif
