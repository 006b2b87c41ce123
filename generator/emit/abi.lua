-- ABI TEXT
-- ========
-- The declaration of a kernel's self-description that every generated header repeats, so that
-- the generated files need nothing else.  One text: the guarded part of the runtime's own header.

local M = {}

local text

--- The guarded declarations, from `#ifndef UPW_KERNEL_ABI` to its `#endif`.
---@return string
function M.text()
  if not text then
    local path = require("upweave.home") .. "/runtime/include/upweave/kernel.h"
    local file = assert(io.open(path, "rb"))
    local source = file:read("a")
    file:close()
    text = source:match("(#ifndef UPW_KERNEL_ABI\n.-\n#endif)\n")
    assert(text, "kernel.h has no ABI text")
  end
  return text
end

--- DLPack type codes and bits.
M.dtypes = {
  f64 = { code = 2, bits = 64 }, f32 = { code = 2, bits = 32 }, f16 = { code = 2, bits = 16 },
  bf16 = { code = 4, bits = 16 }, u8 = { code = 1, bits = 8 },
}

return M
