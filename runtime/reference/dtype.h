// SPDX-License-Identifier: MIT
// Elements of tensors as numbers: the one place that knows how a dtype's bits are read and written.
//
// Every element of every dtype is a double exactly; a double becomes an element by one rounding to
// nearest, ties to even, u8 with saturation. NaNs keep their sign and their upper payload bits, a
// signalling one stays signalling, so that a copy through a double is a copy.
#ifndef UPWEAVE_REFERENCE_DTYPE_H
#define UPWEAVE_REFERENCE_DTYPE_H

#include <stddef.h>
#include <stdint.h>

// What is behind an enum upw_ref_dtype. mantissa and exponent are bits; 0 for integers.
struct upw_ref_format {
  uint8_t code, bytes; // DLPack's dtype code
  uint8_t mantissa, exponent;
  double unit;     // relative error of one rounding of the arithmetic on it: 2^-24, f64 2^-53
  double smallest; // error of a rounded product that is denormal in that arithmetic
};
const struct upw_ref_format *upw_ref_format(int dtype);

// The enum upw_ref_dtype of a DLPack dtype, -1 if there is none.
int upw_ref_dtype_of(int code, int bits);

// Element i of an array, as a number and as bits.
double upw_ref_load(int dtype, const void *x, size_t i);
void upw_ref_store(int dtype, void *y, size_t i, double value);
double upw_ref_rounded(int dtype, double value); // stored and loaded again
uint64_t upw_ref_bits(int dtype, const void *x, size_t i);
void upw_ref_set_bits(int dtype, void *y, size_t i, uint64_t bits);

// Distance from `value`, an element, to the next element away from 0, halved; 0 of integers, and of
// f64 where half of it is no double.
double upw_ref_half_step(int dtype, double value);

#endif
