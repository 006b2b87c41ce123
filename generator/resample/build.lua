-- SPDX-License-Identifier: MIT
-- Axis maps from a filter, coordinates and an arithmetic.
--
-- Three kinds of filter: `sample` (taps on the pixel grid around a source coordinate), `kernel` (a
-- continuous function, stretched over the ratio and normalised) and `window` (integer ranges).
-- Common to all: positions outside the input are clamped to its border, weights that meet on one
-- pixel are added, taps of weight 0 are dropped, and the sum is rounded once to the kernel's float.

local axis_map = require "upweave.plan.axis"
local source_of = require("upweave.resample.source").of

local M = {}

---Clamps, merges, drops zeros.
local function gather(A, first, weights, input)
  local index, sums = {}, {}
  local n, last = 0, -1
  for k = 1, #weights do
    local i = first + k - 1
    if i < 0 then i = 0 elseif i >= input then i = input - 1 end
    if i == last then
      sums[n] = A.wide.add(sums[n], weights[k])
    else
      n, last = n + 1, i
      index[n], sums[n] = i, weights[k]
    end
  end
  local taps = { index = {}, weight = {} }
  local kept = 0
  for k = 1, n do
    local w = A.weight(sums[k])
    if w ~= 0 then
      kept = kept + 1
      taps.index[kept], taps.weight[kept] = index[k], w
    end
  end
  return taps
end

local function identity(A, size)
  local taps = {}
  for o = 1, size do taps[o] = gather(A, o - 1, { A.int(1) }, size) end
  return taps
end

local function sampled(A, spec)
  local ratio = spec.coordinates.ratio(A, spec.input, spec.output, spec.scale)
  local source, sample, taps = spec.coordinates.source, spec.filter.sample, {}
  for o = 0, spec.output - 1 do
    local first, weights = sample(A, source(A, ratio, o), spec.input)
    taps[o + 1] = gather(A, first, weights, spec.input)
  end
  return taps
end

local function ceil(A, x)
  local n = A.floor(x)
  return A.less(A.int(n), x) and n + 1 or n
end

---What the stretched filter needs for every output: PyTorch's window rule, in its rounding order.
local function stretch(A, spec)
  local one = A.int(1)
  local ratio = spec.coordinates.ratio(A, spec.input, spec.output, spec.scale)
  local down = not A.less(ratio, one)
  local support = A.int(spec.filter.radius)
  if down then support = A.mul(support, ratio) end
  return {
    ratio = ratio,
    support = support,
    inverse = down and A.div(one, ratio) or one,
    widest = 2 * ceil(A, support) + 1,
  }
end

local function stretched_taps(A, spec, s, o)
  local W, half = A.wide, A.constant(0.5)
  local centre = A.narrow(W.mul(s.ratio, W.add(W.int(o), half)))
  local first = math.max(W.floor(W.add(A.sub(centre, s.support), half)), 0)
  local stop = math.min(W.floor(W.add(A.add(centre, s.support), half)), spec.input)
  local count = math.max(math.min(stop - first, s.widest), 0)
  local weights, total = {}, A.int(0)
  for k = 1, count do
    local x = W.add(A.sub(A.int(first + k - 1), centre), half)
    weights[k] = spec.filter.kernel(A, A.narrow(W.mul(x, s.inverse)))
    total = A.add(total, weights[k])
  end
  for k = 1, count do weights[k] = A.div(weights[k], total) end
  return gather(A, first, weights, spec.input), count
end

local function stretched(A, spec)
  local s, taps, terms = stretch(A, spec), {}, 1
  for o = 0, spec.output - 1 do
    local count
    taps[o + 1], count = stretched_taps(A, spec, s, o)
    terms = math.max(terms, count)
  end
  return taps, terms
end

local function windowed(A, spec)
  local taps, terms = {}, 1
  for o = 0, spec.output - 1 do
    local first, weights = spec.filter.window(A, o, spec.input, spec.output)
    taps[o + 1] = gather(A, first, weights, spec.input)
    terms = math.max(terms, #weights)
  end
  return taps, terms
end

---@class upweave.resample.axis_spec
---@field name string
---@field input integer
---@field output integer
---@field scale number|nil        scale factor, where it enters the rule
---@field filter table
---@field coordinates table|nil   not for windows
---@field arithmetic table

---@param spec upweave.resample.axis_spec
---@return upweave.axis
---@return integer terms   most taps that the framework sums for one output of this axis
function M.axis(spec)
  local A, filter = spec.arithmetic, spec.filter
  local taps, terms
  local copied = spec.input == spec.output and (filter.kernel or filter.copies_equal_sizes)
  if filter.window then
    taps, terms = windowed(A, spec)
  elseif copied then
    taps, terms = identity(A, spec.output), 1
  elseif filter.kernel then
    taps, terms = stretched(A, spec)
  else
    taps, terms = sampled(A, spec), filter.taps
  end
  local map = axis_map.new { name = spec.name, input = spec.input, output = spec.output,
    taps = taps, source = source_of(A, spec, copied) }
  return map, terms
end

return M
