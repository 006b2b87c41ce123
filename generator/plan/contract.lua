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

-- Printed as a line of sizes, then a line for each phase.
local Axis = {
  __tostring = function(axis)
    local out = {
      ("axis %s: %d -> %d, kernel %d, %d phases, step %d"):format(axis.name, axis.input,
        axis.output, axis.kernel, axis.phases, axis.step),
    }
    for r, taps in ipairs(axis.taps) do
      local terms = {}
      for t, tap in ipairs(taps) do terms[t] = ("w%d x[q%+d]"):format(tap.k, tap.at) end
      if #terms == 0 then terms[1] = "no taps" end
      out[r + 1] = ("  phase %d: %s"):format(r - 1, table.concat(terms, ", "))
    end
    return table.concat(out, "\n")
  end,
}

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
---@field bytes_read integer   x and parameters
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
  local taps = {}
  for r = 1, fields.stride do
    taps[r] = {}
    for k = fields.kernel - 1, 0, -1 do
      local reach = r - 1 + fields.pad - k * fields.dilation
      if reach % fields.stride == 0 then
        taps[r][#taps[r] + 1] = tap(k, reach // fields.stride)
      end
    end
  end
  return setmetatable({
    name = fields.name, input = fields.input, output = fields.output, kernel = fields.kernel,
    phases = fields.stride, step = 1, dilation = fields.dilation, taps = taps,
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

-- Taps inside of all outputs of an axis, and the most of one.
local function count(axis)
  local total, most = 0, 0
  for o = 0, axis.output - 1 do
    local first, last = M.inside(axis, o)
    local n = math.max(0, last - first + 1)
    total, most = total + n, math.max(most, n)
  end
  return total, most
end

---@param fields table   dtype, work, batch, planar, groups, ci, co, transposed, bias, post,
---  numerics, axes
---@return upweave.plan.contract
function M.new(fields)
  local bytes = types.element_bytes[fields.dtype]
  local pairs_inside, terms = fields.ci * fields.co * fields.groups * fields.batch, fields.ci
  local read = fields.batch * fields.ci * fields.groups
  local written = fields.batch * fields.co * fields.groups
  local weights = fields.ci * fields.co * fields.groups
  for _, axis in ipairs(fields.axes) do
    local total, most = count(axis)
    pairs_inside, terms = pairs_inside * total, terms * most
    read, written, weights = read * axis.input, written * axis.output, weights * axis.kernel
  end
  local flops = 2 * pairs_inside
  return {
    form = "contract", dtype = fields.dtype, work = fields.work, batch = fields.batch,
    planar = fields.planar, rank = #fields.axes, groups = fields.groups, ci = fields.ci,
    co = fields.co, transposed = fields.transposed, bias = fields.bias, post = fields.post,
    numerics = fields.numerics, axes = fields.axes, terms = terms, flops = flops,
    limit_flops = flops, bytes_read = (read + weights) * bytes, bytes_written = written * bytes,
  }
end

return M
