-- SPDX-License-Identifier: MIT
-- Plans of the form contract: output phases x taps x channels.
--
-- y[o] = sum over taps and input channels of w * x: ordinary, transposed, grouped and depthwise
-- convolution of one to three axes. An axis says which input each tap of an output reads:
-- output o = q * phases + r reads input q * step + at for every tap of phase r, where that lies
-- inside. Ordinary convolution has one phase and steps of its stride; transposed convolution has
-- as many phases as its stride and steps of 1, and a phase may be without taps.
-- Invariants: the taps of a phase ascend in `at`, evenly; weights are numbers of `work`.

local types = require "upweave.ir.types"

local M = {}

local Axis = { __tostring = require "upweave.plan.contract_text" }
Axis.__index = Axis

---@class upweave.contract.tap
---@field k integer    position in the kernel
---@field at integer   input position of output q = 0

---@class upweave.contract.axis
---@field name string       "d", "h" or "w"
---@field input integer
---@field output integer
---@field kernel integer
---@field phases integer    outputs from one repetition of the taps to the next
---@field step integer      inputs between the two
---@field dilation integer  inputs between taps of an ordinary convolution
---@field taps upweave.contract.tap[][]   of every phase

---@class upweave.plan.contract
---@field form "contract"
---@field dtype string
---@field work string
---@field batch integer
---@field planar boolean
---@field rank integer
---@field groups integer
---@field ci integer           input channels of a group
---@field co integer           output channels of a group
---@field transposed boolean   weights are {in, out/groups, k…}, else {out, in/groups, k…}
---@field bias boolean
---@field post table[]         epilogues { name, a, b, eps }
---@field numerics string      strict, default or fast
---@field axes upweave.contract.axis[]
---@field terms integer        most products in a sum
---@field flops integer        of the taps inside the input
---@field limit_flops integer  arithmetic of the direct algorithm
---@field bytes_read integer   inputs and parameters
---@field bytes_written integer

local function tap(k, at) return { k = k, at = at } end

--- Axis of an ordinary convolution.
---@param fields table   name, input, output, kernel, stride, dilation, pad (at the begin)
---@return upweave.contract.axis
function M.conv_axis(fields)
  local taps = {}
  for k = 0, fields.kernel - 1 do taps[k + 1] = tap(k, k * fields.dilation - fields.pad) end
  return setmetatable({
    name = fields.name, input = fields.input, output = fields.output, kernel = fields.kernel,
    phases = 1, step = fields.stride, dilation = fields.dilation, taps = { taps },
  }, Axis)
end

--- Axis of a transposed convolution.
---@param fields table   name, input, output, kernel, stride, dilation, pad (at the begin)
---@return upweave.contract.axis
function M.conv_transpose_axis(fields)
  -- A stride beyond the output leaves phases out: what has no output has no phase.
  local stride, phases, taps = fields.stride, math.min(fields.stride, fields.output), {}
  for r = 1, phases do taps[r] = {} end
  for k = fields.kernel - 1, 0, -1 do
    local r = (k * fields.dilation - fields.pad) % stride
    local at = (r + fields.pad - k * fields.dilation) // stride
    if r < phases then table.insert(taps[r + 1], tap(k, at)) end
  end
  return setmetatable({
    name = fields.name, input = fields.input, output = fields.output, kernel = fields.kernel,
    phases = phases, step = 1, dilation = fields.dilation, taps = taps,
  }, Axis)
end

--- The taps of an output that lie inside the input: first and last, 1-based; last < first where
--- there is none.
---@param axis upweave.contract.axis
---@param o integer   output position from 0
---@return integer first
---@return integer last
function M.inside(axis, o)
  local taps = axis.taps[o % axis.phases + 1]
  local origin = o // axis.phases * axis.step
  local first, last = 1, #taps
  while first <= last and origin + taps[first].at < 0 do first = first + 1 end
  while last >= first and origin + taps[last].at >= axis.input do last = last - 1 end
  return first, last
end

--- The outputs whose taps all lie inside, also those between outputs without taps; last < first
--- where there are none.
---@return { first: integer, last: integer }
function Axis:interior()
  local first, last = 0, self.output - 1
  for r, taps in ipairs(self.taps) do
    if taps[1] then
      local q = -(taps[1].at // self.step) -- the first that does not begin outside
      first = math.max(first, (q - 1) * self.phases + r)
      q = (self.input - 1 - taps[#taps].at) // self.step
      last = math.min(last, (q + 1) * self.phases + r - 2)
    end
  end
  return { first = first, last = last }
end

--- How many outputs have the same taps, moved by how many inputs.
---@return { outputs: integer, inputs: integer }
function Axis:period() return { outputs = self.phases, inputs = self.step } end

-- Taps inside of the outputs first to last, and the most of one.
local function count(axis, first, last)
  local total, most = 0, 0
  for o = first, last do
    local from, to = M.inside(axis, o)
    local n = math.max(0, to - from + 1)
    total, most = total + n, math.max(most, n)
  end
  return total, most
end

--- Taps inside, of all outputs and the most of one. Only the edges and one period of the interior
--- are looked at, so that a long axis costs no more than a short one.
---@return { taps: integer, widest: integer }
function Axis:cost()
  local inside = self:interior()
  local length = inside.last - inside.first + 1
  if length < 2 * self.phases then
    local total, most = count(self, 0, self.output - 1)
    return { taps = total, widest = most }
  end
  local once, widest = count(self, inside.first, inside.first + self.phases - 1)
  local rest = count(self, inside.last - length % self.phases + 1, inside.last)
  local before, first = count(self, 0, inside.first - 1)
  local after, last = count(self, inside.last + 1, self.output - 1)
  return {
    taps = before + once * (length // self.phases) + rest + after,
    widest = math.max(first, widest, last),
  }
end

---@param fields table   dtype, work, batch, planar, groups, ci, co, transposed, bias, post,
---  numerics, axes, bytes_read
---@return upweave.plan.contract
function M.new(fields)
  local products, terms = fields.ci * fields.co * fields.groups * fields.batch, fields.ci
  local written = fields.batch * fields.co * fields.groups
  for _, axis in ipairs(fields.axes) do
    local cost = axis:cost()
    products, terms = products * cost.taps, terms * cost.widest
    written = written * axis.output
  end
  return {
    form = "contract", dtype = fields.dtype, work = fields.work, batch = fields.batch,
    planar = fields.planar, rank = #fields.axes, groups = fields.groups, ci = fields.ci,
    co = fields.co, transposed = fields.transposed, bias = fields.bias, post = fields.post,
    numerics = fields.numerics, axes = fields.axes, terms = terms, flops = 2 * products,
    limit_flops = 2 * products, bytes_read = fields.bytes_read,
    bytes_written = written * types.element_bytes[fields.dtype],
  }
end

return M
