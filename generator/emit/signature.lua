-- SIGNATURES
-- ==========
-- Parameter lists of a kernel's functions: of the run, of a range of tasks, of the function that
-- works on tasks, of packing.  Order: inputs, packed parameters, outputs, workspace.

local literal = require "upweave.emit.literal"

local M = {}

-- Columns of a line.
local WIDTH <const> = 100

--- `opening` with its parameters: a line each where one line is too long.
---@param opening string
---@param parameters string[]
---@return string
function M.prototype(opening, parameters)
  local line = ("%s(%s)"):format(opening, table.concat(parameters, ", "))
  if #line < WIDTH then return line end
  return ("%s(%s)"):format(opening, table.concat(parameters, ",\n" .. (" "):rep(#opening + 1)))
end

--- A list with more at its end.
function M.with(list, ...)
  local out = table.move(list, 1, #list, 1, {})
  for _, v in ipairs { ... } do out[#out + 1] = v end
  return out
end

--- The tensors of a role, in their order.
---@param tensors table[]
---@param role "input"|"output"|"parameter"
---@return table[]
function M.of_role(tensors, role)
  local out = {}
  for _, t in ipairs(tensors) do
    if t.role == role then out[#out + 1] = t end
  end
  return out
end

---@class emit.Signature
---@field parameters string[]   as a prototype declares them
---@field arguments string      their names
---@field calls string          their values from the arrays of pointers of struct upw_kernel

-- A list under construction: adds one parameter by its type, name and value.
local function new(restrict)
  local s = { parameters = {}, names = {}, values = {} }
  local qualifier = restrict and "restrict " or ""
  function s.add(type, name, value)
    s.parameters[#s.parameters + 1] = ("%s *%s%s"):format(type, qualifier, name)
    s.names[#s.names + 1], s.values[#s.values + 1] = name, value
  end
  function s.add_all(tensors, const, array)
    for i, t in ipairs(tensors) do
      local type = const .. literal.ctype[t.dtype]
      s.add(type, t.name, ("(%s *)%s[%d]"):format(type, array, i - 1))
    end
  end
  function s.finish()
    return {
      parameters = s.parameters, arguments = table.concat(s.names, ", "),
      calls = table.concat(s.values, ", "),
    }
  end
  return s
end

--- Of a run; `packed` is the element type of the packed parameters, "void" or absent.
---@param tensors table[]
---@param restrict boolean
---@param packed string?
---@return emit.Signature
function M.run(tensors, restrict, packed)
  local s = new(restrict)
  s.add_all(M.of_role(tensors, "input"), "const ", "inputs")
  if packed then s.add("const " .. packed, "packed", "packed") end
  s.add_all(M.of_role(tensors, "output"), "", "outputs")
  s.add("void", "workspace", "workspace")
  return s.finish()
end

--- Of packing into elements of a type.
---@param tensors table[]
---@param restrict boolean
---@param packed string
---@return emit.Signature
function M.pack(tensors, restrict, packed)
  local s = new(restrict)
  s.add_all(M.of_role(tensors, "parameter"), "const ", "parameters")
  s.add(packed, "packed", "packed")
  return s.finish()
end

local BEGIN <const>, END <const> = "size_t begin", "size_t end"

--- The parameters of a run, then those that bound its tasks.
---@param parameters string[]
---@return string[]
function M.ranged(parameters) return M.with(parameters, BEGIN, END) end

return M
