-- INTEGER HELPERS
-- ===============
-- Helper functions of the integer operations that Clang's vectors have no operator for: the
-- target's own instruction where Clang does not find it by itself, else arithmetic on wider lanes.
-- `target.integers` names the instruction of a kind, as in Clang's __builtin_ia32_NAME<bits>.

local M = {}

local native = {
  neighbours_u8 = [[
static inline ${v} ${name}(${v} sum, ${from} x, ${other} y) {
  typedef int words __attribute__((vector_size(${bytes})));
  return (${v})${builtin}((words)sum, (words)x, (words)y);
}]],
  neighbours_i16 = [[
static inline ${v} ${name}(${v} sum, ${from} x, ${from} y) {
  typedef short words __attribute__((vector_size(${bytes})));
  return sum + (${v})${builtin}((words)x, (words)y);
}]],
  narrow_i16 = [[
static inline ${v} ${name}(${from} x, ${from} y) {
  typedef int words __attribute__((vector_size(${bytes})));
  return (${v})${builtin}((words)x, (words)y);
}]],
  narrow_u8 = [[
static inline ${v} ${name}(${from} x, ${from} y) {
  typedef short words __attribute__((vector_size(${bytes})));
  return (${v})${builtin}((words)x, (words)y);
}]],
}

-- Vectors of 16 bytes: one block.
local narrow = [[
static inline ${v} ${name}(${from} x, ${from} y) {
  typedef ${from_e} pair __attribute__((ext_vector_type(${lanes})));
  const pair both = __builtin_shufflevector(x, y, ${all});
  const pair least = __builtin_elementwise_max(both, (pair)(${lowest}));
  return __builtin_convertvector(__builtin_elementwise_min(least, (pair)${highest}), ${v});
}]]

local portable = {
  average_u8 = [[
static inline ${v} ${name}(${v} x, ${v} y) {
  typedef uint16_t wide __attribute__((ext_vector_type(${lanes})));
  const wide sum = __builtin_convertvector(x, wide) + __builtin_convertvector(y, wide);
  return __builtin_convertvector((sum + 1) >> 1, ${v});
}]],
  neighbours_i16 = [[
static inline ${v} ${name}(${v} sum, ${from} x, ${from} y) {
  typedef int32_t wide __attribute__((ext_vector_type(${from_lanes})));
  const wide product = __builtin_convertvector(x, wide) * __builtin_convertvector(y, wide);
  return sum + product.even + product.odd;
}]],
  narrow_i16 = narrow,
  narrow_u8 = narrow,
}

--- C text of a helper with its types as ${names}, and what else it mentions.
---@param kind string
---@param target Target
---@param bytes integer   of its vectors
---@return string? text   nil: not a kind of this module
---@return string? builtin
function M.definition(kind, target, bytes)
  local instruction = target.integers and target.integers[kind]
  if not instruction then return portable[kind] end
  return native[kind], ("__builtin_ia32_%s%d"):format(instruction, bytes * 8)
end

return M
