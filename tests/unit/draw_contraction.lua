-- SPDX-License-Identifier: MIT
-- Drawings of convolutions: phases by their taps, what lies beyond the input, nothing drawn twice.

package.path = "tests/lib/?.lua;" .. package.path
local tap = dofile "tests/lib/tap.lua"
local draw = require "upweave.draw"
local ops = require "upweave.ops"
local problems = require "problems"
local xml = require "xml"

-- The texts of a class in the drawing of some fields; one axis, unless they say otherwise.
local function drawn(fields)
  fields.op = fields.op or "conv"
  fields.out_channels = 2
  local problem = problems.make(fields)
  local op = ops.find(problem.op)
  local text = draw.document { { problem = problem, plan = op.plan(problem),
    formula = op.formula(problem) } }
  local list, fault = xml.elements(text)
  assert(list, fault)
  return list, text
end

local function texts(list, class)
  local found = {}
  for i, element in ipairs(xml.of_class(list, class)) do found[i] = element.text end
  return found
end

local function wide(n) return { shape = { 1, 1, n } } end

local list = drawn { x = wide(9), kernel_size = 3, stride = 2, padding = 1 }
tap.same(texts(list, "title"), { "k: conv 3, stride 2" }, "the title")
tap.same(texts(list, "formula"), { "y[n] = w0 x[2n−1] + w1 x[2n] + w2 x[2n+1]",
  "y[0] = w1 x[0] + w2 x[1]", "y[4] = w0 x[7] + w1 x[8]" }, "one phase, two edges")
tap.is(texts(list, "soft")[2], "stride 2 · 2 input pixels per output · at most 3 taps · repeats"
  .. " after 1 output = 2 inputs", "what is repeated")
tap.is(#xml.of_class(list, "tap") - 1, 13, "a line for each tap inside, and the key's")
local clipped = 0
for _, element in ipairs(xml.of_class(list, "output")) do
  clipped = clipped + (element.at.class == "output clipped" and 1 or 0)
end
tap.is(clipped, 2, "outputs with taps outside are marked")

list = drawn { op = "conv_transpose", x = wide(8), kernel_size = 4, stride = 2, padding = 1 }
tap.same(texts(list, "formula"), { "y[2n] = w3 x[n−1] + w1 x[n]", "y[2n+1] = w2 x[n] + w0 x[n+1]",
  "y[0] = w1 x[0]", "y[15] = w2 x[7]" }, "a phase for each residue of the stride")
tap.same(texts(list, "head"), { "w: 8 → 16" }, "sizes of the axis")
tap.is(texts(list, "soft")[2], "spread by 2 · 1/2 input pixel per output · at most 2 taps · repeats"
  .. " after 2 outputs = 1 input", "and what is repeated")
-- Where an output and the middle of its kernel lie: 0 between inputs 0 and 1, at -1/4.
local drawable = require("upweave.draw.contraction").drawable
local problem = problems.make { op = "conv_transpose", x = wide(8), out_channels = 2,
  kernel_size = 4, stride = 2, padding = 1 }
local source = drawable(ops.find("conv_transpose").plan(problem), problem).axes[1].source
tap.is(("%g %g %g"):format(source.first, source.step, source.reach), "-0.25 0.5 1", "the ruler")

list = drawn { op = "conv_transpose", x = wide(8), kernel_size = 3, stride = 2, dilation = 2 }
tap.ok(table.concat(texts(list, "formula"), "\n"):find("y[2n+1] = no taps", 1, true),
  "a phase without taps")

list = drawn { x = { shape = { 1, 1, 9, 9 } }, kernel_size = 3, padding = 1 }
tap.same(texts(list, "head"), { "h = w: 9 → 9" }, "axes that are alike are drawn once")
list = drawn { x = { shape = { 1, 1, 9, 9 } }, kernel_size = { 3, 1 }, padding = { 1, 0 } }
tap.is(#texts(list, "head"), 2, "others twice")

-- Anything can be drawn, in bounded size.
local longest = 0
for _, op in ipairs { "conv", "conv_transpose" } do
  for kernel = 1, 9, 2 do
    for stride = 1, 7, 2 do
      for _, size in ipairs { 1, 4, 300 } do
        local _, text = drawn { op = op, x = wide(size), kernel_size = kernel, stride = stride,
          dilation = 1 + kernel % 3, padding = op == "conv" and 12 or 0 }
        longest = math.max(longest, #text)
      end
    end
  end
end
tap.ok(longest < 400000, ("the longest drawing has %d bytes"):format(longest))

tap.done()
