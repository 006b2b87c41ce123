-- SPDX-License-Identifier: MIT
-- The listing of the IR: one line of every form.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local listing = require "upweave.ir.print"

local b = ir.new(true)
local x, y = b:input("x", "f32", 64), b:output("y", "f32", 64)
local s = b:scratch("ring", "f32", 32)
local t = b:table("at", "i32", { 3, -1, 2, 0 })
local w = b:table("weight", "f32", { 0.1, -2.5, 1e-40 })
b:note("row %d of %s", 3, "x")
local p = b:load(x, 0, 4, "left")
local q = b:load(w, 2)
b:tasks(8, 2, function(task)
  local v = b:view("src", x, task % 2 * 8)
  local u = b:view("in", v, b:fetch(t, task // 2) + 1)
  b:group(function()
    local g = b:gather(u, 1, t, 0, 4, "far")
    local sum = b:fma(b:const("f32", 4, { 1, 2, 3, 4.5 }), b:add(p, g), b:splat(q, 4))
    b:store(s, task, b:mul(sum, b:const("f32", 4, 0.25)))
  end)
  b:each("empty", task, 9, function() end)
  local two = b:load(s, 1, 2)
  local out = b:fold("k", b:fetch(t, task % 4), task * 2 + 1, { two, b:load(s, 3, 2) },
    function(k, c)
      return { c[2], b:add(c[1], b:load(x, k - 1, 2)) }
    end)
  b:store(y, task * 2, out[1])
  b:store(y, task * 2, b:shuffle(out[2], out[1], { 3, -1 }), true)
end)

tap.is(listing.print(b), [[
input f32 x[64]
output f32 y[64]
scratch f32 ring[32]
table i32 at[4]
  3 -1 2 0
table f32 weight[3]
  0.100000001 -2.5 9.9999461e-41
; row 3 of x
%1:left = load f32x4 x[0]
%2 = load f32 weight[2]
for %3:task = 0 .. 8 {
  %4:src = view x[(%3:task % 2) * 8]
  %5:in = view %4:src[at[%3:task / 2] + 1]
  {
    %6:far = gather f32x4 %5:in[1] by at[0]
    %7 = add f32x4 %1:left, %6:far
    %8 = splat f32x4 %2
    %9 = fma f32x4 f32x4(1 2 3 4.5), %7, %8
    %10 = mul f32x4 f32x4(0.25), %9
    store ring[%3:task], %10
  }
  for %11:empty = %3:task .. 9 {
  }
  %12 = load f32x2 ring[1]
  %13 = load f32x2 ring[3]
  for %16:k = at[%3:task % 4] .. %3:task * 2 + 1 carry %14, %15 from %12, %13 {
    %17 = load f32x2 x[%16:k - 1]
    %18 = add f32x2 %14, %17
    next %15, %18
  } -> %19, %20
  store y[%3:task * 2], %19
  %21 = shuffle f32x2 %20, %19 [3 -1]
  stream y[%3:task * 2], %21
}
]], "every form")

local sums = ir.new(false)
local numbers, total = sums:input("x", "f32", 8), sums:output("y", "f32", 1)
local sum = sums:fold("k", 1, 8, { sums:load(numbers, 0) }, function(k, c)
  return { sums:add(c[1], sums:load(numbers, k)) }
end)
sums:store(total, 0, sum[1])
tap.is(listing.print(sums), [[
input f32 x[8]
output f32 y[1]
%1 = load f32 x[0]
for %3:k = 1 .. 8 carry %2 from %1 {
  %4 = load f32 x[%3:k]
  %5 = add f32 %2, %4
  next %5
} -> %6
store y[0], %6
]], "one carried value")

tap.is(listing.print(ir.new(false)), "\n", "nothing")

tap.done()
