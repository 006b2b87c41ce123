-- SPDX-License-Identifier: MIT
-- Linear forms: normalisation, folding of remainders and quotients, intervals, divisibility, text.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local index = require "upweave.ir.index"

-- A loop variable of a known interval.
local function var(name, min, max)
  local v = { op = "var", hint = name, min = min, max = max }
  return index.atom(v), v
end

local function text(e)
  return index.text(index.of(e), function(thing) return thing.hint or thing.name end)
end

local i, vi = var("i", 0, 9)
local j, vj = var("j", 2, 5)

-- normalisation
tap.is(text(i), "i", "a variable")
tap.is(text(i + j), "i + j", "a sum in order of creation")
tap.is(text(j + i), "i + j", "the order of writing does not matter")
tap.is((i + j):key(), (j + i):key(), "equal forms have equal keys")
tap.is(text(i * 3 + j - i), "i * 2 + j", "like terms are collected")
tap.is(text(i * 2 + i * 3), "i * 5", "with their coefficients")
tap.is(text(i * 2 - i * 5), "- i * 3", "of a difference, too")
tap.is(text((i + j) + (i + j)), "i * 2 + j * 2", "of two terms")
local n1, n2 = var("n1", 0, 9), var("n2", 0, 9)
tap.is(text(i + (j + n1 + n2)), "i + j + n1 + n2", "three new terms")
tap.is(text((i + j + n1) + n2), "i + j + n1 + n2", "three old ones")
tap.is(text((i + n1) + (j + n2)), "i + j + n1 + n2", "terms in turn")
tap.is(text(i - i), "0", "a term of coefficient 0 is gone")
tap.is(#(i * 0).terms, 0, "so is a product with 0")
tap.is(text(3 * i + 4), "i * 3 + 4", "number times form")
tap.is(text(4 - i), "- i + 4", "a negative first term")
tap.is(text(j - i * 2 - 1), "- i * 2 + j - 1", "negative constants")
tap.is(text(0 - j - i), "- i - j", "two negative terms")
tap.is(text(7 + i), "i + 7", "number plus form")
tap.is(text(index.of(-3)), "-3", "a constant")
tap.ok((i + 1):key() ~= (i + 2):key(), "keys tell constants apart")
tap.ok((i * 2):key() ~= (i * 3):key(), "keys tell coefficients apart")
tap.ok(i:key() ~= j:key(), "keys tell variables apart")
tap.ok((i * 11):key() ~= (i + 11):key(), "keys tell products from sums")
tap.is(index.static(i - i + 5), 5, "the value of a form without atoms")
tap.is(index.static(i), nil, "a form with atoms has none")
tap.is(index.static(7), 7, "a number is a form")
local both = i + j
tap.is(text(both + i), "i * 2 + j", "adding leaves the operands alone (1)")
tap.is(text(both), "i + j", "adding leaves the operands alone (2)")
local first, second = index.next_id(), index.next_id()
tap.is(second - first, 1, "identities ascend")

-- what is not linear or not an index is an error where it is written
ir.fails(function() return i * j end, "linear", "a product of variables")
ir.fails(function() return i * 1.5 end, "linear", "a product with a fraction")
ir.fails(function() return i + 1.5 end, "index expression", "a sum with a fraction")
ir.fails(function() return index.of "x" end, "index expression", "a string")
ir.fails(function() return index.of {} end, "index expression", "another table")
ir.fails(function() return index.of(nil) end, "index expression", "nothing")
for name, n in pairs { ["a form"] = j, ["0"] = 0, ["-2"] = -2, ["2.0"] = 2.0 } do
  ir.fails(function() return i % n end, "is a positive integer", "a remainder by " .. name)
  ir.fails(function() return i // n end, "is a positive integer", "a quotient by " .. name)
end
tap.is(text(i % 1), "0", "a remainder by 1")

-- remainders and quotients
tap.is(text(index.of(17) % 5), "2", "the remainder of a constant")
tap.is(text(index.of(17) // 5), "3", "the quotient of a constant")
tap.is(text(i % 4), "i % 4", "a remainder")
tap.is(text((i * 4 + 7) % 4), "3", "multiples of the divisor fold away")
tap.is(text((i * 6 + j * 4 + 9) % 4), "(i * 2 + 1) % 4", "coefficients are reduced")
tap.is(text((0 - i + 4) % 3), "(i * 2 + 1) % 3", "negative coefficients become positive")
tap.is(text(i // 4), "i / 4", "a quotient")
tap.is(i // 1, i, "a quotient by one is the form")
tap.is(text((i + 3) // 4), "(i + 3) / 4", "the quotient of a sum")
tap.is(text((i // 4) % 3), "(i / 4) % 3", "a remainder of a quotient")
tap.is(text((i % 6) // 2), "(i % 6) / 2", "a quotient of a remainder")
tap.is(text(i % 4 * 3 + 1), "(i % 4) * 3 + 1", "a multiple of a remainder")
tap.is(text(i // 4 * 3), "(i / 4) * 3", "a multiple of a quotient")

-- values: every identity above holds for all values
local values = { [vi] = 0, [vj] = 0 }
local function value(e) return index.evaluate(index.of(e), function(a) return values[a] end) end
local function everywhere(form, fn, name)
  local good = true
  for a = 0, 9 do
    for b = 2, 5 do
      values[vi], values[vj] = a, b
      good = good and value(form) == fn(a, b)
    end
  end
  tap.ok(good, name)
end
everywhere(i * 3 + j - 2, function(a, b) return 3 * a + b - 2 end, "evaluates a sum")
everywhere((i * 6 + j * 4 + 9) % 4, function(a, b) return (6 * a + 4 * b + 9) % 4 end,
  "evaluates a remainder")
everywhere((9 - i + j) % 3, function(a, b) return (9 - a + b) % 3 end,
  "evaluates a remainder with a negative coefficient")
everywhere((i + j * 5) // 3, function(a, b) return (a + 5 * b) // 3 end, "evaluates a quotient")
everywhere((i // 4) % 3 * 7 - j, function(a, b) return a // 4 % 3 * 7 - b end, "evaluates both")
everywhere(i % 4 - i % 4, function() return 0 end, "evaluates a difference of equal remainders")

-- intervals
local function interval(e, lo, hi, name)
  local got_lo, got_hi = index.interval(index.of(e))
  tap.is(got_lo, lo, name .. ": smallest")
  tap.is(got_hi, hi, name .. ": largest")
end
interval(i, 0, 9, "a variable")
interval(i * 2 - j + 1, -4, 17, "a sum")
interval(3 - i * 2, -15, 3, "a negative multiple")
interval(i % 4, 0, 3, "a remainder that wraps")
interval(j % 8, 2, 5, "a remainder that does not")
interval((j + 6) % 8, 0, 3, "a remainder within the next multiple (1)")
interval((j + 4) % 8, 0, 7, "a remainder that wraps once")
interval((j + 8) % 8, 2, 5, "a remainder within the next multiple")
interval((j * 8 + i) % 8, 0, 7, "a remainder of reduced terms")
interval((i + 5) // 4, 1, 3, "a quotient")
interval(i // 10, 0, 0, "a quotient of 0")
interval((i + 1) // 10, 0, 1, "a quotient at its border")
interval((i - 1) % 4, 0, 3, "a remainder is made of what is not negative")
ir.fails(function() index.interval((i - 1) // 4) end, "negative", "a quotient of -1")
interval((i + 0) % 4, 0, 3, "a remainder from 0 on")
local free = index.atom { op = "var", hint = "free" }
ir.fails(function() index.interval(free) end, "free is out of scope", "a variable without a loop")

-- constant tables
local tab = { name = "t", size = 6, values = { 4, -2, 7, 7, 0, 12 } }
local function fetch(e) return index.atom { op = "fetch", table = tab, arg = index.of(e) } end
local k = var("k", 0, 5)
tap.is(text(fetch(k)), "t[k]", "a fetch")
tap.is(text(fetch(k * 2 + 1) * 3 - 1), "t[k * 2 + 1] * 3 - 1", "a multiple of a fetch")
interval(fetch(k), -2, 12, "a whole table")
interval(fetch(j), 0, 12, "a part of a table: [2..5]")
interval(fetch(var("m", 1, 3)), -2, 7, "a part of a table: [1..3]")
interval(fetch(var("m", 1, 1)), -2, -2, "one element")
interval(fetch(var("m", 0, 0)), 4, 4, "the first element")
interval(fetch(k) * -2 + 1, -23, 5, "a negative multiple of a fetch")
ir.fails(function() index.interval(fetch(k) % 4) end, "remainder of a possibly negative",
  "a remainder of -2")
ir.fails(function() index.interval(fetch(k) // 4) end, "quotient of a possibly negative",
  "a quotient of -2")
ir.fails(function() index.interval(fetch(k + 1)) end, "table t is fetched at [1..6], size 6",
  "one past a table")
ir.fails(function() index.interval(fetch(k - 1)) end, "fetched at [-1..4]", "one before a table")
values = setmetatable({}, { __index = function() return 5 end })
tap.is(value(fetch(k)), 12, "evaluates a fetch: the last element")
tap.is(value(fetch(k - 5) * 2 + 1), 9, "evaluates a fetch: the first element")
local lo, hi = index.table_bounds(tab, 0, 5)
tap.is(lo, -2, "bounds of a table: smallest")
tap.is(hi, 12, "bounds of a table: largest")
lo, hi = index.table_bounds(tab, 0, 0)
tap.is(lo + hi, 8, "bounds of one element")
lo, hi = index.table_bounds(tab, 0, 5)
tap.is(lo * 100 + hi, -188, "remembered bounds are the same")
lo, hi = index.table_bounds(tab, 2, 4)
tap.is(lo * 100 + hi, 7, "another range is not the remembered one")

-- which tables a form reads
local other = { name = "u", size = 10, values = { 0, 1, 2, 3, 4, 5, 0, 1, 2, 3 } }
local function tables(e)
  local seen = {}
  index.tables(index.of(e), function(t) seen[#seen + 1] = t.name end)
  return table.concat(seen, " ")
end
tap.is(tables(i + 3), "", "no table")
tap.is(tables(fetch(k) + 1), "t", "one table")
tap.is(tables(fetch(index.atom { op = "fetch", table = other, arg = i }) % 3), "t u",
  "tables within tables and remainders")

-- rows and columns: e is row times n plus column
for name, e in pairs { sum = i * 4 + j + 7, multiples = i * 8 - j * 4 + 8, constant = index.of(11),
  negative = j * 4 - 3, fetched = fetch(k) * 4 + 2 } do
  local row, column = index.split(e, 4)
  tap.is((row * 4 + column):key(), e:key(), name .. ": rows and columns are the form")
  tap.ok(column.c >= 0 and column.c < 4, name .. ": a column of at least 0")
  for _, term in ipairs(column.terms) do
    tap.ok(term[1] % 4 ~= 0, name .. ": whole rows are in the row")
  end
end
local row, column = index.split(i * 8 + j + 7, 4)
tap.is(text(row), "i * 2 + 1", "the row")
tap.is(text(column), "j + 3", "the column")
tap.is(index.text(i + fetch(j) * 2, function(v) return v.hint end,
  function(_, at) return "<" .. text(at) .. ">" end), "i + <j> * 2", "elements printed otherwise")
tap.is(index.text(fetch(j) % 3, function(v) return v.hint end, function() return "e" end), "e % 3",
  "also inside")

-- divisibility
tap.ok(index.divisible(i * 8 + 16, 8), "multiples of 8")
tap.ok(not index.divisible(i * 8 + 4, 8), "a constant that is none")
tap.ok(not index.divisible(i * 4 + 8, 8), "a coefficient that is none")
tap.ok(not index.divisible(i * 16 + j * 4, 8), "the second coefficient is none")
tap.ok(not index.divisible(i % 8, 8), "a remainder is none")
tap.ok(not index.divisible(i // 8, 8), "a quotient is none")
tap.ok(index.divisible(i % 8 * 8, 8), "a multiple of a remainder")
tap.ok(index.divisible(index.of(0), 8), "0")
local even = { name = "e", size = 3, values = { 0, 4, 8 } }
local function evens(e) return index.atom { op = "fetch", table = even, arg = e } end
tap.ok(index.divisible(evens(i), 4), "a table of multiples of 4")
tap.ok(not index.divisible(evens(i), 8), "is not one of multiples of 8")
tap.ok(index.divisible(evens(i) * 2, 8), "its double is")
tap.ok(not index.divisible(evens(i) + j, 4), "with another term it is not")
tap.ok(not index.divisible(fetch(i), 4), "a table whose first elements are multiples only")

tap.done()
