-- SPDX-License-Identifier: MIT
-- The error of Winograd's algorithms, measured: prints a C program that prints the table of
-- docs/numerics.md.
--
-- usage: lua5.4 tools/winograd_errors.lua >errors.c &&
--        clang-19 -O2 -march=native -ffp-contract=off errors.c -lm -o errors && ./errors [K…]
-- For every algorithm, on two axes, along one axis of a square kernel and alone on one axis: the
-- same convolution directly (fused multiply-add over taps, then channels), by the algorithm in the
-- order of a kernel's operations (its own transforms as `lower.contract.transform` writes them)
-- and in double. K channels, 60 x 60 x 16 outputs, inputs and weights uniform in (-1/2, 1/2), five
-- seeds. Errors are counted in units of 2^-24 of the largest output; a ratio is the algorithm's
-- error over the direct one's.

dofile("generator/searcher.lua")(".")
local builder = require "upweave.ir.builder"
local index = require "upweave.ir.index"
local prune = require "upweave.ir.prune"
local transform = require "upweave.lower.contract.transform"
local winograd = require "upweave.plan.winograd"

local out = {}
local function line(fmt, ...) out[#out + 1] = fmt:format(...) end

local OPERATION <const> = {
  add = "%s + %s", sub = "%s - %s", mul = "%s * %s", fma = "fmaf(%s, %s, %s)",
}

local function operand(v) return v.op == "const" and ("%af"):format(v.values[1]) or "t" .. v.id end

local function statement(n)
  if n.op == "store" then
    line("  y[%d] = %s;", index.static(n.index), operand(n[1]))
  elseif n.op == "load" then
    line("  const float t%d = x[%d];", n.id, index.static(n.index))
  else
    local operands = {}
    for i, v in ipairs(n) do operands[i] = operand(v) end
    line("  const float t%d = %s;", n.id, OPERATION[n.op]:format(table.unpack(operands)))
  end
end

-- A transform as a C function from x to y.
local function print_function(name, matrices)
  local b = builder.new(name, { name = "host", fma = true }, "f32")
  local inputs, outputs = 1, 1
  for _, matrix in ipairs(matrices) do
    inputs, outputs = inputs * #matrix[1], outputs * #matrix
  end
  local x, y = b:input("x", "f32", inputs), b:output("y", "f32", outputs)
  transform.apply(b, matrices, function(i) return b:load(x, i) end,
    function(i, v) b:store(y, i, v) end)
  line("static void %s(const float *x, float *y)\n{", name)
  for _, n in ipairs(prune.prune(b).body) do statement(n) end
  line("}\n")
end

local function numbers(matrix)
  local list = {}
  for _, row in ipairs(matrix) do
    for _, v in ipairs(row) do list[#list + 1] = ("%a"):format(v:number()) end
  end
  return table.concat(list, ", ")
end

-- One line of the table: the algorithm on `axes` axes of a kernel of `across` x `taps` taps.
local function case(name, i, w, axes, across, taps)
  local label = ("%s, %s%s"):format(name,
    axes == 2 and "both axes" or across > 1 and "one axis of two" or "one axis",
    taps > w.r and (", %d taps in blocks"):format(taps) or "")
  line("  measure(&(struct algorithm){\"%s\", %d, %d, %d, %d, %d, g%d, in%d_%d, out%d_%d}, k);",
    label, w.m, w.r, axes, across, taps, i, i, axes, i, axes)
end

local function print_cases(i, algorithm, w)
  case(algorithm.name, i, w, 2, w.r, w.r)
  case(algorithm.name, i, w, 1, w.r, w.r)
  case(algorithm.name, i, w, 1, 1, w.r)
  if not winograd.takes(algorithm, 16) then return end
  for _, taps in ipairs { 5, 6, 7, 8, 9, 16 } do
    case(algorithm.name, i, w, 1, 1, taps)
  end
  case(algorithm.name, i, w, 1, 7, 7)
end

local function frame()
  local file <close> = assert(io.open("tools/winograd_errors.c"))
  return file:read("a")
end

local function main()
  line("%s", frame())
  local all = {}
  for i, algorithm in ipairs(winograd.algorithms) do
    local w = winograd.matrices(algorithm)
    all[i] = w
    line("static const double g%d[] = {%s};", i, numbers(w.g))
    for axes = 1, 2 do
      print_function(("in%d_%d"):format(i, axes), axes == 1 and { w.bt } or { w.bt, w.bt })
      print_function(("out%d_%d"):format(i, axes), axes == 1 and { w.at } or { w.at, w.at })
    end
  end
  line("static void all(int k)\n{")
  for i, algorithm in ipairs(winograd.algorithms) do print_cases(i, algorithm, all[i]) end
  line("}\n")
  line("int main(int argc, char **argv)\n{")
  line("  for (int i = 1; i < argc; i++) all(atoi(argv[i]));")
  line("  return 0;\n}")
  io.stdout:write(table.concat(out, "\n"), "\n")
end

main()
