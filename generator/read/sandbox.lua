-- SPDX-License-Identifier: MIT
-- The child process that evaluates a Lua spec: `lua -E sandbox.lua ROOT`, source on standard input,
-- JSON on standard output.
--
-- Purpose: runs what may be hostile and hands back plain data, never code.
-- Invariants: the environment holds kernel, tensor, npy, sweep, ipairs, pure arithmetic and bounded
-- string.format and string.rep, also as methods of strings; nothing that loads, matches patterns or
-- touches the system. Instructions, values and text are counted; memory and processor time are
-- limited from outside (read/lua_spec.lua), where a count does not reach.

dofile(arg[1] .. "/generator/searcher.lua")(arg[1])
require "upweave.util.strict"

local json = require "upweave.util.json"
local ordered = require "upweave.util.ordered"
local suggest = require "upweave.util.suggest"

local CHUNK <const> = "=spec"
local INSTRUCTIONS <const> = 2e7
local LONGEST_STRING <const> = 1 << 16
local MOST_VALUES <const> = 200000
local MOST_TEXT <const> = 2 << 20
local DEEPEST <const> = 12

local RESERVED <const> = { graph = true } -- of the spec language, not built yet

-- Plain data ------------------------------------------------------------------------------------

-- What may still be handed over, and the line of the kernel in hand.
local left = { values = MOST_VALUES, text = MOST_TEXT, line = nil }

-- The line of the spec that is being executed.
local function line_of_spec()
  local level = 2
  local info = debug.getinfo(level, "Sl")
  while info and info.source ~= CHUNK do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return info and info.currentline
end

-- What ends the evaluation: a table, so that it is told apart from Lua's own messages.
local function stop(fault)
  fault.line = line_of_spec() or left.line
  error(fault, 0)
end

local function spend(what, amount, reason)
  left[what] = left[what] - amount
  if left[what] < 0 then
    stop { code = "E023", reason = reason }
  end
end

local out = {} -- the JSON text, in pieces

local function put(piece)
  out[#out + 1] = piece
end

local function put_string(s)
  spend("text", #s, ("it has more than %d bytes of text"):format(MOST_TEXT))
  put(json.string(s))
end

-- The name of the i-th key. A key that is none becomes `[3]` or `[table 1]`: spec/ knows no such
-- key and says so.
local function name_of(key, i)
  if type(key) == "string" then
    return key
  elseif type(key) == "number" then
    return ("[%s]"):format(key)
  end
  return ("[%s %d]"):format(type(key), i)
end

local put_value

-- Sorted distinct keys are those of a list if they begin with 1 and end with their number.
local function put_table(t, depth)
  if depth > DEEPEST then
    stop { code = "E023", reason = ("it is nested more than %d deep"):format(DEEPEST) }
  end
  local keys = ordered.keys(t)
  local is_list = keys[1] == 1 and keys[#keys] == #keys
  put(is_list and "[" or "{")
  for i, key in ipairs(keys) do
    put(i > 1 and "," or "")
    if not is_list then
      put_string(name_of(key, i))
      put(":")
    end
    put_value(t[key], depth + 1)
  end
  put(is_list and "]" or "}")
end

function put_value(value, depth)
  spend("values", 1, ("it has more than %d values"):format(MOST_VALUES))
  if type(value) == "table" then
    put_table(value, depth)
  elseif type(value) == "string" then
    put_string(value)
  elseif type(value) == "number" and value - value ~= 0 then
    stop { code = "E020", reason = "a number of the kernel is NaN or infinite" }
  elseif type(value) == "function" then
    stop { code = "E020", reason = "a value of the kernel is a function" }
  else
    put(json.encode(value))
  end
end

local function put_document(kernels, sweep)
  put("{")
  if sweep then
    left.line = sweep.line
    put('"sweep":')
    put_value(sweep, 0)
    put(",")
  end
  put('"kernels":[')
  for i, entry in ipairs(kernels) do
    left.line = entry.line
    put(i > 1 and "," or "")
    put_value(entry, 0)
  end
  put("]}")
end

-- The environment -------------------------------------------------------------------------------

local kernels = {}

local function kernel(name)
  local entry = { name = name, line = line_of_spec(), fields = {} }
  kernels[#kernels + 1] = entry
  return function(fields)
    entry.fields = fields
  end
end

local swept -- what the sweep asks for: at most one in a file

local function sweep(fields)
  if swept then
    stop { code = "E020", reason = ("a second sweep; the first is in line %d"):format(swept.line) }
  end
  swept = { line = line_of_spec(), fields = fields }
end

-- tensor { 1, 64, 112, 112, layout = "NCHW" }: the array part is the shape. A second argument would
-- be lost in silence, and with it a layout or an element type.
local function tensor(t, ...)
  if select("#", ...) > 0 then
    stop { code = "E020", reason = 'tensor takes one table: { 1, 64, 112, 112, layout = "NCHW" }' }
  end
  if type(t) ~= "table" or #t == 0 then
    return t
  end
  local copy, shape = {}, {}
  for key, value in ordered.pairs(t) do
    if math.type(key) == "integer" then
      shape[key] = value
    else
      copy[key] = value
    end
  end
  copy.shape = copy.shape or shape
  return copy
end

-- npy "w.npy": the array in a file, which only the parent reads.
local function npy(path)
  if type(path) ~= "string" then
    stop { code = "E020", reason = 'npy takes a path: npy "weights/w.npy"' }
  end
  return { npy = path }
end

local function bounded(length)
  if length > LONGEST_STRING then
    local reason = ("a string of more than %d bytes"):format(LONGEST_STRING)
    stop { code = "E021", reason = reason }
  end
end

local format, rep = string.format, string.rep

local strings = {
  format = function(template, ...)
    local length = #template
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      length = length + (type(value) == "string" and #value or 100) -- 99 is the widest of a field
    end
    bounded(length)
    return format(template, ...)
  end,
  rep = function(s, n, separator)
    bounded((#s + #(separator or "")) * math.max(n, 0) * 1.0)
    return rep(s, n, separator)
  end,
}

local function unknown(_, name)
  if RESERVED[name] then
    stop { code = "E100", reason = "", what = name, supported = "single kernels" }
  end
  stop { code = "E020", unknown = name }
end

local environment = {
  kernel = kernel,
  tensor = tensor,
  npy = npy,
  sweep = sweep, -- for the verb of that name; all others ignore it
  ipairs = ipairs,
  string = strings,
  math = {
    abs = math.abs,
    ceil = math.ceil,
    floor = math.floor,
    max = math.max,
    min = math.min,
    tointeger = math.tointeger,
  },
}
local KNOWN <const> = ordered.keys(environment)

-- Running ---------------------------------------------------------------------------------------

-- What to say of a name that is not in the environment.
local function unknown_reason(name)
  local reason = ("a spec knows no `%s`"):format(tostring(name))
  local near = suggest.nearest(tostring(name), KNOWN)
  return near and ("%s; is `%s` meant?"):format(reason, near) or reason
end

-- A fault as the parent expects it; of Lua's own messages without position and traceback.
local function described(fault)
  if type(fault) == "table" then
    fault.reason = fault.reason or unknown_reason(fault.unknown)
    fault.unknown = nil
    return fault
  end
  local line, reason = tostring(fault):match("^spec:(%d+): ([^\n]*)")
  reason = reason or tostring(fault)
  if reason:find("not enough memory", 1, true) or reason:find("stack overflow", 1, true) then
    local limit = reason:find("memory", 1, true) and "too much memory" or "too deep a recursion"
    return { code = "E021", line = tonumber(line), reason = limit }
  end
  return { code = "E020", line = tonumber(line), reason = reason }
end

local function evaluate(source)
  local chunk, fault = load(source, CHUNK, "t", setmetatable(environment, {
    __index = unknown,
    __metatable = false,
  }))
  if not chunk then
    error(fault, 0)
  end
  getmetatable("").__index = strings
  debug.sethook(function()
    debug.sethook()
    stop { code = "E021", reason = ("more than %d instructions"):format(INSTRUCTIONS) }
  end, "", INSTRUCTIONS)
  chunk()
  debug.sethook()
end

local source = io.read("a")
local methods = getmetatable("").__index
local ok, fault = pcall(evaluate, source)
debug.sethook()
getmetatable("").__index = methods
if ok then
  ok, fault = pcall(put_document, kernels, swept)
end
io.write(ok and table.concat(out) or json.encode { fault = described(fault) })
