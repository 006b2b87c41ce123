-- EPILOGUE
-- ========
-- What `plan.post` does to a sum before it is stored, and what of it is done when weights are
-- packed.  A batch_norm right behind the sum, or behind another such, is folded: its scale into the
-- weights, its shift into the bias.  Any other is an fma with a scale and a shift that are packed.
--   scale = gamma / sqrt(var + eps)    shift = beta - mean · scale
-- are calculated in f64, by the same operations on every target (no fma), and rounded once.
-- Invariants: records are applied in their order; NaN stays NaN; relu, leaky_relu, prelu and clamp
-- give zeros the sign that PyTorch gives them.

local functions = require "upweave.lower.functions"

local M = {}

---@class lower.epilogue.Parameter
---@field name string     of the packed vector: slope, scale, shift, slope2, …
---@field kind string     slope, scale or shift
---@field norm table?     the batch_norm that it belongs to

---@class lower.epilogue.Access
---@field channel fun(i: integer): table    the i-th of `parameters`: a vector, as long as the value
---@field residual fun(i: integer): table   the i-th residual, 1-based: the same

---@class lower.Epilogue
---@field parameters lower.epilogue.Parameter[]   per-channel vectors to pack, in order
---@field tensors string[]    parameters of the operator that packing reads, in their order
---@field residuals integer   inputs residual, residual2, …
---@field folded table[]?     the batch_norms in weights and bias
---@field bias boolean        whether the sum begins with a packed bias
---@field work string
---@field steps table[]
local Epilogue = {}
Epilogue.__index = Epilogue

local function constant(b, v, number) return b:const(v.ty.elem, v.ty.lanes, number) end

-- the steps --------------------------------------------------------------------------------------

-- v > 0 ? v : slope · v, the form in which a slope is applied to zeros, infinities and NaN.
local function sloped(b, v, slope) return b:lt(constant(b, v, 0), v, v, b:mul(slope, v)) end

-- max and min give their second operand where one is NaN or both are zeros: the value.
local forms = {}

function forms.relu(b, v) return b:max(constant(b, v, 0), v) end

function forms.leaky_relu(b, v, step)
  local slope = constant(b, v, step.a)
  if slope.values[1] <= 0 or slope.values[1] > 1 then return sloped(b, v, slope) end
  return b:max(v, b:mul(slope, v))
end

function forms.prelu(b, v, step, access) return sloped(b, v, access.channel(step.first)) end

function forms.clamp(b, v, step)
  return b:min(constant(b, v, step.b), b:max(constant(b, v, step.a), v))
end

function forms.sigmoid(b, v) return functions.sigmoid(b, v) end
function forms.tanh(b, v) return functions.tanh(b, v) end
function forms.gelu(b, v) return functions.gelu(b, v) end
function forms.gelu_tanh(b, v) return functions.gelu_tanh(b, v) end

function forms.add(b, v, step, access) return b:add(v, access.residual(step.first)) end

function forms.batch_norm(b, v, step, access)
  return b:fma(access.channel(step.first), v, access.channel(step.first + 1))
end

-- what a step takes ------------------------------------------------------------------------------

-- The suffix of the tensors of the n-th record of a name.
local function suffix_of(n) return n > 1 and tostring(n) or "" end

local function add_parameters(e, suffix, norm, ...)
  local first = #e.parameters + 1
  for _, kind in ipairs { ... } do
    e.parameters[#e.parameters + 1] = { name = kind .. suffix, kind = kind, norm = norm }
  end
  return first
end

local function add_tensors(e, suffix, ...)
  for _, name in ipairs { ... } do e.tensors[#e.tensors + 1] = name .. suffix end
end

-- For the records that read something: the number of the first thing they read; nil if the record
-- is folded.
local takes = {}

function takes.prelu(e, n)
  add_tensors(e, suffix_of(n), "slope")
  return add_parameters(e, suffix_of(n), nil, "slope")
end

function takes.add(e, n)
  e.residuals = n
  return n
end

function takes.batch_norm(e, n, record)
  local suffix = suffix_of(n)
  add_tensors(e, suffix, "gamma", "beta", "mean", "var")
  local norm = { suffix = suffix, eps = record.eps }
  if #e.steps > 0 then return add_parameters(e, suffix, norm, "scale", "shift") end
  e.folded = e.folded or {}
  e.folded[#e.folded + 1] = norm
end

--- The epilogue of a plan.
---@param plan { post: table[], bias: boolean, work: string }
---@return lower.Epilogue
function M.new(plan)
  local e = setmetatable({
    parameters = {}, tensors = {}, residuals = 0, bias = plan.bias, work = plan.work, steps = {},
  }, Epilogue)
  local count = {}
  for _, record in ipairs(plan.post) do
    local name = record.name
    count[name] = (count[name] or 0) + 1
    local take = takes[name]
    local first = take and take(e, count[name], record)
    if first or not take then
      e.steps[#e.steps + 1] = { form = forms[name], a = record.a, b = record.b, first = first }
    end
  end
  e.bias = plan.bias or e.folded ~= nil
  return e
end

--- The steps that are not folded, on a vector of sums (or one sum).
---@param b ir.Builder
---@param v table
---@param access lower.epilogue.Access?   may be absent where there is nothing to read
---@return table
function Epilogue:apply(b, v, access)
  for _, step in ipairs(self.steps) do v = step.form(b, v, step, access) end
  return v
end

-- packing ----------------------------------------------------------------------------------------

-- Scale and shift of a batch_norm, in f64.
local function scale_shift(b, norm, fetch)
  local function read(name) return b:convert(fetch(name .. norm.suffix), "f64") end
  local var = read "var"
  local root = b:sqrt(b:add(var, constant(b, var, norm.eps)))
  local scale = b:div(read "gamma", root)
  return scale, b:sub(read "beta", b:mul(read "mean", scale))
end

-- Scale and shift of all that is folded; the shift is applied to `shift`, if there is one.
local function folded(e, b, fetch, shift)
  local scale
  for _, norm in ipairs(e.folded) do
    local s, t = scale_shift(b, norm, fetch)
    scale = scale and b:mul(scale, s) or s
    shift = shift and b:add(b:mul(shift, s), t) or t
  end
  return scale, shift
end

--- A weight as it is packed.  `fetch(name)` gives the element, or vector of elements, of a tensor
--- (one of `tensors`) for the output channels of the weight, in any float type.
---@param b ir.Builder   of the packing module
---@param weight table
---@param fetch fun(name: string): table
---@return table   of the plan's arithmetic
function Epilogue:weight(b, weight, fetch)
  if not self.folded then return b:convert(weight, self.work) end
  return b:convert(b:mul(b:convert(weight, "f64"), (folded(self, b, fetch))), self.work)
end

--- The bias as it is packed, of a plan with or without one.
---@param bias table?
---@return table
function Epilogue:packed_bias(b, bias, fetch)
  if not self.folded then return b:convert(bias, self.work) end
  local shift = select(2, folded(self, b, fetch, bias and b:convert(bias, "f64")))
  return b:convert(shift, self.work)
end

--- The i-th of `parameters` as it is packed.
function Epilogue:packed(b, i, fetch)
  local parameter = self.parameters[i]
  if parameter.kind == "slope" then return b:convert(fetch(parameter.name), self.work) end
  local scale, shift = scale_shift(b, parameter.norm, fetch)
  return b:convert(parameter.kind == "scale" and scale or shift, self.work)
end

return M
