-- CONVERSIONS
-- ===========
-- Helper functions between f16 or bf16, of which a kernel sees the bits, and f32: the target's own
-- instruction where it has one, else integer arithmetic on the bits, never a library call.
-- Widening is exact; narrowing rounds to nearest even, overflows to infinity, keeps denormals and
-- NaN.

local M = {}

-- __fp16 is a type in every Clang; between vectors of it and of float there is one instruction
-- where the target has such, else Clang would call a library.
local native = {
  from_f16 = [[
static inline ${v} ${name}(${from} v) {
  typedef __fp16 half __attribute__((ext_vector_type(${lanes})));
  return __builtin_convertvector((half)v, ${v});
}]],
  to_f16 = [[
static inline ${v} ${name}(${from} v) {
  typedef __fp16 half __attribute__((ext_vector_type(${lanes})));
  return (${v})__builtin_convertvector(v, half);
}]],
}

local portable = {
  -- the bits of an f16 as those of an f32 are the number times 2^-112, denormals included
  from_f16 = [[
static inline ${v} ${name}(${from} v) {
  const u32x${lanes} bits = __builtin_convertvector(v, u32x${lanes});
  const u32x${lanes} magnitude = (bits & 0x7fffu) << 13;
  const u32x${lanes} infinite = (u32x${lanes})(magnitude >= 0x0f800000u) & 0x7f800000u;
  const u32x${lanes} finite = (u32x${lanes})((${v})magnitude * 0x1p112f);
  return (${v})(finite | infinite | (bits & 0x8000u) << 16);
}]],
  -- a denormal result is rounded by an addition whose sum has its last digit
  to_f16 = [[
static inline ${v} ${name}(${from} v) {
  const u32x${lanes} bits = (u32x${lanes})v, magnitude = bits & 0x7fffffffu;
  const u32x${lanes} denormal = (u32x${lanes})((${from})magnitude + 0.5f) - 0x3f000000u;
  const u32x${lanes} normal = (magnitude - 0x37fff001u + ((magnitude >> 13) & 1u)) >> 13;
  const u32x${lanes} small = (u32x${lanes})(magnitude < 0x38800000u);
  const u32x${lanes} large = (u32x${lanes})(magnitude > 0x47800000u);
  const u32x${lanes} nan = (u32x${lanes})(magnitude > 0x7f800000u);
  const u32x${lanes} finite = (denormal & small) | (normal & ~(small | large));
  const u32x${lanes} infinite = (large & 0x7c00u) | (nan & 0x0200u);
  return __builtin_convertvector(finite | infinite | ((bits >> 16) & 0x8000u), ${v});
}]],
  from_bf16 = [[
static inline ${v} ${name}(${from} v) {
  return (${v})(__builtin_convertvector(v, u32x${lanes}) << 16);
}]],
  -- a NaN has been a bf16 or is the processor's own: its lower half is zero, and stays so
  to_bf16 = [[
static inline ${v} ${name}(${from} v) {
  const u32x${lanes} bits = (u32x${lanes})v;
  const u32x${lanes} odd = (u32x${lanes})((bits & 0x10000u) != 0);
  return __builtin_convertvector((bits + 0x7fffu - odd) >> 16, ${v});
}]],
}

-- Halves of words: the even elements, then the odd ones.
portable.from_bf16_pairs = [[
static inline ${v} ${name}(${from} v) {
  const u32x${half} both = (u32x${half})v;
  const u32x${half} even = both << 16, odd = both & 0xffff0000u;
  return (${v})__builtin_shufflevector(even, odd, ${all});
}]]
portable.to_bf16_pairs = [[
static inline ${v} ${name}(${from} v) {
  const u32x${lanes} bits = (u32x${lanes})v;
  const u32x${lanes} odd = (u32x${lanes})((bits & 0x10000u) != 0);
  const u32x${lanes} rounded = bits + 0x7fffu - odd;
  return (${v})(rounded.lo >> 16 | (rounded.hi & 0xffff0000u));
}]]

--- The kind of a conversion that needs a helper, or nil: what Clang converts itself.
---@param from string   element type
---@param to string
---@param paired boolean
---@return string?
function M.kind(from, to, paired)
  local suffix = paired and "_pairs" or ""
  for _, kind in ipairs { "from_" .. from .. suffix, "to_" .. to .. suffix } do
    if portable[kind] then return kind end
  end
end

--- C text of a helper with its types as ${names}.
---@param kind string
---@param target Target
---@return string
function M.definition(kind, target) return target.half and native[kind] or portable[kind] end

return M
