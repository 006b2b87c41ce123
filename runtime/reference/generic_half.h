// SPDX-License-Identifier: MIT
// Half precision in generic C: by the compiler's own type where the machine converts it.
#ifndef UPWEAVE_REFERENCE_GENERIC_HALF_H
#define UPWEAVE_REFERENCE_GENERIC_HALF_H

#include <stdint.h>
#include <string.h>

static inline float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
static inline uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

#if defined(__FLT16_MANT_DIG__) && (defined(__F16C__) || defined(__aarch64__))
static inline float of_f16(uint16_t bits) {
  _Float16 value;
  memcpy(&value, &bits, sizeof value);
  return (float)value;
}
static inline uint16_t to_f16(float value) {
  _Float16 half = (_Float16)value;
  uint16_t bits;
  memcpy(&bits, &half, sizeof bits);
  return bits;
}
#else
static inline float of_f16(uint16_t bits) {
  float value = as_float((uint32_t)(bits & 0x7FFF) << 13) * 0x1p112f; // also denormals
  uint32_t special = value >= 65536 ? 0x7F800000u : 0;
  return as_float(as_bits(value) | special | (uint32_t)(bits & 0x8000) << 16);
}
static inline uint16_t to_f16(float value) {
  uint32_t size = as_bits(value) & 0x7FFFFFFF, sign = as_bits(value) >> 16 & 0x8000;
  uint32_t normal = (size - (112u << 23) + 0xFFF + (size >> 13 & 1)) >> 13;
  uint32_t small = as_bits(as_float(size) + 0.5f) - as_bits(0.5f);
  uint32_t half = size > 0x7F800000    ? 0x7E00
                  : size >= 0x477FF000 ? 0x7C00
                  : size < 0x38800000  ? small
                                       : normal;
  return (uint16_t)(sign | half);
}
#endif

static inline float of_bf16(uint16_t bits) {
  return as_float((uint32_t)bits << 16);
}
static inline uint16_t to_bf16(float value) {
  uint32_t bits = as_bits(value);
  if (value != value) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

#endif
