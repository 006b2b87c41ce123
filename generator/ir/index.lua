-- INDEX EXPRESSIONS
-- =================
-- Addresses and loop bounds are not IR nodes but linear forms  c + Σ k·atom,  always kept
-- normalised (atoms ordered by id, no zero coefficient), so that equality, folding, interval
-- analysis and printing are a few lines each.  Four atoms:
--   var    { hint, min, max }      a loop variable; verify sets the interval while it walks
--   mod    { arg, n }              arg % n, arg ≥ 0
--   div    { arg, n }              arg // n, arg ≥ 0
--   fetch  { table, arg }          an element of a constant integer table
-- Anything that is not linear is an error where it is written.

local M = {}

---@class ir.Index
---@field c integer
---@field terms table   list of { coefficient, atom }
local Index = {}
Index.__index = Index

local serial = 0

--- A number that orders atoms and IR items by creation.
---@return integer
function M.next_id()
  serial = serial + 1
  return serial
end

local function form(c, terms) return setmetatable({ c = c, terms = terms }, Index) end

--- The form of a fresh atom.
---@param a table
---@return ir.Index
function M.atom(a)
  a.id = M.next_id()
  return form(0, { { 1, a } })
end

--- An integer or a form as a form.
---@param v integer|ir.Index
---@return ir.Index
function M.of(v)
  if math.type(v) == "integer" then return form(v, {}) end
  if getmetatable(v) ~= Index then error("an index expression was expected", 2) end
  return v
end

--- The value of a form without atoms, else nil.
---@param v integer|ir.Index
---@return integer?
function M.static(v)
  v = M.of(v)
  return #v.terms == 0 and v.c or nil
end

local function combine(a, ka, b, kb)
  a, b = M.of(a), M.of(b)
  local out, i, j = {}, 1, 1
  local s, t = a.terms, b.terms
  while s[i] or t[j] do
    local coefficient, atom
    if not t[j] or (s[i] and s[i][2].id < t[j][2].id) then
      coefficient, atom, i = ka * s[i][1], s[i][2], i + 1
    elseif not s[i] or t[j][2].id < s[i][2].id then
      coefficient, atom, j = kb * t[j][1], t[j][2], j + 1
    else
      coefficient, atom, i, j = ka * s[i][1] + kb * t[j][1], s[i][2], i + 1, j + 1
    end
    if coefficient ~= 0 then out[#out + 1] = { coefficient, atom } end
  end
  return form(ka * a.c + kb * b.c, out)
end

function Index.__add(a, b) return combine(a, 1, b, 1) end
function Index.__sub(a, b) return combine(a, 1, b, -1) end

function Index.__mul(a, b)
  if math.type(a) == "integer" then a, b = b, a end
  if math.type(b) ~= "integer" then error("index expressions are linear", 2) end
  return combine(a, b, 0, 0)
end

local function check_divisor(n)
  if math.type(n) ~= "integer" or n < 1 then
    error("index expressions are linear: a divisor is a positive integer", 3)
  end
end

--- Remainder; exact for the non-negative values that verify demands.
function Index.__mod(a, n)
  check_divisor(n)
  local terms = {}
  for _, t in ipairs(a.terms) do
    local k = t[1] % n
    if k ~= 0 then terms[#terms + 1] = { k, t[2] } end
  end
  if #terms == 0 then return form(a.c % n, {}) end
  return M.atom { op = "mod", arg = form(a.c % n, terms), n = n }
end

--- Quotient rounded down; exact for the non-negative values that verify demands.
function Index.__idiv(a, n)
  check_divisor(n)
  if n == 1 then return a end
  if #a.terms == 0 then return form(a.c // n, {}) end
  return M.atom { op = "div", arg = a, n = n }
end

--- Text that is equal exactly for equal forms (within one process).
function Index:key()
  local out = { self.c }
  for _, t in ipairs(self.terms) do out[#out + 1] = t[1] .. "*" .. t[2].id end
  return table.concat(out, "+")
end

--- The distance between neighbours in a constant table, if it is the same everywhere; else false.
---@param tab table
---@return integer|false
function M.step(tab)
  local values = tab.values
  local step = (values[2] or values[1]) - values[1]
  for i, v in ipairs(values) do
    if v ~= values[1] + (i - 1) * step then return false end
  end
  return math.tointeger(step)
end

--- Smallest and largest of a constant table's elements [first, last]; remembered, since many
--- fetches walk the same range.
---@param tab table
---@param first integer
---@param last integer
---@return integer, integer
function M.table_bounds(tab, first, last)
  tab.known = tab.known or {}
  local key = first << 32 | last
  local known = tab.known[key]
  if not known then
    known = { math.maxinteger, math.mininteger }
    for i = first + 1, last + 1 do
      local v = tab.values[i]
      if v < known[1] then known[1] = v end
      if v > known[2] then known[2] = v end
    end
    tab.known[key] = known
  end
  return known[1], known[2]
end

local function fetch_interval(a)
  local first, last = M.interval(a.arg)
  if first < 0 or last >= a.table.size then
    error(("table %s is fetched at [%d..%d], size %d"):format(a.table.name, first, last,
      a.table.size))
  end
  return M.table_bounds(a.table, first, last)
end

local bounds = {
  var = function(a)
    if not a.min then error("loop variable " .. a.hint .. " is out of scope") end
    return a.min, a.max
  end,
  mod = function(a)
    local lo, hi = M.interval(a.arg)
    if lo < 0 then error("remainder of a possibly negative index") end
    if lo // a.n == hi // a.n then return lo % a.n, hi % a.n end
    return 0, a.n - 1
  end,
  div = function(a)
    local lo, hi = M.interval(a.arg)
    if lo < 0 then error("quotient of a possibly negative index") end
    return lo // a.n, hi // a.n
  end,
  fetch = fetch_interval,
}

--- Smallest and largest value a form takes while the enclosing loops run.
---@param e ir.Index
---@return integer, integer
function M.interval(e)
  local lo, hi = e.c, e.c
  for _, t in ipairs(e.terms) do
    local k = t[1]
    local l, h = bounds[t[2].op](t[2])
    if k < 0 then l, h = h, l end
    lo, hi = lo + k * l, hi + k * h
  end
  return lo, hi
end

--- True if every value of the form is a multiple of n for all values of its atoms.
---@param e ir.Index
---@param n integer
---@return boolean
function M.divisible(e, n)
  if e.c % n ~= 0 then return false end
  for _, t in ipairs(e.terms) do
    local k, a = t[1], t[2]
    if k % n ~= 0 then
      if a.op ~= "fetch" then return false end
      for _, v in ipairs(a.table.values) do
        if k * v % n ~= 0 then return false end
      end
    end
  end
  return true
end

--- Value of a form; `value(atom)` gives that of a variable, tables are read directly.
---@param e ir.Index
---@param value fun(var: table): integer
---@return integer
function M.evaluate(e, value)
  local sum, terms = e.c, e.terms
  for i = 1, #terms do
    local k, a = terms[i][1], terms[i][2]
    local v
    if a.op == "var" then v = value(a)
    elseif a.op == "mod" then v = M.evaluate(a.arg, value) % a.n
    elseif a.op == "div" then v = M.evaluate(a.arg, value) // a.n
    else v = a.table.values[M.evaluate(a.arg, value) + 1] end
    sum = sum + k * v
  end
  return sum
end

--- Call fn(table) for every constant table that a form reads.
---@param e ir.Index
---@param fn fun(table: table)
function M.tables(e, fn)
  for _, t in ipairs(e.terms) do
    local a = t[2]
    if a.op == "fetch" then fn(a.table) end
    if a.arg then M.tables(a.arg, fn) end
  end
end

local function atom_text(a, name, element)
  if a.op == "var" then return name(a) end
  if a.op == "fetch" then return element(a.table, a.arg) end
  local inner = M.text(a.arg, name, element)
  if inner:find(" ", 1, true) then inner = "(" .. inner .. ")" end
  return ("%s %s %d"):format(inner, a.op == "mod" and "%" or "/", a.n)
end

local function term_text(k, a, name, element)
  local s = atom_text(a, name, element)
  if k == 1 then return s end
  if a.op == "mod" or a.op == "div" then s = "(" .. s .. ")" end
  return s .. " * " .. k
end

--- Quotient and remainder of a form: e = row·n + column, each again a form.
---@param e ir.Index
---@param n integer
---@return ir.Index row
---@return ir.Index column
function M.split(e, n)
  local row, column = {}, {}
  for _, t in ipairs(e.terms) do
    if t[1] % n == 0 then row[#row + 1] = { t[1] // n, t[2] } else column[#column + 1] = t end
  end
  return form(e.c // n, row), form(e.c % n, column)
end

--- Readable text; `name(thing)` names a variable or a table, element(table, e) an element of it.
---@param e ir.Index
---@param name fun(thing: table): string
---@param element? fun(tab: table, e: ir.Index): string
---@return string
function M.text(e, name, element)
  element = element or function(tab, at)
    return ("%s[%s]"):format(name(tab), M.text(at, name))
  end
  local parts = {}
  for _, t in ipairs(e.terms) do
    local sign = t[1] < 0 and "- " or #parts > 0 and "+ " or ""
    parts[#parts + 1] = sign .. term_text(math.abs(t[1]), t[2], name, element)
  end
  if #parts == 0 then return tostring(e.c) end
  if e.c ~= 0 then parts[#parts + 1] = (e.c < 0 and "- " or "+ ") .. math.abs(e.c) end
  return table.concat(parts, " ")
end

return M
