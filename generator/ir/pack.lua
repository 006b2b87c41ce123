-- PACK
-- ====
-- What the function that packs would write, computed here: for parameters that are known when the
-- kernel is generated.  Bit for bit what the C gives, NaN's bits apart.

local eval = require "upweave.ir.eval"
local translate = require "upweave.ir.translate"
local types = require "upweave.ir.types"

local M = {}

--- The bytes of packed parameters.  `parameters` has an array of numbers (0-based, of the tensor's
--- type) for each input of the module.
---@param module ir.Builder   the module that packs, pruned
---@param parameters table<string, number[]>
---@return string
function M.pack(module, parameters)
  local memory, packed = {}, nil
  for _, buf in ipairs(module.buffers) do
    if buf.mode == "input" then
      memory[buf.name] = assert(parameters[buf.name], "a parameter is missing")
    elseif buf.mode == "output" then
      memory[buf.name], packed = {}, buf
    end
  end
  local run = translate.translate(module)
  if run then run(memory) else eval.eval(module, memory) end
  return types.bytes(packed.elem, memory[packed.name], packed.size)
end

return M
