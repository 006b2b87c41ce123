-- SPDX-License-Identifier: MIT
-- What no lowering of today needs of the printer, compiled and compared with the interpreter:
-- loops that carry values in every order, folds within folds, stores between loads of scratch.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local handmade = dofile("tests/lib/handmade.lua")(tap, compiled)

local cases = {}
local function case(name, fn) cases[#cases + 1] = { name = name, fn = fn } end
local function store(b, y, values)
  local at = 0
  for _, v in ipairs(values) do
    b:store(y, at, v)
    at = at + v.ty.lanes
  end
end
local function pair(b, x) return { b:load(x, 0, 4), b:load(x, 4, 4) } end

case("values that change places", function(b, x, y)
  store(b, y, b:fold("i", 0, 3, pair(b, x), function(_, v) return { v[2], v[1] } end))
end)
case("a rotation", function(b, x, y)
  store(b, y, b:fold("i", 0, 4, { b:load(x, 0), b:load(x, 1), b:load(x, 2) },
    function(_, v) return { v[3], v[1], v[2] } end))
end)
case("Fibonacci", function(b, x, y)
  store(b, y, b:fold("i", 0, 5, pair(b, x), function(_, v) return { v[2], b:add(v[1], v[2]) } end))
end)
case("a sum of a value that changes place", function(b, x, y)
  store(b, y, b:fold("i", 0, 5, pair(b, x), function(i, v)
    return { v[2], b:add(v[1], b:load(x, i, 4)) }
  end))
end)
case("sums across", function(b, x, y)
  store(b, y, b:fold("i", 0, 5, pair(b, x), function(i, v)
    return { b:add(v[2], b:load(x, i, 4)), b:mul(v[1], b:load(x, i + 1, 4)) }
  end))
end)
case("accumulators", function(b, x, y)
  store(b, y, b:fold("i", 0, 5, pair(b, x), function(i, v)
    return { b:add(v[1], b:load(x, i, 4)), b:fma(b:load(x, i, 4), b:load(x, i + 1, 4), v[2]) }
  end))
end)
case("a value that stays", function(b, x, y)
  store(b, y, b:fold("i", 0, 5, pair(b, x), function(_, v) return { v[1], b:add(v[1], v[2]) } end))
end)
case("a value from outside", function(b, x, y)
  local outside = b:load(x, 20, 4)
  store(b, y, b:fold("i", 0, 5, pair(b, x), function(_, v)
    return { outside, b:add(v[1], v[2]) }
  end))
end)
case("a fold in a fold", function(b, x, y)
  store(b, y, b:fold("i", 0, 3, pair(b, x), function(i, v)
    return b:fold("j", 0, 2, v, function(j, u)
      return { b:add(u[1], b:load(x, i * 4 + j, 4)), u[2] }
    end)
  end))
end)
case("a fold that starts again in every iteration", function(b, x, y)
  store(b, y, b:fold("i", 0, 3, pair(b, x), function(i, v)
    b:each("k", 0, 2, function(k)
      local inner = b:fold("j", 0, 2, { v[1] }, function(j, u)
        return { b:add(u[1], b:load(x, j * 4, 4)) }
      end)
      b:store(y, i * 16 + k * 8 + 16, inner[1])
    end)
    return { b:load(x, i, 4), v[2] }
  end))
end)
case("a fold that starts from a fold's value in a loop", function(b, x, y)
  local first = b:fold("i", 0, 2, { b:load(x, 0, 4) }, function(_, v)
    return { b:add(v[1], v[1]) }
  end)
  b:each("k", 0, 3, function(k)
    local again = b:fold("j", 0, 2, first, function(j, v)
      return { b:add(v[1], b:load(x, j * 8, 4)) }
    end)
    b:store(y, k * 4, again[1])
  end)
end)
case("a start that is used again", function(b, x, y)
  local start = b:load(x, 0, 4)
  local out = b:fold("i", 0, 3, { start }, function(i, v)
    return { b:add(v[1], b:load(x, i, 4)) }
  end)
  store(b, y, { out[1], b:mul(start, out[1]) })
end)
case("an old value that is stored after its successor is made", function(b, x, y)
  store(b, y, b:fold("i", 0, 3, { b:load(x, 0, 4) }, function(i, v)
    local following = b:add(v[1], b:load(x, i, 4))
    b:store(y, i * 4 + 8, v[1])
    return { following }
  end))
end)
case("scratch that is overwritten between two loads", function(b, x, y)
  local s = b:scratch("s", "f32", 16)
  b:store(s, 0, b:load(x, 0, 4))
  local before = b:load(s, 0, 4)
  b:store(s, 0, b:load(x, 8, 4))
  store(b, y, { b:add(b:load(s, 0, 4), before) })
end)
case("the same in a loop", function(b, x, y)
  local s = b:scratch("s", "f32", 16)
  b:store(s, 0, b:load(x, 0, 4))
  b:each("i", 0, 4, function(i)
    local old = b:load(s, 0, 4)
    b:store(s, 0, b:add(old, b:load(x, i, 4)))
    b:store(y, i * 4, old)
  end)
end)
case("shuffles, splats, gathers, tables", function(b, x, y)
  local t = b:table("t", "i32", { 7, 0, 3, 3, 9 })
  local w = b:table("w", "f32", { 0.1, -2.5, 1e-40, 3 })
  local p, q = b:load(x, 0, 4), b:load(x, 8, 4)
  store(b, y, {
    b:shuffle(p, q, { 7, 0, 3, 4 }), b:splat(b:load(w, 1), 4), b:gather(x, 4, t, 1, 4),
    b:load(w, 0, 4), b:shuffle(p, q, { 5, 2 }), b:shuffle(p, q, { 6 }),
    b.target.vector_bytes < 32 and q or b:shuffle(q, q, { 3, 1, 0, 2, 3, 1, 0, 2 }),
  })
end)
case("vectors of scalars", function(b, x, y)
  local first, second = b:load(x, 3), b:load(x, 5)
  store(b, y, {
    b:shuffle(first, second, { 1, 0, 0, 1 }), b:shuffle(first, nil, { 0, 0 }),
    b:add(b:shuffle(b:add(first, second), first, { 1, 0 }), b:shuffle(second, first, { 0, 0 })),
  })
end)
case("a widened vector beside another", function(b, x, y)
  local wide, short = b:shuffle(b:load(x, 3), nil, { 0, 0, 0, 0 }), b:load(x, 5, 2)
  local widened = b:shuffle(short, nil, { 0, 1, 1, 0 })
  store(b, y, { b:shuffle(widened, wide, { 0, 5, 1, 6 }) })
  store(b, b:view("later", y, 4), { b:shuffle(wide, widened, { 0, 5, 1, 6 }) })
end)
case("long expressions", function(b, x, y)
  local v = b:load(x, 0, 4)
  for i = 1, 12 do
    v = b:add(b:mul(v, b:load(x, i, 4)), b:const("f32", 4, i % 2 == 0 and 1 or -1))
  end
  store(b, y, { v })
end)
case("constants of all kinds", function(b, x, y)
  store(b, y, {
    b:const("f32", 4, { 0.1, -0.0, 2.0 ^ -149, 0x1.fffffep127 }), b:const("f32", 4, -0.0),
    b:mul(b:load(x, 0, 4), b:const("f32", 4, { 1, 2, 3, 4 })), b:const("f32", 1, 1e10),
  })
end)
case("index arithmetic", function(b, x, y)
  local t = b:table("t", "i32", { 3, -1, 2 })
  b:each("i", 0, 3, function(i)
    b:each("j", 0, 4, function(j)
      local at = (i * 7 + j * 3 + 5) % 8 + i // 2 * 3 - b:fetch(t, (i + j) % 3)
      b:store(b:view("v", y, i * 4), j, b:load(x, at + 4))
    end)
  end)
end)

local inputs = {}
for k = 1, handmade.SIZE do inputs[k] = k * k % 37 / 16 - 1 end
local machines = compiled.runnable()
handmade.check(19, machines[#machines], cases, inputs)
handmade.check(14, machines[1], cases, inputs)

compiled.command.clean()
tap.done()
