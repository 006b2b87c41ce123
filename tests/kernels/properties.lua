-- SPDX-License-Identifier: MIT
-- What every compiled kernel must do whatever its weights are: keep constants, be linear, answer an
-- impulse with its weights and nothing else, move with its input, be the adjoint of its transpose.

local tap = dofile "tests/lib/tap.lua"
local compiled = dofile "tests/lib/compiled.lua"
local ir = dofile("tests/lib/ir.lua")(tap)
local problems = dofile "tests/lib/problems.lua"
local ops = require "upweave.ops"

local EPS <const> = 2.0 ^ -24

local function tensor(layout, ...) return { shape = { ... }, layout = layout } end
local cases = {
  { x = tensor("NCHW", 1, 1, 12, 40), mode = "nearest", scale_factor = { 2, 3 } },
  { x = tensor("NCHW", 1, 1, 9, 37), mode = "nearest-exact", size = { 14, 51 } },
  { x = tensor("NCHW", 1, 1, 12, 40), mode = "bilinear", scale_factor = { 2, 2 } },
  { x = tensor("NCHW", 1, 1, 12, 40), mode = "bilinear", scale_factor = { 3, 4 },
    schedule = "rolling:rows=4,strips=2" },
  { x = tensor("NCHW", 1, 1, 17, 33), mode = "bilinear", size = { 33, 65 }, align_corners = true },
  { x = tensor("NCHW", 1, 1, 30, 75), mode = "bilinear", size = { 12, 30 }, antialias = true },
  { x = tensor("NCHW", 1, 1, 10, 36), mode = "bicubic", scale_factor = { 4, 4 } },
  { x = tensor("NCHW", 1, 1, 6, 6), mode = "bicubic", scale_factor = { 2, 2 }, schedule = "plane" },
  { x = tensor("NCHW", 1, 1, 14, 12), mode = "bilinear", scale_factor = { 2, 2 },
    schedule = "registers" },
  { x = tensor("NHWC", 1, 12, 20, 1), mode = "area", size = { 5, 8 } },
  { x = tensor("NHWC", 1, 9, 11, 1), mode = "bilinear", size = { 20, 17 } },
  { x = tensor("NCW", 1, 1, 120), mode = "linear", scale_factor = 2 },
  { x = tensor("NWC", 1, 90, 1), mode = "linear", size = { 71 } },
  { x = tensor("NCDHW", 1, 1, 4, 5, 12), mode = "trilinear", scale_factor = 2 },
}

local list, plans, titles = {}, {}, {}
for i, fields in ipairs(cases) do
  list[i] = problems.make(fields)
  compiled.name(list[i], i)
  plans[i] = ops.find(list[i].op).plan(list[i])
  titles[i] = ("%s %s"):format(list[i].mode, list[i].x.layout)
end

local function count(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end
local function sizes(problem) return count(problem.x.shape), count(problem.y.shape) end

-- Column and row sums of the whole map by its axes: dense weights of output o, as a function.
local function unravel(axes, at, field)
  local place = {}
  for a = #axes, 1, -1 do
    place[a] = at % axes[a][field]
    at = at // axes[a][field]
  end
  return place
end
local function axis_weight(axis, o, i)
  local t = axis.taps[o + 1]
  for k, at in ipairs(t.index) do
    if at == i then return t.weight[k] end
  end
end
-- the weight of input i in output o, nil if it has none
local function weight(plan, o, i)
  local out, input = unravel(plan.axes, o, "output"), unravel(plan.axes, i, "input")
  local product = 1.0
  for a, axis in ipairs(plan.axes) do
    local w = axis_weight(axis, out[a], input[a])
    if not w then return nil end
    product = product * w
  end
  return product
end
-- all inputs of output o with their weights
local function taps_of(plan, o)
  local place, taps = unravel(plan.axes, o, "output"), { { 0, 1.0 } }
  for a, axis in ipairs(plan.axes) do
    local t, more = axis.taps[place[a] + 1], {}
    for _, part in ipairs(taps) do
      for k, i in ipairs(t.index) do
        more[#more + 1] = { part[1] * axis.input + i, part[2] * t.weight[k] }
      end
    end
    taps = more
  end
  return taps
end
local function zeros(n)
  local out = {}
  for k = 1, n do out[k] = 0.0 end
  return out
end
-- |A| |x| in double, for n outputs
local function magnitude_of(plan, x, n)
  local out = zeros(n)
  for o = 1, n do
    for _, t in ipairs(taps_of(plan, o - 1)) do
      out[o] = out[o] + math.abs(t[2] * x[t[1] + 1])
    end
  end
  return out
end
-- A' w in double, for n inputs
local function transposed(plan, w, n)
  local out = zeros(n)
  for o = 1, #w do
    for _, t in ipairs(taps_of(plan, o - 1)) do out[t[1] + 1] = out[t[1] + 1] + t[2] * w[o] end
  end
  return out
end

local compiler = compiled.any_compiler()
if not compiler then
  tap.skip("properties", "no clang is installed")
  tap.done()
end
local here = compiled.runnable()
local binary = compiled.program(list, here[#here], compiler)
local function run(make)
  local inputs = {}
  for i, problem in ipairs(list) do inputs[i] = make(count(problem.x.shape), i) end
  return compiled.run(binary, list, inputs), inputs
end
local function each(name, fn)
  for i, problem in ipairs(list) do
    local _, n = sizes(problem)
    local fault
    for at = 0, n - 1 do fault = fault or fn(i, at) end
    if not tap.ok(not fault, name .. ": " .. titles[i]) then tap.diag(fault) end
  end
end
-- |got - want| within `share` times the bound of the kernel
local function near(i, at, got, want, magnitude, share)
  local bound = plans[i].copy and 0 or share * (plans[i].terms + 4) * EPS * magnitude + 2.0 ^ -149
  if not (math.abs(got - want) <= bound) then
    return ("y[%d] = %.9g, want %.9g"):format(at, got, want)
  end
end

-- constants are kept: weights sum up to 1
for _, constant in ipairs { 1.0, -3.5, 2.0 ^ 66 } do
  local y = run(function(n)
    local x = {}
    for k = 1, n do x[k] = constant end
    return x
  end)
  each(("the constant %g"):format(constant), function(i, at)
    return near(i, at, y[i][at], constant, 2 * math.abs(constant), 1)
  end)
end

-- linear: A(a·u + v) is a·A(u) + A(v); powers of two exactly
local yu, u = run(function(n, i) return ir.noise(n, i) end)
local yv, v = run(function(n, i) return ir.noise(n, i + 100) end)
local y8 = run(function(n, i)
  local x = {}
  for k = 1, n do x[k] = u[i][k] * 8 end
  return x
end)
each("eight times the input is eight times the output", function(i, at)
  if y8[i][at] ~= 8 * yu[i][at] then return ("y[%d] = %a"):format(at, y8[i][at]) end
end)
local neg = run(function(n, i)
  local x = {}
  for k = 1, n do x[k] = -u[i][k] end
  return x
end)
each("the negative", function(i, at)
  if neg[i][at] ~= -yu[i][at] then return ("y[%d] = %a"):format(at, neg[i][at]) end
end)
local ysum, sum = run(function(n, i)
  local x = {}
  for k = 1, n do x[k] = string.unpack("<f", string.pack("<f", u[i][k] + v[i][k])) end
  return x
end)
local magnitudes = {}
for i, plan in ipairs(plans) do
  local _, n = sizes(list[i])
  local a, b = magnitude_of(plan, u[i], n), magnitude_of(plan, v[i], n)
  magnitudes[i] = {}
  for k = 1, n do magnitudes[i][k - 1] = a[k] + b[k] end
end
each("the sum of two inputs", function(i, at)
  if plans[i].copy then return nil end
  return near(i, at, ysum[i][at], yu[i][at] + yv[i][at], magnitudes[i][at], 3)
end)

-- impulses: the answer is the column of the map; where it has no weight, exactly 0
local random = ir.random(3)
for round = 1, 3 do
  local at_input = {}
  local y = run(function(n, i)
    local x = {}
    at_input[i] = round == 1 and 0 or round == 2 and n - 1 or random(n)
    for k = 1, n do x[k] = k - 1 == at_input[i] and 1.0 or 0.0 end
    return x
  end)
  each("an impulse " .. round, function(i, at)
    local want = weight(plans[i], at, at_input[i])
    if not want and y[i][at] ~= 0 then return ("y[%d] = %g, no tap there"):format(at, y[i][at]) end
    return want and near(i, at, y[i][at], want, math.abs(want), 1)
  end)
end

-- one infinite input: outputs that do not depend on it stay finite
local where = {}
local infinite = run(function(n, i)
  local x = ir.noise(n, i)
  where[i] = 1 + random(n)
  x[where[i]] = math.huge
  return x
end)
each("one infinity", function(i, at)
  local finite = infinite[i][at] - infinite[i][at] == 0
  if finite == (weight(plans[i], at, where[i] - 1) ~= nil) then
    return ("y[%d] = %g"):format(at, infinite[i][at])
  end
end)

-- the adjoint: <A x, w> is <x, A' w>
for i, plan in ipairs(plans) do
  local n_in, n_out = sizes(list[i])
  local w = ir.noise(n_out, i + 200)
  local back = transposed(plan, w, n_in)
  local left, right, scale = 0.0, 0.0, 0.0
  for k = 1, n_out do
    left = left + yu[i][k - 1] * w[k]
    scale = scale + math.abs(yu[i][k - 1] * w[k])
  end
  for k = 1, n_in do right = right + u[i][k] * back[k] end
  tap.ok(math.abs(left - right) <= 1e-6 * scale, "the adjoint: " .. titles[i])
end

-- moved by a period, in the interior: bit for bit the same, moved
local function shifted(i)
  local plan = plans[i]
  local axis = plan.axes[plan.rank]
  local period = axis:period()
  if not period or period.inputs < 1 then return nil end
  local x, moved = ir.noise(count(list[i].x.shape), i + 300), {}
  for k = 1, #x do
    local row, column = (k - 1) // axis.input, (k - 1) % axis.input
    moved[k] = x[row * axis.input + math.max(0, column - period.inputs) + 1]
  end
  return x, moved, period, axis
end
local shifts = {}
for i in ipairs(list) do shifts[i] = { shifted(i) } end
local straight = run(function(n, i) return shifts[i][1] or ir.noise(n, i) end)
local moved = run(function(n, i) return shifts[i][2] or ir.noise(n, i) end)
each("moved by a period", function(i, at)
  local _, _, period, axis = table.unpack(shifts[i], 1, 4)
  local o = at % (axis and axis.output or 1)
  if not period or o < period.first + period.outputs or o > period.last then return nil end
  if axis.taps[o - period.outputs + 1].index[1] == 0 then return nil end
  local want = straight[i][at - period.outputs]
  if moved[i][at] ~= want then return ("y[%d] = %a, want %a"):format(at, moved[i][at], want) end
end)
tap.ok(#sum == #list, "all kernels took part")

compiled.command.clean()
tap.done()
