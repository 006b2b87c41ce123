-- SPDX-License-Identifier: MIT
-- Axis map: for each output coordinate of an axis, which input coordinates with which weights.
--
-- The common notion of all operators that move or blend positions: resize, pooling, the
-- zero-stuffed axes of transposed convolution. A map is data, `{ name, input, output, taps }`,
-- taps[o + 1] = `{ index, weight }`, and immutable once built.
-- Invariants (checked by `new`): indices ascend and lie in [0, input); weights are finite and not
-- 0; every output has a tap, unless the map is an adjoint (`sparse`). With a `precision` p the
-- weights are integers in units of 2^-p.

local M = {}
M.__index = M

---@class upweave.axis.taps
---@field index integer[]   input positions from 0, ascending
---@field weight number[]

---@class upweave.axis
---@field name string       "d", "h" or "w"
---@field input integer
---@field output integer
---@field taps upweave.axis.taps[]
---@field precision integer|nil  of fixed-point weights: the binary digits after the point
---@field sparse boolean|nil  outputs without a tap are legal (they are 0)
---@field source upweave.axis.source|nil  where the outputs lie, for drawings only

local function check_taps(fields, o, taps)
  local last = -1
  local n = #taps.index
  assert(n == #taps.weight, "as many weights as indices")
  assert(n > 0 or fields.sparse, "an output without taps")
  for k = 1, n do
    local i, w = taps.index[k], taps.weight[k]
    if math.type(i) ~= "integer" or i <= last or i >= fields.input then
      error(("axis %s: output %d: index %s after %d of %d"):format(
        fields.name, o, tostring(i), last, fields.input))
    end
    if w == 0 or w - w ~= 0 then
      error(("axis %s: output %d: weight %s"):format(fields.name, o, tostring(w)))
    end
    last = i
  end
end

---Takes over the tables given.
---@param fields upweave.axis
---@return upweave.axis
function M.new(fields)
  assert(fields.input >= 1 and fields.output == #fields.taps, "sizes of an axis map")
  for o = 1, fields.output do check_taps(fields, o - 1, fields.taps[o]) end
  return setmetatable(fields, M)
end

---The distance by which the taps of output `o + p` follow those of output `o` (counted from 0), or
---nil where they are no shifted copy.
---@param axis upweave.axis
---@param o integer
---@param p integer
---@param with_weights boolean
---@return integer|nil shift
local function shift_between(axis, o, p, with_weights)
  local a, b = axis.taps[o + 1], axis.taps[o + p + 1]
  local n = #a.index
  if n ~= #b.index or n == 0 then return nil end
  local shift = b.index[1] - a.index[1]
  for k = 1, n do
    if b.index[k] - a.index[k] ~= shift then return nil end
    if with_weights and a.weight[k] ~= b.weight[k] then return nil end
  end
  return shift
end

---The longest stretch around the middle in which outputs `p` apart are copies shifted by the same
---distance. The middle, because clamping disturbs the two ends only.
local function stretch(axis, p, with_weights)
  local middle = (axis.output - p) // 2
  local shift = shift_between(axis, middle, p, with_weights)
  if not shift then return nil end
  local first, last = middle, middle
  while first > 0 and shift_between(axis, first - 1, p, with_weights) == shift do
    first = first - 1
  end
  while last + 1 < axis.output - p and shift_between(axis, last + 1, p, with_weights) == shift do
    last = last + 1
  end
  return { outputs = p, inputs = shift, first = first, last = last + p }
end

---@class upweave.axis.period
---@field outputs integer   smallest distance at which the taps repeat
---@field inputs integer    by which the input positions have moved then
---@field first integer     first output of the interior, in which this holds
---@field last integer      its last output

---The period of the interior: of the index pattern, or (default) of indices and weights. An
---interior holds at least two periods and half the outputs; without one the map is aperiodic: nil.
---@param axis upweave.axis
---@param what string|nil   "index" or "weight"
---@return upweave.axis.period|nil
function M.period(axis, what)
  local with_weights = what ~= "index"
  for p = 1, axis.output // 2 do
    local found = stretch(axis, p, with_weights)
    if found then
      local size = found.last - found.first + 1
      if size >= 2 * p and 2 * size >= axis.output then return found end
    end
  end
  return nil
end

---The taps of one period, input positions counted from the smallest one in use there.
---@param axis upweave.axis
---@return { outputs: integer, inputs: integer, first: integer, taps: upweave.axis.taps[] }|nil
function M.phases(axis)
  local period = axis:period()
  if not period then return nil end
  local low = math.huge
  for o = period.first, period.first + period.outputs - 1 do
    low = math.min(low, axis.taps[o + 1].index[1])
  end
  local out = {}
  for r = 1, period.outputs do
    local taps, index = axis.taps[period.first + r], {}
    for k, i in ipairs(taps.index) do index[k] = i - low end
    out[r] = { index = index, weight = taps.weight }
  end
  return { outputs = period.outputs, inputs = period.inputs, first = period.first, low = low,
    taps = out }
end

---The outputs outside the interior, as two half-open ranges; all of them when there is no period.
---@param axis upweave.axis
---@return { first: integer, last: integer }[]  inclusive; an empty edge is left out
function M.edges(axis)
  local period = axis:period()
  if not period then return { { first = 0, last = axis.output - 1 } } end
  local out = {}
  if period.first > 0 then out[#out + 1] = { first = 0, last = period.first - 1 } end
  if period.last < axis.output - 1 then
    out[#out + 1] = { first = period.last + 1, last = axis.output - 1 }
  end
  return out
end

---The adjoint: input and output change places, weights stay. <A x, y> = <x, A' y>.
---@param axis upweave.axis
---@return upweave.axis
function M.transpose(axis)
  local taps = {}
  for i = 1, axis.input do taps[i] = { index = {}, weight = {} } end
  for o, from in ipairs(axis.taps) do
    for k, i in ipairs(from.index) do
      local to = taps[i + 1]
      to.index[#to.index + 1] = o - 1
      to.weight[#to.weight + 1] = from.weight[k]
    end
  end
  return M.new { name = axis.name, input = axis.output, output = axis.input, taps = taps,
    precision = axis.precision, sparse = true }
end

---What the map costs on one line: taps, most taps of an output, multiplications and additions.
---@param axis upweave.axis
---@return { taps: integer, widest: integer, flops: integer }
function M.cost(axis)
  local total, widest, flops = 0, 0, 0
  for _, taps in ipairs(axis.taps) do
    local n = #taps.index
    total = total + n
    widest = math.max(widest, n)
    if n > 1 then
      flops = flops + 2 * n - 1
    elseif n == 1 and taps.weight[1] ~= 1 then
      flops = flops + 1
    end
  end
  return { taps = total, widest = widest, flops = flops }
end

---Whether the map only moves values: one tap of weight 1 for every output.
---@param axis upweave.axis
---@return boolean
function M.is_copy(axis)
  for _, taps in ipairs(axis.taps) do
    if #taps.index ~= 1 or taps.weight[1] ~= 1 then return false end
  end
  return true
end

---Whether input and output are the same, position by position.
---@param axis upweave.axis
---@return boolean
function M.is_identity(axis)
  if axis.input ~= axis.output or not axis:is_copy() then return false end
  for o, taps in ipairs(axis.taps) do
    if taps.index[1] ~= o - 1 then return false end
  end
  return true
end

---The map applied to a line of values, summed in double: for tests and explanations.
---@param axis upweave.axis
---@param x number[]
---@return number[]
function M.apply(axis, x)
  local y = {}
  for o, taps in ipairs(axis.taps) do
    local sum = 0.0
    for k, i in ipairs(taps.index) do sum = sum + taps.weight[k] * x[i + 1] end
    y[o] = sum
  end
  return y
end

function M:__tostring()
  return require("upweave.plan.axis_text")(self)
end

return M
