-- EXPRESSIONS
-- ===========
-- C text of values, index expressions, types and the small helper functions they call.

local convert = require "upweave.emit.convert"
local index = require "upweave.ir.index"
local integers = require "upweave.emit.integers"
local literal = require "upweave.emit.literal"
local types = require "upweave.ir.types"

local M = {}

local infix = { add = "+", sub = "-", mul = "*", div = "/", band = "&", bxor = "^" }

--- C name of a type; remembers that the vector type is used.
function M.type_name(p, ty)
  if ty.lanes == 1 then return literal.ctype[ty.elem] end
  if not p.types[ty.name] then
    p.types[ty.name] = true
    p.types[#p.types + 1] = ty
  end
  return ty.name
end

local function helper_of(p, name, fields)
  if not p.helpers[name] then
    p.helpers[name], fields.name = true, name
    p.helpers[#p.helpers + 1] = fields
  end
  return name
end

--- Name of a helper function; remembers that it is used.
function M.helper(p, kind, ty)
  return helper_of(p, kind .. "_" .. M.type_name(p, ty), { kind = kind, ty = ty })
end

-- Name of the helper function that converts between a storage type and the type calculated with.
local function converter(p, to, from, paired)
  M.type_name(p, types.of("u32", to.lanes))
  if paired then M.type_name(p, types.of("u32", to.lanes // 2)) end
  local name = M.type_name(p, to) .. "_from_" .. M.type_name(p, from)
  if paired then name = to.bytes > from.bytes and "split_" .. from.name or "join_" .. to.name end
  return helper_of(p, name,
    { kind = convert.kind(from.elem, to.elem, paired), ty = to, from = from })
end

-- Name of the helper function of an integer operation: `named` is the type that tells it from
-- others of its kind, `from` and `other` those of its operands.
local function integer_helper(p, n, named, from, other)
  M.type_name(p, n.ty)
  if other then M.type_name(p, other) end
  return helper_of(p, n.op .. "_" .. M.type_name(p, named), {
    kind = n.op .. "_" .. named.elem, ty = n.ty, from = from, other = other,
  })
end

--- C text of an index expression.
function M.index(_, e)
  return index.text(e, function(thing) return thing.cname end, M.element)
end

--- C text of element e of a table, by row and column where it has such.
function M.element(tab, e)
  if tab.columns == 1 then return ("%s[%s]"):format(tab.cname, M.index(nil, e)) end
  local row, column = index.split(e, tab.columns)
  return ("%s[%s][%s]"):format(tab.cname, M.index(nil, row), M.index(nil, column))
end

--- C text of the pointer base + e.
function M.pointer(p, base, e)
  if base.columns and base.columns > 1 then       -- a row of a table of rows
    local row, column = index.split(e, base.columns)
    assert(index.static(column) == 0, "a pointer into a row of a table")
    return ("%s[%s]"):format(base.cname, M.index(p, row))
  end
  if index.static(e) == 0 then return base.cname end
  local s = M.index(p, e)
  return base.cname .. (s:sub(1, 1) == "-" and " " or " + ") .. s
end

local function constant(p, c)
  local elem = c.ty.elem
  if c.ty.lanes == 1 then return literal.number(elem, c.values[1]) end
  if c.splat then
    return ("(%s)%s"):format(M.type_name(p, c.ty), literal.number(elem, c.values[1]))
  end
  if not c.cname then
    M.type_name(p, c.ty)
    c.cname = p:global(c.hint or "k")
    p.constants[#p.constants + 1] = c
  end
  return c.cname
end

--- C text of a vector constant at file scope.
function M.define_constant(c)
  return literal.definition(("static const %s %s"):format(c.ty.name, c.cname), c.ty.elem, c.values)
end

-- The lanes of a shuffle: a long list is a macro, so that equal ones look equal.
local function pattern(p, lanes)
  local text = table.concat(lanes, ", ")
  if #lanes < 8 then return text end
  if not p.patterns[text] then
    p.patterns[text] = p:global("P" .. #p.patterns)
    p.patterns[#p.patterns + 1] = { name = p.patterns[text], text = text }
  end
  return p.patterns[text]
end

--- C text of a value as an operand.
function M.operand(p, v)
  if v.op == "const" then return constant(p, v) end
  return v.cname or M.text(p, v)
end

-- As an operand of an operator: parenthesised if it is one itself.
local function factor(p, v)
  local s, operator = M.operand(p, v), infix[v.op] or v.op == "shift"
  return v.op ~= "const" and not v.cname and operator and "(" .. s .. ")" or s
end

local function call(p, n, name, ...)
  return ("%s(%s)"):format(name or M.helper(p, n.op, n.ty), table.concat({ ... }, ", "))
end

-- Texts of all operands.
local function operands(p, n)
  local list = {}
  for i, v in ipairs(n) do list[i] = M.operand(p, v) end
  return table.unpack(list)
end

-- A helper function of vectors and, otherwise written, of scalars; `from` is the type of what is
-- compared.  Scalars are called vectors of one lane: no kernel has such a name.
local function float_helper(p, n)
  local ty, from = n.ty, n[1].ty
  if ty.lanes > 1 then
    M.type_name(p, ty)
    M.type_name(p, from)
  end
  local name = ("%s_%sx%d"):format(n.op, ty.elem, ty.lanes)
  if from ~= ty then name = ("%s_by_%sx%d"):format(name, from.elem, from.lanes) end
  local kind = ty.lanes > 1 and n.op or n.op .. "_scalar"
  return helper_of(p, name, { kind = kind, ty = ty, from = from })
end

local function float_call(p, n) return call(p, n, float_helper(p, n), operands(p, n)) end

-- Whether the text of a value has another type than its name would: a shuffle to another number of
-- lanes gives Clang's other kind of vector.
local function forgets_type(v)
  local from = not v.cname and v.op == "shuffle" and v[1].ty.lanes
  return from and from > 1 and from ~= v.ty.lanes
end

-- A vector of scalars: one in all lanes, or listed; what may be anything is the first.
local function of_scalars(p, n)
  local first, second, only, out = M.operand(p, n[1]), M.operand(p, n[2]), true, {}
  for i, l in ipairs(n.lanes) do
    out[i] = l == 1 and second or first
    only = only and l < 1
  end
  if only then return ("(%s)(%s)"):format(n.ty.name, first) end
  return ("(%s){%s}"):format(n.ty.name, table.concat(out, ", "))
end

local forms = {
  splat = function(p, n) return ("(%s)(%s)"):format(M.type_name(p, n.ty), M.operand(p, n[1])) end,
  load = function(p, n)
    if n.ty.lanes == 1 and n.base.columns then return M.element(n.base, n.index) end
    if n.ty.lanes == 1 then return ("%s[%s]"):format(n.base.cname, M.index(p, n.index)) end
    return call(p, n, nil, M.pointer(p, n.base, n.index))
  end,
  cast = function(p, n) return ("(%s)%s"):format(M.type_name(p, n.ty), factor(p, n[1])) end,
  shift = function(p, n)
    return ("%s %s %d"):format(factor(p, n[1]), n.digits > 0 and ">>" or "<<", math.abs(n.digits))
  end,
  average = function(p, n)
    return call(p, n, integer_helper(p, n, n.ty, n.ty), M.operand(p, n[1]), M.operand(p, n[2]))
  end,
  narrow = function(p, n)
    return call(p, n, integer_helper(p, n, n.ty, n[1].ty), M.operand(p, n[1]), M.operand(p, n[2]))
  end,
  neighbours = function(p, n)
    return call(p, n, integer_helper(p, n, n[2].ty, n[2].ty, n[3].ty), M.operand(p, n[1]),
      M.operand(p, n[2]), M.operand(p, n[3]))
  end,
  convert = function(p, n)
    if not convert.kind(n[1].ty.elem, n.ty.elem, false) then
      if n.ty.lanes == 1 then return ("(%s)%s"):format(M.type_name(p, n.ty), factor(p, n[1])) end
      return call(p, n, "__builtin_convertvector", M.operand(p, n[1]), M.type_name(p, n.ty))
    end
    return call(p, n, converter(p, n.ty, n[1].ty, false), M.operand(p, n[1]))
  end,
  convert_pairs = function(p, n)
    return call(p, n, converter(p, n.ty, n[1].ty, true), M.operand(p, n[1]))
  end,
  gather = function(p, n)
    return call(p, n, nil, M.pointer(p, n.base, n.index), M.pointer(p, n.entries, n.first))
  end,
  fma = function(p, n) return call(p, n, nil, operands(p, n)) end,
  max = float_call,
  min = float_call,
  lt = float_call,
  sqrt = float_call,
  shuffle = function(p, n)
    if n.ty.lanes == 1 then
      local k, l = n[1].ty.lanes, n.lanes[1]
      local v = l < k and n[1] or n[2]
      if v.op == "const" then return literal.number(v.ty.elem, v.values[l % k + 1]) end
      return ("%s[%d]"):format(factor(p, v), l % k)
    end
    M.type_name(p, n.ty)
    if n[1].ty.lanes == 1 then return of_scalars(p, n) end
    local x, y = M.operand(p, n[1]), M.operand(p, n[2])
    local forgetful = forgets_type(n[1])
    if forgetful ~= forgets_type(n[2]) then
      local cast = ("(%s)"):format(M.type_name(p, n[1].ty))
      if forgetful then x = cast .. x else y = cast .. y end
    end
    return call(p, n, "__builtin_shufflevector", x, y, pattern(p, n.lanes))
  end,
}

--- C text of a value.
function M.text(p, n)
  local sign = infix[n.op]
  if sign then return ("%s %s %s"):format(factor(p, n[1]), sign, factor(p, n[2])) end
  return forms[n.op](p, n)
end

-- helper functions ------------------------------------------------------------------------------

-- A text for every lane, in lines of sixteen.
local function lanes_of(ty, fmt)
  local lines = {}
  for first = 0, ty.lanes - 1, 16 do
    local out = {}
    for i = first, math.min(first + 15, ty.lanes - 1) do out[#out + 1] = fmt:format(i) end
    lines[#lines + 1] = table.concat(out, ", ")
  end
  return table.concat(lines, ",\n    ")
end

-- The lanes of `yes` where a < b, of `no` elsewhere: Clang 14 and 19 find the instruction that the
-- machine has, and warn of the conversion to a truth value if a ?: of vectors is written.
local function blend(yes, no)
  return "  typedef int${digits}_t words __attribute__((ext_vector_type(${lanes})));\n"
    .. "  const words less = (words)(a < b);\n"
    .. ("  return (${v})((less & (words)%s) | (~less & (words)%s));\n}"):format(yes, no)
end
local OF_TWO = "static inline ${v} ${name}(${from} a, ${from} b) {\n"
local OF_FOUR = "static inline ${v} ${name}(${from} a, ${from} b, ${v} yes, ${v} no) {\n"

-- Roots without a library's function, which Clang 14 has for vectors not at all and otherwise only
-- where errno is of no interest: a function that has no effect sets none.
local function root(fallback)
  return "static inline ${v} ${name}(${v} a) {\n"
    .. "#if __has_builtin(__builtin_elementwise_sqrt)\n"
    .. "  return __builtin_elementwise_sqrt(a);\n"
    .. "#else\n"
    .. "  extern ${e} ${sqrt}(${e}) __attribute__((const));\n"
    .. "  return " .. fallback .. ";\n"
    .. "#endif\n}"
end

local definitions = {
  load = "static inline ${v} ${name}(const ${e} *p) { return *(const ${v}_u *)p; }",
  store = "static inline void ${name}(${e} *p, ${v} v) { *(${v}_u *)p = v; }",
  stream = "static inline void ${name}(${e} *p, ${v} v, int aligned) {\n"
    .. "  if (aligned) __builtin_nontemporal_store(v, (${v} *)(void *)p);\n"
    .. "  else *(${v}_u *)p = v;\n}",
  gather = "static inline ${v} ${name}(const ${e} *p, const int32_t *i) {\n"
    .. "  return (${v}){${elements}};\n}",
  -- Clang 14 has no elementwise fma; its contraction of one expression is the same instruction
  fma = "static inline ${v} ${name}(${v} a, ${v} b, ${v} c) {\n"
    .. "#if __has_builtin(__builtin_elementwise_fma)\n"
    .. "  return __builtin_elementwise_fma(a, b, c);\n"
    .. "#else\n"
    .. "#pragma STDC FP_CONTRACT ON\n"
    .. "  return a * b + c;\n"
    .. "#endif\n}",
  max = (OF_TWO:gsub("a, ${from} b", "b, ${from} a")) .. blend("b", "a"),
  min = OF_TWO .. blend("a", "b"),
  lt = OF_FOUR .. blend("yes", "no"),
  max_scalar = OF_TWO .. "  return a > b ? a : b;\n}",
  min_scalar = OF_TWO .. "  return a < b ? a : b;\n}",
  lt_scalar = OF_FOUR .. "  return a < b ? yes : no;\n}",
  sqrt = root "(${v}){${roots}}",
  sqrt_scalar = root "${sqrt}(a)",
}

local root_of = { f32 = "sqrtf", f64 = "sqrt" }

-- What the text of a helper mentions.
local function mentions(helper)
  local ty, from = helper.ty, helper.from or helper.ty
  local lowest, highest = types.range(ty.elem)
  return {
    v = ty.lanes == 1 and literal.ctype[ty.elem] or ty.name, name = helper.name,
    e = literal.ctype[ty.elem], elements = lanes_of(ty, "p[i[%d]]"), all = lanes_of(ty, "%d"),
    lanes = ty.lanes, half = ty.lanes // 2, bytes = ty.bytes, lowest = lowest, highest = highest,
    from = from.lanes == 1 and literal.ctype[from.elem] or from.name,
    from_e = literal.ctype[from.elem], from_lanes = from.lanes,
    digits = 8 * types.element_bytes[ty.elem], sqrt = root_of[ty.elem],
    roots = root_of[ty.elem] and lanes_of(ty, root_of[ty.elem] .. "(a[%d])"),
    other = helper.other and helper.other.name,
  }
end

--- C text of a helper function.
---@param helper { kind: string, ty: ir.Type, from: ir.Type?, other: ir.Type?, name: string }
---@param target Target
---@return string
function M.define_helper(helper, target)
  local fill = mentions(helper)
  local text = definitions[helper.kind] or convert.definition(helper.kind, target)
  if not text then
    text, fill.builtin = integers.definition(helper.kind, target, helper.ty.bytes)
  end
  return (text:gsub("%${([%w_]+)}", fill))
end

--- C text of a vector type and its unaligned twin.
---@param ty ir.Type
---@return string
function M.define_type(ty)
  local elem = literal.ctype[ty.elem]
  return ("typedef %s %s __attribute__((ext_vector_type(%d)));\n"
    .. "typedef %s %s_u __attribute__((ext_vector_type(%d), aligned(%d), may_alias));"):format(
    elem, ty.name, ty.lanes, elem, ty.name, ty.lanes, ty.bytes // ty.lanes)
end

return M
