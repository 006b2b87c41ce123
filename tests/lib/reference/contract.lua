-- SPDX-License-Identifier: MIT
-- Reference of `conv` and `conv_transpose` in plain Lua, for small shapes: the oracle of IR tests.
--
-- Purpose: for a problem and its tensors as lists it gives, per element of y in memory order, the
-- value in double and how far off a kernel may be; and which outputs use an element of x. Written
-- from PyTorch's definition: conv gathers, y[o] += w[k]·x[o·s - p + k·d]; conv_transpose scatters,
-- y[i·s - p + k·d] += w[k]·x[i]; what lies outside does not exist.
-- Invariants: nothing is shared with generator/plan and generator/lower.

local M = {}

-- Of an axis, all {i, o, k}: output o reads input i with kernel index k.
local function meetings(axis, transposed)
  local list = {}
  local from = transposed and axis.input or axis.output
  local to = transposed and axis.output or axis.input
  for here = 0, from - 1 do
    for k = 0, axis.kernel - 1 do
      local there = here * axis.stride - axis.padding + k * axis.dilation
      if there >= 0 and there < to then
        local i, o = there, here
        if transposed then i, o = here, there end
        list[#list + 1] = { i = i, o = o, k = k }
      end
    end
  end
  return list
end

--- The meetings of every output of an axis in a problem, by output from 0.
---@param problem table
---@param at integer   spatial axis from 1
---@return table<integer, table[]>
---@return table axis
function M.axis(problem, at)
  local x = problem.x
  local first = (x.layout:sub(2, 2) == "C" and 2 or 1) + at
  local axis = {
    input = x.shape[first], output = problem.y.shape[first], kernel = problem.kernel_size[at],
    stride = problem.stride[at], dilation = problem.dilation[at], padding = problem.padding[at],
  }
  local found = {}
  for o = 0, axis.output - 1 do found[o] = {} end
  for _, meeting in ipairs(meetings(axis, problem.op == "conv_transpose")) do
    table.insert(found[meeting.o], meeting)
  end
  return found, axis
end

local ABSENT <const> = { input = 1, output = 1, kernel = 1 }

-- Sizes, and functions from places to indices from 1; absent axes come first and have size 1.
local function geometry(problem)
  local x, y = problem.x, problem.y
  local rank, planar = #x.shape - 2, x.layout:sub(2, 2) == "C"
  local axes, lists = {}, {}
  for a = 1, 3 do
    local at = a - 3 + rank
    axes[a], lists[a] = ABSENT, { [0] = { { i = 0, o = 0, k = 0 } } }
    if at >= 1 then lists[a], axes[a] = M.axis(problem, at) end
  end
  local g = {
    axes = axes, lists = lists, batch = x.shape[1], groups = problem.groups,
    transposed = problem.op == "conv_transpose",
    inputs = x.shape[planar and 2 or #x.shape], outputs = y.shape[planar and 2 or #y.shape],
  }
  local D, H, W = axes[1], axes[2], axes[3]
  local function place(channels, field)
    local h, w = H[field], W[field]
    local d = D[field]
    if planar then
      return function(n, c, z, v, u)
        return (((n * channels + c) * d + z) * h + v) * w + u + 1
      end
    end
    return function(n, c, z, v, u) return (((n * d + z) * h + v) * w + u) * channels + c + 1 end
  end
  g.x, g.y = place(g.inputs, "input"), place(g.outputs, "output")
  local second = (g.transposed and g.outputs or g.inputs) // g.groups
  function g.weight(a, b, z, v, u)
    return (((a * second + b) * D.kernel + z) * H.kernel + v) * W.kernel + u + 1
  end
  return g
end

-- Calls fn(n, z, v, u) for every pixel of y.
local function each_pixel(g, fn)
  for n = 0, g.batch - 1 do
    for z = 0, g.axes[1].output - 1 do
      for v = 0, g.axes[2].output - 1 do
        for u = 0, g.axes[3].output - 1 do fn(n, z, v, u) end
      end
    end
  end
end

-- Calls fn(d, h, w) for every meeting of a pixel.
local function each_meeting(g, z, v, u, fn)
  for _, d in ipairs(g.lists[1][z]) do
    for _, h in ipairs(g.lists[2][v]) do
      for _, w in ipairs(g.lists[3][u]) do fn(d, h, w) end
    end
  end
end

-- Value, size and number of the products of an output, and its bias.
local function sum(g, memory, n, oc, z, v, u)
  local ci, co = g.inputs // g.groups, g.outputs // g.groups
  local first = oc // co * ci
  local value = memory.bias and memory.bias[oc + 1] or 0.0
  local size, terms = math.abs(value), 0
  each_meeting(g, z, v, u, function(d, h, w)
    for c = 0, ci - 1 do
      local at = g.transposed and g.weight(first + c, oc % co, d.k, h.k, w.k)
        or g.weight(oc, c, d.k, h.k, w.k)
      local product = memory.weight[at] * memory.x[g.x(n, first + c, d.i, h.i, w.i)]
      value, size, terms = value + product, size + math.abs(product), terms + 1
    end
  end)
  return value, size, terms
end

-- Epilogues: value and bound behind them; c is the channel from 1, at the place in y.
local steps = {}

function steps.relu(value, bound) return math.max(value, 0), bound end

function steps.prelu(value, bound, unit, read)
  local slope = read.channel "slope"
  local scaled = value > 0 and value or slope * value
  return scaled, bound * math.max(1, math.abs(slope)) + unit * math.abs(scaled)
end

function steps.add(value, bound, unit, read)
  value = value + read.residual()
  return value, bound + unit * (math.abs(value) + bound)
end

function steps.batch_norm(value, bound, unit, read)
  local scale = read.channel "gamma" / math.sqrt(read.channel "var" + read.eps)
  local mean, beta = read.channel "mean", read.channel "beta"
  local size = math.abs(value * scale) + math.abs(mean * scale) + math.abs(beta)
  return (value - mean) * scale + beta, bound * math.abs(scale) + 4 * unit * size
end

function steps.sigmoid(value, bound, unit)
  return 1 / (1 + math.exp(-value)), bound / 4 + 16 * unit
end

-- A batch_norm behind the sum is folded: its scale is in every product, and n is 4 more.
local function folded(problem, value, size, terms, read, unit)
  local first = problem.post[1] == "batch_norm" and 2 or 1
  if first == 2 then
    local scale = read.channel "gamma" / math.sqrt(read.channel "var" + read.eps)
    local shift = read.channel "mean" * scale
    value = value * scale - shift + read.channel "beta"
    size = size * math.abs(scale) + math.abs(shift) + math.abs(read.channel "beta")
    terms = terms + 4
  end
  return value, (terms + 4) * unit * size, first
end

-- Half the distance of neighbours of a stored number.
local FORMATS <const> = { f16 = { 11, -14 }, bf16 = { 8, -126 } }

local function half_step(dtype, value)
  local format = FORMATS[dtype]
  if not format then return 0.0 end
  local exponent = format[2]
  while 2.0 ^ (exponent + 1) <= math.abs(value) do exponent = exponent + 1 end
  return 2.0 ^ (exponent - format[1])
end

---@param problem table   canonical
---@param memory table<string, number[]>   its inputs and parameters
---@return number[] want
---@return number[] bound
function M.contract(problem, memory)
  local g, want, bounds = geometry(problem), {}, {}
  local dtype = problem.x.dtype or "f32"
  local unit = dtype == "f64" and 2.0 ^ -52 or 2.0 ^ -24 -- the reference itself is in double
  each_pixel(g, function(n, z, v, u)
    for c = 0, g.outputs - 1 do
      local at = g.y(n, c, z, v, u)
      local read = {
        eps = problem.eps,
        channel = function(name) return memory[name][c + 1] end,
        residual = function() return memory.residual[at] end,
      }
      local value, size, terms = sum(g, memory, n, c, z, v, u)
      local bound, first
      value, bound, first = folded(problem, value, size, terms, read, unit)
      for i = first, #problem.post do
        value, bound = steps[problem.post[i]](value, bound, unit, read)
      end
      want[at], bounds[at] = value, bound + half_step(dtype, math.abs(value) + bound)
    end
  end)
  return want, bounds
end

--- Which elements of y use the element of x at a place, both in memory order from 1.
---@param problem table
---@param place integer
---@return table<integer, true>
function M.users(problem, place)
  local g, found = geometry(problem), {}
  local ci, co = g.inputs // g.groups, g.outputs // g.groups
  each_pixel(g, function(n, z, v, u)
    each_meeting(g, z, v, u, function(d, h, w)
      for c = 0, g.inputs - 1 do
        if g.x(n, c, d.i, h.i, w.i) == place then
          local first = c // ci * co
          for o = first, first + co - 1 do found[g.y(n, o, z, v, u)] = true end
        end
      end
    end)
  end)
  return found
end

return M
