-- SPDX-License-Identifier: MIT
-- The C printer: the text of every form, names that meet nothing else.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local printer = require "upweave.emit.printer"
local prune = require "upweave.ir.prune"

-- The statements of a module, without indentation of the whole.
local function printed(fn, reserved, fma)
  local b = ir.new(fma ~= false)
  fn(b, b:input("x", "f32", 64), b:output("y", "f32", 64))
  prune.prune(b)
  local body = printer.print({ b }, reserved or {}, "sym")
  return ("\n" .. table.concat(b.lines, "\n")):gsub("\n  ", "\n"):sub(2), body, b
end
local function is(want, name, fn, reserved, fma)
  tap.is((printed(fn, reserved, fma)), want, name)
end

is("y[0] = x[1];", "a scalar copy", function(b, x, y) b:store(y, 0, b:load(x, 1)) end)
is("store_f32x4(y + 4, load_f32x4(x));", "a copy of a vector", function(b, x, y)
  b:store(y, 4, b:load(x, 0, 4))
end)
is("store_f32x4(y, load_f32x4(x) + (load_f32x4(x + 4) * load_f32x4(x + 8)));",
  "an operator within an operator", function(b, x, y)
    b:store(y, 0, b:add(b:load(x, 0, 4), b:mul(b:load(x, 4, 4), b:load(x, 8, 4))))
  end)
is("store_f32x4(y, fma_f32x4((f32x4)0.25f, load_f32x4(x), load_f32x4(x + 4)));", "fma",
  function(b, x, y)
    b:store(y, 0, b:fma(b:load(x, 0, 4), b:const("f32", 4, 0.25), b:load(x, 4, 4)))
  end)
is("stream_f32x4(y, load_f32x4(x), aligned);", "a streaming store", function(b, x, y)
  b:store(y, 0, b:load(x, 0, 4), true)
end)
is("const f32x4 x_2 = load_f32x4(x);\nstore_f32x4(y, x_2 + x_2);", "a value used twice has a name",
  function(b, x, y)
    local v = b:load(x, 0, 4)
    b:store(y, 0, b:add(v, v))
  end)
is("const f32x4 left = load_f32x4(x);\nstore_f32x4(y, left);", "so has a value with a role",
  function(b, x, y) b:store(y, 0, b:load(x, 0, 4, "left")) end)
is("/* rows */\n{\n  y[0] = x[0];\n}\n/* end */", "notes and blocks", function(b, x, y)
  b:note("rows")
  b:group(function() b:store(y, 0, b:load(x, 0)) end)
  b:note("%s", "end")
end)
is("float *u = y;\nconst float *v = x + 3;\nu[1] = v[2];", "pointers", function(b, x, y)
  b:store(b:view("u", y, 0), 1, b:load(b:view("v", x, 3), 2))
end)
is("for (ptrdiff_t i = 2; i < 9; ++i) {\n  y[i * 2 + 1] = x[(i * 3 + 1) % 8];\n}",
  "a loop and its indices", function(b, x, y)
    b:each("i", 2, 9, function(i) b:store(y, i * 2 + 1, b:load(x, (i * 3 + 1) % 8)) end)
  end)
is("for (ptrdiff_t task = begin; task < end; ++task) {\n  y[task] = x[task / 2];\n}", "tasks",
  function(b, x, y) b:tasks(8, 1, function(i) b:store(y, i, b:load(x, i // 2)) end) end)
is("float sum = 0.0f;\nfor (ptrdiff_t i = 0; i < 4; ++i) {\n  sum = sum + x[i];\n}\ny[0] = sum;",
  "a carried value is one variable", function(b, x, y)
    local out = b:fold("i", 0, 4, { b:const("f32", 1, 0) }, function(i, v)
      return { b:add(v[1], b:load(x, i)) }
    end)
    b:store(y, 0, out[1])
  end)
is([[
float sum = x[0];
float sum_2 = x[1];
for (ptrdiff_t i = 0; i < 4; ++i) {
  const float next_sum = sum_2;
  const float next_sum_2 = sum;
  sum = next_sum;
  sum_2 = next_sum_2;
}
y[0] = sum;
y[1] = sum_2;]], "carried values that change places", function(b, x, y)
  local out = b:fold("i", 0, 4, { b:load(x, 0), b:load(x, 1) }, function(_, v)
    return { v[2], v[1] }
  end)
  b:store(y, 0, out[1])
  b:store(y, 1, out[2])
end)
is("const f32x4 x_2 = load_f32x4(s);\nstore_f32x4(s, x_2 + (f32x4)1.0f);\nstore_f32x4(y, x_2);",
  "a load of scratch stays before a later store", function(b, _, y)
    local s = b:scratch("s", "f32", 8)
    local v = b:load(s, 0, 4)
    b:store(s, 0, b:add(v, b:const("f32", 4, 1)))
    b:store(y, 0, v)
  end)
is("const f32x4 x_2 = load_f32x4(x);\n"
  .. "store_f32x2(y, __builtin_shufflevector(x_2, x_2, 2, 1));",
  "a shuffle of one vector", function(b, x, y)
    local v = b:load(x, 0, 4)
    b:store(y, 0, b:shuffle(v, v, { 2, 1 }))
  end)

-- names: equal ones get numbers, reserved ones are left alone, scopes end
is("const f32x4 v = load_f32x4(x);\nconst f32x4 v_2 = load_f32x4(x + 4);\nstore_f32x4(y, v_2 + v);",
  "equal roles", function(b, x, y)
    local p, q = b:load(x, 0, 4, "v"), b:load(x, 4, 4, "v")
    b:store(y, 0, b:add(q, p))
  end)
is("const f32x4 end_2 = load_f32x4(x);\nstore_f32x4(y, end_2);", "a reserved name",
  function(b, x, y) b:store(y, 0, b:load(x, 0, 4, "end")) end, { "end" })
is("{\n  const float v = x[0];\n  y[0] = v;\n}\n{\n  const float v = x[1];\n  y[1] = v;\n}",
  "copies of a block look alike", function(b, x, y)
    for k = 0, 1 do
      b:group(function() b:store(y, k, b:load(x, k, 1, "v")) end)
    end
  end)
is("const float x_2 = x[0];\n{\n  const float x_3 = x[1];\n  y[1] = x_3;\n}\ny[0] = x_2;",
  "an inner name hides no outer one", function(b, x, y)
    local outer = b:load(x, 0, 1, "x")
    b:group(function() b:store(y, 1, b:load(x, 1, 1, "x")) end)
    b:store(y, 0, outer)
  end)
is("for (ptrdiff_t i = 0; i < 2; ++i) {\n  for (ptrdiff_t i_2 = 0; i_2 < 3; ++i_2) {\n    "
  .. "y[i * 3 + i_2] = x[i_2];\n  }\n}", "loops of one name", function(b, x, y)
    b:each("i", 0, 2, function(i)
      b:each("i", 0, 3, function(j) b:store(y, i * 3 + j, b:load(x, j)) end)
    end)
  end)

-- what is used is what is declared
local _, body = printed(function(b, x, y)
  local t = b:table("t", "i32", { 0, 2, 4, 6 })
  local v = b:gather(x, 0, t, 0, 4)
  b:store(y, 0, b:fma(v, v, b:const("f32", 4, { 1, 2, 3, 4 }, "w")))
  b:store(y, 4, b:const("f32", 4, { 1, 2, 3, 4 }))
  b:store(y, 8, b:const("f32", 2, 3), true)
end)
local function names(list, field)
  local out = {}
  for i, entry in ipairs(list) do out[i] = entry[field] end
  table.sort(out)
  return table.concat(out, " ")
end
tap.is(names(body.types, "name"), "f32x2 f32x4", "types")
tap.is(names(body.helpers, "name"), "fma_f32x4 gather_f32x4 store_f32x4 stream_f32x2", "helpers")
tap.is(#body.constants, 1, "equal constants are one")
tap.is(body.constants[1].cname, "w", "named by its role")

-- printing twice gives the same
local _, _, module = printed(function(b, x, y)
  local v = b:load(x, 0, 4)
  b:store(y, 0, b:add(v, v))
end)
local first = table.concat(module.lines, "\n")
printer.print({ module }, {}, "sym")
tap.is(table.concat(module.lines, "\n"), first, "a module may be printed again")

tap.done()
