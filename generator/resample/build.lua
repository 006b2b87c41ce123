-- SPDX-License-Identifier: MIT
-- Axis maps from a filter, coordinates and an arithmetic.
--
-- Three kinds of filter: `sample` (taps on the pixel grid around a source coordinate), `kernel` (a
-- continuous function, laid over the pixels by a stretch rule) and `window` (integer ranges).
-- Common to all: positions outside the input are clamped to its border, weights that meet on one
-- pixel are added, taps of weight 0 are dropped, and the sum is rounded once to the type of the
-- kernel's arithmetic.

local axis_map = require "upweave.plan.axis"
local exclude = require "upweave.resample.exclude"
local fixed = require "upweave.resample.fixed"
local source_of = require("upweave.resample.source").of

local M = {}

---What becomes of a finished weight, by the type of the kernel's arithmetic.
local FINISH <const> = { f32 = "single", f64 = "double", fixed = "double" }

---Clamps, merges, drops zeros. `largest` is what precision in fixed point depends on: of weights
---that meet on one pixel, each sum on the way counts.
local function gather(A, spec, first, weights)
  local index, sums, finish = {}, {}, A[FINISH[spec.work]]
  local n, last, border = 0, -1, spec.input - 1
  local largest = spec.work == "fixed" and 0.0 or nil
  for k = 1, #weights do
    local i = first + k - 1
    if i < 0 then i = 0 elseif i > border then i = border end
    if i == last then
      sums[n] = A.wide.add(sums[n], weights[k])
    else
      n, last = n + 1, i
      index[n], sums[n] = i, weights[k]
    end
    if largest then largest = math.max(largest, finish(sums[n])) end
  end
  local taps, kept = { index = {}, weight = {}, largest = largest }, 0
  for k = 1, n do
    local w = finish(sums[k])
    if w ~= 0 then
      kept = kept + 1
      taps.index[kept], taps.weight[kept] = index[k], w
    end
  end
  return taps
end

---For each kind, what gives first index and weights of an output.

local function copies(A)
  local one = A.int(1)
  return function(o) return o, { one } end
end

local function samples(A, spec)
  local source, sample = spec.coordinates.source(spec.grid or A, spec), spec.filter.sample
  return function(o) return sample(A, source(o), spec.input) end
end

local function windows(A, spec)
  return function(o) return spec.filter.window(A, o, spec.input, spec.output) end
end

---@return fun(o: integer): integer, any[]
---@return integer terms   taps that the framework has for every output, whatever their weights
local function rule_of(A, spec, copied)
  if copied then return copies(A), 1 end
  local filter = spec.filter
  if filter.window then return windows(A, spec), 1 end
  if filter.kernel then return spec.stretch.windows(A, spec), 1 end
  return samples(A, spec), filter.taps
end

---@class upweave.resample.axis_spec
---@field name string
---@field input integer
---@field output integer
---@field scale number|nil        scale factor, where it enters the rule
---@field roi number[]|nil        window of the input, for coordinates that cut one out
---@field filter table
---@field coordinates table|nil   not for windows
---@field stretch table|nil       for kernels
---@field arithmetic table
---@field grid table|nil          arithmetic of the coordinates, where another than the filter's
---@field work string             of the finished weights: f32, f64 or fixed
---@field copies_equal_sizes boolean|nil  whatever filter and scale say
---@field exclude boolean|nil     taps outside the input do not count

---@param spec upweave.resample.axis_spec
---@return upweave.axis
---@return integer terms   most taps that the framework sums for one output of this axis
function M.axis(spec)
  local A = spec.arithmetic
  local copied = spec.input == spec.output and spec.copies_equal_sizes or false
  local rule, terms = rule_of(A, spec, copied)
  local taps = {}
  for o = 0, spec.output - 1 do
    local first, weights = rule(o)
    if spec.exclude then first, weights = exclude(A, first, weights, spec.input) end
    taps[o + 1] = gather(A, spec, first, weights)
    terms = math.max(terms, #weights)
  end
  local fields = { name = spec.name, input = spec.input, output = spec.output, taps = taps,
    source = source_of(A, spec, copied) }
  if spec.work == "fixed" then fields.taps, fields.precision = fixed.point(taps) end
  return axis_map.new(fields), terms
end

return M
