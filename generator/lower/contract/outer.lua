-- OUTER AXES
-- ==========
-- Rows (and planes of rows) of a convolution as tables: which output comes when, and which input
-- row meets which row of the kernel.  Code does not depend on phases, edges or dilation of these
-- axes; outputs of one phase follow each other, so that they use the same weights in a row.

local contract = require "upweave.plan.contract"

local M = {}

-- Outputs from `from` to before `to`, those of a phase together.
local function by_phase(axis, from, to, list)
  for r = 0, axis.phases - 1 do
    for o = from, to - 1 do
      if o % axis.phases == r then list[#list + 1] = o end
    end
  end
end

-- Where parts begin, the end last: each is a run of outputs.
local function cuts(n, parts)
  local out = {}
  for p = 0, parts do out[p + 1] = p * n // parts end
  return out
end

---@class lower.contract.Outer
---@field part fun(p: ir.Index): ir.Index, ir.Index   bounds of a part's turns
---@field output fun(turn: ir.Index): ir.Index        output position of a turn
---@field taps fun(turn: ir.Index): ir.Index, ir.Index   bounds of its taps
---@field input fun(tap: ir.Index): ir.Index          input position of a tap
---@field kernel fun(tap: ir.Index): ir.Index         kernel position of a tap
---@field most integer                                taps of an output at most

--- Tables of an axis in so many parts.
---@param b ir.Builder
---@param axis upweave.contract.axis
---@param parts integer
---@return lower.contract.Outer
function M.new(b, axis, parts)
  local bounds, order = cuts(axis.output, parts), {}
  for p = 1, parts do by_phase(axis, bounds[p], bounds[p + 1], order) end
  local from, to, input, kernel, most = {}, {}, {}, {}, 0
  for turn, o in ipairs(order) do
    local first, last = contract.inside(axis, o)
    local taps, origin = axis.taps[o % axis.phases + 1], o // axis.phases * axis.step
    from[turn] = #input
    for t = first, last do
      input[#input + 1], kernel[#kernel + 1] = origin + taps[t].at, taps[t].k
    end
    to[turn], most = #input, math.max(most, last - first + 1)
  end
  if #input == 0 then input, kernel = { 0 }, { 0 } end    -- bias only: never looked at
  local name = axis.name
  local out = b:table(name .. "_out", "i32", order, 1, "output positions, in order of work")
  local ins = b:table(name .. "_in", "i32", input, 1, "input positions of their taps")
  local ks = b:table(name .. "_k", "i32", kernel)
  local lo, hi = table.move(bounds, 1, parts, 1, {}), table.move(bounds, 2, parts + 1, 1, {})
  return {
    part = b:ranges(name .. "_part", lo, hi),
    output = function(turn) return b:fetch(out, turn) end,
    taps = b:ranges(name .. "_taps", from, to),
    input = function(tap) return b:fetch(ins, tap) end,
    kernel = function(tap) return b:fetch(ks, tap) end,
    most = most,
  }
end

--- The tables of all axes but the last, the outermost in k.parts parts: k.outer.
---@param k { b: ir.Builder, plan: upweave.plan.contract, parts: integer }
function M.declare(k)
  k.outer = {}
  for i = 1, k.plan.rank - 1 do
    k.outer[i] = M.new(k.b, k.plan.axes[i], i == 1 and k.parts or 1)
  end
end

return M
