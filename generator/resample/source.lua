-- SPDX-License-Identifier: MIT
-- Source: where the outputs of an axis lie on its input, as numbers for people.
--
-- Drawings and explanations read it; kernels never do, they have the taps. All coordinate rules are
-- straight lines, so two numbers say one: output o reads around first + step * o.
-- Invariant: asked of the same coordinates, filter and arithmetic that gave the taps.

local M = {}

---@class upweave.axis.source
---@field rule string      name of the coordinates; of the filter where those are its windows
---@field first number     source coordinate of output 0; input i lies at i
---@field step number      input pixels from one output to the next
---@field reach number     how far from there the filter has weights, in input pixels
---@field point { input: number, output: number }  place in its cell, 0 left to 1 right
---@field outside string   taps outside the input: "clamped" to the border or "renormalised" away

local MIDDLE <const> = { input = 0.5, output = 0.5 }

-- An axis that is copied, by this rule and filter.
local function copy_of(rule, filter)
  return { rule = rule and rule.name or filter.name, first = 0, step = 1,
    reach = (filter.taps or 1) / 2, point = rule and rule.point or MIDDLE, outside = "clamped" }
end

---@param A table arithmetic
---@param spec upweave.resample.axis_spec
---@param copied boolean   equal sizes that the filter copies
---@return upweave.axis.source
function M.of(A, spec, copied)
  local rule, filter = spec.coordinates, spec.filter
  local source = copy_of(rule, filter)
  if copied then return source end
  if filter.window then
    source.step = spec.input / spec.output
    source.first, source.reach = (source.step - 1) / 2, source.step / 2
    return source
  end
  local grid, cut = spec.grid or A, filter.kernel and spec.stretch.counts_from_border
  source.step = grid.tonumber(rule.ratio(grid, spec))
  source.first = grid.tonumber(rule.source(grid, spec)(0))
  if filter.kernel then source.reach = filter.radius * math.max(source.step, 1) end
  if cut then source.first = (source.step - 1) / 2 end -- whatever the rule
  if cut or spec.exclude then source.outside = "renormalised" end
  return source
end

return M
