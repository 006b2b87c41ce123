-- SPDX-License-Identifier: MIT
-- Laws of convolutions: axis maps are those of the definition; conv_transpose is the adjoint of
-- conv with the same weights; an impulse gives the kernel.
--
-- Numbers are small integers: sums are exact, so that equal means equal.

local tap = dofile "tests/lib/tap.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local interpreted = dofile "tests/lib/interpreted.lua"
local reference = dofile "tests/lib/reference/contract.lua"
local contract = require "upweave.plan.contract"
local driver = require "upweave.driver"
local make = dofile("tests/lib/problems.lua").make
local ops = require "upweave.ops"

local random = ir.random(4)

-- axis maps --------------------------------------------------------------------------------------

-- What is wrong with the plan of the only axis of a problem, or nil.
local function wrong_axis(problem)
  local plan, found = ops.find(problem.op).plan(problem).axes[1], reference.axis(problem, 1)
  for o = 0, plan.output - 1 do
    local taps, want = plan.taps[o % plan.phases + 1], {}
    for _, meeting in ipairs(found[o]) do want[meeting.i] = meeting.k end
    local first, last = contract.inside(plan, o)
    for t = first, last do
      local i = o // plan.phases * plan.step + taps[t].at
      if t > first and taps[t].at <= taps[t - 1].at then return "taps do not ascend" end
      if want[i] ~= taps[t].k then return ("y[%d] reads x[%d]"):format(o, i) end
      want[i] = nil
    end
    if next(want) then return ("y[%d] does not read x[%d]"):format(o, next(want)) end
  end
end

-- The same of what the plan knows without looking at every output: where all taps are inside, how
-- many are.
local function wrong_summary(problem)
  local plan, found = ops.find(problem.op).plan(problem).axes[1], reference.axis(problem, 1)
  local inside, cost, total, widest = plan:interior(), plan:cost(), 0, 0
  for o = 0, plan.output - 1 do
    local taps, n = #plan.taps[o % plan.phases + 1], #found[o]
    total, widest = total + n, math.max(widest, n)
    local all = o >= inside.first and o <= inside.last
    local beside = inside.first <= inside.last and (o == inside.first - 1 or o == inside.last + 1)
    if all and n < taps or beside and n == taps then return ("y[%d] and the interior"):format(o) end
  end
  if cost.taps ~= total or cost.widest ~= widest then
    return ("%d taps, at most %d; not %d, %d"):format(total, widest, cost.taps, cost.widest)
  end
end

-- The problem of a random axis, and its arguments as text.
local function random_axis(op)
  local k, d, s = 1 + random(6), 1 + random(4), 1 + random(5)
  local reach = d * (k - 1)
  local pads = { random(reach + 3), random(reach + 3) }
  local least = op == "conv" and reach + 1 - pads[1] - pads[2]
    or (pads[1] + pads[2] - reach) // s + 2
  local input = math.max(1, least) + random(9)
  return make {
    op = op, x = { shape = { 1, 1, input }, layout = "NCW" }, out_channels = 1, kernel_size = k,
    dilation = d, stride = s, padding = pads,
    output_padding = op == "conv_transpose" and random(math.max(s, d)) or nil,
  }, ("%d: k%d d%d s%d pads %d %d"):format(input, k, d, s, pads[1], pads[2])
end

for _, op in ipairs { "conv", "conv_transpose" } do
  local fault
  for _ = 1, 300 do
    local problem, text = random_axis(op)
    local found = wrong_axis(problem) or wrong_summary(problem)
    fault = fault or found and text .. ": " .. found
  end
  tap.is(fault, nil, op .. ": 300 axes map as the definition says")
end

-- adjoint ----------------------------------------------------------------------------------------

local TARGETS <const> = { "generic", "x86-64-v3", "icelake" }

local function elements(shape)
  local n = 1
  for _, size in ipairs(shape) do n = n * size end
  return n
end

local function integers(n)
  local out = {}
  for i = 1, n do out[i] = random(17) - 8.0 end
  return out
end

local function run(problem, target, memory)
  local r = assert(driver.compile(problem, { target = target, stop_after = "ir" }))
  return interpreted.run(r.ir, memory, elements(problem.y.shape))
end

local LAYOUTS <const> = { { "NCW", "NWC" }, { "NCHW", "NHWC" }, { "NCDHW", "NDHWC" } }

-- A tensor of a layout, from batch, channels and sizes.
local function tensor(layout, n, c, sizes)
  local shape = { n, table.unpack(sizes) }
  table.insert(shape, layout:sub(2, 2) == "C" and 2 or #shape + 1, c)
  return { shape = shape, layout = layout }
end

-- conv of random arguments, and the conv_transpose that goes back to its input.
local function pair(rank)
  local g = 1 + random(3)
  local fields = {
    op = "conv", groups = g, bias = false, out_channels = g * (1 + random(5)), kernel_size = {},
    stride = {}, dilation = {}, padding = {}, numerics = "strict",
  }
  local sizes, more = {}, {}
  for a = 1, rank do
    local k, d, s = 1 + random(4 - rank + 1), 1 + random(2), 1 + random(3)
    local reach = d * (k - 1)
    local p, q = random(reach + 1), random(reach + 1)
    sizes[a] = math.max(1, reach + 1 - p - q) + random(rank == 1 and 20 or 5)
    fields.kernel_size[a], fields.dilation[a], fields.stride[a] = k, d, s
    fields.padding[a], fields.padding[a + rank] = p, q
    more[a] = (sizes[a] + p + q - reach - 1) % s
  end
  local layout, channels = LAYOUTS[rank][1 + random(2)], g * (1 + random(6))
  fields.x = tensor(layout, 1 + random(2), channels, sizes)
  local forth, back = make(fields), {}
  for key, value in pairs(fields) do back[key] = value end
  back.op, back.out_channels, back.output_padding = "conv_transpose", channels, more
  back.x = { shape = forth.y.shape, layout = layout }
  return forth, make(back)
end

local function dot(a, b)
  local sum = 0.0
  for i, v in ipairs(a) do sum = sum + v * b[i - 1] end
  return sum
end

-- <conv x, y> and <x, conv_transpose y> of random numbers, where they differ.
local function apart(rank, target)
  local forth, back = pair(rank)
  local x, y = integers(elements(forth.x.shape)), integers(elements(forth.y.shape))
  local weight = integers(elements(ops.find("conv").tensors(forth)[3].shape))
  local left = dot(y, run(forth, target, { x = x, weight = weight }))
  local right = dot(x, run(back, target, { x = y, weight = weight }))
  return left ~= right
    and ("%s: %.17g ~= %.17g"):format(table.concat(forth.x.shape, "x"), left, right) or nil
end

for rank = 1, 3 do
  local fault
  for n = 1, 12 do fault = fault or apart(rank, TARGETS[n % #TARGETS + 1]) end
  tap.is(fault, nil, ("rank %d: 12 adjoints"):format(rank))
end

-- impulses ---------------------------------------------------------------------------------------

local HEIGHT <const>, WIDTH <const>, PAD <const> = 11, 13, 3
local INPUTS <const>, OUTPUTS <const>, ROWS <const>, COLUMNS <const> = 2, 3, 2, 3

-- The output on which tap k puts the input i; nil where it puts it on none.
local function target_of(transposed, i, k, stride, dilation)
  if transposed then return i * stride - PAD + k * dilation end
  local o = i + PAD - k * dilation
  return o % stride == 0 and o // stride or nil
end

-- Calls fn(oy, ox, ky, kx) for the outputs that use the input at h, w.
local function each_target(transposed, h, w, stride, dilation, fn)
  for ky = 0, ROWS - 1 do
    for kx = 0, COLUMNS - 1 do
      local oy = target_of(transposed, h, ky, stride, dilation)
      local ox = target_of(transposed, w, kx, stride, dilation)
      if oy and ox then fn(oy, ox, ky, kx) end
    end
  end
end

-- Weights are 1, 2, 3, …; x is 1 at one place. conv_transpose gives the kernel, conv mirrors it.
local function impulse(op, stride, dilation, target)
  local transposed = op == "conv_transpose"
  local problem = make {
    op = op, x = tensor("NHWC", 1, INPUTS, { HEIGHT, WIDTH }), out_channels = OUTPUTS,
    kernel_size = { ROWS, COLUMNS }, stride = stride, dilation = dilation, padding = PAD,
    bias = false, numerics = "strict",
  }
  local x, weight, want, columns = {}, {}, {}, problem.y.shape[3]
  for i = 1, HEIGHT * WIDTH * INPUTS do x[i] = 0.0 end
  for i = 1, INPUTS * OUTPUTS * ROWS * COLUMNS do weight[i] = i + 0.0 end
  local h, w, c = 5, 5, 1
  x[(h * WIDTH + w) * INPUTS + c + 1] = 1.0
  each_target(transposed, h, w, stride, dilation, function(oy, ox, ky, kx)
    for o = 0, OUTPUTS - 1 do
      local at = transposed and c * OUTPUTS + o or o * INPUTS + c
      want[(oy * columns + ox) * OUTPUTS + o] = weight[(at * ROWS + ky) * COLUMNS + kx + 1]
    end
  end)
  assert(next(want), "an impulse that nothing uses")
  local y = run(problem, target, { x = x, weight = weight })
  for i = 0, elements(problem.y.shape) - 1 do
    local expected = want[i] or 0.0
    if y[i] ~= expected then return ("y[%d] = %g, want %g"):format(i, y[i], expected) end
  end
end

for _, op in ipairs { "conv", "conv_transpose" } do
  for n, case in ipairs { { 1, 1 }, { 2, 1 }, { 3, 2 }, { 2, 2 } } do
    tap.is(impulse(op, case[1], case[2], TARGETS[n % #TARGETS + 1]), nil,
      ("%s, stride %d, dilation %d: an impulse gives the kernel"):format(op, case[1], case[2]))
  end
end

tap.done()
