-- SPDX-License-Identifier: MIT
-- ONNX models, written for tests.
--
-- Purpose: the bytes of models and tensors from Lua tables, in each of the forms that writers
-- choose between: numbers packed or not, in raw bytes or in typed fields. Independent of
-- generator/import/: it shares no code and no table with what it tests.

local M = {}

local DTYPES <const> = {
  f32 = { id = 1, format = "<f", typed = 4, wire = 5 },
  u8 = { id = 2, format = "<B", typed = 5 },
  i8 = { id = 3, format = "<b", typed = 5 }, i32 = { id = 6, format = "<i4", typed = 5 },
  i64 = { id = 7, format = "<i8", typed = 7 }, f16 = { id = 10, format = "<I2", typed = 5 },
  f64 = { id = 11, format = "<d", typed = 10, wire = 1 },
  bf16 = { id = 16, format = "<I2", typed = 5 },
}

-- The wire format ---------------------------------------------------------------------------------

--- A varint; negative numbers have ten bytes.
function M.varint(n)
  local bytes = {}
  repeat
    local low = n & 0x7f
    n = n >> 7
    bytes[#bytes + 1] = string.char(n ~= 0 and low | 0x80 or low)
  until n == 0
  return table.concat(bytes)
end

local function key(id, wire) return M.varint(id << 3 | wire) end

--- A field of a number, a string of bytes (or a message), four or eight bytes.
function M.int(id, n) return key(id, 0) .. M.varint(n) end
function M.bytes(id, s) return key(id, 2) .. M.varint(#s) .. s end
function M.fixed32(id, s) return key(id, 5) .. s end
function M.fixed64(id, s) return key(id, 1) .. s end

local function each(list, write)
  local parts = {}
  for index, item in ipairs(list or {}) do parts[index] = write(item) end
  return table.concat(parts)
end

--- A list of numbers, packed or not. `wire` is that of one number.
function M.numbers(id, list, packed, wire, write)
  write = write or M.varint
  if packed then return #list > 0 and M.bytes(id, each(list, write)) or "" end
  return each(list, function(n) return key(id, wire or 0) .. write(n) end)
end

local function text(id, s) return s and M.bytes(id, s) or "" end

-- Messages ----------------------------------------------------------------------------------------

--- { name, dtype, shape, values, typed, packed, external = { location =, … }, extra }
function M.tensor(t)
  local dtype = DTYPES[t.dtype]
  local function pack(n) return string.pack(dtype.format, n) end
  local parts = { M.numbers(1, t.shape, t.packed), M.int(2, dtype.id) }
  if t.external then
    for _, entry in ipairs(t.external) do
      parts[#parts + 1] = M.bytes(13, M.bytes(1, entry[1]) .. M.bytes(2, entry[2]))
    end
    parts[#parts + 1] = M.int(14, 1)
  elseif not t.typed then
    parts[#parts + 1] = M.bytes(9, each(t.values, pack))
  elseif dtype.wire then
    parts[#parts + 1] = M.numbers(dtype.typed, t.values, t.packed, dtype.wire, pack)
  else
    parts[#parts + 1] = M.numbers(dtype.typed, t.values, t.packed)
  end
  return table.concat(parts) .. text(8, t.name) .. (t.extra or "")
end

local function float(n) return string.pack("<f", n) end

-- By kind: number of the type, and the field.
local KINDS <const> = {
  float = { 1, function(v) return M.fixed32(2, float(v)) end },
  int = { 2, function(v) return M.int(3, v) end },
  string = { 3, function(v) return M.bytes(4, v) end },
  tensor = { 4, function(v) return M.bytes(5, M.tensor(v)) end },
  graph = { 5, function(v) return M.bytes(6, v) end },
  floats = { 6, function(v, packed) return M.numbers(7, v, packed, 5, float) end },
  ints = { 7, function(v, packed) return M.numbers(8, v, packed) end },
  strings = { 8, function(v) return each(v, function(s) return M.bytes(9, s) end) end },
}

--- { name, kind, value, packed, untyped, ref }
function M.attribute(a)
  local kind = KINDS[a.kind]
  return M.bytes(1, a.name) .. (a.value ~= nil and kind[2](a.value, a.packed) or "")
    .. (a.untyped and "" or M.int(20, kind[1])) .. text(21, a.ref)
end

--- { op, name, domain, inputs, outputs, attributes, extra }
function M.node(n)
  return each(n.inputs, function(s) return M.bytes(1, s) end)
    .. each(n.outputs, function(s) return M.bytes(2, s) end) .. text(3, n.name)
    .. M.bytes(4, n.op)
    .. each(n.attributes, function(a) return M.bytes(5, M.attribute(a)) end) .. text(7, n.domain)
    .. (n.extra or "")
end

--- { name, dtype, shape }: sizes are numbers, names, or "" for one that is not given.
function M.value(v)
  local dims = v.shape and M.bytes(2, each(v.shape, function(n)
    return M.bytes(1, type(n) == "number" and M.int(1, n) or n ~= "" and M.bytes(2, n) or "")
  end)) or ""
  local dtype = v.dtype and M.int(1, DTYPES[v.dtype] and DTYPES[v.dtype].id or v.dtype) or ""
  return M.bytes(1, v.name) .. M.bytes(2, M.bytes(1, dtype .. dims))
end

--- { nodes, inputs, outputs, values, initializers, extra }
function M.graph(g)
  local function field(id, list, write)
    return each(list, function(one) return M.bytes(id, write(one)) end)
  end
  return field(1, g.nodes, M.node) .. M.bytes(2, "graph") .. field(5, g.initializers, M.tensor)
    .. field(11, g.inputs, M.value) .. field(12, g.outputs, M.value)
    .. field(13, g.values, M.value) .. (g.extra or "")
end

--- The fields of a graph, and opset (or false), domain, functions, extra.
function M.model(m)
  local opset = m.opset ~= false and M.bytes(8, M.bytes(1, m.domain or "")
    .. M.int(2, m.opset or 19)) or ""
  local functions = each(m.functions, function(f)
    return M.bytes(25, M.bytes(1, f.name) .. M.bytes(10, f.domain))
  end)
  return M.int(1, 10) .. M.bytes(2, "tests") .. M.bytes(7, M.graph(m)) .. opset .. functions
    .. (m.extra or "")
end

local INPUTS <const> = { "roi", "scales", "sizes" }

-- The inputs behind X, which become initializers; "" for one that is left out.
local function constants(r, wanted)
  local names, initializers = { "X" }, {}
  for index, name in ipairs(wanted) do
    local values = r[name]
    names[index + 1] = values and name or ""
    initializers[#initializers + 1] = values and { name = name, shape = { #values },
      values = values, dtype = name == "sizes" and "i64" or "f32", typed = r.typed,
      packed = r.packed }
  end
  while names[#names] == "" do names[#names] = nil end
  return names, initializers
end

--- A model of one Resize (or another operator). `r` has op, opset, shape, dtype, attributes, and
--- the numbers of scales, sizes and roi; `typed` and `packed` say how these are written; `more` are
--- further initializers.
function M.resize(r)
  local op, dtype = r.op or "Resize", r.dtype or "f32"
  local old = op == "Upsample" or r.opset == 10
  local names, initializers = constants(r, old and { "scales" } or INPUTS)
  for _, one in ipairs(r.more or {}) do initializers[#initializers + 1] = one end
  local node = { op = op, name = r.name, inputs = r.inputs or names, outputs = { "Y" },
    attributes = r.attributes }
  return M.model { opset = r.opset, initializers = initializers, nodes = { node },
    inputs = { { name = "X", dtype = dtype, shape = r.shape } },
    outputs = { { name = "Y", dtype = dtype } }, values = r.values }
end

return M
